"""Rows for tests. Every factory makes a whole, valid neighbourhood: company, project, vendor."""

import datetime as dt
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from commitments.models import (
    BillingPeriod,
    ChangeOrder,
    Commitment,
    CommitmentKind,
    CommitmentStatus,
    InvoiceStatus,
    ScheduleOfValuesLine,
    SubcontractorInvoice,
)
from erp_integrations.directory.names import plain_name
from erp_integrations.models import ErpConnection, StagedRecord
from payments.models import Payment, PaymentMethod
from projects.access import Tool
from projects.models import Company, ErpStatus, Project, ProjectTool, User, Vendor


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    first_name = "Pat"
    last_name = factory.Sequence(lambda n: f"Person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")


class CompanyFactory(factory.django.DjangoModelFactory[Company]):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Northstar Builders {n}")


class ProjectFactory(factory.django.DjangoModelFactory[Project]):
    """A project with both tools switched on; ``tools=[]`` for none."""

    class Meta:
        model = Project
        skip_postgeneration_save = True

    company = factory.SubFactory(CompanyFactory)
    number = factory.Sequence(lambda n: f"2026-{n:03}")
    name = "Riverside Tower"

    @factory.post_generation
    def tools(self: Any, create: bool, extracted: list[Tool] | None, **_: Any) -> None:
        for tool in list(Tool) if extracted is None else extracted:
            ProjectTool.objects.create(project=self, company=self.company, tool=tool)


class VendorFactory(factory.django.DjangoModelFactory[Vendor]):
    class Meta:
        model = Vendor

    company = factory.SubFactory(CompanyFactory)
    name = factory.Sequence(lambda n: f"Acme Concrete {n}")


class CommitmentFactory(factory.django.DjangoModelFactory[Commitment]):
    class Meta:
        model = Commitment

    project = factory.SubFactory(ProjectFactory)
    company = factory.SelfAttribute("project.company")
    vendor = factory.SubFactory(VendorFactory, company=factory.SelfAttribute("..company"))
    kind = CommitmentKind.SUBCONTRACT
    number = factory.Sequence(lambda n: f"SC-{n:04}")
    title = "Structural concrete"
    status = CommitmentStatus.APPROVED
    is_private = False


class ScheduleOfValuesLineFactory(factory.django.DjangoModelFactory[ScheduleOfValuesLine]):
    class Meta:
        model = ScheduleOfValuesLine

    commitment = factory.SubFactory(CommitmentFactory)
    company = factory.SelfAttribute("commitment.company")
    position = factory.Sequence(lambda n: n + 1)
    description = "Footings"
    amount = Decimal("10000.00")


class ChangeOrderFactory(factory.django.DjangoModelFactory[ChangeOrder]):
    class Meta:
        model = ChangeOrder

    commitment = factory.SubFactory(CommitmentFactory)
    company = factory.SelfAttribute("commitment.company")
    number = factory.Sequence(lambda n: f"CO-{n:03}")
    title = "More rebar"
    amount = Decimal("1500.00")
    created_on = dt.date(2026, 6, 1)


class BillingPeriodFactory(factory.django.DjangoModelFactory[BillingPeriod]):
    class Meta:
        model = BillingPeriod

    project = factory.SubFactory(ProjectFactory)
    company = factory.SelfAttribute("project.company")
    starts_on = dt.date(2026, 6, 1)
    ends_on = dt.date(2026, 6, 30)
    due_on = dt.date(2026, 7, 10)


class InvoiceFactory(factory.django.DjangoModelFactory[SubcontractorInvoice]):
    """An approved invoice of ``due`` dollars; ``bill="7"`` makes it synced with that ERP bill."""

    class Meta:
        model = SubcontractorInvoice

    class Params:
        due = Decimal("5000.00")
        bill = ""

    commitment = factory.SubFactory(CommitmentFactory)
    company = factory.SelfAttribute("commitment.company")
    project = factory.SelfAttribute("commitment.project")
    position = factory.Sequence(lambda n: n + 1)
    invoice_number = factory.Sequence(lambda n: f"ACME-{1000 + n}")
    status = InvoiceStatus.APPROVED
    billing_date = dt.date(2026, 6, 30)
    original_contract_sum = contract_sum_to_date = factory.SelfAttribute("due")
    total_completed_and_stored_to_date = factory.SelfAttribute("due")
    total_earned_less_retainage = current_payment_due = factory.SelfAttribute("due")
    origin_id = factory.SelfAttribute("bill")
    erp_status = factory.LazyAttribute(
        lambda invoice: ErpStatus.SYNCED if invoice.bill else ErpStatus.NOT_SENT
    )


class PaymentFactory(factory.django.DjangoModelFactory[Payment]):
    """A payment entered by hand; with ``origin_id`` a synced one."""

    class Meta:
        model = Payment

    commitment = factory.SubFactory(CommitmentFactory)
    company = factory.SelfAttribute("commitment.company")
    project = factory.SelfAttribute("commitment.project")
    amount = Decimal("1250.00")
    method = PaymentMethod.CHECK
    date = dt.date(2026, 7, 6)


class ErpConnectionFactory(factory.django.DjangoModelFactory[ErpConnection]):
    class Meta:
        model = ErpConnection

    company = factory.SubFactory(CompanyFactory)
    name = "Tryton"
    provider = "tryton"
    settings = {"url": "http://127.0.0.1:1", "database": "lab"}
    export_subcontractor_invoices = True


class StagedRecordFactory(factory.django.DjangoModelFactory[StagedRecord]):
    """A vendor that only the ERP has."""

    class Meta:
        model = StagedRecord

    connection = factory.SubFactory(ErpConnectionFactory)
    company = factory.SelfAttribute("connection.company")
    kind = "vendors"
    remote_id = factory.Sequence(lambda n: str(500 + n))
    code = factory.LazyAttribute(lambda staged: f"V-{staged.remote_id}")
    title = factory.Sequence(lambda n: f"Pine Ridge Masonry {n} LLC")
    match_key = factory.LazyAttribute(lambda staged: plain_name(staged.title))
    last_seen_at = factory.LazyFunction(timezone.now)
