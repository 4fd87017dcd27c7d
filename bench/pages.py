"""How much longer a page takes when there are a hundred times as many rows.

    python3 dev.py bench --pages [--invoices 100000]

Two companies in one database: a small one of 1,000 invoices and 2,000 payments,
and a large one of 100,000 and 200,000. Every list page is asked for by people
who hold a grant on each project by itself. The ratio is the time of the large
company's page to the small one's, in the same run; both should ask the same
number of queries.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SMALL = 1_000
#: static files by their plain names: nobody has collected them here
UNCOLLECTED = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="leave the database bench_… behind")
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many counts")
    options = parser.parse_args()
    report(options.invoices, measure(options.invoices, options.rounds, keep=options.keep))


def measure(invoices: int, rounds: int, *, keep: bool) -> dict[str, dict[str, Any]]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procore_sync.settings")
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import override_settings, setup_test_environment

    setup_test_environment(debug=False)
    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with override_settings(STORAGES=UNCOLLECTED):
            return _compare(invoices, rounds)
    finally:
        connection.creation.destroy_test_db(before, verbosity=0, keepdb=keep)


def _compare(invoices: int, rounds: int) -> dict[str, dict[str, Any]]:
    from bench.company import make_company

    small, large = make_company("Small", SMALL), make_company("Large", invoices)
    results: dict[str, dict[str, Any]] = {}
    for name in small.pages:
        few, many = (_ask(company, name, rounds) for company in (small, large))
        results[name] = {
            "queries": (few.queries, many.queries),
            "ms": (few.page * 1000, many.page * 1000),
            "database": (few.database * 1000, many.database * 1000),
            "ratio": round(many.page / few.page, 2),
        }
    return results


class Meter:
    """Counts the queries of a page and the time they take."""

    def __init__(self) -> None:
        self.queries, self.database, self.page = 0, 0.0, 0.0

    def __call__(self, execute: Callable[..., Any], *words: Any) -> Any:
        self.queries, started = self.queries + 1, time.perf_counter()
        try:
            return execute(*words)
        finally:
            self.database += time.perf_counter() - started


def _ask(company: Any, name: str, rounds: int) -> Meter:
    """The best of some rounds: what else the machine does only ever makes it slower."""
    from django.db import connection
    from django.test import Client

    person, url = company.pages[name]
    client = Client()
    client.force_login(company.people[person])
    taken = []
    # The first one compiles the templates and warms the caches.
    for _ in range(rounds + 1):
        meter, started = Meter(), time.perf_counter()
        with connection.execute_wrapper(meter):
            answer = client.get(url)
        meter.page = time.perf_counter() - started
        assert answer.status_code == 200, (name, url, answer.status_code)
        taken.append(meter)
    best = min(taken, key=lambda meter: meter.page)
    best.database = min(meter.database for meter in taken)
    return best


def report(invoices: int, results: dict[str, dict[str, Any]]) -> None:
    small, large = f"{SMALL:,}", f"{invoices:,}"
    print(f"\n  {'page (in the database)':44} {'queries':>9} {small:>17} {large:>17} {'ratio':>7}")
    for name, found in results.items():
        few, many = found["queries"]
        times = [
            f"{page:>5.0f} ({inside:>4.0f}) ms"
            for page, inside in zip(found["ms"], found["database"], strict=True)
        ]
        queries = str(few) if few == many else f"{few} / {many}"
        print(f"  {name:44} {queries:>9} {times[0]:>17} {times[1]:>17} {found['ratio']:>7.2f}")
    print("\n" + json.dumps({name: found["ratio"] for name, found in results.items()}))


if __name__ == "__main__":
    main()
