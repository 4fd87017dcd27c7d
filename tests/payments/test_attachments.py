"""Files of payments: what may be kept, under which name, and who gets it."""

import hashlib
import io
import zipfile
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from commitments.models import Commitment
from payments import services
from payments.models import EventKind, Payment, PaymentAttachment, PaymentEvent
from projects.attachments import display_name
from projects.models import User
from tests.commitments.fixtures import at, browser, text
from tests.factories import PaymentFactory

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def office(part: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
    return target.getvalue()


@pytest.fixture
def payment(concrete: Commitment) -> Payment:
    """Synced: attachments are among the two things that stay open."""
    return PaymentFactory(commitment=concrete, origin_id="7")


def attach(payment: Payment, by: User, name: str, content: bytes) -> PaymentAttachment:
    return services.attach_file(payment=payment, file=SimpleUploadedFile(name, content), by=by)


@pytest.mark.parametrize(
    ("name", "content", "stored_type"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a.png", PNG, "image/png"),
        ("a.jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 40, "image/jpeg"),
        ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40, "image/webp"),
        ("a.tif", b"II*\0" + b"\0" * 40, "image/tiff"),
        ("a.docx", office("word/document.xml"), "wordprocessingml.document"),
        ("a.xlsx", office("xl/workbook.xml"), "spreadsheetml.sheet"),
        ("a.csv", b"check,amount\n1,2\n", "text/csv"),
        ("a.txt", "Überweisung\n".encode(), "text/plain"),
    ],
)
def test_documents_can_be_attached(
    alice: User, payment: Payment, name: str, content: bytes, stored_type: str
) -> None:
    attachment = attach(payment, alice, name, content)
    assert attachment.name == name and stored_type in attachment.content_type
    assert attachment.sha256 == hashlib.sha256(content).hexdigest()
    assert attachment.file.read() == content and attachment.size == len(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("invoice.pdf", b"<html><script>alert(1)</script></html>"),
        ("notes.txt", b"\n  <ScRiPt>alert(1)</script>"),
        ("notes.txt", b"\xef\xbb\xbf<svg onload=alert(1)>"),
        ("run.txt", b"#!/bin/sh\nrm -rf /\n"),
        ("notes.txt", "Überweisung".encode("latin-1")),
        ("notes.txt", b"a\0b"),
        ("program.pdf", b"MZ\x90\0" + b"\0" * 60),
        ("archive.docx", office("evil/document.xml")),
        ("broken.xlsx", b"PK\x03\x04broken"),
        ("movie.pdf", b"\0\0\0\x20ftypmp42" + b"\0" * 60),
    ],
)
def test_other_files_are_refused_and_nothing_changes(
    alice: User, payment: Payment, name: str, content: bytes
) -> None:
    with pytest.raises(ValidationError, match="cannot be attached. Attach a PDF"):
        attach(payment, alice, name, content)
    assert not PaymentAttachment.objects.exists() and not PaymentEvent.objects.exists()


def test_an_empty_file_is_refused(alice: User, payment: Payment) -> None:
    with pytest.raises(ValidationError, match="is empty"):
        attach(payment, alice, "a.pdf", b"")


