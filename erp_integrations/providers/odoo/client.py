"""Odoo's two APIs, asked in one way: JSON-2 of Odoo 19, JSON-RPC of Odoo 17 and 18.

Records are asked for with ``web_search_read``, the method that Odoo's own pages
use from 17 on: one question brings a page of records together with what they
point at, all from one moment. ``search_read`` would take three questions for a
page of payments, and Odoo may be changed between them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
)
from erp_integrations.providers.exchanges import Answer
from erp_integrations.providers.http import require_json
from erp_integrations.providers.http_provider import ErpClient, Transport
from erp_integrations.providers.odoo.auth import JSON2_SINCE, PERHAPS, Session
from erp_integrations.providers.odoo.errors import (
    EXPIRED,
    NoSuchApi,
    Refusal,
    meaning,
    meaning_of_answer,
)

Domain = Sequence[Any]
Specification = Mapping[str, Any]
#: integers of Odoo's database end here; a greater one in a question is an error there
LARGEST_ID = 2**31 - 1
PAYMENT = "account.payment"


class Question(msgspec.Struct, frozen=True):
    """Records of one model, by id unless ``order`` says otherwise."""

    model: str
    domain: Domain
    specification: Specification
    limit: int
    order: str = "id"


class Rows(msgspec.Struct, frozen=True):
    """The records of one answer, still encoded, and the ERP's clock."""

    rows: list[msgspec.Raw]
    server_time: datetime


class _Found(msgspec.Struct):
    records: list[msgspec.Raw]


class _Error(msgspec.Struct):
    message: str = ""
    data: Refusal | None = None


class _Rpc(msgspec.Struct):
    """``result`` is left out where a method gives nothing back."""

    jsonrpc: str
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None


