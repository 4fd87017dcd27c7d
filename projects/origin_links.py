"""The links of vendors and projects to their counterparts in the ERP, and their history.

One record of the ERP belongs to one record here. Who may link is decided by the
room that knows the ERP; here every change is locked, looked at again and
written down.
"""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.access import Tool
from projects.models import Company, Project, RecordEvent, User, Vendor
from projects.services import announce_enabled, set_tool

LINKED_ALREADY = "{record} is linked to {code} already. Unlink it first."
TAKEN = "{code} is linked to {other} already. One record of the ERP belongs to one record here."
TAKEN_MEANWHILE = "{code} was linked to another record a moment ago. Reload the page."
NOT_LINKED = "{record} is not linked any more."
NAME_TAKEN = "There is a vendor called {name} here already. Link that one instead."
NUMBER_TAKEN = "There is a project with the number {number} here already. Link that one instead."

Linkable = TypeVar("Linkable", bound=Vendor | Project)


@transaction.atomic
def link_record(
    *, record: Linkable, origin_id: str, origin_code: str, name: str, by: User | None
) -> Linkable:
    """Link a vendor or project; ``name`` is what the ERP calls it, for the history.

    Of two people one wins; the other gets a ``ValidationError`` that says why.
    Payments that waited because of the vendor are judged again.
    """
    record = _locked(record)
    if record.origin_id not in ("", origin_id):
        raise ValidationError(LINKED_ALREADY.format(record=record, code=shown_origin(record)))
    others = type(record)._default_manager.filter(company_id=record.company_id, origin_id=origin_id)
    if other := others.exclude(pk=record.pk).first():
        raise ValidationError(TAKEN.format(code=origin_code or origin_id, other=other))
    before = shown_origin(record)
    record.origin_id, record.origin_code = origin_id, origin_code or origin_id
    try:
        with transaction.atomic():
            record.save(update_fields=["origin_id", "origin_code"])
    except IntegrityError as error:
        code = origin_code or origin_id
        raise ValidationError(TAKEN_MEANWHILE.format(code=code)) from error
    summary = f"Linked to {record.origin_code} {name} in the ERP"
    _write_down(record, by=by, summary=summary, before=before)
    announce_enabled(record.company_id)
    return record


@transaction.atomic
def unlink_record(*, record: Linkable, by: User | None) -> Linkable:
    """Take the link away; what was exported or paid stays as it is."""
    record = _locked(record)
    if not record.origin_id:
        raise ValidationError(NOT_LINKED.format(record=record))
    before = shown_origin(record)
    record.origin_id = record.origin_code = ""
    record.save(update_fields=["origin_id", "origin_code"])
    _write_down(record, by=by, summary=f"Unlinked from {before} in the ERP", before=before)
    announce_enabled(record.company_id)
    return record


@transaction.atomic
def create_vendor(*, company: Company, name: str, code: str, by: User | None) -> Vendor:
    """A new vendor. Raises ``ValidationError`` when there is one of that name."""
    vendor = Vendor(company=company, name=name, code=code)
    vendor.clean_fields()
    try:
        with transaction.atomic():
            vendor.save()
    except IntegrityError as error:
        raise ValidationError(NAME_TAKEN.format(name=name)) from error
    _write_down(vendor, by=by, summary="Created", before="")
    return vendor


@transaction.atomic
def create_project(*, company: Company, number: str, name: str, by: User | None) -> Project:
    """A new project with all tools. Raises ``ValidationError`` when the number is taken."""
    project = Project(company=company, number=number, name=name)
    project.clean_fields()
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError as error:
        raise ValidationError(NUMBER_TAKEN.format(number=number)) from error
    for tool in Tool:
        set_tool(project=project, tool=tool, is_active=True)
    _write_down(project, by=by, summary="Created", before="")
    return project


def shown_origin(record: Vendor | Project) -> str:
    """What people see of the link; empty where there is none."""
    return record.origin_code or record.origin_id


def _locked(record: Linkable) -> Linkable:
    locked: Linkable = type(record)._default_manager.select_for_update().get(pk=record.pk)  # type: ignore[assignment]
    return locked


def _write_down(record: Vendor | Project, *, by: User | None, summary: str, before: str) -> None:
    after = shown_origin(record)
    RecordEvent.objects.create(
        company_id=record.company_id,
        vendor=record if isinstance(record, Vendor) else None,
        project=record if isinstance(record, Project) else None,
        actor=by,
        summary=summary[:300],
        changes={"ERP ID": [before, after]} if before != after else {},
    )
