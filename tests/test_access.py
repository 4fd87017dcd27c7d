"""Every URL of the project × everybody who might ask for it.

A new URL without a row fails ``test_every_url_has_a_row``. What a person may not
see is a 404; an anonymous visitor is asked to sign in. Forged POSTs change nothing.
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from commitments.models import InvoiceAttachment
from erp_integrations.models import NoticeKind, OutgoingEmail, RunState, RunTrigger, SyncRun
from erp_integrations.notices import links
from payments.models import PaymentAttachment
from projects.access import Level, Tool
from projects.models import User
from projects.services import grant_level, set_accounting_approver
from tests.factories import (
    CommitmentFactory,
    CompanyFactory,
    ErpConnectionFactory,
    InvoiceFactory,
    PaymentFactory,
    ProjectFactory,
    StagedRecordFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "stranger", "mallory", "reader", "standard", "admin", "approver")
SIGN_IN, OK, NONE, FORBIDDEN, MOVED, NO_POST, NO_KEY = 302, 200, 404, 403, 302, 405, 401


class Row(NamedTuple):
    """The answer to a GET, in the order of ``PEOPLE``; and the method if it is not GET."""

    anonymous: int
    stranger: int
    mallory: int
    reader: int
    standard: int
    admin: int
    approver: int
    method: str = "get"


def only(*, reader: int = NONE, standard: int = NONE, admin: int = NONE, approver: int = NONE,
         method: str = "get") -> Row:  # fmt: skip
    return Row(SIGN_IN, NONE, NONE, reader, standard, admin, approver, method)


EVERYBODY_SIGNED_IN = Row(SIGN_IN, OK, OK, OK, OK, OK, OK)
PUBLIC = Row(OK, OK, OK, OK, OK, OK, OK)
READERS = only(reader=OK, standard=OK, admin=OK)
COMMITMENTS_ADMINS = only(admin=OK)
#: readers see the page, so they learn that writing is not theirs
COMMITMENTS_WRITE = only(reader=FORBIDDEN, standard=FORBIDDEN, admin=MOVED, method="post")
COMMITMENTS_ADMINS_POST = only(admin=MOVED, method="post")
COMPANY = only(reader=OK, standard=OK, admin=OK, approver=OK)
ACCOUNTING = only(standard=OK, admin=OK, approver=OK)
ACCEPT = only(standard=FORBIDDEN, admin=FORBIDDEN, approver=FORBIDDEN, method="post")
SYNC = only(standard=FORBIDDEN, admin=MOVED, approver=MOVED, method="post")

ROWS: dict[str, Row] = {
    "projects:portfolio": EVERYBODY_SIGNED_IN,
    "projects:project": only(reader=OK, standard=OK, admin=OK, approver=OK),
    "commitments:list": READERS,
    "commitments:export": READERS,
    "commitments:general": READERS,
    "commitments:schedule_of_values": READERS,
    "commitments:change_orders": READERS,
    "commitments:invoices": READERS,
    "commitments:invoice": READERS,
    "commitments:invoices_act": COMMITMENTS_WRITE,
    "commitments:invoice_new": COMMITMENTS_ADMINS,
    "commitments:invoice_edit": COMMITMENTS_ADMINS,
    "commitments:invoice_act": COMMITMENTS_WRITE,
    "commitments:invoice_attach": COMMITMENTS_WRITE,
    "commitments:invoice_attachment": READERS,
    "commitments:invoice_detach": COMMITMENTS_WRITE,
    "commitments:project_invoices": READERS,
    "commitments:project_invoices_export": READERS,
    "commitments:project_invoices_act": COMMITMENTS_WRITE,
    "commitments:history": READERS,
    "commitments:advanced_settings": COMMITMENTS_ADMINS,
    "payments:company": COMPANY,
    "payments:company_csv": COMPANY,
    "payments:company_xlsx": COMPANY,
    "payments:payments_issued": READERS,
    "payments:export": READERS,
    "payments:new": COMMITMENTS_ADMINS,
    "payments:detail": READERS,
    "payments:edit": COMMITMENTS_ADMINS,
    "payments:delete": COMMITMENTS_ADMINS,
    "payments:link": COMMITMENTS_ADMINS_POST,
    "payments:dismiss": COMMITMENTS_ADMINS_POST,
    # for accounting approvers who are administrators of Commitments as well; here nobody is both
    "erp_integrations:company_unlink_payment": only(),
    "payments:attach": only(admin=MOVED, method="post"),
    "payments:attachment": READERS,
    "payments:detach": COMMITMENTS_ADMINS_POST,
    # Tryton sends no notifications, so there is no such address for anybody.
    "erp_integrations:notification": Row(*[NONE] * len(PEOPLE), "post"),
    # The key of a push connection is asked for, and nobody's session counts.
    "erp_integrations:push_payments": Row(*[NO_KEY] * len(PEOPLE), "post"),
    "erp_integrations:push_links": Row(*[NO_KEY] * len(PEOPLE), "post"),
    "livez": PUBLIC,
    "readyz": PUBLIC,
}
for _kind in ("project", "company"):
    ROWS |= {
        f"erp_integrations:{_kind}_home": ACCOUNTING,
        f"erp_integrations:{_kind}_subcontractor_invoices": ACCOUNTING,
        f"erp_integrations:{_kind}_runs": ACCOUNTING,
        f"erp_integrations:{_kind}_run": ACCOUNTING,
        f"erp_integrations:{_kind}_run_progress": only(standard=286, admin=286, approver=286),
        f"erp_integrations:{_kind}_run_issues_csv": ACCOUNTING,
        f"erp_integrations:{_kind}_reconciliation": ACCOUNTING,
        f"erp_integrations:{_kind}_reconciliation_csv": ACCOUNTING,
        f"erp_integrations:{_kind}_reconciliation_xlsx": ACCOUNTING,
        f"erp_integrations:{_kind}_comparison_progress": only(
            standard=286, admin=286, approver=286
        ),
        f"erp_integrations:{_kind}_compare": SYNC,
        f"erp_integrations:{_kind}_find_payment": ACCOUNTING,
        f"erp_integrations:{_kind}_sync_found": SYNC,
        f"erp_integrations:{_kind}_exports": ACCOUNTING,
        f"erp_integrations:{_kind}_export_progress": only(standard=286, admin=286, approver=286),
        # it takes Standard and being an approver, both: nobody in this table is
        f"erp_integrations:{_kind}_invoices_act": ACCEPT,
        f"erp_integrations:{_kind}_invoice_unlink": ACCEPT,
        f"erp_integrations:{_kind}_sync": SYNC,
        f"erp_integrations:{_kind}_back_fill": SYNC,
        f"erp_integrations:{_kind}_sync_invoice": SYNC,
        f"erp_integrations:{_kind}_sync_commitment": only(
            standard=FORBIDDEN, admin=MOVED, method="post"
        ),
        f"erp_integrations:{_kind}_preview_apply": SYNC,
        f"erp_integrations:{_kind}_preview_csv": ACCOUNTING,
        f"erp_integrations:{_kind}_run_cancel": SYNC,
    }

ROWS |= {  # for administrators of the company: nobody in this table is one
    "erp_integrations:company_settings": only(),
    "erp_integrations:company_test_connection": only(method="post"),
    "erp_integrations:company_connection": only(),
    "erp_integrations:company_oauth_start": only(method="post"),
    "erp_integrations:company_oauth_disconnect": only(method="post"),
    "erp_integrations:company_erp_company": only(),
    # back from a vendor; whoever did not start it is sent home with a word about that
    "erp_integrations:oauth_callback": Row(*[SIGN_IN] * len(PEOPLE)),
}

# Where no books arrive as files there is no such page; file_drop/test_pages.py
# has the table for a company where they do.
ROWS |= {
    f"erp_integrations:company_{name}": only(method=method)
    for method, names in {
        "get": ("files", "file", "file_original", "file_problems", "file_starting_point"),
        "post": ("file_upload", "files_look", "files_link", "file_discard"),
    }.items()
    for name in names
}

ROWS |= {f"erp_integrations:{_kind}_commitments": ACCOUNTING for _kind in ("project", "company")}
# Linking is for whoever holds a level on the whole company; here nobody does.
LINKERS, LINKERS_POST = (
    only(standard=FORBIDDEN, admin=FORBIDDEN, approver=FORBIDDEN, method=method)
    for method in ("get", "post")
)
ROWS |= {
    "erp_integrations:company_vendors": ACCOUNTING,
    "erp_integrations:company_jobs": ACCOUNTING,
    "erp_integrations:company_directory_record": ACCOUNTING,
    "erp_integrations:company_directory_progress": only(standard=286, admin=286, approver=286),
    "erp_integrations:company_directory_matches": LINKERS,
    "erp_integrations:company_commitment_import": LINKERS,
    "erp_integrations:company_directory_refresh": LINKERS_POST,
    "erp_integrations:company_directory_link": LINKERS_POST,
    "erp_integrations:company_directory_unlink": LINKERS_POST,
    "erp_integrations:company_directory_import": LINKERS_POST,
    "erp_integrations:company_directory_archive": LINKERS_POST,
}
ROWS |= {
    "erp_integrations:email_preferences": EVERYBODY_SIGNED_IN,
    "erp_integrations:unsubscribe": PUBLIC,  # the link is the proof
}

# Pages of allauth: the same for everybody who is signed in, whatever their rights.
OWN_ACCOUNT = {
    "account_change_password", "account_logout", "account_reauthenticate",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_index",
    "mfa_reauthenticate", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
    "account_set_password", "mfa_trust",
}  # fmt: skip
BEFORE_SIGN_IN = {
    "account_login", "account_signup", "account_inactive", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "account_confirm_email",
    "account_email_verification_sent", "mfa_authenticate", "account_confirm_login_code",
}  # fmt: skip


# Pages of allauth that this application does not offer.
CLOSED = {"accounts/email/", "account_email"}


class World(NamedTuple):
    people: dict[str, User]
    arguments: dict[str, Any]


@pytest.fixture
def world(db: None) -> World:
    """Northstar with everything in it, and Mallory, who is an administrator elsewhere."""
    invoice = InvoiceFactory(bill="7")
    commitment, project, company = invoice.commitment, invoice.project, invoice.company
    payment = PaymentFactory(commitment=commitment, invoice=invoice)
    connection = ErpConnectionFactory(company=company)
    run = SyncRun.objects.create(
        company=company, connection=connection, trigger=RunTrigger.COMMAND,
        state=RunState.SUCCEEDED, queued_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    staged = StagedRecordFactory(connection=connection, kind="commitments", total=1, currency="USD")
    preview = SyncRun.objects.create(
        company=company, connection=connection, trigger=RunTrigger.COMMAND, is_preview=True,
        state=RunState.SUCCEEDED, queued_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    people = _people(project)
    attachment = PaymentAttachment.objects.create(
        company=company, payment=payment, name="check.txt", content_type="text/plain", size=5,
        sha256="0" * 64, uploaded_by=people["admin"],
        file=ContentFile(b"check", name="check.txt"),
    )  # fmt: skip
    InvoiceAttachment.objects.create(
        pk=attachment.pk, company=company, invoice=invoice, name="a.txt", size=1,
        content_type="text/plain", sha256="0" * 64, uploaded_by=people["admin"],
        file=ContentFile(b"a", name="a.txt"),
    )  # fmt: skip
    email = OutgoingEmail.objects.create(
        company=company, person=people["admin"], kind=NoticeKind.TROUBLE, subject="Trouble",
        not_before=timezone.now(), dedupe_key="world",
    )  # fmt: skip
    return World(
        people,
        {
            "project_id": project.pk,
            "company_id": company.pk,
            "commitment_id": commitment.pk,
            "invoice_id": invoice.pk,
            "payment_id": payment.pk,
            "attachment_id": attachment.pk,
            "run_id": run.pk,
            "kind": "vendors",
            "record_id": commitment.vendor_id,
            "staged_id": staged.pk,
            "token": links.token_of(email.key),
            "preview_id": preview.pk,
        },
    )


def _people(project: Any) -> dict[str, User]:
    levels = {"reader": Level.READ_ONLY, "standard": Level.STANDARD, "admin": Level.ADMIN}
    people = {name: UserFactory(username=name) for name in PEOPLE if name != "anonymous"}
    for name, level in levels.items():
        for tool in Tool:
            grant_level(user=people[name], tool=tool, level=level, on=project)
    elsewhere = ProjectFactory(company=CompanyFactory(name="Westwind Contractors"))
    for tool in Tool:
        grant_level(user=people["mallory"], tool=tool, level=Level.ADMIN, on=elsewhere.company)
    CommitmentFactory(project=elsewhere)
    set_accounting_approver(user=people["mallory"], company=elsewhere.company, is_approver=True)
    set_accounting_approver(user=people["approver"], company=project.company, is_approver=True)
    return people


def urls(patterns: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """``(name, route)`` of every URL, with its namespace."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from urls(pattern.url_patterns, route, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name or route}", route


