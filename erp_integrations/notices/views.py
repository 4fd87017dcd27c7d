"""One's own e-mail: what one gets, and how one stops it without signing in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from erp_integrations.models import NoticeKind
from erp_integrations.notices.links import email_of
from erp_integrations.notices.preferences import choices_of, set_preference, wants


@login_required
@require_http_methods(["GET", "POST"])
def email_preferences(request: HttpRequest) -> HttpResponse:
    """A switch for each kind of e-mail of each company that can reach this person."""
    person = request.user
    choices = choices_of(person)  # type: ignore[arg-type]  # login_required
    if request.method == "POST":
        for choice in choices:
            set_preference(
                person=person,  # type: ignore[arg-type]
                company=choice.company,
                kind=choice.kind,
                is_wanted=choice.name in request.POST,
            )
        messages.success(request, SAVED)
        return HttpResponseRedirect(reverse("erp_integrations:email_preferences"))
    return render(request, "erp_integrations/email_preferences.html", {"choices": choices})


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the link is the proof
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, so that a scanner that opens links changes nothing; POST does it."""
    email = email_of(token)
    if email is None:
        raise Http404
    kind = NoticeKind(email.kind)
    if request.method == "POST":
        set_preference(person=email.person, company=email.company, kind=kind, is_wanted=False)
    context = {
        "kind": kind,
        "company": email.company,
        "is_wanted": wants(email.person, email.company_id, kind),
    }
    return render(request, "erp_integrations/unsubscribe.html", context)


SAVED = "Your choices are saved."
