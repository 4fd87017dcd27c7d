"""The table in ``docs/erps.md``: what each ERP can do, as its provider declares it."""

from collections.abc import Callable
from typing import NamedTuple

from erp_integrations.providers.capabilities import Capabilities, RemoteMethod
from erp_integrations.providers.contract import Provider

BEGIN, END = "<!-- the table is written by manage.py capabilities_table -->", "<!-- end -->"
METHODS = {
    RemoteMethod.CHECK: "check",
    RemoteMethod.CREDIT_CARD: "card",
    RemoteMethod.ELECTRONIC: "electronic",
}


class Column(NamedTuple):
    heading: str
    of: Callable[[type[Provider]], str]


def _yes(name: str) -> Callable[[type[Provider]], str]:
    return lambda provider: "✓" if getattr(provider.capabilities, name) else "—"


def _payments(provider: type[Provider]) -> str:
    can = provider.capabilities
    return "sent to us" if can.is_pushed else "read" if can.payment_sync else "—"


def _methods(provider: type[Provider]) -> str:
    return ", ".join(METHODS[each] for each in provider.capabilities.methods)


def _deleted(provider: type[Provider]) -> str:
    can = provider.capabilities
    told = ["the ERP says so"] if can.tombstones else []
    return ", ".join([*told, *(["sweep"] if can.sweep else [])]) or "—"


def _limits(provider: type[Provider]) -> str:
    can: Capabilities = provider.capabilities
    parts = [
        f"{number:,} {words}"
        for number, words in (
            (can.calls_per_minute, "a minute"),
            (can.calls_per_day, "a day"),
            (can.calls_at_once, "at once"),
        )
        if number
    ]
    return ", ".join(parts) or "none known"


def _sign_in(provider: type[Provider]) -> str:
    if provider.wants_statements:
        return "—"
    return "OAuth 2" if provider.uses_oauth else "key"


def _resolution(provider: type[Provider]) -> str:
    seconds = provider.capabilities.time_resolution_seconds
    return f"{seconds:g} s" if seconds >= 1 else "below 1 s"


PAYMENTS = (
    Column("Payments", _payments),
    Column("Methods", _methods),
    Column("Voids", _yes("voids")),
    Column("Pending", _yes("pending")),
    Column("Several bills a payment", _yes("several_bills")),
    Column("Bill lines", _yes("bill_lines")),
    Column("Deleted payments", _deleted),
)
MORE = (
    Column("Single invoices", _yes("scoped_sync")),
    Column("Find a Payment", _yes("payment_search")),
    Column("Export of bills", _yes("export_bills")),
    Column("Vendors", _yes("vendors")),
    Column("Jobs", _yes("jobs")),
    Column("Orders", _yes("commitments")),
    Column("Notifications", _yes("notifications")),
)
LIMITS = (
    Column("Sign-in", _sign_in),
    Column("Page", lambda provider: f"{provider.capabilities.page_size:,}"),
    Column("Clock", _resolution),
    Column("Calls", _limits),
    Column("Region", lambda provider: provider.capabilities.region or "everywhere"),
)


def tables(providers: list[type[Provider]]) -> str:
    """Three tables in Markdown, a row for each provider, between the marks."""
    parts = [BEGIN, ""]
    for heading, columns in (
        ("Payments", PAYMENTS),
        ("What else", MORE),
        ("Sign-in and limits", LIMITS),
    ):
        parts += [f"## {heading}", "", *_table(columns, providers), ""]
    return "\n".join([*parts, END])


def _table(columns: tuple[Column, ...], providers: list[type[Provider]]) -> list[str]:
    headings = ["ERP", *(column.heading for column in columns)]
    rows = [[each.label, *(column.of(each) for column in columns)] for each in providers]
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
