"""What QuickBooks Online's refusals mean; closed by default.

The service itself answers with ``{"Fault": {"Error": [{"Message", "Detail",
"code"}], "type"}}``. The gateway before it writes the same in lower case, or
as XML whatever was asked for, and once sent its throttling as 403.
"""

import re
from typing import Any, NamedTuple

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    ProtocolError,
    RateLimited,
    RecordError,
    RecordNotFound,
    TransientError,
)
from erp_integrations.providers.http import Answer

ERP = "QuickBooks Online"
RECONNECT = "An administrator has to press “Reconnect” in the settings of the connection."
THROTTLED = {"3001", "003001"}
NO_RIGHT = {"120", "3100", "003100", "3200", "003200"}
NOT_FOUND = "610"
#: a question it cannot parse, and one with a field that cannot be asked for
NOT_UNDERSTOOD = {"4000", "4001"}
#: the subscription ran out, or the company's books are closed to programs
NO_COMPANY = {"6190", "5020"}
FAILED = "10000"
XML_CODE = re.compile(r'<Error code="(\d+)"')
XML_TEXT = re.compile(r"<(Message|Detail)>([^<]*)</\1>")
SAID = 300


class Refused(ProtocolError):
    """A question that QuickBooks does not answer as it was put."""


class Fault(NamedTuple):
    code: str
    message: str
    detail: str

    @property
    def words(self) -> str:
        """What it says, once, as a sentence."""
        said = (self.detail or self.message).strip()[:SAID]
        return said if said.endswith((".", "?", "!")) else f"{said}."


def fault_of(answer: Answer) -> Fault | None:
    """The first fault that an answer names, in any of its three spellings."""
    if answer.is_json:
        try:
            return _json_fault(answer.json())
        except (ValueError, RecursionError):
            return None
    text = answer.text
    code = XML_CODE.search(text)
    if code is None:
        return None
    said = dict(XML_TEXT.findall(text))
    return Fault(code[1], said.get("Message", ""), said.get("Detail", ""))


def _json_fault(body: Any) -> Fault | None:
    if not isinstance(body, dict):
        return None
    fault = body.get("Fault") or body.get("fault")
    errors = (fault.get("Error") or fault.get("error")) if isinstance(fault, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return None
    known = {
        str(name).lower(): "" if value is None else str(value) for name, value in first.items()
    }
    return Fault(known.get("code", ""), known.get("message", ""), known.get("detail", ""))


def of_question(answer: Answer) -> ErpError | None:
    """The error of a question that was refused; ``None`` where the status says it all."""
    fault, detail = fault_of(answer), f"status {answer.status}: {answer.text}"
    if fault and fault.code == NOT_FOUND and answer.status in {400, 404}:
        return RecordNotFound(f"{ERP} does not know this record any more: {fault.words}")
    if error := _of_anything(answer, fault, detail):
        return error
    if fault is None or answer.status != 400:
        return None
    if fault.code in NOT_UNDERSTOOD:
        return Refused(f"{ERP} does not understand a question of the sync.", detail=detail)
    return Refused(f"{ERP} refused a question of the sync: {fault.words}", detail=detail)


def of_write(answer: Answer) -> ErpError | None:
    """The error of a record that was refused, in QuickBooks' words."""
    fault, detail = fault_of(answer), f"status {answer.status}: {answer.text}"
    if error := _of_anything(answer, fault, detail):
        return error
    if fault is None or answer.status != 400:
        return None
    return RecordError(f"{ERP} refuses it: {fault.words}", detail=detail)


def _of_anything(answer: Answer, fault: Fault | None, detail: str) -> ErpError | None:
    status, code = answer.status, fault.code if fault else ""
    if code in THROTTLED:
        return RateLimited(
            f"{ERP} asks us to slow down. It will be tried again by itself.",
            detail=detail,
            retry_after=answer.retry_after,
        )
    if code in NO_RIGHT and status < 500:
        return AuthenticationError(
            f"{ERP} does not let this connection into the company: its sign-in ended, its person "
            f"is no administrator there any more, or it belongs to another environment (sandbox "
            f"or production). {RECONNECT}",
            detail=detail,
        )
    if status in {401, 403}:
        return AuthenticationError(f"{ERP} refuses the sign-in of the connection. {RECONNECT}")
    if status == 404:
        return ConfigurationError(
            f"{ERP} has nothing at the address of the connection. Check its company ID.",
            detail=detail,
        )
    if code in NO_COMPANY:
        return ConfigurationError(f"{ERP} does not serve this company: {_words(fault)}")
    if code == FAILED:
        return TransientError(
            f"{ERP} has a problem of its own. It will be tried again by itself.", detail=detail
        )
    return None


def _words(fault: Fault | None) -> str:
    return fault.words if fault else ""
