"""A company beside the demo's. It leaves nothing behind, so that other tests may count on one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import ForeignObjectRel, Model

from projects.models import Company
from tests.factories import CompanyFactory

Found = dict[type[Model], set[Any]]


@contextmanager
def another_company(**details: Any) -> Iterator[Company]:
    company = CompanyFactory(**details)
    try:
        yield company
    finally:
        forget(company)


@transaction.atomic
def forget(company: Company) -> None:
    """Take away whatever hangs on the company, also what is protected from people.

    PostgreSQL looks at foreign keys when the transaction ends, so the order is free.
    The lock holds off a worker that is just about to write something of the company.
    """
    Company.objects.select_for_update().get(pk=company.pk)
    found: Found = {}
    _gather(Company, {company.pk}, found)
    for model, keys in found.items():
        rows = model._base_manager.filter(pk__in=keys)
        rows._raw_delete(rows.db)


def _gather(model: type[Model], keys: set[Any], found: Found) -> None:
    """Note these rows, and all that point at them."""
    new = keys - found.setdefault(model, set())
    found[model] |= new
    if not new:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            child: Any = relation.related_model
            which = {f"{relation.field.name}__in": new}
            _gather(
                child, set(child._base_manager.filter(**which).values_list("pk", flat=True)), found
            )