def test_a_file_that_is_too_large_is_refused(alice: User, payment: Payment, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    attach(payment, alice, "fits.txt", b"x" * 1024 * 1024)
    with pytest.raises(ValidationError, match="larger than 1 MB"):
        attach(payment, alice, "large.txt", b"x" * (1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\check.pdf", "check.pdf"),
        ("che\u202eck\r\n.pdf", "check.pdf"),
        ("  ", "attachment"),
        ("x" * 300 + ".pdf", "x" * 110 + ".pdf"),
    ],
)
def test_a_name_is_made_safe_to_show(given: str, shown: str) -> None:
    assert display_name(given) == shown


def test_a_name_ends_as_its_content_does(alice: User, payment: Payment) -> None:
    assert attach(payment, alice, "page.html", PDF).name == "page.html.pdf"


def test_the_name_on_disk_says_nothing(alice: User, payment: Payment) -> None:
    stored = attach(payment, alice, "secret.pdf", PDF).file.name
    assert "secret" not in stored and "pdf" not in stored.rsplit("/", 1)[-1]


def test_attaching_and_removing_are_written_down(alice: User, payment: Payment) -> None:
    attachment = attach(payment, alice, "a.pdf", PDF)
    services.remove_attachment(attachment=attachment, by=alice)
    kinds = list(PaymentEvent.objects.order_by("pk").values_list("kind", "changes"))
    assert kinds == [
        (EventKind.ATTACHED, {"Attachment": ["", "a.pdf"]}),
        (EventKind.DETACHED, {"Attachment": ["a.pdf", ""]}),
    ]


def test_the_file_goes_with_its_row_once_that_is_certain(
    alice: User, payment: Payment, django_capture_on_commit_callbacks: Any
) -> None:
    attachment = attach(payment, alice, "a.pdf", PDF)
    name = attachment.file.name
    with django_capture_on_commit_callbacks() as callbacks:
        services.remove_attachment(attachment=attachment, by=alice)
    assert default_storage.exists(name)
    callbacks[0]()
    assert not default_storage.exists(name)


def test_readers_cannot_attach_or_remove(bob: User, alice: User, payment: Payment) -> None:
    attachment = attach(payment, alice, "a.pdf", PDF)
    with pytest.raises(ValidationError, match="Only administrators"):
        attach(payment, bob, "b.pdf", PDF)
    with pytest.raises(ValidationError, match="Only administrators"):
        services.remove_attachment(attachment=attachment, by=bob)


def test_a_reader_downloads_and_the_browser_runs_nothing(
    alice: User, bob: User, payment: Payment
) -> None:
    attachment = attach(payment, alice, "check 5001.pdf", PDF)
    url = at(payment.commitment, "payments:attachment", payment.pk, attachment.pk)
    answer = browser(bob).get(url)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="check 5001.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/pdf"


def test_a_file_is_only_found_at_its_own_payment(
    alice: User, mallory: User, payment: Payment
) -> None:
    attachment = attach(payment, alice, "a.pdf", PDF)
    other = PaymentFactory(commitment=payment.commitment)
    there = at(payment.commitment, "payments:attachment", other.pk, attachment.pk)
    here = at(payment.commitment, "payments:attachment", payment.pk, attachment.pk)
    assert browser(alice).get(there).status_code == 404
    assert browser(mallory).get(here).status_code == 404


def test_an_administrator_attaches_on_the_payments_page(alice: User, payment: Payment) -> None:
    url = at(payment.commitment, "payments:attach", payment.pk)
    answer = browser(alice).post(url, {"file": SimpleUploadedFile("a.pdf", PDF)}, follow=True)
    assert "“a.pdf” was attached." in text(answer)
    delete = at(
        payment.commitment, "payments:detach", payment.pk, PaymentAttachment.objects.get().pk
    )
    assert "The attachment was removed." in text(browser(alice).post(delete, follow=True))


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        ({}, "This field is required."),
        ({"file": SimpleUploadedFile("a.html", b"<html>")}, "cannot be attached"),
    ],
)
def test_a_refused_file_is_explained_on_the_page(
    alice: User, payment: Payment, upload: dict[str, Any], sentence: str
) -> None:
    url = at(payment.commitment, "payments:attach", payment.pk)
    assert sentence in text(browser(alice).post(url, upload, follow=True))
    assert not PaymentAttachment.objects.exists()


def test_a_readers_upload_does_not_exist(bob: User, payment: Payment) -> None:
    url = at(payment.commitment, "payments:attach", payment.pk)
    upload = {"file": SimpleUploadedFile("a.pdf", PDF)}
    assert browser(bob).post(url, upload).status_code == 404
    assert not PaymentAttachment.objects.exists()
