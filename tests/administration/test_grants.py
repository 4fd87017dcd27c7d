"""Grants in the administration: who gave them and when, never a token."""

import pytest
from django.urls import reverse
from django.utils import timezone

from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.models import OAuthGrant
from projects.models import Company, User
from tests.commitments.fixtures import browser
from tests.factories import ErpConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(alice: User, northstar: Company) -> OAuthGrant:
    return OAuthGrant.objects.create(
        company=northstar,
        connection=ErpConnectionFactory(company=northstar),
        token=EncryptedCredentials.of({"access": "a-secret", "refresh": "r-secret"}),
        granted_by=alice,
        granted_at=timezone.now(),
    )


def test_a_grant_is_shown_without_its_tokens(alice: User, grant: OAuthGrant) -> None:
    page = browser(alice).get(reverse("admin:erp_integrations_oauthgrant_change", args=[grant.pk]))
    shown = page.content.decode()
    assert str(alice) in shown
    assert "secret" not in shown
    assert grant.token.token.decode() not in shown
    assert "_save" not in shown


def test_another_companys_grant_is_not_there(mallory: User, grant: OAuthGrant) -> None:
    page = browser(mallory).get(reverse("admin:erp_integrations_oauthgrant_changelist"))
    assert page.context["cl"].result_count == 0
