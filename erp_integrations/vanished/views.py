"""The page on which a vanished payment is unlinked, with what that means and why it is done."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from erp_integrations.frames import frame
from erp_integrations.places import find_place
from erp_integrations.vanished.services import may_unlink, unlink_payment
from payments.actions import PaymentAction
from payments.models import Payment
from projects.access import Level, Person

UNLINKED = "The payment is unlinked. It is voided and does not count; it can be deleted now."


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=150,
        label="Reason",
        help_text="Kept in the payment's history, e.g. “Entered twice in the ERP, deleted there”.",
    )


def unlink_action(payment: Payment, person: Person) -> PaymentAction | None:
    """The button on the payment's page, for those who may."""
    if payment.vanished_at is None or not payment.is_synced:
        return None
    mine = Payment.objects.for_user(person, Level.ADMIN).filter(pk=payment.pk)
    if not mine.exists() or not may_unlink(payment, person):  # type: ignore[arg-type]
        return None
    return PaymentAction("Unlink from the ERP", _url(payment))


@login_required
@require_http_methods(["GET", "POST"])
def unlink(request: HttpRequest, payment_id: int, **where: int) -> HttpResponse:
    place, by = find_place(request.user, **where), request.user
    payment = _payment(by, place.company.pk, payment_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            unlink_payment(payment=payment, reason=form.cleaned_data["reason"], by=by)  # type: ignore[arg-type]
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, UNLINKED)
            return redirect(_back(payment))
    context = {
        **frame(place, "subcontractor_invoices"),
        "payment": payment,
        "form": form,
        "back_url": _back(payment),
    }
    return render(request, "erp_integrations/unlink_payment.html", context)


def _payment(person: Any, company_id: int, payment_id: int) -> Payment:
    """For approvers who administer its commitment. Raises ``Http404`` for everybody else."""
    rows = Payment.objects.for_user(person, Level.ADMIN).filter(company=company_id, pk=payment_id)
    found = rows.exclude(origin_id="").select_related("commitment").first()
    if found is None or not may_unlink(found, person):
        raise Http404
    return found


def _url(payment: Payment) -> str:
    return reverse("erp_integrations:company_unlink_payment", args=[payment.company_id, payment.pk])


def _back(payment: Payment) -> str:
    args = [payment.project_id, payment.commitment_id, payment.pk]
    return reverse("payments:detail", args=args)
