"""The acts of an accountant in Tryton, over XML-RPC: bill, pay, issue, void, delete.

Every act speaks of bills by the vendor's reference (``ACME-1002``) and of
payments by the check number, as people do. ``LedgerError`` is the one sentence
that the person at the keyboard reads.
"""

import datetime as dt
import xmlrpc.client
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from proteus import Model, Wizard, config

#: Names that the seed gives and the acts look for.
CHECK_JOURNAL = "Operating account - checks"
WIZARD_METHOD = "Check"
PRODUCT = "Subcontract work"
TERM = "Due on receipt"
FIRST_CHECK = 6001


class LedgerError(Exception):
    """What was asked cannot be done; the text says why and what could be."""


@contextmanager
def signed_in(url: str, login: str, password: str) -> Iterator[None]:
    """Talk to the Tryton database at ``url`` (``http://host:port/database``)."""
    try:
        with config.set_xmlrpc_session(f"{url.rstrip('/')}/rpc/", login, password):
            yield
    except (ConnectionError, xmlrpc.client.ProtocolError) as error:
        raise LedgerError(f"Tryton does not answer at {url}: {error}.") from error
    except xmlrpc.client.Fault as fault:
        raise LedgerError(refusal(fault)) from fault


def refusal(fault: xmlrpc.client.Fault) -> str:
    """Tryton's own words, which are the last line of what it sends."""
    lines = [line for line in str(fault.faultString).strip().splitlines() if line.strip()]
    return f"Tryton refuses: {lines[-1].rstrip(' -') if lines else fault.faultCode}"


def every(model: str, *domain: Any, order: Sequence[tuple[str, str]] = (("id", "ASC"),)) -> Any:
    return Model.get(model).find(list(domain), order=list(order))


def only(model: str, *domain: Any) -> Any:
    found = every(model, *domain)
    if len(found) != 1:
        raise LedgerError(f"Expected one {model} for {domain}, found {len(found)}.")
    return found[0]


