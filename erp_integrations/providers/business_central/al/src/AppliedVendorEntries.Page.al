// The other sides of the applications for which one entry was the applying entry.
page 50102 "PSY Applied Vendor Entries"
{
    PageType = API;
    APIPublisher = 'procoreSync';
    APIGroup = 'payments';
    APIVersion = 'v1.0';
    EntityName = 'appliedVendorEntry';
    EntitySetName = 'appliedVendorEntries';
    Caption = 'Applied Vendor Entries', Locked = true;
    SourceTable = "Detailed Vendor Ledg. Entry";
    ODataKeyFields = SystemId;
    DataAccessIntent = ReadOnly;
    Editable = false;
    InsertAllowed = false;
    ModifyAllowed = false;
    DeleteAllowed = false;
    DelayedInsert = true;
    Extensible = false;

    layout
    {
        area(Content)
        {
            repeater(Details)
            {
                field(id; Rec.SystemId) { Caption = 'Id', Locked = true; }
                field(entryNumber; Rec."Entry No.") { Caption = 'Entry No.', Locked = true; }
                field(entryType; Rec."Entry Type") { Caption = 'Entry Type', Locked = true; }
                field(vendorLedgerEntryNumber; Rec."Vendor Ledger Entry No.") { Caption = 'Vendor Ledger Entry No.', Locked = true; }
                field(appliedEntryNumber; Rec."Applied Vend. Ledger Entry No.") { Caption = 'Applied Vend. Ledger Entry No.', Locked = true; }
                field(initialDocumentType; Rec."Initial Document Type") { Caption = 'Initial Document Type', Locked = true; }
                field(transactionNumber; Rec."Transaction No.") { Caption = 'Transaction No.', Locked = true; }
                field(amount; Rec.Amount) { Caption = 'Amount', Locked = true; }
                field(amountInLocalCurrency; Rec."Amount (LCY)") { Caption = 'Amount (LCY)', Locked = true; }
                field(currencyCode; CurrencyCode) { Caption = 'Currency Code', Locked = true; }
                field(unapplied; Rec.Unapplied) { Caption = 'Unapplied', Locked = true; }
                field(unappliedByEntryNumber; Rec."Unapplied by Entry No.") { Caption = 'Unapplied by Entry No.', Locked = true; }
                field(otherEntryNumber; OtherEntry."Entry No.") { Caption = 'Other Entry No.', Locked = true; }
                field(otherDocumentType; OtherEntry."Document Type") { Caption = 'Other Document Type', Locked = true; }
                field(otherDocumentNumber; OtherEntry."Document No.") { Caption = 'Other Document No.', Locked = true; }
                field(otherExternalDocumentNumber; OtherEntry."External Document No.") { Caption = 'Other External Document No.', Locked = true; }
                field(discount; Discount) { Caption = 'Discount', Locked = true; }
                field(lastModifiedDateTime; Rec.SystemModifiedAt) { Caption = 'Last Modified', Locked = true; }
            }
        }
    }

    trigger OnOpenPage()
    begin
        GeneralLedgerSetup.SetLoadFields("LCY Code");
        GeneralLedgerSetup.Get();
    end;

    trigger OnAfterGetRecord()
    begin
        CurrencyCode := Rec."Currency Code";
        if CurrencyCode = '' then
            CurrencyCode := GeneralLedgerSetup."LCY Code";
        Clear(OtherEntry);
        Discount := 0;
        if Rec."Entry Type" <> Rec."Entry Type"::Application then
            exit;
        OtherEntry.SetLoadFields("Document Type", "Document No.", "External Document No.");
        if not OtherEntry.Get(Rec."Vendor Ledger Entry No.") then
            exit;
        if OtherEntry."Entry No." <> Rec."Applied Vend. Ledger Entry No." then
            Discount := PaymentDiscount.TakenOn(OtherEntry, Rec);
    end;

    var
        GeneralLedgerSetup: Record "General Ledger Setup";
        OtherEntry: Record "Vendor Ledger Entry";
        PaymentDiscount: Codeunit "PSY Payment Discount";
        CurrencyCode: Code[10];
        Discount: Decimal;
}
