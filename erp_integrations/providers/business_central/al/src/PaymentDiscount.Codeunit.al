// A discount (or an accepted tolerance) is booked on the invoice, in the transaction of the
// application, and names no payment.
codeunit 50103 "PSY Payment Discount"
{
    Access = Internal;

    procedure TakenOn(Invoice: Record "Vendor Ledger Entry"; Application: Record "Detailed Vendor Ledg. Entry"): Decimal
    var
        Detail: Record "Detailed Vendor Ledg. Entry";
    begin
        if Invoice."Document Type" <> Invoice."Document Type"::Invoice then
            exit(0);
        if not IsLastOf(Invoice, Application) then
            exit(0);
        Detail.SetRange("Vendor Ledger Entry No.", Invoice."Entry No.");
        Detail.SetRange("Transaction No.", Application."Transaction No.");
        Detail.SetRange("Application No.", Application."Application No.");
        Detail.SetRange(Unapplied, Application.Unapplied);
        Detail.SetFilter(
            "Entry Type", '%1|%2|%3',
            Detail."Entry Type"::"Payment Discount",
            Detail."Entry Type"::"Payment Discount Tolerance",
            Detail."Entry Type"::"Payment Tolerance");
        Detail.CalcSums(Amount);
        exit(Detail.Amount);
    end;

    // One transaction may apply several payments to an invoice: the discount belongs to the last.
    local procedure IsLastOf(Invoice: Record "Vendor Ledger Entry"; Application: Record "Detailed Vendor Ledg. Entry"): Boolean
    var
        Later: Record "Detailed Vendor Ledg. Entry";
    begin
        if Application."Vendor Ledger Entry No." = Invoice."Entry No." then
            exit(true);
        Later.SetRange("Applied Vend. Ledger Entry No.", Invoice."Entry No.");
        Later.SetRange("Entry Type", Later."Entry Type"::Application);
        Later.SetRange("Transaction No.", Application."Transaction No.");
        Later.SetRange("Application No.", Application."Application No.");
        Later.SetRange(Unapplied, Application.Unapplied);
        Later.SetFilter("Vendor Ledger Entry No.", '<>%1', Invoice."Entry No.");
        Later.SetFilter("Entry No.", '>%1', Application."Entry No.");
        exit(Later.IsEmpty());
    end;
}
