"""The vendor's own SDK reads the books that the provider reads, over the API that it knows.

``sageintacctsdk`` speaks the XML gateway only, so it cannot read an answer of
the REST API: what is compared is the payments that both say are there.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sageintacctsdk.apis import APPayments
from sageintacctsdk.exceptions import WrongParamsError

from tests.erp_integrations.providers.contract_suite import read
from tests.erp_integrations.providers.sage_intacct_books import pages
from tests.fakes.sage_intacct import FakeSageIntacct
from tests.fakes.sage_intacct_xml import COMPANY, GATEWAY, PASSWORD, SENDER, SENDER_PASSWORD, USER


@pytest.fixture
def intacct() -> Iterator[FakeSageIntacct]:
    fake = FakeSageIntacct()
    with fake.running():
        yield fake


def sdk_of(fake: FakeSageIntacct, sender_password: str = SENDER_PASSWORD) -> APPayments:
    sdk = APPayments()
    sdk._ApiBase__api_url = f"{fake.url}{GATEWAY}"
    sdk.set_sender_id(SENDER)
    sdk.set_sender_password(sender_password)
    sdk.set_show_private(False)
    sdk.get_session_id(USER, COMPANY, PASSWORD)
    return sdk


def test_the_vendors_sdk_reads_the_same_payments(intacct: FakeSageIntacct) -> None:
    bill = intacct.ledger.bill("ACME-1", "5000", currency="EUR")
    intacct.ledger.pay("CHK-1", (bill, "1100.50"))
    intacct.ledger.void(intacct.ledger.pay("CHK-2", (bill, "899.50")))
    ours = {
        (each.remote_id, each.check_number, each.currency, each.total, each.date.isoformat())
        for each in read(pages(intacct))
    }
    theirs = {
        (
            row["RECORDNO"],
            row["DOCNUMBER"],
            row["CURRENCY"],
            Decimal(row["TRX_TOTALENTERED"]),
            "{2}-{0}-{1}".format(*row["PAYMENTDATE"].split("/")),
        )
        for row in sdk_of(intacct).get_all()
    }
    assert theirs == ours


def test_the_vendors_sdk_understands_a_refused_sender(intacct: FakeSageIntacct) -> None:
    with pytest.raises(WrongParamsError):
        sdk_of(intacct, sender_password="wrong")  # noqa: S106
