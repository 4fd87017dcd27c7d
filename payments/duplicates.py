"""Payments that somebody entered by hand and that came from the other system as well.

Both count, so the invoice looks overpaid. A pair is only ever offered: the same
invoice, amount, currency and check number, and dates a few days apart.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef

from payments.models import DismissedDuplicate, Payment

#: between the day somebody wrote down and the day in the other system
DAYS_APART = 7
#: what people write in front of a check's number
CHECK_WORDS = re.compile(r"^(?:CHECK|CHEQUE|CHK|CK|NO)+")


class Pair(NamedTuple):
    """A hand-entered payment and the synced one that it seems to be."""

    payment: Payment
    twin: Payment

    def other(self, payment: Payment) -> Payment:
        return self.twin if payment.pk == self.payment.pk else self.payment


def check_key(number: str) -> str:
    """``CHK-06001``, ``chk 6001`` and ``#6001`` are one check."""
    plain = re.sub(r"[\W_]", "", number).upper()
    return CHECK_WORDS.sub("", plain).lstrip("0")


def pairs_among(payments: Iterable[Payment]) -> list[Pair]:
    """The pairs among rows that were read already; each row is in one pair at the most."""
    alike: dict[tuple[int, Decimal, str, str], tuple[list[Payment], list[Payment]]]
    alike = defaultdict(lambda: ([], []))
    for each in payments:
        if each.invoice_id is not None and each.is_counted:
            key = (each.invoice_id, each.amount, each.currency, check_key(each.check_number))
            alike[key][each.is_synced].append(each)
    return [pair for manual, synced in alike.values() for pair in _matched(manual, synced)]


def _matched(manual: list[Payment], synced: list[Payment]) -> list[Pair]:
    """Nearest dates first."""
    possible = sorted(
        (abs(one.date - other.date), one.pk, other.pk, one, other)
        for one in manual
        for other in synced
        if abs(one.date - other.date) <= dt.timedelta(days=DAYS_APART)
    )
    taken: set[int] = set()
    found = []
    for _, one_id, other_id, one, other in possible:
        if taken.isdisjoint((one_id, other_id)):
            taken |= {one_id, other_id}
            found.append(Pair(one, other))
    return found


def pairs_in(payments: Any) -> list[Pair]:
    """The pairs to offer among these rows; two queries."""
    manual = payments.counted().filter(origin_id="").exclude(invoice=None)
    twins = (
        Payment.objects.counted()
        .filter(
            invoice=OuterRef("invoice"),
            amount=OuterRef("amount"),
            currency=OuterRef("currency"),
            date__gte=OuterRef("date") - dt.timedelta(days=DAYS_APART),
            date__lte=OuterRef("date") + dt.timedelta(days=DAYS_APART),
        )
        .exclude(origin_id="")
    )
    rows = manual.filter(Exists(twins)).select_related("invoice", "commitment")
    suspects = list(rows.order_by("-date", "-pk")[:MOST_OFFERED])
    if not suspects:
        return []
    synced = Payment.objects.counted().exclude(origin_id="").select_related("invoice", "commitment")
    dismissed = set(
        DismissedDuplicate.objects.filter(payment__in=[each.pk for each in suspects]).values_list(
            "payment_id", "twin_id"
        )
    )
    invoices = {each.invoice_id for each in suspects}
    return pairs_of(suspects, synced.filter(invoice__in=invoices), dismissed)


def pairs_of(
    manual: Iterable[Payment], synced: Iterable[Payment], dismissed: set[tuple[int, int]]
) -> list[Pair]:
    pairs = pairs_among([*manual, *synced])
    return [pair for pair in pairs if (pair.payment.pk, pair.twin.pk) not in dismissed]


#: a page offers no more at once; the next ones come when these are settled
MOST_OFFERED = 100
