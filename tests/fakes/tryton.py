"""A Tryton with books in memory that answers its REST API as the recorded one did.

``FakeTryton`` holds records in the form in which Tryton sends them and knows the
part of the API that a reader needs: domains, order, size, dotted fields, keys,
rights, and the odd ways in which Tryton says no. ``test_fake_tryton`` holds it
to the recordings, answer by answer.
"""

import base64
import datetime as dt
import html
import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.tryton_writes import Loss, configuration, written

Record = dict[str, Any]
KEY = "k" * 128
START = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
UNAUTHORIZED = (
    "The server could not verify that you are authorized to access the URL requested. You either "
    "supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how "
    "to supply the credentials required."
)
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check "
    "your spelling and try again."
)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: right in left if isinstance(left, list) else left == right,
    "!=": lambda left, right: bool(left) if right is None else left != right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "in": lambda left, right: left in right,
    "ilike": lambda left, right: plain(right) in (left or "").lower(),
}


def plain(pattern: str) -> str:
    """What a pattern ``%like this%`` looks for, with its escapes taken off."""
    return re.sub(r"\\(.)", r"\1", pattern.removeprefix("%").removesuffix("%")).lower()


def number(amount: str | Decimal) -> Record:
    return {"__class__": "Decimal", "decimal": str(amount)}


def day(date: dt.date) -> Record:
    return {"__class__": "date", "year": date.year, "month": date.month, "day": date.day}


def moment(when: dt.datetime) -> Record:
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime"} | {part: getattr(when, part) for part in parts}


def named(model: str, record_id: int, /, **values: Any) -> Record:
    return {"id": record_id, "__name__": model, **values}


class FakeTryton(HttpServer):
    """The server; its methods are what the people and the administrators of the ERP do."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.now = START
        #: models that the user of the key may not read
        self.withheld: set[str] = set()
        self.tables: dict[str, list[Record]] = {
            "account.payment": [],
            "account.invoice": [],
            "account.payment.journal": [
                named("account.payment.journal", 1, company=1, process_method="manual")
            ],
            "account.move": [],
            "party.party": [named("party.party", 1, code="1", name="Northstar")],
            "analytic_account.account": [
                named("analytic_account.account", 1, code=None, name="Jobs", type="root")
            ],
            "purchase.purchase": [],
            "company.company": [
                named("company.company", 1, party=named("party.party", 1, name="Northstar"))
            ],
            "ir.module": [named("ir.module", 13, name="account_payment", version="8.2.0")],
        }
        self.tables |= configuration()
        #: what becomes of the next writes: see ``tryton_writes``
        self.losses: deque[Loss] = deque()
        self.late: list[Any] = []
        self._last_id = 0

    # ---------------------------------------------------------------- the acts
    def clock(self) -> float:
        return self.now.timestamp()

    def pass_time(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def bill(self, reference: str, total: str, vendor: str = "Acme Concrete LLC") -> Record:
        made = named(
            "account.invoice",
            self._next_id(),
            number=str(self._last_id),
            reference=reference,
            type="in",
            state="posted",
            party=named("party.party", 2, name=vendor, code="V-ACME"),
            currency=named("currency.currency", 1, code="USD"),
            total_amount=number(total),
            comment=None,
            invoice_date=day(self.now.date()),
            accounting_date=None,
            payment_lines=[],
            lines_to_pay=[named("account.move.line", self._next_id(), payments=[])],
        )
        return self._store(made)

    def pay(self, bill: Record | None, amount: str, check: str, state: str = "succeeded") -> Record:
        """``bill`` None: a payment that is applied to nothing."""
        made = named(
            "account.payment",
            self._next_id(),
            number=str(self._last_id),
            kind="payable",
            state=state,
            date=day(self.now.date()),
            amount=number(amount),
            reference=check,
            currency=bill["currency"] if bill else named("currency.currency", 1, code="USD"),
            journal=named("account.payment.journal", 1, process_method="manual"),
            party=named("party.party", 2, name="Acme Concrete LLC", code="V-ACME"),
            line=bill and self._line(bill),
        )
        if bill:
            bill["lines_to_pay"][0]["payments"].append(made)
        return self._store(made)

    def vendor(self, code: str, name: str) -> Record:
        made = named("party.party", self._next_id() + 1, code=code, name=name)
        address = named("party.address", made["id"])
        more = {"addresses": [address], "account_payable": None, "supplier_payment_term": None}
        return self._store({**made, **more})

    def job(self, code: str, name: str) -> Record:
        job = named("analytic_account.account", self._next_id() + 1, code=code, name=name)
        return self._store({**job, "type": "normal"})

    def order(self, party: Record, reference: str, total: str, **values: Any) -> Record:
        made = named(
            "purchase.purchase",
            self._next_id(),
            number=str(self._last_id),
            reference=reference,
            description="Concrete",
            state="processing",
            party=party,
            total_amount=number(total),
            currency=named("currency.currency", 1, code="USD"),
            purchase_date=day(self.now.date()),
            payment_term=None,
            lines=[named("purchase.line", 1, type="line", product=1, unit=1)],
        )
        return self._store({**made, **values})

    def _line(self, bill: Record) -> Record:
        move = named("account.move", bill["id"], origin=f"account.invoice,{bill['id']}")
        return named("account.move.line", bill["lines_to_pay"][0]["id"], move=move)

    def pay_with_wizard(self, bill: Record, amount: str, check: str | None) -> Record:
        line = named(
            "account.move.line",
            self._next_id(),
            date=day(self.now.date()),
            debit=number(amount),
            credit=number("0"),
            amount_second_currency=None,
            second_currency=None,
            description=None,
            move=named("account.move", self._next_id(), number="15", description=check),
        )
        bill["payment_lines"].append(line)
        self.touch(bill)
        return line

    def change(self, record: Record, **values: Any) -> None:
        record.update(values)
        self.touch(record)

    def delete(self, record: Record) -> None:
        self.tables[record["__name__"]].remove(record)
        for bill in self.tables["account.invoice"]:
            for line in bill["lines_to_pay"]:
                line["payments"] = [each for each in line["payments"] if each is not record]

    def touch(self, record: Record) -> None:
        self.now += dt.timedelta(microseconds=925314)
        record["last_modified_at"] = moment(self.now)

    def _store(self, record: Record) -> Record:
        self.touch(record)
        self.tables[record["__name__"]].append(record)
        return record

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # ------------------------------------------------------------- the protocol
    def _answer(self, request: Request) -> Reply:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return page(401, "Unauthorized", UNAUTHORIZED)
        database, model = request.path.removeprefix("/").split("/rest/model/")
        if database != "lab":
            return page(404, "Not Found", NOT_FOUND)
        if request.method != "GET":
            return written(self, request, model)
        if model in self.withheld:
            return refusal(f'You are not allowed to access "{model.replace(".", " ").title()}".')
        try:
            found = self.search(model, request.query)
        except KeyError as error:
            # Whatever goes wrong inside, Tryton shows the text of the Python error.
            return page(500, "Internal Server Error", str(error))
        return Reply(body=json.dumps(found).encode(), headers={"Content-Language": "en"})

    def search(self, model: str, query: dict[str, list[str]]) -> list[Record]:
        rows = self.tables[model]
        domain = decoded(query["d"][0]) if "d" in query else []
        rows = [row for row in rows if matches(row, domain)]
        for name, direction in reversed(decoded(query["o"][0]) if "o" in query else []):
            rows.sort(key=lambda row: comparable(row[name]), reverse=direction == "DESC")
        start, size = int(query.get("p", ["0"])[0]), int(query.get("s", ["999999"])[0])
        fields = [field.split(".") for field in query.get("f", ["rec_name"])]
        return [self._shown(row, fields) for row in rows[start : start + size]]

    def _shown(self, row: Record, fields: Sequence[Sequence[str]]) -> Record:
        """A record with these fields only; of what is withheld not even the name."""
        shown: Record = {name: row[name] for name in ("id", "__name__") if name in row}
        for name in {path[0] for path in fields}:
            deeper = [path[1:] for path in fields if path[0] == name and path[1:]]
            value = row[name]
            if not self._is_withheld(value):
                shown[name] = self._value(value, deeper)
        return shown

    def _value(self, value: Any, deeper: Sequence[Sequence[str]]) -> Any:
        if isinstance(value, list):
            return [self._value(each, deeper) for each in value]
        if isinstance(value, dict) and "__name__" in value:
            return self._shown(value, deeper) if deeper else value["id"]
        return value

    def _is_withheld(self, value: Any) -> bool:
        return isinstance(value, dict) and value.get("__name__") in self.withheld


def page(status: int, title: str, text: str) -> Reply:
    """Tryton's errors are HTML."""
    body = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{html.escape(text).replace('&#x27;', '&#39;')}</p>\n"
    )
    return Reply(status, body.encode(), "text/html; charset=utf-8")


