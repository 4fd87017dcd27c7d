"""A payment that seems to be here twice: linking the two, or saying that both are real."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from commitments.models import Commitment
from commitments.pages import open_commitment
from payments.duplicates import pairs_in
from payments.linking import dismiss_duplicate, link_duplicate
from payments.models import Payment
from payments.rows import PaymentRow
from projects.access import Level

TAB = "payments_issued"


def pair_of(payment: Payment, commitment: Commitment) -> dict[str, Any]:
    """The pair that the payment is half of, for its page."""
    if payment.invoice_id is None or not payment.is_counted:
        return {}
    for pair in pairs_in(commitment.payments.filter(invoice=payment.invoice_id)):
        if payment.pk in (pair.payment.pk, pair.twin.pk):
            return {
                "pair": [PaymentRow(each, commitment) for each in pair],
                "manual_id": pair.payment.pk,
                "twin_id": pair.twin.pk,
            }
    return {}


@login_required
@require_POST
def link(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    return _settle(request, (project_id, commitment_id, payment_id), is_same=True)


@login_required
@require_POST
def dismiss(
    request: HttpRequest, project_id: int, commitment_id: int, payment_id: int
) -> HttpResponse:
    return _settle(request, (project_id, commitment_id, payment_id), is_same=False)


def _settle(request: HttpRequest, where: tuple[int, int, int], *, is_same: bool) -> HttpResponse:
    frame = open_commitment(request, where[0], where[1], TAB, Level.ADMIN)
    rows = Payment.objects.for_user(request.user, Level.ADMIN).filter(commitment=frame.commitment)
    payment = get_object_or_404(rows, pk=where[2])
    twin = rows.filter(pk=_id(request.POST.get("twin", ""))).first()
    by: Any = request.user
    try:
        if twin is None:
            raise ValidationError(GONE)
        if is_same:
            linked = link_duplicate(payment=payment, twin=twin, by=by)
            messages.success(request, LINKED.format(code=linked.origin_code))
        else:
            dismiss_duplicate(payment=payment, twin=twin, by=by)
            messages.success(request, DISMISSED)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(frame.url("payments:detail", payment.pk))


def _id(text: str) -> int:
    """No payment has the id 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


LINKED = "The payment is linked to payment {code} of the ERP and counts once."
DISMISSED = "Both payments stay. They are not offered as a pair again."
GONE = "The other payment is not there any more. Nothing was changed."
