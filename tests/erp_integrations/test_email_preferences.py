"""What people get, and how they stop it."""

from typing import Any

import pytest
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse

from erp_integrations.models import EmailPreference, ErpConnection, NoticeKind, OutgoingEmail
from erp_integrations.notices import links, outbox
from erp_integrations.notices.preferences import choices_of, set_preference, wants
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    ErpConnectionFactory,
    ProjectFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

PAGE = "/account/email/"


@pytest.fixture
def tryton() -> ErpConnection:
    return ErpConnectionFactory()


@pytest.fixture
def alice(tryton: ErpConnection) -> User:
    alice = UserFactory(username="alice")
    grant_level(user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=tryton.company)
    return alice


@pytest.fixture
def email(tryton: ErpConnection, alice: User) -> OutgoingEmail:
    outbox.write_email(
        company=tryton.company,
        person=alice,
        kind=NoticeKind.TROUBLE,
        subject="Syncs fail",
        template="recovered",
        context={},
        dedupe_key="first",
    )
    return OutgoingEmail.objects.get()


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(email: OutgoingEmail) -> str:
    return reverse("erp_integrations:unsubscribe", args=[links.token_of(email.key)])


def kinds(person: User) -> set[NoticeKind]:
    return {choice.kind for choice in choices_of(person)}


def test_each_right_offers_its_own_kinds(tryton: ErpConnection, alice: User) -> None:
    tower = ProjectFactory(company=tryton.company)
    approver, reader, commitments_admin, contact = (UserFactory() for _ in range(4))
    set_accounting_approver(user=approver, company=tryton.company, is_approver=True)
    for person, level in ((reader, Level.READ_ONLY), (commitments_admin, Level.ADMIN)):
        grant_level(user=person, tool=Tool.COMMITMENTS, level=level, on=tower)
    grant_level(user=contact, tool=Tool.COMMITMENTS, level=Level.READ_ONLY, on=tower)
    CommitmentFactory(project=tower).invoice_contacts.add(contact)
    assert kinds(alice) == {NoticeKind.TROUBLE}
    assert kinds(approver) == {NoticeKind.DIGEST}
    assert kinds(reader) == {NoticeKind.PAYMENT}
    assert kinds(commitments_admin) == {NoticeKind.PAYMENT, NoticeKind.REJECTION}
    assert kinds(contact) == {NoticeKind.PAYMENT, NoticeKind.CONTACT}
    assert kinds(UserFactory()) == set()


def test_only_trouble_and_rejections_come_unasked(tryton: ErpConnection, alice: User) -> None:
    unasked = {kind for kind in NoticeKind if wants(alice, tryton.company_id, kind)}
    assert unasked == {NoticeKind.TROUBLE, NoticeKind.REJECTION}


def test_a_person_switches_kinds_on_and_off(tryton: ErpConnection, alice: User) -> None:
    set_accounting_approver(user=alice, company=tryton.company, is_approver=True)
    browser(alice).post(PAGE, {f"{tryton.company_id}-digest": "on"})
    assert wants(alice, tryton.company_id, NoticeKind.DIGEST)
    assert not wants(alice, tryton.company_id, NoticeKind.TROUBLE)


def test_saying_the_same_again_does_not_move_the_beginning(
    tryton: ErpConnection, alice: User
) -> None:
    values: dict[str, Any] = {"person": alice, "company": tryton.company}
    first = set_preference(**values, kind=NoticeKind.PAYMENT, is_wanted=True)
    again = set_preference(**values, kind=NoticeKind.PAYMENT, is_wanted=True)
    assert again.changed_at == first.changed_at


def test_nobody_sets_what_is_not_offered_to_them(tryton: ErpConnection, alice: User) -> None:
    other = ErpConnectionFactory()
    browser(alice).post(PAGE, {f"{other.company_id}-trouble": "on", "999-payment": "on"})
    assert set(EmailPreference.objects.values_list("company", "person", "kind")) == {
        (tryton.company_id, alice.pk, "trouble")
    }


def test_a_person_without_any_right_reads_why_there_is_nothing() -> None:
    assert "nothing to choose yet" in browser(UserFactory()).get(PAGE).content.decode()


def test_looking_at_the_link_changes_nothing(email: OutgoingEmail, alice: User) -> None:
    page = Client().get(path_of(email)).content.decode()
    assert "Stop “Trouble with the ERP connection”?" in page
    assert wants(alice, email.company_id, NoticeKind.TROUBLE)


def test_one_click_unsubscribes_without_a_sign_in(email: OutgoingEmail, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.post(path_of(email), {"List-Unsubscribe": "One-Click"})
    assert page.status_code == 200 and "is stopped" in page.content.decode()
    assert not wants(alice, email.company_id, NoticeKind.TROUBLE)


def test_the_link_stops_its_own_kind_of_its_own_company_only(
    email: OutgoingEmail, alice: User
) -> None:
    other = ErpConnectionFactory()
    Client().post(path_of(email))
    assert wants(alice, email.company_id, NoticeKind.REJECTION)
    assert wants(alice, other.company_id, NoticeKind.TROUBLE)


def test_the_link_names_nobody(email: OutgoingEmail, alice: User) -> None:
    page = Client().get(path_of(email)).content.decode()
    for secret in (alice.email, alice.username, str(alice)):
        assert secret not in page and secret not in path_of(email)


@pytest.mark.parametrize("token", ["x", "0" * 32, "0" * 32 + ".forged", "../admin"])
def test_a_link_that_is_not_ours_does_not_exist(email: OutgoingEmail, token: str) -> None:
    assert Client().post(f"/email/unsubscribe/{token}/").status_code == 404


def test_a_key_signed_for_another_purpose_opens_nothing(email: OutgoingEmail) -> None:
    token = Signer(salt="something else", sep=".").sign(email.key.hex)
    url = reverse("erp_integrations:unsubscribe", args=[token])
    assert Client().post(url).status_code == 404


def test_the_page_asks_the_same_number_of_questions_however_many_companies(
    tryton: ErpConnection, alice: User, django_assert_num_queries: Any
) -> None:
    for connection in (ErpConnectionFactory() for _ in range(5)):
        grant_level(
            user=alice, tool=Tool.ERP_INTEGRATIONS, level=Level.ADMIN, on=connection.company
        )
    with django_assert_num_queries(7):
        assert len(choices_of(alice)) == 6
