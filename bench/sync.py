"""How fast payments are synced, compared in the same run with the limit of the machine.

    python3 dev.py bench [--sizes 10000 100000]

A page server in its own process hands out N payments (1–3 bills each) in pages
of 500. The real engine syncs them into PostgreSQL; plain COPY + merge of the
same rows is the limit. Each way and size has a process of its own, so that peak
memory is its own. Only the ratios mean something on another machine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PHASES = ("first load", "nothing changed", "1 % changed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many rounds counts")
    parser.add_argument("--measure", choices=["engine", "limit"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.port, options.sizes[0])))
        return
    results = {size: compare(size, options.rounds) for size in options.sizes}
    report(results)


def compare(size: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Both ways at one size, turn by turn, each in a fresh process and database."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.page_server", str(size)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        taken: dict[str, list[dict[str, Any]]] = {"engine": [], "limit": []}
        for _ in range(rounds):
            for way, results in taken.items():
                results.append(in_own_process(way, port, size))
        return {way: median(results) for way, results in taken.items()}
    finally:
        server.terminate()


def in_own_process(way: str, port: str, size: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", way, "--port", port, "--sizes", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def median(results: list[dict[str, Any]]) -> dict[str, Any]:
    middle = dict(results[0])
    for phase in PHASES:
        middle[phase] = sorted(each[phase] for each in results)[len(results) // 2]
    return middle


# ------------------------------------------------------------- in the process that is measured
@contextmanager
def own_database() -> Iterator[None]:
    """Django, set up, with an empty database that is gone afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procore_sync.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def measure(way: str, port: int, size: int) -> dict[str, Any]:
    with own_database():
        result = measure_engine(port, size) if way == "engine" else measure_limit(port, size)
    result["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return result


def make_company(bills: int) -> dict[str, int]:
    """One commitment with a synced invoice for every bill."""
    from django.db import connection

    from commitments.models import Commitment, CommitmentKind, SubcontractorInvoice
    from erp_integrations.models import ErpConnection
    from projects.access import Tool
    from projects.models import Company, Project, ProjectTool, Vendor

    company = Company.objects.create(name="Northstar")
    project = Project.objects.create(company=company, number="1", name="Riverside")
    ProjectTool.objects.create(company=company, project=project, tool=Tool.COMMITMENTS)
    vendor = Vendor.objects.create(company=company, name="Acme", origin_id="V-1")
    commitment = Commitment.objects.create(
        company=company, project=project, vendor=vendor, number="SC-1", title="Concrete",
        kind=CommitmentKind.SUBCONTRACT,
    )  # fmt: skip
    erp = ErpConnection.objects.create(
        company=company, name="Bench", provider="bench", export_subcontractor_invoices=True
    )
    amounts = dict.fromkeys(
        ("original_contract_sum", "contract_sum_to_date", "total_completed_and_stored_to_date",
         "total_earned_less_retainage", "current_payment_due"), 100_000,
    )  # fmt: skip
    # In small portions: the peak of memory that is measured shall be the sync's.
    for start in range(1, bills + 1, 2000):
        SubcontractorInvoice.objects.bulk_create(
            SubcontractorInvoice(
                company=company, project=project, commitment=commitment, position=number,
                invoice_number=f"BILL-{number}", status="approved", billing_date="2026-01-01",
                origin_id=str(number), erp_status="synced", **amounts,
            )
            for number in range(start, min(start + 2000, bills + 1))
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE commitments_subcontractorinvoice")
    return {
        "company": company.pk,
        "project": project.pk,
        "commitment": commitment.pk,
        "connection": erp.pk,
    }


def measure_engine(port: int, size: int) -> dict[str, Any]:
    from django.db import connection

    from erp_integrations import engine, runs
    from erp_integrations.models import ErpConnection, RunMode, RunTrigger
    from erp_integrations.providers import registry
    from payments.models import Payment

    ids = make_company(size)
    result: dict[str, Any] = {}
    statements = [0]

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements[0] += 1
        return execute(sql, params, many, context)

    with registry.registered(make_provider(port)), connection.execute_wrapper(counted):
        for phase, variant in zip(PHASES, (0, 0, 1), strict=True):
            ErpConnection.objects.update(cursor=None, settings={"variant": variant})
            erp = ErpConnection.objects.get(pk=ids["connection"])
            run = runs.request_run(connection=erp, trigger=RunTrigger.COMMAND, mode=RunMode.CHANGES)
            statements[0], started = 0, time.perf_counter()
            engine.work_on(run.pk)
            result[phase] = time.perf_counter() - started
            run.refresh_from_db()
            assert run.is_good and run.payments_read == size, run.error_message
            result[f"statements a page, {phase}"] = round(statements[0] / run.pages, 1)
            result[f"changed, {phase}"] = run.created + run.updated
    result["rows"] = Payment.objects.count() * 3 + size
    return result


def measure_limit(port: int, size: int) -> dict[str, Any]:
    from django.db import connection
    from django.utils import timezone

    from bench.limit import Limit, create_tables
    from commitments.models import SubcontractorInvoice

    ids = make_company(size)
    create_tables()
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = warning")
    invoices = dict(SubcontractorInvoice.objects.values_list("origin_id", "pk"))
    limit = Limit(ids, invoices, timezone.now())
    result: dict[str, Any] = {}
    for phase, variant in zip(PHASES, (0, 0, 1), strict=True):
        provider = make_provider(port)({"variant": variant}, {})
        started = time.perf_counter()
        count = limit.load(page.payments for page in provider.pages(None))
        result[phase] = time.perf_counter() - started
        assert count == size
    return result


def make_provider(port: int) -> Any:
    """A provider of the page server: the real HTTP client, typed decoding, nothing else."""
    import msgspec

    from erp_integrations.providers.contract import Capabilities, Page, Provider, RemotePayment
    from erp_integrations.providers.errors import NotOffered
    from erp_integrations.providers.http import HttpClient

    decoder = msgspec.json.Decoder(list[RemotePayment])

    class PageServerProvider(Provider):
        code: ClassVar[str] = "bench"
        label: ClassVar[str] = "Page server"
        capabilities: ClassVar[Capabilities] = Capabilities(sweep=False)
        fields: ClassVar[tuple[()]] = ()

        def __init__(self, settings: Any, credentials: Any, **_: Any) -> None:
            self.variant = settings["variant"]
            self.client = HttpClient(
                f"http://127.0.0.1:{port}", erp="Page server", allow_private=True
            )

        def pages(self, cursor: Any, *, resume: bool = False) -> Iterator[Page]:
            number = cursor["page"] if cursor else 0
            while rows := decoder.decode(
                self.client.get_json(f"/pages/{self.variant}/{number}").body
            ):
                number += 1
                yield Page(rows, [], {"page": number})

        @property
        def calls(self) -> int:
            return self.client.calls

        def close(self) -> None:
            self.client.close()

        def check(self) -> str:
            return self.label

        def payment(self, remote_id: str) -> Any:
            raise NotOffered(self.label, "single payments")

        def bills(self, remote_ids: Any = None) -> Any:
            raise NotOffered(self.label, "its bills")

    return PageServerProvider


# ------------------------------------------------------------- the report
def report(results: dict[int, dict[str, dict[str, Any]]]) -> None:
    for size, ways in results.items():
        engine, limit = ways["engine"], ways["limit"]
        print(f"\n{size:,} payments, {engine['rows']:,} rows")
        print(f"  {'':16} {'engine/s':>10} {'limit/s':>10} {'ratio':>6}  {'statements a page':>18}")
        for phase in PHASES:
            ours, theirs = size / engine[phase], size / limit[phase]
            print(
                f"  {phase:16} {ours:>10,.0f} {theirs:>10,.0f} {ours / theirs:>6.2f}"
                f"  {engine[f'statements a page, {phase}']:>18}"
            )
        print(f"  peak memory      {engine['peak MB']:>7} MB {limit['peak MB']:>7} MB")
    print("\n" + json.dumps({str(size): summary(ways) for size, ways in results.items()}))


def summary(ways: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ratios = {phase: round(ways["limit"][phase] / ways["engine"][phase], 2) for phase in PHASES}
    return {"ratios": ratios, "peak MB": ways["engine"]["peak MB"]}


if __name__ == "__main__":
    main()
