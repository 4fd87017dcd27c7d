"""Two people, two clicks, two workers: one wins, and nothing is exported twice."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database

from commitments.erp_states import reject, retrieve_from_erp
from commitments.models import CommitmentEvent, SubcontractorInvoice
from erp_integrations.exporting import engine, jobs
from erp_integrations.exporting.services import accept
from erp_integrations.models import ErpConnection, ExportState, InvoiceExport
from projects.access import Level, Tool
from projects.models import ErpStatus, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.exporting.conftest import approver_of
from tests.fakes.bill_books import BillBooks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_works_on_it() -> Iterator[None]:
    """Accepted exports stay queued until a test works on them."""
    with mock.patch("erp_integrations.exporting.services.ring_for"):
        yield


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """All acts at the same moment; what each gave, or the exception it raised."""
    start, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=10)
            answers[place] = act()
        except Exception as error:
            answers[place] = error  # type: ignore[call-overload]
        finally:
            database.close()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


def accepting(invoice: SubcontractorInvoice, by: User) -> Callable[[], InvoiceExport]:
    number, date = invoice.invoice_number, invoice.billing_date
    return lambda: accept(invoice=invoice, erp_number=number, accounting_date=date, by=by)


def one_won(answers: list[Any]) -> ValidationError:
    """Exactly one act was done; the sentence that the others read."""
    refused = [each for each in answers if isinstance(each, ValidationError)]
    assert len(refused) == len(answers) - 1, answers
    return refused[0]


def test_of_two_approvers_one_exports_and_the_other_reads_it(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    second = approver_of(invoice.company, "second")
    error = one_won(at_once(accepting(invoice, accountant), accepting(invoice, second)))
    assert error.messages == ["It is exporting by now, so this was not done."]
    assert InvoiceExport.objects.count() == 1
    assert CommitmentEvent.objects.count() == 1


def test_a_double_click_is_one_export(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    one_won(at_once(*[accepting(invoice, accountant)] * 3))
    assert InvoiceExport.objects.count() == 1


def test_of_export_and_reject_one_wins(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    second = approver_of(invoice.company, "second")
    one_won(
        at_once(
            accepting(invoice, accountant),
            lambda: reject(invoice=invoice, reason="Wrong", by=second),
        )
    )
    invoice.refresh_from_db()
    exported = InvoiceExport.objects.exists()
    assert invoice.erp_status == (ErpStatus.EXPORTING if exported else ErpStatus.REJECTED)


def test_of_export_and_retrieve_one_wins(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    admin = approver_of(invoice.company, "admin")
    grant_level(user=admin, tool=Tool.COMMITMENTS, level=Level.ADMIN, on=invoice.company)
    one_won(
        at_once(
            accepting(invoice, accountant), lambda: retrieve_from_erp(invoice=invoice, by=admin)
        )
    )
    invoice.refresh_from_db()
    exported = InvoiceExport.objects.exists()
    assert invoice.erp_status == (ErpStatus.EXPORTING if exported else ErpStatus.RETRIEVED)


def test_of_two_workers_one_makes_the_bill(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accepting(invoice, accountant)()
    at_once(*[lambda: engine.work_on(made.pk)] * 4)
    made.refresh_from_db()
    assert (made.state, made.attempts) == (ExportState.SUCCEEDED, 1)
    assert len(erp.exported) == 1


def test_of_two_sweepers_one_rings(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accepting(invoice, accountant)()
    InvoiceExport.objects.update(try_at=made.created_at.replace(year=2020))
    with mock.patch("erp_integrations.exporting.jobs.ring_for") as ring:
        at_once(*[jobs.recover_stopped] * 4)
    ring.assert_called_once_with(made.pk)


def test_a_slow_worker_that_was_replaced_does_not_write_over_the_second(
    erp: BillBooks, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accepting(invoice, accountant)()
    exported = engine._exported

    def replaced(export: InvoiceExport) -> Any:
        """The lease runs out while the ERP takes its time, and another worker does it."""
        if export.attempts == 1:
            InvoiceExport.objects.update(lease_expires_at=made.created_at.replace(year=2020))
            engine.work_on(export.pk)
        return exported(export)

    with mock.patch.object(engine, "_exported", replaced):
        engine.work_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.attempts, len(erp.bills)) == (ExportState.SUCCEEDED, 2, 1)
    assert CommitmentEvent.objects.filter(summary__startswith="Exported").count() == 1


def test_the_right_that_went_away_between_click_and_job_counts(
    erp: BillBooks, connection: ErpConnection, invoice: SubcontractorInvoice, accountant: User
) -> None:
    made = accepting(invoice, accountant)()
    set_accounting_approver(user=accountant, company=invoice.company, is_approver=False)
    engine.work_on(made.pk)
    made.refresh_from_db()
    assert (made.state, erp.exported) == (ExportState.FAILED, [])