def rows(model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Many records in one call, where proteus would ask for each related record."""
    session = config.get_config()
    proxy = session.get_proxy(model)
    found = proxy.search_read(list(domain), 0, None, [["id", "ASC"]], list(fields), session.context)
    return list(found)


# ------------------------------------------------------------------- reading
def bill_rows() -> list[dict[str, Any]]:
    """Reference, vendor, total, paid, open and state of each posted bill."""
    paid = paid_by_bill()
    fields = ("reference", "party.name", "total_amount", "amount_to_pay", "state")
    return [
        {
            "reference": bill["reference"],
            "vendor": bill["party."]["name"],
            "total": bill["total_amount"],
            "paid": paid.get(bill["id"], Decimal(0)),
            "open": bill["amount_to_pay"],
            "state": bill["state"],
        }
        for bill in rows("account.invoice", [("type", "=", "in"), ("number", "!=", None)], fields)
    ]


def paid_by_bill() -> dict[int, Decimal]:
    """Money that left, per bill id: succeeded payments and "Pay" wizard lines."""
    paid: dict[int, Decimal] = {}
    issued = [("kind", "=", "payable"), ("state", "=", "succeeded"), ("line", "!=", None)]
    for payment in rows("account.payment", issued, ["amount", "line.move.origin"]):
        model, _, number = (payment["line."]["move."]["origin"] or "").partition(",")
        if model == "account.invoice":
            paid[int(number)] = paid.get(int(number), Decimal(0)) + payment["amount"]
    applied = [("invoice_payment.type", "=", "in")]
    for line in rows("account.move.line", applied, ["debit", "credit", "invoice_payment"]):
        bill = line["invoice_payment"]
        paid[bill] = paid.get(bill, Decimal(0)) + line["debit"] - line["credit"]
    return paid


def find_bill(reference: str) -> Any:
    bills = every("account.invoice", ("type", "=", "in"), ("reference", "=", reference))
    if len(bills) == 1:
        return bills[0]
    posted = rows(
        "account.invoice", [("type", "=", "in"), ("reference", "!=", None)], ["reference"]
    )
    known = ", ".join(row["reference"] for row in posted)
    if not bills:
        raise LedgerError(f"There is no bill {reference}. The bills are: {known}.")
    raise LedgerError(f"{len(bills)} bills are called {reference}; use another one of: {known}.")


def payments_of(name: str) -> list[Any]:
    """The payments of a check number, or the one with this payment id or number."""
    found = every("account.payment", ("reference", "=", name))
    if not found and name.removeprefix("payment-").isdigit():
        found = every("account.payment", ("id", "=", int(name.removeprefix("payment-"))))
    return list(found)


def wizard_lines_of(name: str) -> list[Any]:
    """Lines made by the invoice "Pay" wizard with this description, or ``line-<id>``."""
    number = name.removeprefix("line-")
    if number != name and number.isdigit():
        return list(every("account.move.line", ("id", "=", int(number))))
    return list(
        every(
            "account.move.line",
            ("invoice_payment", "!=", None),
            ("move.description", "=", name),
        )
    )


def known_checks() -> str:
    references = _references()
    applied = [("invoice_payment", "!=", None), ("move.description", "!=", None)]
    lines = rows("account.move.line", applied, ["move.description"])
    return ", ".join(sorted(references | {line["move."]["description"] for line in lines}))


def _references() -> set[str]:
    named = rows("account.payment", [("reference", "!=", None)], ["reference"])
    return {payment["reference"] for payment in named}


def next_check_number() -> str:
    used = _references()
    number = FIRST_CHECK
    while f"CHK-{number}" in used:
        number += 1
    return f"CHK-{number}"


# ------------------------------------------------------------------- ordering
def new_order(
    vendor: str, reference: str, amount: Decimal, *, on: dt.date | None = None, title: str = ""
) -> Any:
    """Enter and confirm a purchase order: what a commitment is in Tryton."""
    if amount <= 0:
        raise LedgerError("A purchase order needs an amount above zero.")
    purchase = Model.get("purchase.purchase")(
        party=find_vendor(vendor),
        reference=reference,
        invoice_method="manual",
        purchase_date=on or dt.date.today(),
    )
    purchase.description = title or reference
    purchase.payment_term = payment_term()
    line = purchase.lines.new(product=product())
    line.quantity = 1
    line.unit_price = amount
    purchase.click("quote")
    purchase.click("confirm")
    purchase.reload()
    if purchase.state == "confirmed":
        purchase.click("process")
    return purchase


# ------------------------------------------------------------------- billing
def new_bill(
    vendor: str,
    reference: str,
    amount: Decimal,
    *,
    on: dt.date | None = None,
    order: str | None = None,
    text: str = "",
) -> Any:
    """Enter and post a bill; ``order`` is the reference of a purchase order."""
    if amount <= 0:
        raise LedgerError("A bill needs an amount above zero.")
    party = find_vendor(vendor)
    if every("account.invoice", ("reference", "=", reference), ("party", "=", party.id)):
        raise LedgerError(f"{party.name} already has a bill {reference}.")
    line = {
        "type": "line",
        "product": product().id,
        "unit": only("product.uom", ("name", "=", "Unit")).id,
        "account": _account("expense").id,
        "description": text or reference,
        "quantity": 1.0,
        "unit_price": amount,
    }
    if order is not None:
        ordered = only("purchase.purchase", ("reference", "=", order)).lines[0]
        line["origin"] = f"purchase.line,{ordered.id}"
    bill = _create_bill(party, reference, line, on or dt.date.today(), text)
    bill.click("post")
    return bill


def _create_bill(party: Any, reference: str, line: dict[str, Any], on: dt.date, text: str) -> Any:
    """In one call, where filling a form field by field takes forty."""
    company = get_company()
    values = {
        "type": "in",
        "company": company.id,
        "currency": company.currency.id,
        "party": party.id,
        "invoice_address": party.addresses[0].id,
        "account": _account("payable").id,
        "journal": only("account.journal", ("type", "=", "expense")).id,
        "payment_term": payment_term().id,
        "invoice_date": on,
        "reference": reference,
        "description": text or None,
        "lines": [("create", [line])],
    }
    session = config.get_config()
    proxy = session.get_proxy("account.invoice")
    (bill_id,) = proxy.create([values], session.context)
    return Model.get("account.invoice")(bill_id)


def _account(kind: str) -> Any:
    found = every("account.account", (f"type.{kind}", "=", True), ("closed", "!=", True))
    return found[0]


def get_company() -> Any:
    return only("company.company")


def find_vendor(name: str) -> Any:
    found = every("party.party", ["OR", ("code", "=", name), ("name", "ilike", f"%{name}%")])
    if len(found) == 1:
        return found[0]
    vendors = every("party.party", ("code", "like", "V-%"))
    known = ", ".join(f"{party.code} ({party.name})" for party in vendors)
    raise LedgerError(f"{name} is not exactly one vendor. The vendors are: {known}.")


def payment_term() -> Any:
    return only("account.invoice.payment_term", ("name", "=", TERM))


def product() -> Any:
    return only("product.product", ("template.name", "=", PRODUCT))


# -------------------------------------------------------------------- paying
def pay(
    pays: Sequence[tuple[str, Decimal]],
    *,
    check: str,
    on: dt.date | None = None,
    until: str = "issued",
) -> list[Any]:
    """One check run over these (bill, amount) pairs.

    ``until`` is how far it goes: ``approved`` (still deletable), ``processing``
    (sent, not money yet) or ``issued``.
    """
    day = on or dt.date.today()
    for reference, amount in pays:
        _require_open(find_bill(reference), amount)
    payments = [_draft(reference, amount, check, day) for reference, amount in pays]
    Payment = Model.get("account.payment")
    Payment.click(payments, "submit")
    Payment.click(payments, "approve")
    if until == "approved":
        return payments
    Wizard("account.payment.process", payments)
    if until == "issued":
        issue(payments, on=day)
    return payments


def _draft(reference: str, amount: Decimal, check: str, day: dt.date) -> Any:
    bill = find_bill(reference)
    journal = only("account.payment.journal", ("name", "=", CHECK_JOURNAL))
    line = next(line for line in bill.lines_to_pay if line.reconciliation is None)
    payment = Model.get("account.payment")(kind="payable", company=bill.company)
    payment.journal = journal
    payment.party = bill.party
    payment.line = line
    payment.date = day
    payment.amount = amount
    payment.reference = check
    payment.save()
    return payment


def _require_open(bill: Any, amount: Decimal) -> None:
    if amount <= 0:
        raise LedgerError("A payment needs an amount above zero.")
    if amount > bill.amount_to_pay:
        raise LedgerError(
            f"{bill.reference} has {bill.amount_to_pay} open; {amount} is more than that."
        )


def pay_with_wizard(
    reference: str, amount: Decimal, *, check: str, on: dt.date | None = None
) -> None:
    """The other road to the same money: the bill's own "Pay" button."""
    bill = find_bill(reference)
    _require_open(bill, amount)
    wizard = Wizard("account.invoice.pay", [bill])
    wizard.form.payment_method = only(
        "account.invoice.payment.method", ("name", "=", WIZARD_METHOD)
    )
    wizard.form.amount = amount
    wizard.form.date = on or dt.date.today()
    wizard.form.description = check
    wizard.execute("choice")
    if wizard.form_state == "ask":
        wizard.form.type = "partial"
        wizard.execute("pay")


def issue(payments: Sequence[Any], *, on: dt.date | None = None) -> None:
    """Processing → succeeded: the money leaves."""
    wizard = Wizard("account.payment.succeed", list(payments))
    wizard.form.date = on or dt.date.today()
    wizard.execute("succeed")


def issue_check(check: str) -> list[Any]:
    payments = [p for p in _known_payments(check) if p.state in {"processing", "failed"}]
    if not payments:
        raise LedgerError(f"{check} has no payment that waits to be issued.")
    issue(payments)
    return payments


def _known_payments(check: str) -> list[Any]:
    payments = payments_of(check)
    if not payments:
        raise LedgerError(f"There is no check {check}. The checks are: {known_checks()}.")
    return payments


# ------------------------------------------------------------------- undoing
def void(check: str) -> int:
    """Void every payment of a check; returns how many. The rows stay, as failed."""
    if wizard_lines_of(check):
        raise LedgerError(
            f'{check} was paid with the bill\'s own "Pay" button, which Tryton cannot void; '
            f"delete un-applies it."
        )
    payments = _known_payments(check)
    live = [p for p in payments if p.state in {"processing", "succeeded"}]
    if not live:
        raise LedgerError(f"{check} is {payments[0].state}; only an issued check can be voided.")
    Model.get("account.payment").click(live, "fail")
    return len(live)


def delete(name: str) -> str:
    """Make a payment vanish without a trace, as far as Tryton permits; says what was done."""
    lines = wizard_lines_of(name)
    if lines:
        for line in lines:
            _unapply(line)
        return f"{name} is un-applied: Tryton's bill does not know it any more."
    payments = _known_payments(name)
    stuck = [p for p in payments if p.state not in {"draft", "submitted", "approved"}]
    if stuck:
        raise LedgerError(
            f"{name} is {stuck[0].state}: Tryton keeps such a payment for ever. "
            f"Void it instead, or make one that can be deleted with pay --approved."
        )
    Payment = Model.get("account.payment")
    Payment.click([p for p in payments if p.state != "draft"], "draft")
    Payment.delete(payments)
    return f"{name} is deleted; Tryton keeps no trace of it."


def _unapply(line: Any) -> None:
    line.reload()
    if line.reconciliation is not None and line.invoice_payment is not None:
        line.reconciliation.delete()
        line.reload()
    if line.invoice_payment is not None:
        line.invoice_payment = None
        line.save()
