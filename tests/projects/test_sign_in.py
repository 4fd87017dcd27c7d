"""Getting in, staying safe, getting out."""

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.test import Client
from django.urls import reverse

from projects.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "concrete and rebar"


@pytest.fixture
def dora() -> User:
    dora = UserFactory.create(username="dora", email="dora@example.com")
    dora.set_password(PASSWORD)
    dora.save()
    return dora


def sign_in(browser: Client, name: str, password: str = PASSWORD) -> int:
    answer = browser.post(reverse("account_login"), {"login": name, "password": password})
    return answer.status_code


@pytest.mark.parametrize("name", ["dora", "dora@example.com"])
@pytest.mark.usefixtures("dora")
def test_people_sign_in_with_their_name_or_address(client: Client, name: str) -> None:
    assert sign_in(client, name) == 302
    assert client.get("/").status_code == 200


@pytest.mark.usefixtures("dora")
def test_a_wrong_password_does_not_let_anybody_in(client: Client) -> None:
    assert sign_in(client, "dora", "wrong") == 200
    assert client.get("/").status_code == 302


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client: Client, dora: User) -> None:
    asked = client.get("/projects/1/")

    assert asked["Location"] == f"{reverse('account_login')}?next=/projects/1/"


def test_the_top_bar_says_where_one_is_not_that_one_signed_in(client: Client, dora: User) -> None:
    answer = client.post(reverse("account_login"), {"login": "dora", "password": PASSWORD})

    assert list(get_messages(answer.wsgi_request)) == []


def test_nobody_signs_up_by_themselves(client: Client) -> None:
    page = client.get(reverse("account_signup"))
    client.post(
        reverse("account_signup"),
        {
            "username": "mallory",
            "email": "mallory@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert "ask an administrator of your company" in page.content.decode()
    assert not User.objects.exists()


def test_signing_out_takes_a_form_not_a_link(client: Client, dora: User) -> None:
    client.force_login(dora)

    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get("/").status_code == 200
    client.post(reverse("account_logout"))
    assert client.get("/").status_code == 302


def test_a_forgotten_password_is_replaced_through_the_address(client: Client, dora: User) -> None:
    client.post(reverse("account_reset_password"), {"email": dora.email})
    link = next(
        word for word in mail.outbox[0].body.split() if "/accounts/password/reset/key/" in word
    )
    page = client.get(link, follow=True)
    client.post(
        page.request["PATH_INFO"], {"password1": "new rebar 22", "password2": "new rebar 22"}
    )

    assert sign_in(Client(), "dora", "new rebar 22") == 302


def test_whether_an_address_has_an_account_is_not_told(client: Client, dora: User) -> None:
    known = client.post(reverse("account_reset_password"), {"email": dora.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})

    assert known["Location"] == unknown["Location"]


def test_a_used_link_says_so(client: Client) -> None:
    page = client.get("/accounts/password/reset/key/1-abc/")

    assert "This link no longer works" in page.content.decode()


@pytest.mark.parametrize("name", ["account_change_password", "mfa_index", "account_logout"])
def test_pages_of_the_own_account_have_the_top_bar(client: Client, dora: User, name: str) -> None:
    sign_in(client, "dora")
    page = client.get(reverse(name))

    assert page.status_code == 200
    assert 'class="topbar"' in page.content.decode()


def test_a_second_factor_is_set_up_after_the_password_was_confirmed(
    client: Client, dora: User
) -> None:
    sign_in(client, "dora")
    asked = client.get(reverse("mfa_activate_totp"))
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True)

    assert "Activate Authenticator App" in page.content.decode()
    assert "QR code" in page.content.decode()


def test_people_do_not_change_their_address_themselves(client: Client, dora: User) -> None:
    client.force_login(dora)

    assert client.get("/accounts/email/").status_code == 404


def test_the_administration_signs_people_in_on_the_same_page(client: Client, dora: User) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    client.force_login(dora)
    assert client.get("/admin/login/").status_code == 403
