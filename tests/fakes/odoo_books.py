"""A ledger that keeps Odoo's own tables, and moves their ``write_date`` as Odoo does.

What it knows was seen on a running Odoo 19: a payment goes back to draft and its
bills stay paid; ``write_date`` of a payment moves when its state does, or when it
is used up or no longer, and not when a part of it is applied to a bill or taken
off; the lines that are matched are always stamped. Until Odoo 17 a payment's
state belongs to its entry, and so only the entry is stamped.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from tests.fakes.ledger import Application, Bill, Ledger, Payment, State, Vendor
from tests.fakes.odoo_orm import Record, Tables

COMPANY, USD, EUR, BANK = 1, 1, 126, 6
CURRENCIES = {"USD": USD, "EUR": EUR}
CHECK_LABEL = "Manual Payment"


class OdooLedger(Ledger):
    """Acts of accountants, written into Odoo's tables. Ids of records are the ledger's numbers."""

    def __init__(self, version: int = 19, **options: Any) -> None:
        self.version = version
        self.tables = Tables(version)
        #: payments without entries, as the Enterprise edition makes them
        self.books_payments = True
        self._setup()
        super().__init__(**options)
        self._last = 200

    def _setup(self) -> None:
        insert = self.tables.insert
        insert("res.currency", USD, name="USD", display_name="USD", active=True)
        insert("res.currency", EUR, name="EUR", display_name="EUR", active=True)
        name = "Northstar General Contractors"
        insert("res.company", COMPANY, name=name, display_name=name, currency_id=USD)
        insert(
            "account.journal", BANK, name="Bank", display_name="Bank", type="bank", code="BNK1",
            company_id=COMPANY,
        )  # fmt: skip

    @property
    def moment(self) -> str:
        """Now, as Odoo writes it: naive UTC, whole seconds."""
        return self.now.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")

    def row(self, model: str, number: int) -> Record:
        return self.tables.rows[model][number]

    def touch(self, *records: Record) -> None:
        for each in records:
            each["write_date"] = self.moment

    def insert(self, model: str, number: int, **values: Any) -> Record:
        dates = {"create_date": self.moment, "write_date": self.moment}
        return self.tables.insert(model, number, **(dates | values))

    # --------------------------------------------------------------------- acts
    def vendor(self, code: str, name: str) -> Vendor:
        made = super().vendor(code, name)
        if made.number not in self.tables.rows["res.partner"]:
            self.insert(
                "res.partner", made.number, name=name, ref=code, display_name=name,
                supplier_rank=1, active=True, is_company=True, commercial_partner_id=made.number,
            )  # fmt: skip
        return made

    def order(self, vendor: Vendor, reference: str, total: str) -> Record:
        """A confirmed purchase order."""
        number = self.next_number()
        return self.insert(
            "purchase.order", number, name=f"P{number:05}", display_name=f"P{number:05}",
            partner_ref=reference, state="purchase", partner_id=vendor.number, company_id=COMPANY,
            amount_total=float(total), currency_id=USD, date_approve=self.moment,
        )  # fmt: skip

    def bill(self, reference: str, *amounts: str | Decimal, **options: Any) -> Bill:
        made = super().bill(reference, *amounts, **options)
        self._move(made.number, made, "in_invoice", made.total, is_posted=made.is_posted)
        return made

    def _move(
        self, number: int, bill: Bill, kind: str, total: Decimal, *, is_posted: bool = True
    ) -> Record:
        """A bill or a refund with the line that is payable."""
        prefix = "RBILL" if kind == "in_refund" else "BILL"
        name = f"{prefix}/{bill.date:%Y/%m}/{number:04}"
        state = "posted" if is_posted else "draft"
        day = bill.date.isoformat()
        row = self.insert(
            "account.move", number, name=name if is_posted else False, ref=bill.reference,
            display_name=f"{name} ({bill.reference})", state=state, payment_state="not_paid",
            move_type=kind, partner_id=bill.vendor.number, commercial_partner_id=bill.vendor.number,
            invoice_date=day, invoice_date_due=day, date=day, company_id=COMPANY,
            amount_untaxed=float(total), amount_tax=0.0, amount_total=float(total),
            amount_residual=float(total), currency_id=CURRENCIES[bill.currency],
            narration=f"<p>{bill.memo}</p>" if bill.memo else False,
            invoice_origin=bill.order or False,
        )  # fmt: skip
        debit, credit = (total, Decimal(0)) if kind == "in_refund" else (Decimal(0), total)
        self._line(row, "liability_payable", debit, credit)
        self._line(row, "expense", credit, debit)
        return row

    def _line(self, move: Record, kind: str, debit: Decimal, credit: Decimal) -> Record:
        number = self.next_number()
        return self.insert(
            "account.move.line", number, move_id=move["id"], account_type=kind,
            debit=float(debit), credit=float(credit), amount_currency=float(debit - credit),
            amount_residual=float(debit - credit), parent_state=move["state"],
            partner_id=move["partner_id"], currency_id=move["currency_id"], company_id=COMPANY,
            display_name=move["display_name"],
        )  # fmt: skip

    def pay(self, check: str, *pays: Any, **options: Any) -> Payment:
        made = super().pay(check, *pays, **options)
        if made.is_credit:
            self._credit(made)
            return made
        discount = sum((each.discount for each in made.applications), Decimal(0))
        self._payment(made)
        if self.books_payments:
            self._book(made, made.total + discount)
            for each in made.applications:
                self.apply(made, each)
        self._set_state(made)
        return made

    def _payment(self, made: Payment) -> Record:
        bills = [each.bill.number for each in made.applications]
        name = f"PBNK1/{made.date:%Y}/{made.number:05}"
        note = {"memo": made.check} if self.version >= 18 else {"ref": made.check}
        row = self.insert(
            "account.payment", made.number, name=name, display_name=name, state="draft",
            payment_type="outbound", partner_type="supplier", partner_id=made.vendor.number,
            date=made.date.isoformat(), amount=float(made.total), company_id=COMPANY,
            currency_id=CURRENCIES[made.currency], journal_id=BANK, payment_method_code="manual",
            is_reconciled=False, is_matched=False, reconciled_bill_ids=bills, **note,
        )  # fmt: skip
        if self.version >= 18:
            row["invoice_ids"] = list(bills)
            for bill in bills:
                self.row("account.move", bill)["matched_payment_ids"].append(made.number)
        return row

    def _book(self, made: Payment, payable: Decimal) -> None:
        """The entry: the payable account against the bank, and a discount between them."""
        row = self.row("account.payment", made.number)
        label = f"{row['name']} ({made.check})"
        move = self.insert(
            "account.move", self.next_number(), name=row["name"], display_name=label,
            ref=made.check, state="posted", move_type="entry", partner_id=row["partner_id"],
            date=row["date"], currency_id=row["currency_id"], company_id=COMPANY,
            amount_total=float(payable), amount_residual=0.0,
        )  # fmt: skip
        row["move_id"] = move["id"]
        self._line(move, "asset_current", Decimal(0), made.total)
        line = self._line(move, "liability_payable", payable, Decimal(0))
        line |= {"payment_id": made.number, "display_name": f"{label} {CHECK_LABEL}: {made.check}"}
        if payable > made.total:
            self._line(move, "income_other", Decimal(0), payable - made.total)

    def apply(self, made: Payment, part: Application) -> Record:
        """The payment's line settles the bill's; which lines is all that is stamped for sure."""
        debit = self.payable_line(self.row("account.payment", made.number)["move_id"])
        credit = self.payable_line(part.bill.number)
        partial = self._settle(debit, credit, part.amount + part.discount)
        self._stamp_if_used_up(made)
        return partial

    def _settle(self, debit: Record, credit: Record, amount: Decimal) -> Record:
        number, value = self.next_number(), float(amount)
        made = self.insert(
            "account.partial.reconcile", number, debit_move_id=debit["id"],
            credit_move_id=credit["id"], amount=value, debit_amount_currency=value,
            credit_amount_currency=value, max_date=self.now.date().isoformat(), company_id=COMPANY,
        )  # fmt: skip
        self._reckon(debit, credit)
        return made

    def payable_line(self, move: int) -> Record:
        lines = self.tables.rows["account.move.line"].values()
        found = [each for each in lines if each["move_id"] == move]
        return next(each for each in found if each["account_type"] == "liability_payable")

    def _reckon(self, *lines: Record) -> None:
        """What is open on these lines, and on the bills that they are of."""
        partials = self.tables.rows["account.partial.reconcile"].values()
        for line in lines:
            debit = sum(each["amount"] for each in partials if each["debit_move_id"] == line["id"])
            credit = sum(
                each["amount"] for each in partials if each["credit_move_id"] == line["id"]
            )
            line["amount_residual"] = round(line["debit"] - line["credit"] - debit + credit, 2)
            self.touch(line)
            move = self.row("account.move", line["move_id"])
            if move["move_type"] != "entry":
                self._reckon_bill(move, abs(line["amount_residual"]))

    def _reckon_bill(self, move: Record, residual: float) -> None:
        whole = residual == move["amount_total"]
        move["amount_residual"] = residual
        move["payment_state"] = "not_paid" if whole else "partial" if residual else "paid"
        self.touch(move)

    def _stamp_if_used_up(self, made: Payment) -> None:
        """Odoo writes ``is_reconciled`` only if it becomes another, and stamps only then."""
        row = self.row("account.payment", made.number)
        line = self.payable_line(row["move_id"])
        is_reconciled = line["amount_residual"] == 0
        if row["is_reconciled"] != is_reconciled:
            row["is_reconciled"] = is_reconciled
            self.touch(row)

    def _credit(self, made: Payment) -> None:
        """A refund of the vendor that settles bills; no payment anywhere."""
        note = Bill(
            made.number, made.check, made.vendor, made.currency, [], made.date, self.now, self.now
        )
        refund = self._move(made.number, note, "in_refund", made.total)
        for each in made.applications:
            line = self.payable_line(refund["id"])
            self._settle(line, self.payable_line(each.bill.number), each.amount)

    def issue(self, payment: Payment) -> None:
        super().issue(payment)
        self._set_state(payment)

    def void(self, payment: Payment) -> None:
        super().void(payment)
        self._release(payment)
        self._set_state(payment)

    def unapply(self, payment: Payment) -> None:
        self._release(payment)
        super().unapply(payment)

    def delete(self, payment: Payment) -> None:
        super().delete(payment)
        self._release(payment)
        row = self.tables.rows["account.payment"].pop(payment.number)
        move = row["move_id"]
        self.tables.rows["account.move"].pop(move, None)
        lines = self.tables.rows["account.move.line"]
        for number in [each["id"] for each in lines.values() if each["move_id"] == move]:
            del lines[number]
        for bill in self.tables.rows["account.move"].values():
            for listed in ("matched_payment_ids", "reconciled_payment_ids"):
                if payment.number in bill.get(listed, []):
                    bill[listed].remove(payment.number)

    def cancel(self, bill: Bill) -> None:
        super().cancel(bill)
        row = self.row("account.move", bill.number)
        row["state"] = "cancel"
        self.touch(row)

    def _release(self, payment: Payment) -> None:
        """Its partials go; the bills that it lists stay listed."""
        row = self.row("account.payment", payment.number)
        if not row["move_id"]:
            return
        line = self.payable_line(row["move_id"])
        partials = self.tables.rows["account.partial.reconcile"]
        for each in [it for it in partials.values() if it["debit_move_id"] == line["id"]]:
            del partials[each["id"]]
            self._reckon(line, self.row("account.move.line", each["credit_move_id"]))
        self._stamp_if_used_up(payment)

    def _set_state(self, payment: Payment) -> None:
        row = self.row("account.payment", payment.number)
        entry = row["move_id"] and self.row("account.move", row["move_id"])
        names = {State.ISSUED: "in_process", State.VOIDED: "canceled"}
        if self.version < 18:
            names = {State.ISSUED: "posted", State.VOIDED: "cancel"}
        row["state"] = names.get(payment.state, "draft")
        entries = {State.ISSUED: "posted", State.VOIDED: "cancel"}
        if entry:
            entry["state"] = entries.get(payment.state, "draft")
            self.touch(entry)
        if self.version >= 18:
            self.touch(row)
