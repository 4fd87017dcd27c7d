"""The link of a commitment to the ERP's purchase order or subcontract, and its history.

A commitment whose invoices are synced stays linked: their bills belong to its
order in the ERP, and unlocking the commitment beneath them would let the two
books tell different stories.
"""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from commitments.models import (
    Commitment,
    CommitmentEvent,
    CommitmentStatus,
    ScheduleOfValuesLine,
    SubcontractorInvoice,
)
from projects.models import ErpStatus, Project, User, Vendor
from projects.services import announce_enabled

LINKED_ALREADY = "{commitment} is linked to {code} already. Unlink it first."
TAKEN = "{code} is linked to {other} already. One record of the ERP belongs to one record here."
TAKEN_MEANWHILE = "{code} was linked to another commitment a moment ago. Reload the page."
NOT_LINKED = "{commitment} is not linked any more."
OTHER_VENDOR = (
    "In the ERP {code} is with {there}, but {commitment} is with {here}. Link the one that is "
    "right, or correct the vendor first."
)
OTHER_CURRENCY = "{code} is in {there}, but {commitment} is in {here}. They cannot be linked."
HAS_SYNCED = (
    "{count} of {commitment} {verb} synced with the ERP, so it stays linked: their bills belong to "
    "this order there. Unlink the invoices first."
)
IS_EXPORTING = "An invoice of {commitment} is being exported at this moment. Wait for its end."


class ErpOrder(NamedTuple):
    """The ERP's purchase order or subcontract, as far as a commitment needs it."""

    remote_id: str
    code: str
    vendor_ref: str
    vendor_name: str
    currency: str
    total: Decimal
    ordered_on: dt.date | None


@transaction.atomic
def link_commitment(*, commitment: Commitment, order: ErpOrder, by: User | None) -> Commitment:
    """Make the commitment *synced* with this order. Raises ``ValidationError`` with the reason."""
    commitment = _locked(commitment)
    if commitment.origin_id not in ("", order.remote_id):
        code = commitment.origin_code or commitment.origin_id
        raise ValidationError(LINKED_ALREADY.format(commitment=commitment.number, code=code))
    check_fit(commitment, order)
    _require_free(commitment, order)
    _store_link(commitment, order, by)
    announce_enabled(commitment.company_id)
    return commitment


@transaction.atomic
def unlink_commitment(*, commitment: Commitment, by: User | None) -> Commitment:
    """Take the link away; refused while its invoices are in the ERP."""
    commitment = _locked(commitment)
    check_unlink(commitment)
    before = commitment.origin_code or commitment.origin_id
    commitment.origin_id = commitment.origin_code = ""
    commitment.erp_status = ErpStatus.NOT_SENT
    commitment.save(update_fields=["origin_id", "origin_code", "erp_status", "updated_at"])
    _record(commitment, by, f"Unlinked from {before} in the ERP", before)
    return commitment


@transaction.atomic
def create_linked_commitment(
    *,
    project: Project,
    vendor: Vendor,
    kind: str,
    number: str,
    title: str,
    is_private: bool,
    order: ErpOrder,
    by: User | None,
) -> Commitment:
    """An approved commitment for an order that was in the ERP first, of one line over its sum.

    Raises ``ValidationError``, by field where one is to blame.
    """
    commitment = Commitment(
        company=project.company,
        project=project,
        vendor=vendor,
        kind=kind,
        number=number,
        title=title,
        is_private=is_private,
        status=CommitmentStatus.APPROVED,
        is_executed=True,
        currency=order.currency,
        contract_date=order.ordered_on,
    )
    commitment.full_clean()
    check_fit(commitment, order)
    _require_free(commitment, order)
    commitment.save()
    ScheduleOfValuesLine.objects.create(
        company=commitment.company,
        commitment=commitment,
        position=1,
        description=title,
        amount=order.total,
    )
    _store_link(commitment, order, by)
    announce_enabled(commitment.company_id)
    return commitment


def check_fit(commitment: Commitment, order: ErpOrder) -> None:
    """Raises ``ValidationError`` when the two cannot be the same contract."""
    here = commitment.vendor
    if here.origin_id and order.vendor_ref and here.origin_id != order.vendor_ref:
        there = order.vendor_name or order.vendor_ref
        raise ValidationError(
            OTHER_VENDOR.format(
                code=order.code, there=there, commitment=commitment.number, here=here
            )
        )
    if commitment.currency != order.currency:
        raise ValidationError(
            OTHER_CURRENCY.format(
                code=order.code,
                there=order.currency,
                commitment=commitment.number,
                here=commitment.currency,
            )
        )


def check_unlink(commitment: Commitment) -> None:
    """Raises ``ValidationError`` when the commitment has to stay linked."""
    if not commitment.origin_id:
        raise ValidationError(NOT_LINKED.format(commitment=commitment.number))
    invoices = SubcontractorInvoice.objects.filter(commitment=commitment)
    if invoices.filter(erp_status=ErpStatus.EXPORTING).exists():
        raise ValidationError(IS_EXPORTING.format(commitment=commitment.number))
    if synced := invoices.synced().count():
        count, verb = ("1 invoice", "is") if synced == 1 else (f"{synced} invoices", "are")
        raise ValidationError(
            HAS_SYNCED.format(count=count, commitment=commitment.number, verb=verb)
        )


def _require_free(commitment: Commitment, order: ErpOrder) -> None:
    linked = Commitment.objects.filter(company_id=commitment.company_id, origin_id=order.remote_id)
    if other := linked.exclude(pk=commitment.pk).first():
        raise ValidationError(TAKEN.format(code=order.code, other=other))


def _store_link(commitment: Commitment, order: ErpOrder, by: User | None) -> None:
    before = commitment.origin_code or commitment.origin_id
    commitment.origin_id, commitment.origin_code = order.remote_id, order.code
    commitment.erp_status = ErpStatus.SYNCED
    fields = ["origin_id", "origin_code", "erp_status", "updated_at"]
    try:
        with transaction.atomic():
            commitment.save(update_fields=fields)
    except IntegrityError as error:
        raise ValidationError(TAKEN_MEANWHILE.format(code=order.code)) from error
    _record(commitment, by, f"Linked to {order.code} in the ERP", before)


def _locked(commitment: Commitment) -> Commitment:
    rows = Commitment.objects.select_for_update(of=["self"]).select_related("vendor")
    return rows.get(pk=commitment.pk)


def _record(commitment: Commitment, by: User | None, summary: str, before: str) -> None:
    CommitmentEvent.objects.create(
        company_id=commitment.company_id,
        commitment=commitment,
        actor=by,
        subject=f"{commitment.get_kind_display()} {commitment.number}",
        summary=summary[:300],
        changes={"ERP ID": [before, commitment.origin_code]},
    )
