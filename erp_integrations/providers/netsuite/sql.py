"""The SuiteQL that is asked.

Moments are compared and shown in UTC (``SYS_EXTRACT_UTC``): by themselves they
are in the time zone of whoever asks. Orders are strict, and pages of payments
go on by key.
"""

# ruff: noqa: S608 - SuiteQL has no parameters: only numbers and quoted texts get into a query
from collections.abc import Sequence
from datetime import UTC

from erp_integrations.providers.change_order import Place
from erp_integrations.providers.contract import PaymentQuestion

SECONDS = "'YYYY-MM-DD HH24:MI:SS'"
MODIFIED = "SYS_EXTRACT_UTC(t.lastmodifieddate)"
IN_CHANGE_ORDER = f" ORDER BY {MODIFIED}, t.id"
NEWEST_FIRST = " ORDER BY t.id DESC"
#: the applications of payments, as the line that is paid knows them
LINKED = "previoustransactionlinelink"


class Questions:
    """The queries of one connection: its subsidiaries, and its currency where it has only one."""

    def __init__(self, *, subsidiaries: Sequence[str] = (), currency: str = "") -> None:
        self.has_one_currency = bool(currency)
        self._currency = f"'{currency}'" if currency else "c.symbol"
        currencies = "" if currency else " JOIN currency c ON c.id = t.currency"
        #: the subsidiary stands on the lines; the main line is the transaction's own
        lines = (
            " JOIN transactionline m ON m.transaction = t.id AND m.mainline = 'T'"
            f" AND m.subsidiary IN ({', '.join(subsidiaries)})"
            if subsidiaries
            else ""
        )
        self._from = f" FROM transaction t{currencies}{lines} LEFT JOIN vendor v ON v.id = t.entity"

    def payments(self, *conditions: str, order: str = IN_CHANGE_ORDER) -> str:
        return (
            "SELECT t.id, t.tranid, t.transactionnumber, t.memo,"
            " TO_CHAR(t.trandate, 'YYYY-MM-DD') AS trandate,"
            " t.status, BUILTIN.DF(t.status) AS statusname, t.approvalstatus, t.voided,"
            f" t.foreigntotal, {self._currency} AS currency,"
            " v.id AS vendor, v.entityid AS vendorcode, v.companyname AS vendorname,"
            f" TO_CHAR({MODIFIED}, {SECONDS}) AS modified{self._from}"
            f" WHERE {' AND '.join((_is('VendPymt'), *conditions))}{order}"
        )

    def bills(self, *conditions: str) -> str:
        return (
            "SELECT t.id, t.tranid, t.transactionnumber, t.status,"
            " BUILTIN.DF(t.status) AS statusname, t.approvalstatus, t.voided, t.foreigntotal,"
            f" {self._currency} AS currency, v.id AS vendor, v.entityid AS vendorcode,"
            f" v.companyname AS vendorname{self._from}"
            f" WHERE {' AND '.join((_is('VendBill'), *conditions))} ORDER BY t.id"
        )


def applications(payments: Sequence[str]) -> str:
    """What these payments were applied to; one row for each payment and document."""
    return (
        "SELECT l.nextdoc AS payment, l.previousdoc AS bill, b.type AS billtype,"
        " b.tranid AS billnumber, b.transactionnumber AS billname,"
        " SUM(ABS(l.foreignamount)) AS amount"
        f" FROM {LINKED} l JOIN transaction b ON b.id = l.previousdoc"
        f" WHERE l.linktype = 'Payment' AND l.nextdoc IN ({_ids(payments)})"
        " GROUP BY l.nextdoc, l.previousdoc, b.type, b.tranid, b.transactionnumber"
        " ORDER BY l.nextdoc, l.previousdoc"
    )


def payments_of(bills: Sequence[str]) -> str:
    """The payments, and nothing else, that were applied to these bills."""
    return (
        f"SELECT DISTINCT l.nextdoc AS payment FROM {LINKED} l"
        " WHERE l.linktype = 'Payment' AND l.nexttype = 'VendPymt'"
        f" AND l.previousdoc IN ({_ids(bills)}) ORDER BY l.nextdoc"
    )


def vendors(after: int, words: Sequence[str]) -> str:
    return _named("vendor", after, words)


def jobs(after: int, words: Sequence[str]) -> str:
    return _named("job", after, words)


def vendor(number: str) -> str:
    return f"SELECT v.id FROM vendor v WHERE v.id = {int(number)}"


def account(number: str) -> str:
    return f"SELECT a.id FROM account a WHERE a.acctnumber = {_text(number)}"


def currency(code: str) -> str:
    return f"SELECT c.id FROM currency c WHERE c.symbol = {_text(code)}"


def has_external_id(key: str) -> str:
    """The key itself, or with a number behind it after a bill with it was cancelled."""
    return f"INSTR(t.externalid, {_text(key)}) = 1"


def of_vendor_with_number(vendor: str, number: str) -> tuple[str, str]:
    return f"t.entity = {int(vendor)}", f"t.tranid = {_text(number)}"


def among(ids: Sequence[str]) -> str:
    return f"t.id IN ({_ids(ids)})"


def above(number: int) -> str:
    return f"t.id > {number}"


def after(place: Place) -> str:
    moment = f"TO_TIMESTAMP('{place.modified.astimezone(UTC):%Y-%m-%d %H:%M:%S}', {SECONDS})"
    return f"({MODIFIED} > {moment} OR ({MODIFIED} = {moment} AND t.id > {place.number}))"


def fitting(question: PaymentQuestion) -> list[str]:
    conditions = []
    if question.number:
        number = _text(question.number)
        exact = f"UPPER(t.transactionnumber) = UPPER({number})"
        conditions.append(f"({_has('t.tranid', number)} OR {exact})")
    if question.amount is not None:
        conditions.append(f"ABS(t.foreigntotal) = {question.amount:f}")
    if question.vendor:
        name = _text(question.vendor)
        conditions.append(f"({_has('v.companyname', name)} OR {_has('v.entityid', name)})")
    return conditions


def _is(kind: str) -> str:
    return f"t.type = '{kind}'"


def _named(table: str, after: int, words: Sequence[str]) -> str:
    """Active ones with every word in code or name, by id."""
    conditions = [f"n.id > {after}", "n.isinactive = 'F'"]
    for word in map(_text, words):
        conditions.append(f"({_has('n.entityid', word)} OR {_has('n.companyname', word)})")
    return (
        f"SELECT n.id, n.entityid AS code, n.companyname AS name FROM {table} n"
        f" WHERE {' AND '.join(conditions)} ORDER BY n.id"
    )


def _has(column: str, text: str) -> str:
    """A part of a text, upper and lower case the same; nothing in it has another meaning."""
    return f"INSTR(UPPER({column}), UPPER({text})) > 0"


def _text(value: str) -> str:
    literal = value.replace("\x00", "").replace("'", "''")
    return f"'{literal}'"


def _ids(ids: Sequence[str]) -> str:
    """Only numbers get into a query."""
    return ", ".join(str(int(each)) for each in ids)
