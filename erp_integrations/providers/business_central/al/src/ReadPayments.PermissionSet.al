// Assign it to the application in "Microsoft Entra Applications". Reading only.
permissionset 50104 "PSY READ PAYMENTS"
{
    Assignable = true;
    Caption = 'Read posted vendor payments', Locked = true;
    Permissions =
        page "PSY Vendor Ledger Entries" = X,
        page "PSY Vendor Ledger Details" = X,
        page "PSY Applied Vendor Entries" = X,
        codeunit "PSY Payment Discount" = X,
        tabledata "Vendor Ledger Entry" = R,
        tabledata "Detailed Vendor Ledg. Entry" = R,
        tabledata "Check Ledger Entry" = R,
        tabledata "General Ledger Setup" = R,
        tabledata Vendor = R,
        tabledata Company = R;
}
