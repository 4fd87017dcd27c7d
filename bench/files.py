"""Whether a file of a million rows takes more memory than one of ten thousand.

    python3 dev.py bench --files [--sizes 10000 1000000]

A check register in CSV is received, read and synced by the real code. Reading
its rows with Python's own csv module and COPYing them into a table is the limit.
Each size has a process of its own, so that peak memory is its own.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
HEADING = ("Check No", "Check Date", "Vendor", "Vendor Name", "Invoice No", "Amount Paid")
#: rows that share a check, and invoices that are linked before the sync
ROWS_OF_A_CHECK, LINKED = 2, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.sizes[0])))
        return
    report({size: in_own_process(size) for size in options.sizes})


def in_own_process(size: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", "--sizes", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


# ------------------------------------------------------------- in the process that is measured
def measure(size: int) -> dict[str, Any]:
    from bench.sync import own_database

    with own_database(), tempfile.TemporaryDirectory() as folder:
        from django.conf import settings

        settings.MEDIA_ROOT = folder
        register = Path(folder) / "register.csv"
        write_register(register, size)
        return {"limit": limit(register), **phases(register, size)}


def write_register(path: Path, size: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADING)
        for n in range(size):
            check = 10_000 + n // ROWS_OF_A_CHECK
            amount = f"{100 + n % 9_000}.{n % 100:02}"
            rows.writerow((check, "05/27/2026", "V-1", "Acme Concrete", f"BILL-{n + 1}", amount))


def limit(register: Path) -> float:
    from django.db import connection

    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE plain (number text, day text, vendor text, name text, "
            "invoice text, amount numeric)"
        )
        with (
            register.open(newline="", encoding="utf-8") as file,
            cursor.copy("COPY plain FROM STDIN") as copy,
        ):
            rows = csv.reader(file)
            next(rows)
            for row in rows:
                copy.write_row(row)
        taken = time.perf_counter() - started
        cursor.execute("DROP TABLE plain")
    return taken


def phases(register: Path, size: int) -> dict[str, Any]:
    """How long each step takes, and the most memory that was used up to its end."""
    from erp_integrations import engine, runs
    from erp_integrations.file_drop import staging
    from erp_integrations.models import ErpConnection, RunMode, RunTrigger
    from payments.models import Payment

    erp = make_company()
    result: dict[str, Any] = {}

    def noted(phase: str, started: float) -> None:
        result[phase] = time.perf_counter() - started
        result[f"{phase}, peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    noted("before", time.perf_counter())
    file = received(erp, register)
    started = time.perf_counter()
    staging.stage(file.pk)
    noted("read", started)
    file.refresh_from_db()
    assert (file.lines, file.problems) == (size, 0), file.message
    run = runs.request_run(
        connection=ErpConnection.objects.get(pk=erp.pk),
        trigger=RunTrigger.COMMAND,
        mode=RunMode.CHANGES,
    )
    started = time.perf_counter()
    engine.work_on(run.pk)
    noted("sync", started)
    run.refresh_from_db()
    assert run.is_good and run.payments_read == file.payments, run.error_message
    assert Payment.objects.count() == LINKED
    return result


def make_company() -> Any:
    """A commitment whose invoices are linked to the first bills of the file."""
    from bench.sync import make_company as make
    from commitments.models import SubcontractorInvoice
    from erp_integrations.models import ErpConnection
    from erp_integrations.providers.file_drop.rows import bill_id_of

    ids = make(LINKED)
    for invoice in SubcontractorInvoice.objects.all():
        invoice.origin_id = bill_id_of("V-1", invoice.invoice_number)
        invoice.save(update_fields=["origin_id"])
    ErpConnection.objects.update(provider="file_drop", settings={})
    return ErpConnection.objects.get(pk=ids["connection"])


def received(erp: Any, register: Path) -> Any:
    """The file, taken as from a folder, and its columns, chosen as on the page."""
    from erp_integrations.file_drop import services
    from erp_integrations.file_drop.mappings import layout_of_file, sample_of
    from erp_integrations.models import FileSource
    from erp_integrations.providers.file_drop.columns import proposed
    from projects.models import User

    carla = User.objects.create_superuser("carla")
    with register.open("rb") as content:
        file = services.receive(
            connection=erp, content=content, name=register.name, source=FileSource.FOLDER
        )
    layout = layout_of_file(file)
    with file.file.open("rb") as content:
        sample = sample_of(content, layout, file.header_line)
    return services.choose_columns(
        file=file,
        layout=layout,
        header_line=file.header_line,
        header=sample.header,
        columns=proposed(sample.header),
        date_order="mdy",
        decimal_mark=".",
        method="check",
        by=carla,
    )


# ------------------------------------------------------------- the report
def report(results: dict[int, dict[str, Any]]) -> None:
    print(
        f"{'rows':>10} {'read/s':>10} {'limit/s':>10} {'ratio':>6} {'sync, checks/s':>15}", end=""
    )
    print(f" {'memory: start':>14} {'read':>7} {'sync':>7}")
    for size, each in results.items():
        print(
            f"{size:>10,} {size / each['read']:>10,.0f} {size / each['limit']:>10,.0f} "
            f"{each['limit'] / each['read']:>6.2f} "
            f"{size / ROWS_OF_A_CHECK / each['sync']:>15,.0f} {each['before, peak MB']:>11} MB "
            f"{each['read, peak MB']:>4} MB {each['sync, peak MB']:>4} MB"
        )
    print("\n" + json.dumps({str(size): each for size, each in results.items()}))


if __name__ == "__main__":
    main()
