"""How the stand-in for Odoo takes what is written: bills made, posted and deleted, answers lost."""

from typing import TYPE_CHECKING, Any

from tests.fakes.odoo_books import COMPANY
from tests.fakes.odoo_orm import OdooError, Record

if TYPE_CHECKING:
    from tests.fakes.odoo import FakeOdoo

BILL = "account.move"
#: what can be written into a bill; a field that is none is the error that Odoo makes of it
TAKEN = {
    "move_type", "company_id", "partner_id", "ref", "invoice_date", "date", "invoice_date_due",
    "currency_id", "invoice_origin", "narration", "invoice_line_ids",
}  # fmt: skip
TAKEN_OF_LINES = {"name", "quantity", "price_unit", "tax_ids", "account_id"}
NEGATIVE = (
    "You cannot validate an invoice with a negative total amount. You should create a credit note "
    "instead. Use the action menu to transform it into a credit note or refund."
)


def created(fake: "FakeOdoo", model: str, vals_list: list[Record], context: Record) -> list[int]:
    """The ids of new bills, in draft."""
    assert model == BILL, model
    return [_bill(fake, values, context) for values in vals_list]


def _bill(fake: "FakeOdoo", values: Record, context: Record) -> int:
    for name in set(values) - TAKEN:
        raise OdooError("builtins.ValueError", f"Invalid field {name!r} in {BILL!r}")
    ledger, tables = fake.ledger, fake.tables
    if values["company_id"] not in context.get("allowed_company_ids", [COMPANY]):
        said = "Access to unauthorized or invalid companies."
        raise OdooError("odoo.exceptions.AccessError", said, 403)
    if values["partner_id"] not in tables.rows["res.partner"]:
        raise OdooError("odoo.exceptions.MissingError", "Record does not exist.", 404)
    lines = [_line(command) for command in values["invoice_line_ids"]]
    total = round(sum(each["price_unit"] * each["quantity"] for each in lines), 2)
    number, note = ledger.next_number(), values.get("narration")
    row = ledger.insert(
        BILL, number, state="draft", payment_state="not_paid", move_type=values["move_type"],
        company_id=values["company_id"], partner_id=values["partner_id"],
        commercial_partner_id=values["partner_id"], ref=values["ref"], date=values["date"],
        invoice_date=values["invoice_date"], currency_id=values["currency_id"],
        invoice_date_due=values.get("invoice_date_due") or ledger.now.date().isoformat(),
        invoice_origin=values["invoice_origin"], narration=note and f"<span>{note}</span>",
        amount_untaxed=total, amount_total=total, amount_residual=total, amount_tax=0.0,
        display_name=f"Draft Bill (* {number}) ({values['ref']})",
    )  # fmt: skip
    payable = {"account_type": "liability_payable", "price_unit": -total, "quantity": 1}
    for each in [*lines, payable]:
        _keep_line(fake, row, each)
    return number


def _line(command: Any) -> Record:
    kind, _, values = command
    assert kind == 0, command
    for name in set(values) - TAKEN_OF_LINES:
        raise OdooError("builtins.ValueError", f"Invalid field {name!r} in 'account.move.line'")
    return {"account_type": "expense", **values}


def _keep_line(fake: "FakeOdoo", move: Record, values: Record) -> None:
    amount = round(values["price_unit"] * values["quantity"], 2)
    fake.ledger.insert(
        "account.move.line", fake.ledger.next_number(), move_id=move["id"],
        account_type=values["account_type"], parent_state=move["state"],
        debit=max(amount, 0.0), credit=max(-amount, 0.0), amount_currency=amount,
        amount_residual=amount, partner_id=move["partner_id"], currency_id=move["currency_id"],
        company_id=move["company_id"], quantity=values["quantity"],
        price_unit=values["price_unit"], name=values.get("name", False),
    )  # fmt: skip


def posted(fake: "FakeOdoo", model: str, number: int) -> bool:
    """``action_post``; Odoo answers ``false`` when there is nothing to show."""
    row = _found(fake, model, number)
    if row["state"] != "draft":
        said = f"The entry {row['name']} (id {number}) must be in draft."
        raise OdooError("odoo.exceptions.UserError", said, 422)
    if row["amount_total"] < 0:
        raise OdooError("odoo.exceptions.UserError", NEGATIVE, 422)
    currency = fake.tables.rows["res.currency"][row["currency_id"]]
    if not currency["active"]:
        said = f"You cannot validate a document with an inactive currency: {currency['name']}"
        raise OdooError("odoo.exceptions.UserError", said, 422)
    row |= {"state": "posted", "name": f"BILL/2026/11/{number:04}"}
    fake.ledger.touch(row)
    return False


def unlinked(fake: "FakeOdoo", model: str, number: int) -> bool:
    row = _found(fake, model, number)
    if row["state"] == "posted":
        said = "You can't delete a posted journal item."
        raise OdooError("odoo.exceptions.UserError", said, 422)
    del fake.tables.rows[model][number]
    lines = fake.tables.rows["account.move.line"]
    for each in [line["id"] for line in lines.values() if line["move_id"] == number]:
        del lines[each]
    return True


def _found(fake: "FakeOdoo", model: str, number: int) -> Record:
    row: Record | None = fake.tables.rows[model].get(number)
    if row is None:
        said = f"Record does not exist or has been deleted.\n(Record: {model}({number},), User: 2)"
        raise OdooError("odoo.exceptions.MissingError", said, 404)
    return row


#: what Odoo lets other programs call on a record, by name
ACTS = {"action_post": posted, "unlink": unlinked}
