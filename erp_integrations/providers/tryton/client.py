"""Tryton's REST API, as its own encoding wants to be asked and told.

Only collections are asked, never single records: for one record Tryton answers
404 both when it does not exist and when the user of the key may not read it,
and the first of these may mark a payment as vanished.
"""

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    RecordError,
)
from erp_integrations.providers.http import Answer
from erp_integrations.providers.http_provider import ErpClient, Transport

Domain = Sequence[Any]
Order = Sequence[tuple[str, str]]
#: how Tryton begins when a right is missing, not when a record is wrong
NO_RIGHT = "You are not allowed to access"
#: Tryton shows the text of a Python error; a KeyError's is the missing name
MISSING_NAME = re.compile(r"<p>'([\w.]+)'</p>")


class NotPermitted(AuthenticationError):
    """The key is good, but its user may not read this."""


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and the ERP's clock."""

    rows: list[msgspec.Raw]
    server_time: datetime


class TrytonClient(ErpClient):
    """One database of one Tryton server, read with one user application key."""

    erp = "Tryton"

    def __init__(self, transport: Transport, url: str, database: str, key: str) -> None:
        self._database = database
        super().__init__(transport, url, headers={"Authorization": f"Bearer {key}"})

    def search(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        size: int,
        order: Order = (("id", "ASC"),),
        company: int | None = None,
    ) -> Rows:
        """At most ``size`` records of a model.

        ``company``: what Tryton keeps per company is that company's.

        Raises what ``HttpClient.get`` raises; ``ConfigurationError`` also when
        the database, the module or a field is not there, or a field is kept
        from the user of the key.
        """
        query = [("d", _encoded(domain)), ("o", _encoded(order)), ("s", str(size))]
        query += [("f", field) for field in fields]
        answer = self._http.get_json(
            self._path(model),
            query,
            classify=lambda answer: self._meaning(answer, model, fields),
            headers=_context({"company": company}) if company else None,
        )
        found = Rows(self._decoded(answer.body, list[msgspec.Raw]), answer.server_time)
        self._require_fields(model, fields, found.rows)
        return found

    def create(self, model: str, values: Mapping[str, Any]) -> None:
        """One new record. Which one it is has to be looked up: the answer may never arrive.

        Sent once, like every write. Raises ``RecordError`` when Tryton refuses
        it, in Tryton's words, and what ``HttpClient.send`` raises.
        """
        answer = self._http.send("POST", self._path(model), values, classify=self._refusal)
        self._require_done(answer)

    def press(
        self, model: str, record_id: int, button: str, *, without_warnings: bool = False
    ) -> None:
        """Press a button of a record, if it is there. Raises as ``create`` does.

        ``without_warnings``: as somebody who has read Tryton's warnings and goes on.
        """
        path = f"{self._path(model)}/{record_id}/{button}"
        headers = _context({"_skip_warnings": True}) if without_warnings else None
        self._http.send("POST", path, {}, classify=self._refusal, headers=headers)

    def delete(self, model: str, record_id: int) -> None:
        """Raises as ``create`` does; a record that is gone already is no error."""
        self._http.send("DELETE", f"{self._path(model)}/{record_id}", classify=self._refusal)

    def _path(self, model: str) -> str:
        return f"/{quote(self._database, safe='')}/rest/model/{model}"

    def _meaning(self, answer: Answer, model: str, fields: Sequence[str]) -> ErpError | None:
        """What a status means in Tryton, where it is not what it means elsewhere."""
        detail = f"status {answer.status}: {answer.text}"
        if answer.status == 404:
            return ConfigurationError(
                f"{self.name} has no database “{self._database}”. Check the connection's settings.",
                detail=detail,
            )
        if answer.status == 400 and answer.is_json:
            return NotPermitted(
                f"{self.name} does not let the user of the key read this: "
                f"{_message(answer)} Give that user the rights that the guide lists.",
                detail=detail,
            )
        if answer.status == 500:
            return self._missing(answer, model, fields)
        return None

    def _refusal(self, answer: Answer) -> ErpError | None:
        """What Tryton says to a write that it does not do; ``None`` where HTTP says it all."""
        detail = f"status {answer.status}: {answer.text}"
        if answer.status == 400 and answer.is_json:
            message = _message(answer)
            if NO_RIGHT in message:
                return AuthenticationError(
                    f"{self.name} does not let the user of the key write this: {message} "
                    f"Give that user the rights that the guide lists.",
                    detail=detail,
                )
            return RecordError(f"Tryton refuses it: {message}", detail=detail)
        if answer.status == 403:
            return RecordError(
                "Tryton does not let the user of the key do this to this record, and gives no "
                "reason. Somebody may have closed its period or finished with the record there.",
                detail=detail,
            )
        return None

    def _missing(self, answer: Answer, model: str, fields: Sequence[str]) -> ErpError | None:
        """A model or field that this Tryton does not have: trying again would not help."""
        found = MISSING_NAME.search(html.unescape(answer.text))
        name = found[1] if found else ""
        if name == model:
            what = f"no “{model}”: the module that payments need is not installed"
        elif name in {part for field in fields for part in field.split(".")}:
            what = f"no field “{name}” in {model}: this version cannot be read"
        else:
            return None
        return ConfigurationError(f"{self.name} has {what}.", detail=answer.text)

    def _require_fields(
        self, model: str, fields: Sequence[str], rows: Sequence[msgspec.Raw]
    ) -> None:
        """Tryton leaves out, without a word, what the user may not read.

        A field that one record lacks is that record's trouble; one that the
        first and the last record lack is kept from the user.
        """
        if not rows:
            return
        absent = [_absent(fields, row) for row in (rows[0], rows[-1])]
        if kept := absent[0] & absent[1]:
            raise ConfigurationError(
                f"{self.name} keeps “{sorted(kept)[0]}” of {model} from the user of the key. "
                f"Give that user the rights that the guide lists."
            )


def timestamp(moment: datetime) -> dict[str, Any]:
    """A moment as Tryton's domains want it: an object, in UTC, without a zone."""
    moment = moment.astimezone(UTC)
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime"} | {part: getattr(moment, part) for part in parts}


def _context(values: Mapping[str, Any]) -> dict[str, str]:
    return {"X-Tryton-Context": _encoded(values)}


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


def _message(answer: Answer) -> str:
    try:
        message = answer.json().get("message")
    except (ValueError, AttributeError):
        message = None
    return str(message)[:200] if message else "it gives no reason."


def _absent(fields: Iterable[str], row: msgspec.Raw) -> set[str]:
    """Those of the fields that a record does not have at all."""
    try:
        record = msgspec.json.decode(row)
    except (ValueError, RecursionError):
        return set()
    return {field for field in fields if not _has(record, field.split("."))}


def _has(record: Any, path: Sequence[str]) -> bool:
    if isinstance(record, list):
        return all(_has(each, path) for each in record)
    if not isinstance(record, Mapping) or not path:
        return True
    return path[0] in record and _has(record[path[0]], path[1:])
