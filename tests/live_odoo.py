"""Somebody who keeps books in a running Odoo 19, over its JSON-2 API.

Nobody starts an Odoo for the tests: it is too big. Who has one, with nothing in
it that matters, sets ``ODOO_URL``, ``ODOO_DATABASE`` and ``ODOO_KEY`` (of an
administrator), for JSON-RPC ``ODOO_LOGIN``, and ``ODOO_COMPANY`` where there are several.
"""

import itertools
import json
import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import urllib3

from erp_integrations.providers.odoo.provider import OdooProvider
from tests.erp_integrations.providers.contract_suite import Bill

DAY = "2026-11-20"
NO_TAX = [[6, 0, []]]


def connect(**options: Any) -> OdooProvider:
    settings = {"url": os.environ["ODOO_URL"], "database": os.environ["ODOO_DATABASE"]}
    settings |= {"company": os.environ.get("ODOO_COMPANY", "")}
    settings |= options.pop("settings", {})
    credentials = {"key": os.environ["ODOO_KEY"]}
    return OdooProvider(settings, credentials, allow_private_addresses=True, **options)


class LiveOdoo:
    """The acts of the contract, as Odoo's own pages do them."""

    lacks: ClassVar[Mapping[str, str]] = {}
    numbers = (f"{os.getpid()}-{count}" for count in itertools.count(1))

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self._pool = urllib3.PoolManager()
        self.checks: dict[str, int] = {}
        number = next(self.numbers)
        self.vendor = self.made("res.partner", name=f"Vendor {number}", supplier_rank=1)
        self.euro = self.call(
            "res.currency", "search_read", domain=[["name", "=", "EUR"]], fields=["name"],
            context={"active_test": False},
        )[0]["id"]  # fmt: skip
        self.act("res.currency", "write", self.euro, vals={"active": True})

    def call(self, model: str, method: str, **values: Any) -> Any:
        headers = {
            "Authorization": f"bearer {os.environ['ODOO_KEY']}",
            "X-Odoo-Database": os.environ["ODOO_DATABASE"],
            "Content-Type": "application/json",
        }
        url = f"{os.environ['ODOO_URL']}/json/2/{model}/{method}"
        answer = self._pool.request("POST", url, body=json.dumps(values), headers=headers)
        assert answer.status == 200, answer.data[:500]
        return json.loads(answer.data)

    def act(self, model: str, method: str, number: int, **values: Any) -> Any:
        return self.call(model, method, ids=[number], **values)

    def made(self, model: str, **values: Any) -> int:
        context = values.pop("context", {})
        (number,) = self.call(model, "create", vals_list=[values], context=context)
        return int(number)

    # --------------------------------------------------------------------- acts
    def bill(self, total: str) -> Bill:
        return self._bill(total)

    def bill_in(self, currency: str, total: str) -> Bill:
        assert currency == "EUR"
        return self._bill(total, currency_id=self.euro)

    def _bill(self, total: str, kind: str = "in_invoice", **values: Any) -> Bill:
        reference = f"T-{next(self.numbers)}"
        line = {"name": "Work", "quantity": 1, "price_unit": float(total), "tax_ids": NO_TAX}
        number = self.made(
            "account.move", move_type=kind, partner_id=self.vendor, ref=reference,
            invoice_date=DAY, invoice_line_ids=[[0, 0, line]], **values,
        )  # fmt: skip
        self.act("account.move", "action_post", number)
        return Bill(str(number), reference)

    def pay(self, *pays: tuple[Bill, str], pending: bool = False) -> str:
        """A payment over these bills, applied by hand where it is for parts of several."""
        if len(pays) == 1:
            check = self._register(pays[0][0], pays[0][1])
        else:
            check = self._standalone(*(float(amount) for _, amount in pays))
            lines = self._payable(self.act_read(check, "move_id")[0])
            for (bill, _), line in zip(pays, lines, strict=True):
                self.apply(line, bill)
        if pending:
            self.act("account.payment", "action_draft", self.checks[check])
        return check

    def pay_directly(self, bill: Bill, amount: str) -> str:
        return self._register(bill, amount)

    def pay_with_discount(self, bill: Bill, amount: str, discount: str) -> str:
        account = self.call(
            "account.account", "search_read", domain=[["account_type", "like", "income"]],
            fields=["name"], limit=1,
        )[0]["id"]  # fmt: skip
        how = {"payment_difference_handling": "reconcile", "writeoff_account_id": account}
        return self._register(bill, amount, **how)

    def _register(self, bill: Bill, amount: str, **values: Any) -> str:
        check = f"C-{next(self.numbers)}"
        number = int(bill.remote_id)
        context = {"active_model": "account.move", "active_ids": [number]}
        move = self.act("account.move", "read", number, fields=["currency_id"])[0]
        wizard = self.made(
            "account.payment.register", context=context, amount=float(amount),
            communication=check, currency_id=move["currency_id"][0], **values,
        )  # fmt: skip
        done = self.act(
            "account.payment.register", "action_create_payments", wizard, context=context
        )
        self.checks[check] = done["res_id"]
        return check

    def _standalone(self, *amounts: float) -> str:
        """A payment for no bill yet, with a payable line for each of these amounts."""
        check = f"C-{next(self.numbers)}"
        values = {
            "payment_type": "outbound",
            "partner_type": "supplier",
            "partner_id": self.vendor,
            "amount": round(sum(amounts), 2),
            "memo": check,
        }
        self.checks[check] = self.made("account.payment", **values)
        if len(amounts) > 1:
            bank = self.act_read(check, "outstanding_account_id")[0]
            payable = self.act_read(check, "destination_account_id")[0]
            self.delete(check)
            lines = [(bank, -round(sum(amounts), 2)), *((payable, each) for each in amounts)]
            entry = [
                [0, 0, {"account_id": account, "balance": amount, "partner_id": self.vendor}]
                for account, amount in lines
            ]
            self.checks[check] = self.made("account.payment", **values, line_ids=entry)
        self.act("account.payment", "action_post", self.checks[check])
        return check

    def apply(self, line: int, bill: Bill) -> None:
        self.act("account.move", "js_assign_outstanding_line", int(bill.remote_id), line_id=line)

    def standalone(self, amount: str) -> tuple[str, int]:
        """A payment for no bill yet, and its payable line."""
        check = self._standalone(float(amount))
        return check, self._payable(self.act_read(check, "move_id")[0])[0]

    def act_read(self, check: str, name: str) -> Any:
        return self.act("account.payment", "read", self.checks[check], fields=[name])[0][name]

    def _payable(self, move: int) -> list[int]:
        domain = [["move_id", "=", move], ["account_type", "=", "liability_payable"]]
        found = self.call(
            "account.move.line", "search_read", domain=domain, fields=["id"], order="id"
        )
        return [int(each["id"]) for each in found]

    def credit(self, bill: Bill, amount: str) -> None:
        refund = self._bill(amount, "in_refund")
        self.apply(self._payable(int(refund.remote_id))[0], bill)

    def draft(self, bill: Bill, amount: str) -> str:
        return self.pay((bill, amount), pending=True)

    def issue(self, check: str) -> None:
        self.act("account.payment", "action_post", self.checks[check])

    def void(self, check: str) -> None:
        self.act("account.payment", "action_cancel", self.checks[check])

    def delete(self, check: str) -> None:
        self.act("account.payment", "unlink", self.checks[check])

    def unapply(self, check: str) -> None:
        lines = self._payable(self.act_read(check, "move_id")[0])
        partials = self.call(
            "account.partial.reconcile", "search_read",
            domain=[["debit_move_id", "in", lines]], fields=["credit_move_id"],
        )  # fmt: skip
        for each in partials:
            bill = self.act(
                "account.move.line", "read", each["credit_move_id"][0], fields=["move_id"]
            )
            self.act(
                "account.move", "js_remove_outstanding_partial", bill[0]["move_id"][0],
                partial_id=each["id"],
            )  # fmt: skip

    def settle(self) -> None:
        time.sleep(2.1)

    def provider(self, **options: Any) -> OdooProvider:
        return connect(settings=self._settings, **options)
