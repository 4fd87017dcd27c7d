"""The older XML gateway of a stand-in for Sage Intacct: what the vendor's SDK asks for payments.

The provider does not use it: it is here so that somebody else's client reads the same books.
"""

import datetime as dt
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

from tests.fakes.http_server import Reply, Request
from tests.fakes.ledger import Ledger, Payment, State

GATEWAY = "/ia/xml/xmlgw.phtml"
SENDER, SENDER_PASSWORD, USER, COMPANY, PASSWORD = "northstar", "n" * 20, "sync", "lab", "p" * 20
SESSION = "session-of-the-lab"
STATES = {
    State.DRAFT: "Draft",
    State.PENDING: "Delivered",
    State.ISSUED: "Confirmed",
    State.VOIDED: "Reversed",
}


def xml_answer(request: Request, ledger: Ledger, url: str) -> Reply:
    """What a request document gets; anything but the two functions of the SDK is refused."""
    asked = fromstring(request.body)
    control = {each.tag: each.text for each in asked.iterfind("control/*")}
    if (control["senderid"], control["password"]) != (SENDER, SENDER_PASSWORD):
        return _document(_failed("XL03000006", "Sign-in information is incorrect"), "failure")
    login = {each.tag: each.text for each in asked.iter() if each.tag != "request"}
    if asked.find(".//getAPISession") is not None:
        if (login["userid"], login["companyid"]) != (USER, COMPANY):
            return _document(_failed("XL03000006", "Sign-in information is incorrect"), "failure")
        api = f"<api><sessionid>{SESSION}</sessionid><endpoint>{url}{GATEWAY}</endpoint></api>"
        return _document(_result("getAPISession", f"<data>{api}</data>"))
    if login.get("sessionid") != SESSION or login.get("object") != "APPYMT":
        return _document(_failed("XL03000003", "The session is not valid"), "failure")
    payments = sorted(ledger.payments.values(), key=lambda each: each.number)
    rows = "".join(map(_payment, payments))
    listing = f'listtype="appymt" count="{len(payments)}" totalcount="{len(payments)}"'
    return _document(
        _result("readByQuery", f'<data {listing} numremaining="0" resultId="">{rows}</data>')
    )


def _payment(payment: Payment) -> str:
    fields = {
        "RECORDNO": str(payment.number),
        "STATE": STATES[payment.state],
        "PAYMENTMETHOD": "Printed Check",
        "VENDORID": payment.vendor.code,
        "VENDORNAME": payment.vendor.name,
        "DOCNUMBER": payment.check,
        "PAYMENTDATE": f"{payment.date:%m/%d/%Y}",
        "CURRENCY": payment.currency,
        "TRX_TOTALENTERED": f"{payment.total:.2f}",
        "WHENMODIFIED": f"{payment.modified.astimezone(dt.UTC):%m/%d/%Y %H:%M:%S}",
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<appymt>{inner}</appymt>"


def _result(function: str, data: str) -> str:
    return (
        "<authentication><status>success</status></authentication><result><status>success</status>"
        f"<function>{function}</function>{data}</result>"
    )


def _failed(number: str, text: str) -> str:
    return (
        f"<errormessage><error><errorno>{number}</errorno><description></description>"
        f"<description2>{text} [Support ID: lab]</description2><correction></correction></error>"
        f"</errormessage>"
    )


def _document(inner: str, status: str = "success") -> Reply:
    control = f"<control><status>{status}</status></control>"
    body = f"<operation>{inner}</operation>" if status == "success" else inner
    text = f'<?xml version="1.0" encoding="UTF-8"?><response>{control}{body}</response>'
    return Reply(200, text.encode(), "text/xml; charset=utf-8")