ALL_URLS = sorted(set(urls()))
ADMIN_URLS = [(name, route) for name, route in ALL_URLS if route.startswith("admin/")]


def fill(route: str, arguments: dict[str, Any]) -> str:
    """The route with real ids for its arguments."""

    def value(match: "re.Match[str]") -> str:
        return str(arguments.get(match[1].split(":")[-1], 1))

    return "/" + re.sub(r"<([^>]+)>", value, route)


def client_of(world: World, name: str) -> Client:
    client = Client()
    if name != "anonymous":
        client.force_login(world.people[name])
    return client


def test_every_url_has_a_row() -> None:
    known = {*ROWS, *OWN_ACCOUNT, *BEFORE_SIGN_IN, *CLOSED, *(name for name, _ in ADMIN_URLS)}
    assert [name for name, _ in ALL_URLS if name not in known] == []
    assert [name for name in ROWS if name not in dict(ALL_URLS)] == []


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_gets_what_the_table_says(world: World, person: str) -> None:
    client, got, expected = client_of(world, person), {}, {}
    for name, row in ROWS.items():
        if row.method == "get":
            response = client.get(fill(dict(ALL_URLS)[name], world.arguments))
            got[name], expected[name] = response.status_code, getattr(row, person)
    assert got == expected


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.method == "post"])
def test_each_person_may_write_what_the_table_says(world: World, name: str) -> None:
    url, got = fill(dict(ALL_URLS)[name], world.arguments), []
    for person in PEOPLE:
        with transaction.atomic():
            got.append(client_of(world, person).post(url).status_code)
            transaction.set_rollback(True)
    assert got == list(ROWS[name][:-1])


