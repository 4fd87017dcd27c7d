"""Two ERPs as people connect them: by a sign-in in the browser, and with a certificate."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations import connections
from erp_integrations.models import ErpAllocation, ErpConnection, RunState
from payments.models import Payment
from projects.models import User
from tests.erp_integrations.conftest import run_sync
from tests.erp_integrations.grants.conftest import url
from tests.fakes import netsuite, sage_intacct
from tests.fakes.ledger import Application, Bill, Ledger

# Pages are read in a thread, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def story(ledger: Ledger) -> Bill:
    """Bill 7, the one that the invoice is linked to, with a check over two of its lines."""
    while ledger.next_number() < 6:  # noqa: PLR2004 - the next record is the seventh
        pass
    bill = ledger.bill("ACME-7", "600", "400")
    assert bill.number == 7  # noqa: PLR2004
    first, second = bill.lines
    paid = Application(bill, Decimal("250.10"), line=first)
    ledger.pay("CHK-1", paid, Application(bill, Decimal("99.90"), line=second))
    return bill


def connect(
    invoice: SubcontractorInvoice, fake: Any, kind: Any, code: str, **besides: str
) -> ErpConnection:
    settings, credentials = kind.connection(fake)
    return connections.connect(
        company=invoice.company,
        by=None,
        provider=code,
        name="Our books",
        settings={**settings, **{k: v for k, v in besides.items() if k != "private_key"}},
        credentials={**credentials, **{k: v for k, v in besides.items() if k == "private_key"}},
        export_subcontractor_invoices=True,
    )


def paid_amounts(invoice: SubcontractorInvoice) -> list[Decimal]:
    found = Payment.objects.counted().filter(invoice=invoice)
    return sorted(found.values_list("amount", flat=True))


def test_somebody_connects_sage_intacct_in_the_browser_and_syncs(
    invoice: SubcontractorInvoice, alice: User, asked_here: None
) -> None:
    fake = sage_intacct.FakeSageIntacct()
    bill = story(fake.ledger)
    with fake.running():
        connection = connect(invoice, fake, sage_intacct, "sage_intacct")
        client = Client()
        client.force_login(alice)
        address = client.post(url(connection, "oauth_start")).context["address"]
        agreed = urllib3.request("GET", address, redirect=False, retries=False)
        back = dict(parse_qsl(urlsplit(agreed.headers["Location"]).query))
        page = client.get(reverse("erp_integrations:oauth_callback"), back, follow=True)
        said = " ".join(str(message) for message in page.context["messages"])
        assert "Connected. The ERP answered: Sage Intacct" in said
        connection.refresh_from_db()
        assert run_sync(connection).state == RunState.SUCCEEDED
    assert paid_amounts(invoice) == [Decimal("99.90"), Decimal("250.10")]
    lines = ErpAllocation.objects.filter(company=invoice.company_id)
    assert {each.bill_line_id for each in lines} == {str(line.number) for line in bill.lines}


def test_netsuite_is_connected_with_a_certificate_and_nobody_signs_in(
    invoice: SubcontractorInvoice,
) -> None:
    fake = netsuite.FakeNetSuite()
    story(fake.ledger)
    key = ec.generate_private_key(ec.SECP256R1())
    fake.certificates["cert-1"] = key.public_key()
    with fake.running():
        typed = {"certificate_id": "cert-1", "private_key": netsuite.pem_of(key)}
        connection = connect(invoice, fake, netsuite, "netsuite", **typed, client_secret="")
        run = run_sync(connection)
        assert run.state == RunState.SUCCEEDED
    assert paid_amounts(invoice) == [Decimal("350.00")]
