"""An Odoo with books in memory that answers both of its APIs as the recorded one did.

Odoo 19 (the default) answers ``/json/2`` and ``/jsonrpc``; with ``version=18``
or 17 only the latter, over tables as those versions have them. ``test_fake_odoo``
holds it to recordings of a running Odoo 19, answer by answer.
"""

import json
from collections import deque
from typing import Any

from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Bill, Vendor
from tests.fakes.odoo_books import OdooLedger
from tests.fakes.odoo_orm import OdooError, Record
from tests.fakes.odoo_writes import ACTS, created
from tests.fakes.tryton_writes import LOST, Loss

KEY, LOGIN, DATABASE, USER = "a" * 40, "admin", "odoo_lab", 2
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
NO_DATABASE = (
    "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>No database is selected and the requested URL was not found in the server-wide "
    "controllers.</p>\n"
)
NOT_FOUND = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
NO_RIGHT = "You are not allowed to access '{0}' ({0}) records."
#: what the methods take besides ``context``; those of records take ``ids``
SIGNATURES = {
    "search_read": {"domain", "fields", "offset", "limit", "order", "load"},
    "search_count": {"domain", "limit"},
    "web_search_read": {"domain", "specification", "offset", "limit", "order", "count_limit"},
    "fields_get": {"allfields", "attributes"},
    "read": {"fields", "load"},
    "create": {"vals_list"},
} | {name: set() for name in ACTS}
WRITES = {"create", *ACTS}
OF_RECORDS = {"read", *ACTS}