def test_an_anonymous_visitor_is_asked_to_sign_in(world: World) -> None:
    for name, row in ROWS.items():
        if row.anonymous == SIGN_IN:
            response = getattr(Client(), row.method)(fill(dict(ALL_URLS)[name], world.arguments))
            assert response["Location"].startswith("/accounts/login/"), name


@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_but_staff_gets_into_the_administration(world: World, person: str) -> None:
    client = client_of(world, person)
    for name, route in ADMIN_URLS:
        if route in ("admin/login/", "admin/logout/", "admin/jsi18n/"):
            continue
        response = client.get(fill(route.split("(?P")[0], world.arguments))
        assert response.status_code in (302, 403, 404), name


@pytest.mark.parametrize("name", sorted(OWN_ACCOUNT & dict(ALL_URLS).keys()))
def test_account_pages_want_a_sign_in(world: World, name: str) -> None:
    response = Client().get(fill(dict(ALL_URLS)[name], {}))
    assert response.status_code in (302, 405), name


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_pages_that_are_not_offered_do_not_exist(world: World, name: str) -> None:
    for person in PEOPLE:
        assert client_of(world, person).get(fill(dict(ALL_URLS)[name], {})).status_code == NONE


def snapshot() -> dict[str, list[Any]]:
    """Every row of our own tables, as it is."""
    ours = [apps.get_app_config(app).get_models() for app in APPS]
    return {
        model._meta.label: sorted(map(repr, model._default_manager.values()))
        for models in ours
        for model in models
        if model is not User
    }


