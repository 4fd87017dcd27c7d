// Posted documents of vendors: payments, invoices, and what else there is. For reading only.
// GET …/api/procoreSync/payments/v1.0/companies(…)/vendorLedgerEntries?$expand=vendorLedgerDetails,appliedVendorEntries
page 50100 "PSY Vendor Ledger Entries"
{
    PageType = API;
    APIPublisher = 'procoreSync';
    APIGroup = 'payments';
    APIVersion = 'v1.0';
    EntityName = 'vendorLedgerEntry';
    EntitySetName = 'vendorLedgerEntries';
    Caption = 'Vendor Ledger Entries', Locked = true;
    SourceTable = "Vendor Ledger Entry";
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
            repeater(Entries)
            {
                field(id; Rec.SystemId) { Caption = 'Id', Locked = true; }
                field(entryNumber; Rec."Entry No.") { Caption = 'Entry No.', Locked = true; }
                field(documentType; Rec."Document Type") { Caption = 'Document Type', Locked = true; }
                field(documentNumber; Rec."Document No.") { Caption = 'Document No.', Locked = true; }
                field(externalDocumentNumber; Rec."External Document No.") { Caption = 'External Document No.', Locked = true; }
                field(postingDate; Rec."Posting Date") { Caption = 'Posting Date', Locked = true; }
                field(description; Rec.Description) { Caption = 'Description', Locked = true; }
                field(vendorNumber; Rec."Vendor No.") { Caption = 'Vendor No.', Locked = true; }
                field(vendorName; VendorName) { Caption = 'Vendor Name', Locked = true; }
                field(currencyCode; CurrencyCode) { Caption = 'Currency Code', Locked = true; }
                field(originalAmount; Rec."Original Amount") { Caption = 'Original Amount', Locked = true; }
                field(paymentMethodCode; Rec."Payment Method Code") { Caption = 'Payment Method Code', Locked = true; }
                field(checkNumber; CheckNumber) { Caption = 'Check No.', Locked = true; }
                field(checkIsVoided; CheckIsVoided) { Caption = 'Check Is Voided', Locked = true; }
                field(reversed; Rec.Reversed) { Caption = 'Reversed', Locked = true; }
                field(reversedEntryNumber; Rec."Reversed Entry No.") { Caption = 'Reversed Entry No.', Locked = true; }
                field(lastModifiedDateTime; Rec.SystemModifiedAt) { Caption = 'Last Modified', Locked = true; }
                part(details; "PSY Vendor Ledger Details")
                {
                    EntityName = 'vendorLedgerDetail';
                    EntitySetName = 'vendorLedgerDetails';
                    SubPageLink = "Vendor Ledger Entry No." = field("Entry No.");
                }
                part(appliedEntries; "PSY Applied Vendor Entries")
                {
                    EntityName = 'appliedVendorEntry';
                    EntitySetName = 'appliedVendorEntries';
                    SubPageLink = "Applied Vend. Ledger Entry No." = field("Entry No.");
                }
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
        // An empty code stands for the company's own currency.
        CurrencyCode := Rec."Currency Code";
        if CurrencyCode = '' then
            CurrencyCode := GeneralLedgerSetup."LCY Code";
        // The name on the entry is empty unless the setup says that it is copied.
        VendorName := Rec."Vendor Name";
        Vendor.SetLoadFields(Name);
        if (VendorName = '') and Vendor.Get(Rec."Vendor No.") then
            VendorName := Vendor.Name;
        FindCheck();
    end;

    local procedure FindCheck()
    var
        CheckLedgerEntry: Record "Check Ledger Entry";
    begin
        CheckNumber := '';
        CheckIsVoided := false;
        if Rec."Document Type" <> Rec."Document Type"::Payment then
            exit;
        CheckLedgerEntry.SetRange("Document No.", Rec."Document No.");
        CheckLedgerEntry.SetRange("Posting Date", Rec."Posting Date");
        CheckLedgerEntry.SetRange("Bal. Account Type", CheckLedgerEntry."Bal. Account Type"::Vendor);
        CheckLedgerEntry.SetRange("Bal. Account No.", Rec."Vendor No.");
        CheckLedgerEntry.SetFilter(
            "Entry Status", '%1|%2',
            CheckLedgerEntry."Entry Status"::Posted,
            CheckLedgerEntry."Entry Status"::"Financially Voided");
        if CheckLedgerEntry.FindLast() then begin
            CheckNumber := CheckLedgerEntry."Check No.";
            CheckIsVoided := CheckLedgerEntry."Entry Status" = CheckLedgerEntry."Entry Status"::"Financially Voided";
        end;
    end;

    var
        GeneralLedgerSetup: Record "General Ledger Setup";
        Vendor: Record Vendor;
        CurrencyCode: Code[10];
        VendorName: Text[100];
        CheckNumber: Code[20];
        CheckIsVoided: Boolean;
}