class FakeOdoo(HttpServer):
    """The server; what people do in the books is done on ``ledger``."""

    def __init__(self, version: int = 19, **options: Any) -> None:
        super().__init__(self._answer)
        self.version = version
        self.ledger = OdooLedger(version, **options)
        self.key = KEY
        #: models that the user of the key may not read
        self.withheld: set[str] = set()
        #: what becomes of the next writes
        self.losses: deque[Loss] = deque()
        self._late: list[Request] = []

    @property
    def tables(self) -> Any:
        return self.ledger.tables

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    def remote_id_of(self, bill: Bill) -> str:
        return str(bill.number)

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return str(vendor.number)

    # ----------------------------------------------------------------- the APIs
    def _answer(self, request: Request) -> Reply:
        if not _is_write(request):
            return self._answered(request)
        loss = self.losses.popleft() if self.losses else Loss.NONE
        if loss is Loss.BEFORE:
            return LOST
        if loss is Loss.LATE:
            self._late.append(request)
            return LOST
        reply = self._answered(request)
        late, self._late = self._late, []
        for each in late:
            self._answered(each)
        return LOST if loss is Loss.AFTER else reply

    def _answered(self, request: Request) -> Reply:
        if request.path == "/jsonrpc" and request.method == "POST":
            return self._rpc(json.loads(request.body))
        if self.version >= 19 and request.path in {"/web/version", "/json/version"}:
            info = [self.version, 0, 0, "final", 0, ""]
            return _json({"version_info": info, "version": f"{self.version}.0"})
        if self.version < 19 or not request.path.startswith("/json/2/"):
            return Reply(404, NOT_FOUND.encode(), HTML)
        return self._json2(request)

    def _json2(self, request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("x-odoo-database") != DATABASE:
            return Reply(404, NO_DATABASE.encode(), HTML)
        try:
            if headers.get("authorization") != f"bearer {self.key}":
                raise OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)
            _, _, _, model, method = request.path.split("/")
            values = json.loads(request.body)
            ids = values.pop("ids", [])
            return _json(self._call(model, method, ids, values))
        except OdooError as error:
            arguments: list[Any] = [error.message]
            arguments += [error.status] if error.name.startswith("werkzeug.") else []
            body = {"name": error.name, "message": error.message, "arguments": arguments}
            return _json(body | {"context": {}, "debug": "Traceback …"}, error.status)

    def _rpc(self, body: Record) -> Reply:
        answer: Record = {"jsonrpc": "2.0", "id": body["id"]}
        params = body["params"]
        try:
            service = getattr(self, f"_{params['service']}")
            result = service(params["method"], params["args"])
            answer |= {} if result is None else {"result": result}
        except OdooError as error:
            data: Record = {
                "name": error.name,
                "message": error.message,
                "arguments": [error.message],
            }
            data |= {"context": {}, "debug": "Traceback …"}
            answer["error"] = {"code": 0, "message": "Odoo Server Error", "data": data}
        return _json(answer)

    def _common(self, method: str, args: list[Any]) -> Any:
        if method == "version":
            serie = f"{self.version}.0"
            info = [self.version, 0, 0, "final", 0, ""]
            told = {"server_version": serie, "server_version_info": info, "server_serie": serie}
            return told | {"protocol_version": 1}
        database, login, secret = args
        self._require_database(database)
        return USER if (login, secret) == (LOGIN, self.key) else False

    def _object(self, method: str, args: list[Any]) -> Any:
        database, user, secret, model, name, positional, values = args
        self._require_database(database)
        if (user, secret) != (USER, self.key):
            raise OdooError("odoo.exceptions.AccessDenied", "Access Denied", 403)
        values = dict(values)
        ids = positional[0] if name in OF_RECORDS else []
        if name == "search_read" and positional:
            values["domain"] = positional[0]
        if name == "create":
            values["vals_list"] = positional[0]
        return self._call(model, name, ids, values)

    def _require_database(self, database: str) -> None:
        if database != DATABASE:
            raise OdooError(
                "psycopg2.OperationalError",
                f'connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
                f'FATAL:  database "{database}" does not exist\n',
            )

    # --------------------------------------------------------------- the methods
    def _call(self, model: str, method: str, ids: list[int], values: Record) -> Any:
        if model not in self.tables.rows:
            raise OdooError(
                "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist", 404
            )
        if method not in SIGNATURES:
            raise OdooError(
                "werkzeug.exceptions.NotFound",
                f"The method '{model}.{method}' does not exist",
                404,
            )
        context = values.pop("context", None) or {}
        for name in set(values) - SIGNATURES[method]:
            raise OdooError(
                "werkzeug.exceptions.UnprocessableEntity",
                f"got an unexpected keyword argument {name!r}",
                422,
            )
        self._require_right(model, values.get("specification", {}))
        if method == "create":
            return created(self, model, values["vals_list"], context)
        if method in ACTS:
            return [ACTS[method](self, model, each) for each in ids][-1]
        return getattr(self, f"_{method}")(model, ids, values)

    def _require_right(self, model: str, specification: Record) -> None:
        if model in self.withheld:
            raise OdooError("odoo.exceptions.AccessError", NO_RIGHT.format(model), 403)
        for name, spec in specification.items():
            other = self.tables.comodel(model, name)
            if other and "fields" in spec:
                self._require_right(other, spec["fields"])

    def _search(self, model: str, values: Record) -> list[Record]:
        found: list[Record] = self.tables.search(
            model,
            values.get("domain") or [],
            values.get("order") or "",
            values.get("offset") or 0,
            values.get("limit"),
        )
        return found

    def _search_read(self, model: str, ids: list[int], values: Record) -> Any:
        names = values.get("fields") or sorted(self.tables.scalars[model])
        return self.tables.read(model, self._search(model, values), names)

    def _read(self, model: str, ids: list[int], values: Record) -> Any:
        rows = self.tables.rows[model]
        return self.tables.read(
            model, [rows[each] for each in ids if each in rows], values["fields"]
        )

    def _search_count(self, model: str, ids: list[int], values: Record) -> Any:
        return len(self._search(model, values))

    def _web_search_read(self, model: str, ids: list[int], values: Record) -> Any:
        found = self._search(model, values)
        self.tables.require_fields(model, values["specification"])
        records = self.tables.web_read(model, found, values["specification"])
        return {"length": len(records), "records": records}

    def _fields_get(self, model: str, ids: list[int], values: Record) -> Any:
        tables = self.tables
        kinds = dict.fromkeys(tables.scalars[model], "char")
        kinds |= dict.fromkeys(tables.many2one[model], "many2one")
        kinds |= dict.fromkeys(tables.to_many[model], "many2many")
        asked = values.get("allfields") or sorted(kinds)
        return {name: {"type": kinds[name]} for name in asked if name in kinds}


def _is_write(request: Request) -> bool:
    if request.path == "/jsonrpc":
        args = json.loads(request.body)["params"]["args"]
        return len(args) > 4 and args[4] in WRITES
    return request.path.rpartition("/")[2] in WRITES


def _json(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), JSON)


def connection(fake: FakeOdoo) -> tuple[dict[str, str], dict[str, str]]:
    """What a person would type to connect the provider to this stand-in."""
    settings = {"url": fake.url, "database": DATABASE}
    if fake.version < 19:
        settings |= {"login": LOGIN, "version": str(fake.version)}
    return settings, {"key": fake.key}