APPS = ("projects", "commitments", "payments", "erp_integrations")
#: who may press or write there; for everybody else a POST changes nothing
WRITERS: dict[str, set[str]] = {
    "commitments:advanced_settings": {"admin"},
    "commitments:invoices_act": {"admin"},
    "commitments:invoice_new": {"admin"},
    "commitments:invoice_edit": {"admin"},
    "commitments:invoice_act": {"admin"},
    "commitments:invoice_attach": {"admin"},
    "commitments:invoice_detach": {"admin"},
    "commitments:project_invoices_act": {"admin"},
    "payments:new": {"admin"},
    "payments:edit": {"admin"},
    "payments:delete": {"admin"},
    "payments:attach": {"admin"},
    "payments:link": {"admin"},
    "payments:dismiss": {"admin"},
    "payments:detach": {"admin"},
}
WRITERS |= {
    "erp_integrations:email_preferences": {*PEOPLE} - {"anonymous"},
    "erp_integrations:unsubscribe": {*PEOPLE},
}
for _kind in ("project", "company"):
    for _name in (
        "sync",
        "run_cancel",
        "back_fill",
        "sync_invoice",
        "sync_commitment",
        "preview_apply",
        "compare",
        "sync_found",
    ):
        WRITERS[f"erp_integrations:{_kind}_{_name}"] = {"admin", "approver"}

