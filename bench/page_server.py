"""Serves made-up payments in pages, from a process of its own.

``/pages/<variant>/<number>``: variant 0 is the books as they are, variant 1 the
same with every hundredth payment's amounts changed by a cent.
"""

import datetime as dt
import random
import socket
import sys
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from erp_integrations.providers.contract import (
    RemoteAllocation,
    RemoteMethod,
    RemotePayment,
    RemoteStatus,
)

PAGE = 500
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def make_payment(number: int, bills: int, variant: int) -> RemotePayment:
    """Payment ``number`` over one to three of ``bills`` bills; the same every time."""
    chance = random.Random(number)
    extra = Decimal("0.01") if variant and number % 100 == 0 else Decimal(0)
    allocations = tuple(
        RemoteAllocation(
            str(bill), f"BILL-{bill}", Decimal(chance.randint(100, 99999)) / 100 + extra
        )
        for bill in chance.sample(range(1, bills + 1), chance.choice((1, 2, 3)))
    )
    return RemotePayment(
        remote_id=f"payment-{number}",
        number=f"PAY-{number}",
        status=RemoteStatus.ISSUED,
        method=RemoteMethod.CHECK,
        date=dt.date(2026, 1, 1) + dt.timedelta(days=number % 300),
        currency="USD",
        total=sum((each.amount for each in allocations), Decimal(0)),
        modified_at=START + dt.timedelta(seconds=number),
        allocations=allocations,
        check_number=f"CHK-{number // 2}",
        vendor_ref="V-1",
        vendor_name="Acme Concrete LLC",
    )


def make_pages(size: int, variant: int) -> list[bytes]:
    rows = [make_payment(number, size, variant) for number in range(1, size + 1)]
    return [msgspec.json.encode(rows[at : at + PAGE]) for at in range(0, size, PAGE)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: list[list[bytes]]

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        variant, number = map(int, self.path.split("/")[-2:])
        pages = self.pages[variant]
        body = pages[number] if number < len(pages) else b"[]"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Handler.pages = [make_pages(int(sys.argv[1]), variant) for variant in (0, 1)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
