"""What a sync costs with each ERP: calls, and the least time that the vendor's limits allow.

    python3 dev.py bench --erps [--bills 10000] [--changed 200]

Every provider reads its stand-in over HTTP: so many bills, each paid once, then
so many payments that are new or changed. Calls are counted by the client; the
time is not measured but worked out from the limits that the provider declares.
Beside it stands what asking once for every invoice would cost, which is what a
program without a cursor does.
"""

import argparse
import datetime as dt
import sys
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from erp_integrations.providers.capabilities import Capabilities  # noqa: E402
from erp_integrations.providers.contract import Provider  # noqa: E402
from erp_integrations.providers.http import Limits  # noqa: E402
from erp_integrations.providers.registry import built_in  # noqa: E402
from tests.fakes.stand_in import desk_of, make  # noqa: E402

FIRST_DAY = dt.date(2026, 1, 5)
PATIENT = Limits(max_bytes=200_000_000)
#: bills that one payment pays where the ERP can do that
BILLS_A_PAYMENT = 2
#: where no limit is known: how long one call takes, so that the columns can be compared
SECONDS_A_CALL = 0.3


class Cost(NamedTuple):
    erp: str
    can: Capabilities
    payments: int
    first: int
    nothing: int
    changes: int
    each: int


def measure(provider: type[Provider], bills: int, changed: int) -> Cost:
    """Raises whatever the stand-in or the provider raises: a cost that is not known is no cost."""
    fake = make(provider.code)
    desk = desk_of(fake)
    books = import_module(f"tests.erp_integrations.providers.{provider.code}_books")
    names = _enter(desk, bills)
    with fake.running():
        first, _, cursor = _read(books.connect(fake, limits=PATIENT), None)
        _pass(fake)
        _, _, cursor = _read(books.connect(fake, limits=PATIENT, overlap_seconds=0), cursor)
        _pass(fake)
        nothing, _, cursor = _read(books.connect(fake, limits=PATIENT, overlap_seconds=0), cursor)
        for number in range(changed):
            desk.pay(f"NEW-{number}", [(names[number], Decimal("1.00"))], FIRST_DAY)
        changes, found, _ = _read(books.connect(fake, limits=PATIENT, overlap_seconds=0), cursor)
    return Cost(provider.label, provider.capabilities, found, first, nothing, changes, bills)


def _enter(desk: Any, bills: int) -> list[str]:
    desk.vendor("V-BENCH", "Bench Builders Inc")
    names = [f"B-{number}" for number in range(bills)]
    for name in names:
        desk.bill(name, Decimal("1000.00"), "V-BENCH", FIRST_DAY, "")
    for number in range(0, bills, BILLS_A_PAYMENT):
        paid = [(name, Decimal("100.00")) for name in names[number : number + BILLS_A_PAYMENT]]
        desk.pay(f"C-{number}", paid, FIRST_DAY)
    return names


def _pass(fake: Any) -> None:
    getattr(fake, "ledger", fake).pass_time(30)


def _read(provider: Provider, cursor: Any) -> tuple[int, int, Any]:
    """Calls, payments read, and where it ended."""
    pages = list(provider.pages(cursor))
    provider.close()
    return provider.calls, sum(len(page.payments) for page in pages), pages[-1].cursor


def least_seconds(calls: int, can: Capabilities) -> float:
    """What the limits allow: bursts within a minute's budget are free, the rest has to wait."""
    working = calls * SECONDS_A_CALL
    if can.calls_per_day and calls > can.calls_per_day:
        return float((calls - 1) // can.calls_per_day * 86_400)
    if can.calls_per_minute:
        return max(working, (calls - 1) // can.calls_per_minute * 60.0)
    return working


def in_words(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def report(costs: list[Cost]) -> str:
    lines = [
        f"{'':<24}{'page':>6}{'first':>8}{'nothing':>9}{'changes':>9}{'read':>7}"
        f"{'at least':>11}{'one a bill':>12}{'at least':>11}"
    ]
    for cost in costs:
        least = in_words(least_seconds(cost.changes, cost.can))
        naive = in_words(least_seconds(cost.each, cost.can))
        lines.append(
            f"{cost.erp:<24}{cost.can.page_size:>6,}{cost.first:>8,}{cost.nothing:>9,}"
            f"{cost.changes:>9,}{cost.payments:>7,}{least:>11}{cost.each:>12,}{naive:>11}"
        )
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--bills", type=int, default=10_000)
    options.add_argument("--changed", type=int, default=200)
    options.add_argument("--only", default="", metavar="NAME", help="one provider")
    asked = options.parse_args()
    costs = []
    for provider in built_in():
        has_books = (ROOT / f"tests/erp_integrations/providers/{provider.code}_books.py").is_file()
        if has_books and asked.only in ("", provider.code):
            costs.append(measure(provider, asked.bills, asked.changed))
    sys.stdout.write(
        f"Calls for {asked.bills:,} bills, of which {asked.changed:,} were paid since the last "
        f"sync. A call takes at least {SECONDS_A_CALL} s.\n\n{report(costs)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