FORGED = {
    "amount": "999999.00", "currency": "USD", "method": "check", "payment_method": "check",
    "date": dt.date(2026, 7, 1).isoformat(), "payment_number": "forged", "allow_payments": "",
}  # fmt: skip


@pytest.mark.parametrize("person", PEOPLE)
def test_a_forged_post_changes_nothing(world: World, person: str) -> None:
    client, before = client_of(world, person), snapshot()
    for name, route in ALL_URLS:
        if name not in ROWS or person in WRITERS.get(name, set()):
            continue
        response = client.post(fill(route, world.arguments), FORGED)
        assert response.status_code in (302, 401, 403, 404, 405, 200), name
        assert response.status_code != 200 or name in ("livez", "readyz"), name
    assert snapshot() == before


def test_a_private_commitment_does_not_exist_for_the_unlisted(world: World) -> None:
    from commitments.models import Commitment

    commitment = Commitment.objects.get(pk=world.arguments["commitment_id"])
    Commitment.objects.filter(pk=commitment.pk).update(is_private=True)
    private = [name for name, route in ALL_URLS if "<int:commitment_id>" in route]
    for name in private:
        url = fill(dict(ALL_URLS)[name], world.arguments)
        assert client_of(world, "reader").get(url).status_code in (404, 405), name
    commitment.viewers.add(world.people["reader"])
    general = fill(dict(ALL_URLS)["commitments:general"], world.arguments)
    assert client_of(world, "reader").get(general).status_code == OK


def test_a_tool_that_is_switched_off_does_not_exist(world: World) -> None:
    from projects.models import ProjectTool

    ProjectTool.objects.update(is_active=False)
    for name, route in ALL_URLS:
        if "<int:project_id>" not in route or name in ("projects:project",):
            continue
        response = client_of(world, "admin").get(fill(route, world.arguments))
        assert response.status_code in (404, 405), name


def test_ids_of_another_company_open_nothing(world: World) -> None:
    """Each id is right by itself; together they are somebody else's."""
    from commitments.models import Commitment

    foreign = Commitment.objects.exclude(pk=world.arguments["commitment_id"]).get()
    mixed = {**world.arguments, "commitment_id": foreign.pk}
    for name, route in ALL_URLS:
        if "<int:commitment_id>" in route:
            response = client_of(world, "admin").get(fill(route, mixed))
            assert response.status_code in (404, 405), name