class OdooClient(ErpClient):
    """One database of one Odoo, asked with one user's key.

    ``version``: 0 where nobody said which it is; then JSON-2 is tried first.
    """

    erp = "Odoo"

    def __init__(
        self,
        transport: Transport,
        url: str,
        database: str,
        key: str,
        *,
        login: str = "",
        version: int = 0,
        session: Session | None = None,
    ) -> None:
        self._database, self._key, self._login = database, key, login
        self._version = version
        #: not from this run, so it may be out of date
        self._remembered = session
        self._session: Session | None = None
        #: Odoo's clock when this run first heard of it
        self.clock: datetime | None = None
        super().__init__(transport, url)

    # ------------------------------------------------------------------ session
    @property
    def session(self) -> Session:
        """Signs in where nobody has yet. Raises as ``records`` does."""
        if self._session is None:
            self._session = self._remembered or self._signed_in()
        return self._session

    def remember(self, session: Session | None) -> None:
        """What an earlier run found out, so that this one need not ask."""
        if self._session is None:
            self._remembered = session

    def _signed_in(self) -> Session:
        if not self._version or self._version >= JSON2_SINCE:
            try:
                return self._with_fields(Session("json2", (), datetime.now(UTC)))
            except NoSuchApi:
                if self._version or not self._login:
                    raise
        return self._with_fields(Session("jsonrpc", (), datetime.now(UTC), self._user()))

    def _with_fields(self, session: Session) -> Session:
        asked = {"allfields": PERHAPS, "attributes": ("type",)}
        answer = self._asked(session, PAYMENT, "fields_get", None, asked)
        known = self._decoded(answer.body, dict[str, dict[str, str]])
        return msgspec.structs.replace(session, fields=tuple(sorted(known)))

    def _user(self) -> int:
        if not self._login:
            raise ConfigurationError(
                "Odoo 17 and 18 also need the login of the user whose key it is. Enter it in the "
                "settings of the connection."
            )
        login = ("common", "login", (self._database, self._login, self._key))
        answer = self._rpc(*login)
        if answer.body == b"false":
            raise AuthenticationError(
                f"{self.name} does not accept login and key. {EXPIRED}", detail="login"
            )
        return self._decoded(answer.body, int)

    # ---------------------------------------------------------------- questions
    def records(self, asked: Callable[[Session], Question]) -> Rows:
        """What the question finds; ``asked`` is told how this Odoo is made.

        Raises what ``HttpClient.ask`` raises; ``ConfigurationError`` also where
        the database, an app or a field is not there.
        """
        was_remembered = self._session is None and self._remembered is not None
        try:
            return self._records(asked(self.session))
        except (ConfigurationError, AuthenticationError):
            if not was_remembered:
                raise
        # Another user's key, or an Odoo that was updated since: find out anew, once.
        self._session = self._remembered = None
        return self._records(asked(self.session))

    def ask(self, question: Question) -> Rows:
        """A question that is the same for every Odoo; raises what ``records`` raises."""
        return self.records(lambda _: question)

    def _records(self, question: Question) -> Rows:
        values = {
            "domain": question.domain,
            "specification": question.specification,
            "limit": question.limit,
            "order": question.order,
            # Without it Odoo counts all there are, which nobody wants to know.
            "count_limit": 1,
        }
        answer = self._asked(self.session, question.model, "web_search_read", None, values)
        found = self._decoded(answer.body, _Found).records
        return Rows(found, self.clock or answer.server_time)

    def count(self, model: str, domain: Domain) -> int:
        answer = self._asked(self.session, model, "search_count", None, {"domain": domain})
        return self._decoded(answer.body, int)

    def version(self) -> str:
        """Like ``19.0``; Odoo tells it to everybody."""
        if self.session.api == "json2":
            answer = self._http.get_json("/web/version")
            return str(self._decoded(answer.body, dict[str, Any]).get("version", ""))
        told = self._decoded(self._rpc("common", "version", ()).body, dict[str, Any])
        return str(told.get("server_version", ""))

    # ------------------------------------------------------------------- writes
    def create(self, model: str, values: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        """One new record. Which one it is has to be looked up: the answer may never arrive.

        Sent once, like every write. Raises ``RecordError`` when Odoo refuses
        it, in Odoo's words, and what ``HttpClient.send`` raises.
        """
        self._write(model, "create", None, {"vals_list": [values], "context": context})

    def act(
        self, model: str, method: str, record_id: int, context: Mapping[str, Any] | None = None
    ) -> None:
        """Call a method of one record, such as ``action_post`` or ``unlink``; raises so too."""
        self._write(model, method, [record_id], {"context": context or {}})

    def _write(
        self, model: str, method: str, ids: Sequence[int] | None, values: Mapping[str, Any]
    ) -> None:
        session = self.session
        if session.api == "json2":
            body = {**values, **({} if ids is None else {"ids": ids})}
            answer = self._http.send(
                "POST",
                _path(model, method),
                body,
                headers=self._bearer(),
                classify=lambda answer: meaning_of_answer(answer, self.name, is_write=True),
            )
            require_json(answer, self.name)
            return
        given = dict(values)
        positional: Any = [ids] if ids is not None else [given.pop("vals_list")]
        body = self._rpc_body(*self._execute(session, model, method, positional, given))
        answer = self._http.send("POST", "/jsonrpc", body, classify=self._no_such_api)
        self._rpc_result(answer, is_write=True)

    # ----------------------------------------------------------- the two ways
    def _asked(
        self,
        session: Session,
        model: str,
        method: str,
        ids: Sequence[int] | None,
        values: Mapping[str, Any],
    ) -> Answer:
        if session.api == "jsonrpc":
            positional = [] if ids is None else [ids]
            return self._rpc(*self._execute(session, model, method, positional, values))
        answer = self._http.ask(
            _path(model, method),
            {**values, **({} if ids is None else {"ids": ids})},
            headers=self._bearer(),
            classify=lambda answer: meaning_of_answer(answer, self.name),
        )
        require_json(answer, self.name)
        if b'"jsonrpc"' in answer.body[:40]:  # an older Odoo that takes it for its own
            raise NoSuchApi(f"{self.name} is older than Odoo 19.", detail=answer.text)
        self.clock = self.clock or answer.server_time
        return answer

    def _bearer(self) -> dict[str, str]:
        database = {"X-Odoo-Database": self._database} if self._database else {}
        return {"Authorization": f"bearer {self._key}", **database}

    def _execute(
        self,
        session: Session,
        model: str,
        method: str,
        positional: Sequence[Any],
        values: Mapping[str, Any],
    ) -> tuple[str, str, Sequence[Any]]:
        signed = (self._database, session.user, self._key)
        return "object", "execute_kw", (*signed, model, method, positional, values)

    def _rpc(self, service: str, method: str, args: Sequence[Any]) -> Answer:
        body = self._rpc_body(service, method, args)
        answer = self._http.ask("/jsonrpc", body, classify=self._no_such_api)
        result = self._rpc_result(answer)
        self.clock = self.clock or answer.server_time
        return msgspec.structs.replace(answer, body=bytes(result))

    def _rpc_body(self, service: str, method: str, args: Sequence[Any]) -> dict[str, Any]:
        params = {"service": service, "method": method, "args": args}
        return {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}

    def _rpc_result(self, answer: Answer, *, is_write: bool = False) -> msgspec.Raw:
        """What the method gave back; its refusals come with status 200."""
        require_json(answer, self.name)
        said = self._decoded(answer.body, _Rpc)
        if said.error is not None:
            refusal = said.error.data or Refusal("", said.error.message)
            raise meaning(refusal, self.name, is_write=is_write)
        return said.result

    def _no_such_api(self, answer: Answer) -> NoSuchApi | None:
        if answer.status not in {400, 404, 405}:
            return None
        return NoSuchApi(
            f"No Odoo answers at the address of {self.name}. Check the address, the database and "
            f"the version in the settings of the connection.",
            detail=f"status {answer.status}: {answer.text}",
        )


def _path(model: str, method: str) -> str:
    return f"/json/2/{model}/{method}"
