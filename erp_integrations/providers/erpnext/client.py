"""Frappe's REST API, which ERPNext speaks: lists with filters, single documents, and writes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from erp_integrations.providers.erpnext import auth, errors
from erp_integrations.providers.errors import ErpError, ProtocolError
from erp_integrations.providers.http import Answer
from erp_integrations.providers.http_provider import ErpClient, Transport

#: field, operator, value; with a child table's name in front where it is one of its fields
Filter = Sequence[Any]
Record = TypeVar("Record", bound=msgspec.Struct)
#: addresses are cut at 8 KB by most proxies; a longer question goes as POST
LONGEST_QUERY = 4_000
GET_LIST = "/api/method/frappe.client.get_list"
#: a limit of 0 means none
NO_LIMIT = 0


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and the ERP's clock."""

    rows: list[msgspec.Raw]
    server_time: datetime


class ErpNextClient(ErpClient):
    """One site, read as the user of one API key."""

    erp = "ERPNext"

    def __init__(self, transport: Transport, url: str, key: str, secret: str) -> None:
        super().__init__(transport, url, headers=auth.headers(key, secret))
        #: the site's clock at the last answer
        self.server_time = datetime.now(UTC)

    # ---------------------------------------------------------------- questions
    def rows(
        self,
        doctype: str,
        fields: Sequence[str],
        filters: Sequence[Filter] = (),
        *,
        or_filters: Sequence[Filter] = (),
        order: str = "name asc",
        limit: int = NO_LIMIT,
        parent: str = "",
    ) -> Rows:
        """Records of a doctype. Without ``limit_page_length`` ERPNext would send 20 of them.

        ``parent``: the doctype whose rights count, for a child table. Raises
        what ``HttpClient.get`` raises; ``NotPermitted`` where a right is
        missing, ``ConfigurationError`` where a doctype or field is.
        """
        asked: dict[str, Any] = {
            "filters": _encoded(filters),
            "fields": _encoded(fields),
            "order_by": order,
            "limit_start": 0,
            "limit_page_length": limit,
        }
        asked |= {"or_filters": _encoded(or_filters)} if or_filters else {}
        asked |= {"parent": parent} if parent else {}
        classify = self._with(errors.of_question, doctype)
        path = f"/api/resource/{quote(doctype)}"
        query = [(name, str(value)) for name, value in asked.items()]
        if len(urlencode(query)) <= LONGEST_QUERY:
            answer = self._http.get_json(path, query, classify=classify)
        else:
            answer = self._http.ask(GET_LIST, {"doctype": doctype, **asked}, classify=classify)
        return Rows(self._list(answer), answer.server_time)

    def records(
        self, form: type[Record], doctype: str, filters: Sequence[Filter], **options: Any
    ) -> list[Record]:
        """All that fit, read as ``form``, whose fields are the ones that are asked for."""
        fields = [field.encode_name for field in msgspec.structs.fields(form)]
        found = self.rows(doctype, fields, filters, **options).rows
        return [self.read(row, form) for row in found]

    def read(self, raw: msgspec.Raw, form: type[Record]) -> Record:
        """Raises ``ProtocolError``."""
        try:
            return msgspec.json.decode(raw, type=form)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(
                f"{self.name} sent a record that cannot be read: {error}.",
                detail=bytes(raw)[:500].decode(errors="replace"),
            ) from error

    def document(self, doctype: str, name: str) -> msgspec.Raw:
        """One whole document. Raises ``RecordNotFound`` too, and only if ERPNext says so."""
        answer = self._http.get_json(
            self._path(doctype, name), classify=self._with(errors.of_document, doctype)
        )
        return self._raw(answer)

    def call(self, method: str, about: str, **arguments: Any) -> msgspec.Raw:
        """What a whitelisted method answers; ``about`` is the doctype that a refusal names."""
        answer = self._http.get_json(
            f"/api/method/{method}",
            [(name, str(value)) for name, value in arguments.items()],
            classify=self._with(errors.of_question, about),
        )
        return self._raw(answer)

    # ------------------------------------------------------------------- writes
    def insert(self, doctype: str, values: Mapping[str, Any]) -> None:
        """A new draft. Sent once: whether it was made, the next look has to tell."""
        self._write("POST", f"/api/resource/{quote(doctype)}", doctype, values)

    def submit(self, doctype: str, name: str) -> None:
        self._write("PUT", self._path(doctype, name), doctype, {"docstatus": 1})

    def delete(self, doctype: str, name: str) -> None:
        self._write("DELETE", self._path(doctype, name), doctype)

    def _write(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        doctype: str,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        classify = self._with(errors.of_write, doctype)
        answer = self._http.send(method, path, values, classify=classify)
        self._require_done(answer)

    # ------------------------------------------------------------------ answers
    def _with(
        self, classify: Callable[[Answer, str, str], ErpError | None], doctype: str
    ) -> Callable[[Answer], ErpError | None]:
        return lambda answer: classify(answer, self.name, doctype)

    def _raw(self, answer: Answer) -> msgspec.Raw:
        """Lists come as ``data`` from a resource and as ``message`` from a method."""
        self.server_time = answer.server_time
        fields = self._decoded(answer.body, dict[str, msgspec.Raw])
        for name in ("data", "message"):
            if name in fields:
                return fields[name]
        raise self._unusable(answer.body, "neither data nor a message")

    def _list(self, answer: Answer) -> list[msgspec.Raw]:
        return self._decoded(self._raw(answer), list[msgspec.Raw])

    def _path(self, doctype: str, name: str) -> str:
        return f"/api/resource/{quote(doctype)}/{quote(name, safe='')}"


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def of_child(table: str, *fields: str) -> list[str]:
    """Fields of a child table, as a list that is joined to it names them."""
    return [f"`tab{table}`.{field}" for field in fields]
