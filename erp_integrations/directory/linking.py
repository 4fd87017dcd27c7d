"""Links, unlinks and imports, for people who may; the rooms that own the records write them.

A record of the ERP is locked while it is linked, so that of two people who link
it at once one wins and the other reads who was first.
"""

from typing import TypeAlias

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from commitments import commitment_links
from commitments.commitment_links import ErpOrder
from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.directory.rights import NOT_ALLOWED, may_link
from erp_integrations.models import DirectoryKind, StagedRecord
from erp_integrations.models.directory import COUNTERPARTS
from projects import origin_links
from projects.models import Company, ErpStatus, Project, User, Vendor
from projects.origin_links import Linkable

Record: TypeAlias = Vendor | Project | Commitment

GONE = "{staged} is not in the ERP any more, so nothing can be linked to it. Refresh the list."
ARCHIVED = "{staged} is archived. Restore it first."
ALREADY = "{staged} is linked to a record here already."
IS_EXPORTING = "An invoice of {record} is being exported at this moment. Wait for its end."
NO_VENDOR = (
    "{name} is not among the ERP's vendors that were read. Refresh the list, then import again."
)
NOT_HERE = "{name} is not linked to a vendor here. Let it be imported along, or link it first."


@transaction.atomic
def link(*, record: Record, staged: StagedRecord, by: User) -> Record:
    """Link a record here to one of the ERP. Raises ``ValidationError`` with the reason."""
    require_right(record.company, by)
    staged = _locked(staged)
    if COUNTERPARTS[staged.kind] is not type(record) or staged.company_id != record.company_id:
        raise ValidationError("These two cannot be linked.")
    if staged.gone_at:
        raise ValidationError(GONE.format(staged=staged))
    if staged.archived_at:
        staged.archived_at = staged.archived_by = None
        staged.save(update_fields=["archived_at", "archived_by"])
    return _store(record, staged, by)


@transaction.atomic
def unlink(*, record: Record, by: User) -> Record:
    """Take the link away, where nothing would break. Raises ``ValidationError``."""
    require_right(record.company, by)
    if isinstance(record, Commitment):
        return commitment_links.unlink_commitment(commitment=record, by=by)
    check_unlink(record)
    return origin_links.unlink_record(record=record, by=by)


def check_unlink(record: Record) -> None:
    """Raises ``ValidationError`` while the record has to stay linked."""
    if isinstance(record, Commitment):
        commitment_links.check_unlink(record)
    elif exporting_invoices(record).exists():
        raise ValidationError(IS_EXPORTING.format(record=record))


@transaction.atomic
def import_vendor(*, staged: StagedRecord, by: User) -> Vendor:
    """A new vendor here, linked. Raises ``ValidationError`` where the name is taken."""
    staged = _importable(staged, by)
    vendor = origin_links.create_vendor(
        company=staged.company, name=staged.title[:200], code=staged.code[:50], by=by
    )
    return _link_origin(vendor, staged, by)


@transaction.atomic
def import_job(*, staged: StagedRecord, by: User) -> Project:
    """A new project here, linked, with its tools switched on."""
    staged = _importable(staged, by)
    project = origin_links.create_project(
        company=staged.company,
        number=(staged.code or staged.remote_id)[:50],
        name=staged.title[:200],
        by=by,
    )
    return _link_origin(project, staged, by)


@transaction.atomic
def import_commitment(
    *,
    staged: StagedRecord,
    project: Project,
    kind: str,
    number: str,
    title: str,
    is_private: bool,
    with_vendor: bool,
    by: User,
) -> Commitment:
    """A new commitment here, linked.

    ``with_vendor``: a vendor that is not linked may be linked or imported along.
    """
    staged = _importable(staged, by)
    return commitment_links.create_linked_commitment(
        project=project,
        vendor=_vendor_of(staged, by=by, may_import=with_vendor),
        kind=kind,
        number=number,
        title=title,
        is_private=is_private,
        order=order_of(staged),
        by=by,
    )


def find_vendor(staged: StagedRecord) -> Vendor | None:
    """The vendor here of an order: the linked one, or one of the same name that is not linked."""
    mine = Vendor.objects.filter(company_id=staged.company_id)
    linked = mine.filter(origin_id=staged.vendor_ref).first() if staged.vendor_ref else None
    return linked or mine.filter(origin_id="", name__iexact=staged.vendor_name).first()


def staged_vendor(staged: StagedRecord) -> StagedRecord | None:
    """The ERP's vendor of an order."""
    vendors = StagedRecord.objects.filter(
        connection=staged.connection_id, kind=DirectoryKind.VENDORS, remote_id=staged.vendor_ref
    )
    return vendors.first()


def order_of(staged: StagedRecord) -> ErpOrder:
    """What a commitment needs to know of an order. Raises ``ValidationError`` without a sum."""
    if staged.total is None:
        raise ValidationError(f"The ERP tells no sum for {staged}.")
    return ErpOrder(
        remote_id=staged.remote_id,
        code=staged.code or staged.remote_id,
        vendor_ref=staged.vendor_ref,
        vendor_name=staged.vendor_name,
        currency=staged.currency,
        total=staged.total,
        ordered_on=staged.ordered_on,
    )


def exporting_invoices(record: Vendor | Project) -> QuerySet[SubcontractorInvoice]:
    """Invoices that are on their way into the ERP and need this link."""
    invoices = SubcontractorInvoice.objects.filter(erp_status=ErpStatus.EXPORTING)
    if isinstance(record, Vendor):
        return invoices.filter(commitment__vendor=record)
    return invoices.filter(project=record)


def require_right(company: Company, by: User) -> None:
    """Raises ``ValidationError`` for whoever may not link in this company (any more)."""
    if not by.is_active or not may_link(company, by):
        raise ValidationError(NOT_ALLOWED)


def _vendor_of(staged: StagedRecord, *, by: User, may_import: bool) -> Vendor:
    vendor = find_vendor(staged)
    if vendor and vendor.origin_id:
        return vendor
    if not may_import:
        raise ValidationError(NOT_HERE.format(name=staged.vendor_name))
    theirs = staged_vendor(staged)
    if theirs is None:
        raise ValidationError(NO_VENDOR.format(name=staged.vendor_name))
    if vendor is None:
        return import_vendor(staged=theirs, by=by)
    link(record=vendor, staged=theirs, by=by)
    vendor.refresh_from_db()
    return vendor


def _store(record: Record, staged: StagedRecord, by: User) -> Record:
    if isinstance(record, Commitment):
        order = order_of(staged)
        return commitment_links.link_commitment(commitment=record, order=order, by=by)
    return _link_origin(record, staged, by)


def _link_origin(record: Linkable, staged: StagedRecord, by: User) -> Linkable:
    return origin_links.link_record(
        record=record,
        origin_id=staged.remote_id,
        origin_code=staged.code,
        name=staged.title,
        by=by,
    )


def _importable(staged: StagedRecord, by: User) -> StagedRecord:
    require_right(staged.company, by)
    staged = _locked(staged)
    if staged.gone_at:
        raise ValidationError(GONE.format(staged=staged))
    if staged.archived_at:
        raise ValidationError(ARCHIVED.format(staged=staged))
    if not StagedRecord.objects.unlinked(staged.kind).filter(pk=staged.pk).exists():
        raise ValidationError(ALREADY.format(staged=staged))
    return staged


def _locked(staged: StagedRecord) -> StagedRecord:
    rows = StagedRecord.objects.select_for_update(of=["self"]).select_related("company")
    return rows.get(pk=staged.pk)