def refusal(message: str) -> Reply:
    """What Tryton would tell the user of its own client."""
    body = {"status": 400, "message": message, "description": "Within groups: "}
    return Reply(400, json.dumps(body).encode())


def decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text))


def matches(row: Record, domain: Any) -> bool:
    """A Tryton domain: all of its clauses, or any of those behind "OR"."""
    if domain and isinstance(domain[0], str) and domain[0] not in ("OR", "AND"):
        name, operator, wanted, *model = domain
        value = value_of(row, name, *model)
        if isinstance(value, list) and "." in name:
            return any(COMPARISONS[operator](comparable(v), comparable(wanted)) for v in value)
        if isinstance(value, list):
            value = [each["id"] for each in value]
        if isinstance(value, dict) and "__name__" in value:
            value = value["id"]
        return COMPARISONS[operator](comparable(value), comparable(wanted))
    if domain and domain[0] == "OR":
        return any(matches(row, clause) for clause in domain[1:])
    return all(matches(row, clause) for clause in domain if clause != "AND")


def value_of(row: Record, path: str, model: str = "") -> Any:
    """What a dotted name leads to; ``.id`` of a reference only if it is to this model."""
    value: Any = row
    names = path.split(".")
    for number, name in enumerate(names):
        if isinstance(value, list):
            return [value_of(each, ".".join(names[number:]), model) for each in value]
        if isinstance(value, str):
            target, _, reference = value.partition(",")
            value = int(reference) if name == "id" and target == model else None
        else:
            value = value and value[name]
    return value


def comparable(value: Any) -> Any:
    """Dates and amounts as something that has an order."""
    if not isinstance(value, dict) or "__class__" not in value:
        return value
    if value["__class__"] == "Decimal":
        return Decimal(value["decimal"])
    return tuple(value[part] for part in value if part != "__class__")
