"""Acumatica's contract-based REST API, over books that change.

Records come by key: by the code of their type, then by number. There is no
``$orderby``; details are in a list only where the build can make such a list.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from erp_integrations.providers.acumatica.client import ENDPOINT, VERSION
from tests.fakes import acumatica_documents as documents
from tests.fakes.acumatica_writes import BASE, OPERATIONS, Writes, refused, sent
from tests.fakes.authorization import CLIENT, SECRET, AuthorizationServer
from tests.fakes.http_server import HttpServer, Reply, Request
from tests.fakes.ledger import Application, Bill, Ledger, Vendor
from tests.fakes.odata import BadFilter, predicate

TENANT = "Northstar"
CLIENT_ID = f"{CLIENT}@{TENANT}"
PARAMETERS = {"$filter", "$expand", "$select", "$top", "$skip", "$custom"}


class TenantAuthorization(AuthorizationServer):
    """Knows apps of one tenant only: the tenant is a part of their client ID."""

    def authorize(self, request: Request) -> Reply:
        query = {**request.query, "client_id": [_app(request.query.get("client_id", [""])[0])]}
        if request.query.get("scope") != ["api offline_access"]:
            return Reply(400, b'{"error": "invalid_scope"}')
        return super().authorize(Request(request.path, query, request.headers))

    def token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        form["client_id"] = _app(form.get("client_id", ""))
        body = urlencode(form).encode()
        return super().token(Request(request.path, {}, request.headers, request.method, body))


def _app(client_id: str) -> str:
    return client_id.removesuffix(f"@{TENANT}") if client_id.endswith(f"@{TENANT}") else ""


class FakeAcumatica(HttpServer):
    """``ledger`` is what accountants act on; the rest is how this build behaves."""

    def __init__(self, *, ticks: bool = False) -> None:
        super().__init__(self.route)
        self.ledger = Ledger(ticks=ticks)
        self.authorization = TenantAuthorization()
        self.endpoints = [("Default", "22.200.001"), (ENDPOINT, VERSION), ("eCommerce", "24.200")]
        #: documents that are no payments of bills: (type, number, fields)
        self.others: list[documents.Other] = []
        self.writes = Writes(self)
        #: applications that somebody took back, by the number of their payment
        self.reversed: dict[int, list[Application]] = {}
        #: sessions that the licence allows, and those that are open (a grant has one)
        self.allowed_sessions = 2
        self.sessions: set[str] = set()
        self.logouts = 0
        #: entities that the user has no right to
        self.withheld: set[str] = set()
        #: a user of another branch: no documents at all, without a word
        self.is_blind = False
        #: whether lists can have details (see ``NotInAList``)
        self.lists_details = True
        #: what this build calls a check
        self.check_type = "Payment"

    def clock(self) -> float:
        return self.ledger.now.timestamp()

    # ------------------------------------------------------------------ routing
    def route(self, request: Request) -> Reply:
        match request.path:
            case "/identity/connect/authorize":
                return self.authorization.authorize(request)
            case "/identity/connect/token":
                return self.authorization.token(request)
            case "/entity":
                return sent(self._list_of_endpoints())
        if not self.authorization.is_good(request):
            return sent({"message": "Authorization has been denied for this request."}, 401)
        if request.path.startswith(OPERATIONS):
            return self.writes.operation(request)
        if request.path == "/entity/auth/logout":
            return self._logout()
        if not request.path.startswith(BASE):
            return Reply(404, b"<h1>404 - Not Found</h1>", "text/html")
        if refused := self._session():
            return refused
        if request.method != "GET":
            return self.writes.write(request)
        return self._entity(request)

    def _list_of_endpoints(self) -> dict[str, Any]:
        listed = [
            {"name": name, "version": version, "href": f"/entity/{name}/{version}/"}
            for name, version in self.endpoints
        ]
        version = {"acumaticaBuildVersion": "24.215.0011", "databaseVersion": "24.215.0011"}
        return {"version": version, "endpoints": listed}

    def _session(self) -> Reply | None:
        """All access tokens of one grant share a session."""
        if "ours" in self.sessions:
            return None
        if len(self.sessions) >= self.allowed_sessions:
            return refused("API Login Limit", "PX.Data.PXException")
        self.sessions.add("ours")
        return None

    def _logout(self) -> Reply:
        self.logouts += 1
        self.sessions.discard("ours")
        return Reply(204, b"")

    # ----------------------------------------------------------------- entities
    def _entity(self, request: Request) -> Reply:
        entity, *key = [unquote(part) for part in request.path.removeprefix(BASE).split("/")]
        if entity not in documents.FIELDS:
            return refused(f"Entity {entity} is not found", "System.Exception", 404)
        if entity in self.withheld:
            return refused(f"You have insufficient rights to access the object ({entity}).")
        if unknown := set(request.query) - PARAMETERS:
            return refused(f"Unknown parameters: {sorted(unknown)}", status=400)
        asked = {name: values[0] for name, values in request.query.items()}
        expand = {each for each in asked.get("$expand", "").split(",") if each}
        if key:
            return self._one(entity, key, expand)
        if expand and not self.lists_details:
            return refused(
                "Optimization cannot be performed.The following fields cause the error:\r\n"
                f"{sorted(expand)[0]}.AmountPaid: View Adjustments_History has BQL delegate",
            )
        return self._many(entity, asked, expand)

    def _one(self, entity: str, key: list[str], expand: set[str]) -> Reply:
        for record in self.records(entity):
            if [record.get(name) for name in documents.KEYS[entity]] == key:
                return sent(documents.wire(record, expand))
        kind = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
        return refused("No entity satisfies the condition.", kind)

    def _many(self, entity: str, asked: Mapping[str, str], expand: set[str]) -> Reply:
        try:
            fits = predicate(asked.get("$filter", ""), documents.FIELDS[entity], version=3)
            found = [record for record in self.records(entity) if fits(record)]
        except BadFilter as error:
            return refused(str(error), "Microsoft.OData.Core.ODataException")
        skip = int(asked.get("$skip", 0))
        found = found[skip : skip + int(asked["$top"])] if "$top" in asked else found[skip:]
        select = {each for each in asked.get("$select", "").split(",") if each}
        if unknown := select - documents.FIELDS[entity]:
            return refused(f"Unknown fields: {sorted(unknown)}")
        return sent([documents.wire(each, expand, select) for each in found])

    def records(self, entity: str) -> list[documents.Record]:
        """All of one kind, in the order of their keys."""
        if self.is_blind and entity in {"Check", "Bill"}:
            return []
        match entity:
            case "Check":
                found = documents.checks(self.ledger, self.check_type, self.reversed) + [
                    documents.other(each) for each in self.others
                ]
            case "Bill":
                found = documents.bills(self.ledger, self.check_type)
            case "PurchaseOrder":
                found = self.writes.orders
            case "Project":
                found = self.writes.projects
            case _:
                found = documents.vendors(self.ledger)
        return sorted(found, key=documents.order)

    # ------------------------------------------------- what the demo asks of it
    def remote_id_of(self, bill: Bill) -> str:
        return f"bill-{documents.number(bill.number)}"

    def vendor_ref_of(self, vendor: Vendor) -> str:
        return vendor.code


def connection(fake: FakeAcumatica) -> tuple[dict[str, str], dict[str, str]]:
    """What a person types to connect it."""
    return {"url": fake.url, "client_id": CLIENT_ID}, {"client_secret": SECRET}
