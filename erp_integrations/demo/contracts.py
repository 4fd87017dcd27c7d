"""Writes the demo's commitments, their invoices and what the ERP knows of them."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from commitments.models import (
    BillingPeriod,
    ChangeOrder,
    Commitment,
    CommitmentStatus,
    InvoiceStatus,
    ScheduleOfValuesLine,
    SubcontractorInvoice,
)
from commitments.models.change_order import ChangeOrderStatus
from erp_integrations.demo import story
from erp_integrations.demo.books import BookedOrder, Books
from erp_integrations.demo.story import DemoContract, DemoInvoice
from projects.models import Company, ErpStatus, Vendor
from projects.money import rounded


def write_vendors(company: Company, books: Books) -> None:
    """Those with a commitment here; the ERP has more, which can be imported."""
    numbers = {demo.number for demo in story.CONTRACTS}
    codes = {order.vendor_code for order in books.orders if order.reference in numbers}
    for booked in books.vendors:
        if booked.code not in codes:
            continue
        Vendor.objects.get_or_create(
            company=company,
            name=booked.name,
            defaults={
                "code": booked.code,
                "origin_id": booked.party_id,
                "origin_code": booked.code,
            },
        )


def link_jobs(company: Company, books: Books) -> None:
    """The ERP's jobs have our projects' numbers."""
    for job in books.jobs:
        unlinked = company.projects.filter(number=job.code, origin_id="")
        unlinked.update(origin_id=job.id, origin_code=job.code)


def write_contract(company: Company, demo: DemoContract, books: Books) -> Commitment:
    """The commitment with everything on it, unless it is there already."""
    project = company.projects.get(number=demo.project)
    existing = Commitment.objects.filter(project=project, number=demo.number).first()
    if existing is not None:
        return existing
    order = next((each for each in books.orders if each.reference == demo.number), None)
    commitment = Commitment(
        company=company,
        project=project,
        number=demo.number,
        status=CommitmentStatus.APPROVED,
        is_executed=True,
        ssov_status=demo.ssov_status,
        currency=company.currency,
        retainage_percent=demo.retainage,
        is_private=demo.is_private,
        allow_payments=demo.allow_payments,
    )
    _describe(commitment, demo, order, books)
    commitment.full_clean()
    commitment.save()
    total = order.total if order else demo.total
    _write_schedule(commitment, demo, total)
    _write_changes(commitment, demo)
    _write_invoices(commitment, demo, total, books)
    return commitment


def _describe(
    commitment: Commitment, demo: DemoContract, order: BookedOrder | None, books: Books
) -> None:
    """From the ERP's purchase order where there is one, from the story otherwise."""
    company = commitment.company
    if order is None:
        commitment.kind, commitment.title = demo.kind, demo.title
        commitment.vendor, _ = Vendor.objects.get_or_create(company=company, name=demo.vendor)
        commitment.contract_date = dt.date(2026, 5, 18)
        return
    commitment.kind, commitment.title = order.kind, order.title
    name = next(each.name for each in books.vendors if each.code == order.vendor_code)
    commitment.vendor = Vendor.objects.get(company=company, name=name)
    commitment.contract_date = order.date
    commitment.origin_id, commitment.origin_code = order.id, order.reference
    commitment.erp_status = ErpStatus.SYNCED


def _write_schedule(commitment: Commitment, demo: DemoContract, total: Decimal) -> None:
    """The lines' shares of the sum; the last line takes what rounding leaves."""
    left = total
    for position, (code, description, percent) in enumerate(demo.lines, start=1):
        share = rounded(total * percent / 100, commitment.currency)
        amount = left if position == len(demo.lines) else share
        left -= amount
        ScheduleOfValuesLine.objects.create(
            company=commitment.company,
            commitment=commitment,
            position=position,
            cost_code=code,
            cost_type="Subcontract",
            description=description,
            amount=amount,
        )


def _write_changes(commitment: Commitment, demo: DemoContract) -> None:
    for change in demo.changes:
        is_approved = change.status == ChangeOrderStatus.APPROVED
        ChangeOrder.objects.create(
            company=commitment.company,
            commitment=commitment,
            number=change.number,
            title=change.title,
            status=change.status,
            amount=change.amount,
            is_executed=is_approved,
            erp_status=ErpStatus.SYNCED if is_approved else ErpStatus.NOT_SENT,
            created_on=dt.date(2026, 6, 22),
        )


def _write_invoices(
    commitment: Commitment, demo: DemoContract, total: Decimal, books: Books
) -> None:
    """The ERP's bills as synced invoices, then those that the ERP does not have."""
    ledger = _Ledger(commitment, demo, total)
    for bill in books.bills_on(commitment.number):
        synced = DemoInvoice(
            bill.reference, bill.total, InvoiceStatus.APPROVED, ErpStatus.SYNCED, date=bill.date
        )
        ledger.bill(synced, origin_id=bill.id, comments=bill.description)
    for invoice in demo.invoices:
        ledger.bill(invoice)


class _Ledger:
    """Adds up one commitment's invoices in the nine lines of the G702."""

    def __init__(self, commitment: Commitment, demo: DemoContract, total: Decimal) -> None:
        self.commitment, self.total = commitment, total
        approved = ChangeOrderStatus.APPROVED
        self.changes = sum((c.amount for c in demo.changes if c.status == approved), Decimal(0))
        self.kept = 1 - demo.retainage / 100
        self.earned, self.position = Decimal(0), 0

    def bill(self, demo: DemoInvoice, origin_id: str = "", comments: str = "") -> None:
        previous, self.earned = self.earned, self.earned + demo.due
        self.position += 1
        completed = rounded(self.earned / self.kept, self.commitment.currency)
        period = self._period(demo.date)
        invoice = SubcontractorInvoice(
            company=self.commitment.company,
            project=self.commitment.project,
            commitment=self.commitment,
            billing_period=period,
            position=self.position,
            invoice_number=demo.number,
            status=demo.status,
            billing_date=demo.date,
            period_start=period.starts_on,
            period_end=period.ends_on,
            submitted_at=_morning_of(demo.date),
            comments=comments,
            original_contract_sum=self.total,
            net_change_by_change_orders=self.changes,
            contract_sum_to_date=self.total + self.changes,
            total_completed_and_stored_to_date=completed,
            total_retainage=completed - self.earned,
            total_earned_less_retainage=self.earned,
            less_previous_certificates=previous,
            current_payment_due=demo.due,
            balance_to_finish=self.total + self.changes - self.earned,
            erp_status=demo.erp_status,
            erp_message=demo.erp_message,
            origin_id=origin_id,
            origin_code=demo.number if origin_id else "",
        )
        invoice.full_clean()
        invoice.save()

    def _period(self, date: dt.date) -> BillingPeriod:
        periods = BillingPeriod.objects.filter(project=self.commitment.project)
        return periods.get(starts_on__lte=date, ends_on__gte=date)


def _morning_of(date: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(date, dt.time(14)), dt.UTC)
