"""The daily summary: at seven in the morning of the company, once, for those who asked."""

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection as database

from erp_integrations.models import ErpConnection, NoticeKind, OutgoingEmail
from erp_integrations.notices import digest
from erp_integrations.notices.preferences import set_preference
from projects.access import Level, Tool
from projects.models import ErpStatus, Project, User
from projects.services import grant_level, set_accounting_approver
from tests.erp_integrations.rows import allocation_of, erp_payment_of
from tests.factories import (
    CompanyFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    ProjectFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")
MORNING = dt.datetime(2026, 7, 6, 7, 2, tzinfo=NEW_YORK)


@pytest.fixture
def tower() -> Project:
    return ProjectFactory(company=CompanyFactory(name="Northstar Builders"))


@pytest.fixture
def tryton(tower: Project) -> ErpConnection:
    return ErpConnectionFactory(company=tower.company)


@pytest.fixture
def carla(tryton: ErpConnection) -> User:
    """An approver who asked for the summary."""
    carla = UserFactory(username="carla", first_name="Carla", last_name="Counts")
    tool = Tool.ERP_INTEGRATIONS
    grant_level(user=carla, tool=tool, level=Level.STANDARD, on=tryton.company)
    set_accounting_approver(user=carla, company=tryton.company, is_approver=True)
    set_preference(person=carla, company=tryton.company, kind=NoticeKind.DIGEST, is_wanted=True)
    return carla


@pytest.fixture
def waits(tower: Project) -> None:
    """An invoice that waits for an approver."""
    InvoiceFactory(commitment__project=tower, erp_status=ErpStatus.SENT, invoice_number="A-1")


def bodies() -> list[str]:
    return list(OutgoingEmail.objects.order_by("pk").values_list("body", flat=True))


@time_machine.travel(MORNING, tick=False)
def test_it_names_what_an_approver_has_to_do(
    tryton: ErpConnection, tower: Project, carla: User, waits: None
) -> None:
    InvoiceFactory(
        commitment__project=tower,
        commitment__number="SC-7",
        commitment__vendor__name="Acme Concrete",
        erp_status=ErpStatus.FAILED,
        erp_message="The vendor is not linked.",
        invoice_number="B-2",
    )
    allocation_of(erp_payment_of(tryton))
    assert digest.write_due() == 1
    email = OutgoingEmail.objects.get()
    assert email.subject == "ERP Integrations Daily Summary: Northstar Builders, 07/06/2026"
    assert "To accept or reject: 1" in email.body and "A-1" in email.body
    assert "B-2 · Acme Concrete · SC-7 · $5,000.00 · The vendor is not linked." in email.body
    assert "1 · bill unknown" in email.body and "?view=failed" in email.body


@time_machine.travel(MORNING, tick=False)
def test_nothing_comes_when_there_is_nothing(tryton: ErpConnection, carla: User) -> None:
    assert digest.write_due() == 0 and bodies() == []


@time_machine.travel(MORNING, tick=False)
def test_it_comes_once_a_day(tryton: ErpConnection, carla: User, waits: None) -> None:
    assert [digest.write_due() for _ in range(3)] == [1, 0, 0]
    with time_machine.travel(MORNING + dt.timedelta(days=1), tick=False):
        assert digest.write_due() == 1


@time_machine.travel(MORNING, tick=False)
def test_it_comes_only_to_approvers_who_asked(
    tryton: ErpConnection, tower: Project, waits: None
) -> None:
    silent, former = UserFactory(), UserFactory()
    set_accounting_approver(user=silent, company=tower.company, is_approver=True)
    set_preference(person=former, company=tower.company, kind=NoticeKind.DIGEST, is_wanted=True)
    assert digest.write_due() == 0


@time_machine.travel(MORNING, tick=False)
def test_it_names_only_what_the_approver_may_answer(
    tryton: ErpConnection, carla: User, waits: None
) -> None:
    grant_level(user=carla, tool=Tool.ERP_INTEGRATIONS, level=Level.NONE, on=tryton.company)
    assert digest.write_due() == 0


@time_machine.travel(MORNING, tick=False)
def test_it_names_nothing_of_another_company(
    tryton: ErpConnection, carla: User, waits: None
) -> None:
    other = InvoiceFactory(erp_status=ErpStatus.SENT, invoice_number="SECRET-1")
    ErpConnectionFactory(company=other.company)
    digest.write_due()
    (body,) = bodies()
    assert "SECRET-1" not in body


@time_machine.travel(MORNING, tick=False)
def test_a_long_list_is_cut_and_says_so(tryton: ErpConnection, tower: Project, carla: User) -> None:
    for _ in range(digest.NAMED + 1):
        InvoiceFactory(commitment__project=tower, erp_status=ErpStatus.SENT)
    digest.write_due()
    (body,) = bodies()
    assert f"To accept or reject: {digest.NAMED + 1}" in body and "… and more" in body


@pytest.mark.parametrize(
    ("hour", "minute", "is_due"), [(6, 59, False), (7, 0, True), (11, 59, True), (12, 0, False)]
)
def test_it_is_due_in_the_morning(
    tryton: ErpConnection, hour: int, minute: int, is_due: bool
) -> None:
    moment = MORNING.replace(hour=hour, minute=minute)
    with time_machine.travel(moment, tick=False):
        assert (digest.due_day(tryton) == moment.date()) is is_due


def test_each_company_has_its_own_morning(tryton: ErpConnection) -> None:
    tokyo = ErpConnectionFactory(company=CompanyFactory(time_zone="Asia/Tokyo"))
    with time_machine.travel(MORNING, tick=False):
        assert digest.due_day(tryton) and digest.due_day(tokyo) is None
    with time_machine.travel(dt.datetime(2026, 7, 5, 22, 0, tzinfo=dt.UTC), tick=False):
        assert digest.due_day(tokyo) == dt.date(2026, 7, 6)


@pytest.mark.parametrize("day", [dt.date(2026, 3, 8), dt.date(2026, 11, 1)])
def test_it_comes_once_at_seven_when_clocks_change(
    tryton: ErpConnection, carla: User, waits: None, day: dt.date
) -> None:
    start = dt.datetime.combine(day, dt.time(), NEW_YORK).astimezone(dt.UTC)
    written = []
    for quarter in range(25 * 4):
        moment = start + dt.timedelta(minutes=15 * quarter)
        with time_machine.travel(moment, tick=False):
            if digest.write_due():
                written.append(moment.astimezone(NEW_YORK))
    assert [each.replace(tzinfo=None) for each in written] == [dt.datetime.combine(day, dt.time(7))]


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_write_one_summary(tryton: ErpConnection, carla: User, waits: None) -> None:
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        try:
            digest._write_once(tryton, dt.date(2026, 7, 6))
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert OutgoingEmail.objects.count() == 1
