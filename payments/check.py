"""One check that paid several invoices: the other rows of it, and what it comes to."""

from typing import Any

from django.db.models import Q

from payments.models import Payment
from payments.rows import PaymentRow, grand_totals
from projects.access import Person
from projects.models import Company

MOST_SHOWN = 100


def siblings_of(payment: Payment, person: Person) -> dict[str, Any]:
    """The other rows of the same check that this person may see, and the sum of all they see.

    How many others there are is told to those with the accounting of the whole
    company only, and never what they come to.
    """
    if not payment.is_synced:
        return {"siblings": []}
    check = Payment.objects.filter(_same_check(payment), company=payment.company_id)
    visible = Payment.objects.for_user(person).filter(pk__in=check.values("pk"))
    others = visible.exclude(pk=payment.pk).select_related("invoice", "commitment").order_by("pk")
    shown = [PaymentRow(each, each.commitment) for each in others[:MOST_SHOWN]]
    hidden = _hidden(payment, person, check.count() - visible.count())
    return {
        "siblings": shown,
        "hidden_siblings": hidden,
        "check_totals": grand_totals(visible) if shown else [],
    }


def _same_check(payment: Payment) -> Q:
    """One payment over several bills in some ERPs (same ``origin_data``).

    In others several payments with one number, day and vendor.
    """
    same = Q(origin_data=payment.origin_data)
    if payment.check_number:
        vendor = payment.commitment.vendor_id
        same |= Q(
            check_number=payment.check_number, date=payment.date, commitment__vendor=vendor
        ) & ~Q(origin_id="")
    return same


def _hidden(payment: Payment, person: Person, number: int) -> int:
    if not number:
        return 0
    whole = Company.objects.with_accounting(person).filter(pk=payment.company_id)
    return number if whole.exists() else 0
