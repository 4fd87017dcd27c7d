"""Finding the payment: in what was read, and where it never was, in the ERP itself.

Nobody finds what they may not see: a payment is there for a person when it pays
one of the invoices they may see in the tool at this place, or, where it pays
none that is known here, for those with the accounting of the whole company.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q

from erp_integrations.asking import ask
from erp_integrations.inquiry.question import Question
from erp_integrations.models import ErpAllocation, ErpPayment
from erp_integrations.places import Place
from erp_integrations.providers.contract import Provider, RemotePayment
from erp_integrations.providers.errors import ErpError
from erp_integrations.providers.registry import find_provider
from projects.models import Company

#: a longer list helps nobody; a narrower question does
MOST_FOUND = 20


@dataclass
class Found:
    """What fits the question. ``trouble``: why the ERP could not be asked."""

    stored: list[ErpPayment] = field(default_factory=list)
    unread: list[RemotePayment] = field(default_factory=list)
    was_asked: bool = False
    trouble: str = ""

    @property
    def number(self) -> int:
        return len(self.stored) + len(self.unread)

    @property
    def is_cut(self) -> bool:
        return max(len(self.stored), len(self.unread)) >= MOST_FOUND


def find(place: Place, question: Question, *, asks_erp: bool, is_busy: bool = False) -> Found:
    """What was read; the ERP is asked when nothing was, or when somebody wants it to be.

    While a sync is under way it is not asked by itself: the sync may bring the answer.
    """
    found = Found(stored=list(_stored(place, question)[:MOST_FOUND]))
    if asks_erp or not (found.stored or is_busy):
        _ask_erp(place, question, found)
    return found


def may_ask(place: Place) -> bool:
    """Whether the ERP can be searched at all."""
    provider = find_provider(place.connection.provider) if place.connection else None
    able = place.connection is not None and place.connection.is_active
    return able and provider is not None and provider.capabilities.payment_search


def parts_of(place: Place, payment_ids: list[int]) -> Any:
    """The parts of these payments that the person may see here."""
    return visible_parts(place).filter(erp_payment__in=payment_ids)


def visible_parts(place: Place) -> Any:
    rows = ErpAllocation.objects.for_user(place.person).filter(company=place.company)
    return rows.filter(invoice__project=place.project) if place.project else rows


def _stored(place: Place, question: Question) -> Any:
    parts = visible_parts(place).filter(erp_payment=OuterRef("pk"))
    seen = Q(Exists(parts))
    if not place.project and _has_whole_company(place):
        seen |= ~Q(Exists(ErpAllocation.objects.filter(erp_payment=OuterRef("pk"))))
    rows = (
        ErpPayment.objects.filter(connection=place.connection).filter(_fits(question)).filter(seen)
    )
    return rows.select_related("last_run").order_by("-date", "-pk")


def _fits(question: Question) -> Q:
    amount = Q()
    if question.amount is not None:
        of_part = ErpAllocation.objects.filter(erp_payment=OuterRef("pk"), amount=question.amount)
        amount = Q(total=question.amount) | Q(Exists(of_part))
    if question.is_amount_only:
        return amount
    text = question.text
    words = Q(check_number__icontains=text) | Q(number__icontains=text)
    return words | Q(vendor_name__icontains=text) | Q(remote_id=text) | amount


def _ask_erp(place: Place, question: Question, found: Found) -> None:
    if place.connection is None or not may_ask(place):
        return
    found.was_asked = True

    def search(provider: Provider) -> list[RemotePayment]:
        for each in question.for_erp:
            if payments := provider.find_payments(each, limit=MOST_FOUND):
                return payments
        return []

    try:
        answer = ask(place.connection, search)
    except ErpError as error:
        found.trouble = str(error)
        return
    found.unread = _of_this_person(place, answer)


def _of_this_person(place: Place, payments: list[RemotePayment]) -> list[RemotePayment]:
    """Without what was read before: that is found in what was read, or is not theirs to see."""
    ids = [each.remote_id for each in payments]
    rows = ErpPayment.objects.filter(connection=place.connection, remote_id__in=ids)
    known = set(rows.values_list("remote_id", flat=True))
    bills = {part.bill_id for each in payments for part in each.allocations}
    linked = place.company.subcontractorinvoice_set.filter(origin_id__in=bills)
    mine = set(place.invoices.filter(origin_id__in=bills).values_list("origin_id", flat=True))
    others = set(linked.values_list("origin_id", flat=True)) - mine
    whole = not place.project and _has_whole_company(place)
    return [
        each
        for each in payments
        if each.remote_id not in known and _is_theirs(each, mine, others, whole=whole)
    ]


def _is_theirs(payment: RemotePayment, mine: set[str], others: set[str], *, whole: bool) -> bool:
    bills = {part.bill_id for part in payment.allocations}
    return bool(bills & mine) or whole and not bills & others


def _has_whole_company(place: Place) -> bool:
    mine = Company.objects.with_accounting(place.person).filter(pk=place.company.pk)
    return mine.exists()
