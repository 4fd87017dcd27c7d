"""Addresses in e-mails: whole, with the site's own name in front."""

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from erp_integrations.models import OutgoingEmail

_SIGNER = Signer(salt="erp_integrations.unsubscribe", sep=".")


def public(path: str) -> str:
    """``https://sync.example.com`` + path."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def page(name: str, *args: int) -> str:
    """The whole address of a page of ours."""
    return public(reverse(name, args=args))


def site_name() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


def unsubscribe_url(key: uuid.UUID) -> str:
    """A link that ends this kind of e-mail for its reader, and can do nothing else.

    It carries a random key of the one e-mail, signed: no name, no number.
    """
    return public(reverse("erp_integrations:unsubscribe", args=[token_of(key)]))


def token_of(key: uuid.UUID) -> str:
    return _SIGNER.sign(key.hex)


def email_of(token: str) -> OutgoingEmail | None:
    """The e-mail whose link this is; None for a link that is not ours."""
    try:
        key = uuid.UUID(_SIGNER.unsign(token))
    except (BadSignature, ValueError):
        return None
    return OutgoingEmail.objects.select_related("company", "person").filter(key=key).first()
