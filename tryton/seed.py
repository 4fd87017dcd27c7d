"""Write the story into an empty Tryton: company, accounts, vendors, bills, checks, keys."""

import datetime as dt
from decimal import Decimal
from typing import Any

import ledger
import story
from proteus import Model
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import (
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company, get_company

#: What Procore Sync must be allowed to read: payments, bills, and what can be linked to.
READABLE = (
    "account.payment",
    "account.payment.journal",
    "account.move",
    "account.move.line",
    "account.account",
    "account.account.type",
    "account.journal",
    "account.invoice.payment_term",
    "analytic_account.account",
    "purchase.purchase",
    "purchase.line",
)
#: What exporting bills takes. A draft may be deleted, in case it was made twice; posted bills stay.
WRITABLE = ("account.invoice", "account.invoice.line")


def write_story() -> dict[str, Any]:
    """Everything, in the order in which it happened. Returns what ``books.json`` lists."""
    _open_books()
    for vendor in story.VENDORS:
        party = Model.get("party.party")(name=vendor.name)
        party.code = vendor.code
        party.save()
    for each in story.ORDERS:
        ledger.new_order(each.vendor, each.reference, each.total, on=each.on, title=each.title)
    events: list[story.Bill | story.Check] = [*story.BILLS, *story.CHECKS]
    for event in sorted(events, key=lambda event: event.on):
        if isinstance(event, story.Bill):
            code = next(o.vendor for o in story.ORDERS if o.reference == event.order)
            ledger.new_bill(
                code,
                event.reference,
                event.total,
                on=event.on,
                order=event.order,
                text=event.text,
            )
        else:
            _check(event)
    return {**_keys(), **_listing()}


# --------------------------------------------------------------- the company
def _open_books() -> None:
    company = Model.get("party.party")(name=story.COMPANY)
    company.save()
    create_company(company, story.CURRENCY)
    create_chart()
    for year in story.FISCAL_YEARS:
        span = (dt.date(year, 1, 1), dt.date(year, 12, 31))
        fiscal_year = create_fiscalyear(today=span)
        fiscal_year.start_date, fiscal_year.end_date = span
        set_fiscalyear_invoice_sequences(fiscal_year).click("create_period")
    accounts = get_accounts()
    _payment_journals(accounts)
    _product(accounts)
    term = create_payment_term()
    term.name = ledger.TERM
    term.save()
    _jobs()


def _jobs() -> None:
    """Analytic accounts below one root: how Tryton says to which job a cost belongs."""
    Account = Model.get("analytic_account.account")
    root = Account(name="Jobs", type="root", state="opened")
    root.save()
    for job in story.JOBS:
        Account(
            code=job.code, name=job.name, type="normal", root=root, parent=root, state="opened"
        ).save()


def _payment_journals(accounts: dict[str, Any]) -> None:
    payable, cash = accounts["payable"], accounts["cash"]
    clearing = Model.get("account.account")(
        parent=payable.parent,
        name="Checks in transit",
        type=payable.type,
        reconcile=True,
        deferral=True,
    )
    clearing.save()
    journal = ledger.only("account.journal", ("code", "=", "CASH"))
    Model.get("account.payment.journal")(
        name=ledger.CHECK_JOURNAL,
        process_method="manual",
        clearing_journal=journal,
        clearing_account=clearing,
    ).save()
    Model.get("account.invoice.payment.method")(
        name=ledger.WIZARD_METHOD,
        journal=journal,
        credit_account=cash,
        debit_account=cash,
    ).save()


def _product(accounts: dict[str, Any]) -> None:
    category = Model.get("product.category")(name="Subcontract", accounting=True)
    category.account_expense = accounts["expense"]
    category.account_revenue = accounts["revenue"]
    category.save()
    template = Model.get("product.template")(
        name=ledger.PRODUCT,
        type="service",
        purchasable=True,
        list_price=Decimal(1),
        cost_price_method="fixed",
        account_category=category,
        default_uom=ledger.only("product.uom", ("name", "=", "Unit")),
    )
    template.save()


# --------------------------------------------------------------------- checks
def _check(check: story.Check) -> None:
    if check.outcome == "wizard":
        for reference, amount in check.pays:
            ledger.pay_with_wizard(reference, amount, check=check.number, on=check.on)
        return
    until = "processing" if check.outcome == "processing" else "issued"
    ledger.pay(check.pays, check=check.number, on=check.on, until=until)
    if check.outcome == "voided":
        ledger.void(check.number)


# ---------------------------------------------------------------- keys, listing
def _keys() -> dict[str, str]:
    """A user with exactly the rights it needs, and one with none for the tests."""
    group = Model.get("res.group")(name="Procore Sync")
    group.save()
    for model in (*READABLE, *WRITABLE):
        writes = model in WRITABLE
        Model.get("ir.model.access")(
            model=model,
            group=group,
            perm_read=True,
            perm_write=writes,
            perm_create=writes,
            perm_delete=writes,
        ).save()
    return {
        "rest_key": _key("procore-sync", group),
        "rest_key_without_rights": _key("procore-nobody", None),
    }


def _key(login: str, group: Any) -> str:
    company = get_company()
    user = Model.get("res.user")(name=login, login=login)
    user.companies.append(company)
    user.company = company
    if group is not None:
        user.groups.append(group)
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest")
    application.save()
    return str(application.key)


def _listing() -> dict[str, Any]:
    return {
        "company": story.COMPANY,
        "currency": story.CURRENCY,
        "vendors": [
            {"party_id": ledger.find_vendor(each.code).id, "code": each.code, "name": each.name}
            for each in story.VENDORS
        ],
        "jobs": [
            {"id": each.id, "code": each.code, "name": each.name}
            for each in ledger.every("analytic_account.account", ("type", "=", "normal"))
        ],
        "purchase_orders": [_listed_order(each) for each in ledger.every("purchase.purchase")],
        "bills": [
            _listed_bill(each) for each in ledger.every("account.invoice", ("type", "=", "in"))
        ],
        "checks": [
            {
                "number": each.number,
                "date": each.on.isoformat(),
                "outcome": each.outcome,
                "pays": [{"bill": bill, "amount": str(amount)} for bill, amount in each.pays],
            }
            for each in story.CHECKS
        ],
    }


def _listed_order(purchase: Any) -> dict[str, Any]:
    told = next(each for each in story.ORDERS if each.reference == purchase.reference)
    return {
        "id": purchase.id,
        "number": purchase.number,
        "reference": purchase.reference,
        "kind": told.kind,
        "title": purchase.description,
        "vendor_code": purchase.party.code,
        "total": str(purchase.total_amount),
        "date": purchase.purchase_date.isoformat(),
    }


def _listed_bill(bill: Any) -> dict[str, Any]:
    told = next(each for each in story.BILLS if each.reference == bill.reference)
    return {
        "id": bill.id,
        "number": bill.number,
        "reference": bill.reference,
        "vendor_code": bill.party.code,
        "total": str(bill.total_amount),
        "date": bill.invoice_date.isoformat(),
        "description": bill.description,
        "purchase_order": told.order,
    }
