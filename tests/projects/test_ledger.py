"""What money, dates and ERP states look like on a page."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template

from commitments.models import SubcontractorInvoice
from payments.models import Payment, PaymentStatus
from projects.models import ErpStatus
from projects.templatetags.ledger import MARKS


def page(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1100.5000", "USD", "$1,100.50"),
        ("-500.0000", "USD", "($500.00)"),
        ("0.0000", "USD", "$0.00"),
        ("123456789012345.9900", "USD", "$123,456,789,012,345.99"),
        ("1200.0000", "JPY", "¥1,200"),
        ("1.2340", "KWD", "KWD1.234"),
    ],
)
def test_money_is_written_as_accountants_write_it(amount: str, currency: str, shown: str) -> None:
    text = page("{{ amount|money:currency }}", amount=Decimal(amount), currency=currency)

    assert text.replace("\xa0", " ") == shown


def test_an_amount_that_is_not_known_is_a_dash() -> None:
    assert page("{{ amount|money:'USD' }}{{ amount|percent }}", amount=None) == "——"


def test_a_share_has_one_decimal() -> None:
    assert page("{{ share|percent }}", share=Decimal("41.4567")) == "41.5%"


def test_dates_are_written_month_first() -> None:
    assert page("{{ day|us_date }}", day=dt.date(2026, 7, 4)) == "07/04/2026"
    assert page("{{ day|us_date }}", day=None) == "—"


def test_a_time_is_local_and_names_its_zone() -> None:
    noon = dt.datetime(2026, 7, 14, 16, 5, tzinfo=dt.UTC)

    new_york = page("{% moment when zone %}", when=noon, zone="America/New_York")

    assert ">07/14/2026 12:05 PM EDT<" in new_york
    assert 'datetime="2026-07-14T12:05:00-04:00"' in new_york
    assert page("{% moment when zone %}", when=None, zone="UTC") == "—"


@pytest.mark.parametrize("status", ErpStatus.values)
def test_every_erp_status_has_a_shape_and_words(status: str) -> None:
    drawn = page("{% erp_icon status %}", status=status)

    assert "<svg" in drawn
    assert f'aria-label="{MARKS[status].words}"' in drawn


def test_the_icon_tells_what_went_wrong_and_escapes_it() -> None:
    invoice = SubcontractorInvoice(erp_status=ErpStatus.FAILED, erp_message='No vendor "<Acme>"')

    drawn = page("{% erp_icon invoice %}", invoice=invoice)

    assert 'class="erp-icon trouble"' in drawn
    assert "Export to the ERP failed: No vendor &quot;&lt;Acme&gt;&quot;" in drawn


@pytest.mark.parametrize(
    ("payment", "shape", "words"),
    [
        (Payment(), "none", "Entered by hand"),
        (Payment(origin_id="7"), "synced", "Synced with the ERP"),
        (Payment(origin_id="7", status=PaymentStatus.VOIDED), "synced", "voided there too"),
        (Payment(origin_id="7", missing_since=dt.datetime.now(dt.UTC)), "trouble", "Not found"),
        (Payment(origin_id="7", vanished_at=dt.datetime.now(dt.UTC)), "trouble", "Not found"),
    ],
)
def test_a_payment_shows_what_became_of_it(payment: Payment, shape: str, words: str) -> None:
    drawn = page("{% erp_icon payment %}", payment=payment)

    assert f'class="erp-icon {shape}"' in drawn
    assert words in drawn


def test_the_colour_of_a_badge_goes_with_its_word_and_never_replaces_it() -> None:
    badge = '<span class="badge {{ status|tone }}">{{ status }}</span>'

    assert page(badge, status="Approved") == '<span class="badge good">Approved</span>'
    assert page(badge, status="Draft") == '<span class="badge ">Draft</span>'
