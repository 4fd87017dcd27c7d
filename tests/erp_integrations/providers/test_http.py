"""The HTTP client of all providers: where it goes, how long it waits, what it says."""

import datetime as dt
import email.utils
import gzip
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from erp_integrations.providers.connections import is_public
from erp_integrations.providers.errors import (
    ConfigurationError,
    ErpError,
    ProtocolError,
    RateLimited,
    TransientError,
)
from erp_integrations.providers.http import HttpClient, Limits, RetryPolicy
from tests.fakes.http_server import HttpServer, Reply

LIMITS = Limits(connect_seconds=5, read_seconds=10, total_seconds=20, max_bytes=100_000)
#: only where the server is slow on purpose: any machine stands still for a moment
IMPATIENT = Limits(connect_seconds=5, read_seconds=0.3, total_seconds=0.6, max_bytes=100_000)
QUICK = RetryPolicy(attempts=3, wait_initial=0, wait_max=0, wait_jitter=0)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    made = HttpServer()
    with made.running():
        yield made


def client(server: HttpServer, **options: Any) -> HttpClient:
    defaults: dict[str, Any] = {"allow_private": True, "limits": LIMITS, "retries": QUICK}
    options = defaults | options
    return HttpClient(options.pop("url", server.url), erp="Tryton", **options)


# ---------------------------------------------------------------- where it goes
@pytest.mark.parametrize(
    "url",
    [
        "erp.example.com",
        "ftp://erp.example.com",
        "file:///etc/passwd",
        "http://",
        "https://user:secret@erp.example.com",
        "https://erp.example.com/?a=b",
        "https://erp.example.com:port",
    ],
)
def test_it_takes_only_addresses_of_a_web_server(server: HttpServer, url: str) -> None:
    with pytest.raises(ConfigurationError, match="address of Tryton"):
        client(server, url=url)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_it_knows_addresses_inside_private_networks(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
def test_it_knows_public_addresses(address: str) -> None:
    assert is_public(address)


def test_it_does_not_connect_inside_a_private_network(server: HttpServer) -> None:
    with pytest.raises(ConfigurationError, match="private network"):
        client(server, allow_private=False).get("/")
    assert server.connections == 0


def test_a_name_that_changes_its_address_does_not_help(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is looked up first, private the second time: it is looked up once."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    asked: list[Any] = []
    real = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **options: Any) -> Any:
        return real(next(answers), *args, **options)

    def connect(self: socket.socket, address: Any) -> None:
        asked.append(address[0])
        raise ConnectionRefusedError("not today")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", connect)
    once = RetryPolicy(attempts=1)
    with pytest.raises(TransientError):
        client(server, url="http://erp.example", allow_private=False, retries=once).get("/")
    assert asked == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("1.1.1.1", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    with pytest.raises(ConfigurationError, match="private network"):
        client(server, url="http://erp.example", allow_private=False).get("/")


def test_an_unknown_host_is_a_setting_to_mend(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(ConfigurationError, match="no host of that name"):
        client(server, url="http://erp.example").get("/")


def test_it_does_not_follow_a_redirect(server: HttpServer) -> None:
    server.faults.append(Reply(302, b"", headers={"Location": "http://169.254.169.254/"}))
    with pytest.raises(ConfigurationError, match="moved to another address"):
        client(server).get("/")
    assert len(server.requests) == 1


def test_a_certificate_nobody_vouches_for_is_not_accepted(server: HttpServer) -> None:
    with pytest.raises(ConfigurationError, match="does not speak https"):
        client(server, url=server.url.replace("http:", "https:")).get("/")


# ------------------------------------------------------------ how long, how much
@pytest.mark.parametrize(
    "reply",
    [
        Reply(silence=30),
        Reply(body=b" " * 1000, drip=0.05),
        Reply(body=b" " * 1000, drip=0.05, headers={"Content-Encoding": "gzip"}),
    ],
)
def test_it_gives_up_a_slow_server(server: HttpServer, reply: Reply) -> None:
    server.faults.append(reply)
    started = time.monotonic()
    with pytest.raises(TransientError, match="seconds. It will be tried again by itself"):
        client(server, retries=RetryPolicy(attempts=1), limits=IMPATIENT).get("/")
    assert time.monotonic() - started < 15  # and not the 30 or 50 seconds of the server


def test_a_dripping_answer_without_a_length_is_not_taken_for_a_whole_one(
    server: HttpServer,
) -> None:
    server.faults.append(
        Reply(body=b" " * 1000, drip=0.05, headers={"Content-Length": "", "Connection": "close"})
    )
    with pytest.raises(TransientError):
        client(server, retries=RetryPolicy(attempts=1), limits=IMPATIENT).get("/")


def test_it_stops_reading_what_is_too_much(server: HttpServer) -> None:
    bomb = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    for reply in (
        Reply(body=b" " * 200_000),
        Reply(body=bomb, headers={"Content-Encoding": "gzip"}),
    ):
        server.faults.append(reply)
        with pytest.raises(ProtocolError, match="more than"):
            client(server).get("/")


def test_it_keeps_one_connection(server: HttpServer) -> None:
    http = client(server)
    for _ in range(3):
        http.get("/")
    assert server.connections == 1
    http.close()


def test_it_works_again_after_a_cut(server: HttpServer) -> None:
    http = client(server, retries=RetryPolicy(attempts=1))
    server.faults.append(Reply(200, b"[]", promise=500))
    with pytest.raises(TransientError):
        http.get("/")
    assert http.get("/").status == 200


# ------------------------------------------------------------------- trying again
def test_it_tries_again_after_a_passing_trouble(server: HttpServer) -> None:
    server.faults.extend([Reply(503), Reply(200, b"[", promise=9), Reply(body=b"[1]")])
    assert client(server).get_json("/").body == b"[1]"
    assert len(server.requests) == 3


def test_it_counts_what_it_sent_repeats_included(server: HttpServer) -> None:
    server.faults.append(Reply(503))
    asked = client(server)
    asked.get_json("/")
    asked.get_json("/")
    assert asked.calls == 3


def test_for_somebody_who_waits_it_tries_once(server: HttpServer) -> None:
    server.faults.extend([Reply(503), Reply(503)])
    asked = client(server)
    asked.hurry()
    with pytest.raises(TransientError):
        asked.get_json("/")
    assert len(server.requests) == 1


def test_it_gives_up_after_its_attempts(server: HttpServer) -> None:
    server.faults.extend([Reply(503)] * 9)
    with pytest.raises(TransientError, match="problem of its own"):
        client(server).get("/")
    assert len(server.requests) == QUICK.attempts


@pytest.mark.parametrize("status", [302, 401, 403])
def test_it_does_not_repeat_what_cannot_help(server: HttpServer, status: int) -> None:
    server.faults.extend([Reply(status)] * 3)
    with pytest.raises(ErpError):
        client(server).get("/")
    assert len(server.requests) == 1


def test_it_waits_as_long_as_the_erp_asks(server: HttpServer) -> None:
    server.faults.append(Reply(429, headers={"Retry-After": "1"}))
    started = time.monotonic()
    assert client(server).get("/").status == 200
    assert time.monotonic() - started >= 1


def test_it_leaves_a_long_pause_to_the_next_run(server: HttpServer) -> None:
    server.faults.append(Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as raised:
        client(server).get("/")
    assert raised.value.retry_after == 3600
    assert len(server.requests) == 1


def test_it_reads_a_pause_that_is_a_date(server: HttpServer) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=600)
    text = email.utils.format_datetime(until, usegmt=True)
    server.faults.append(Reply(429, headers={"Retry-After": text}))
    with pytest.raises(RateLimited) as raised:
        client(server).get("/")
    assert raised.value.retry_after == pytest.approx(600, abs=3)


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", ""])
def test_a_pause_that_is_nonsense_is_not_obeyed(server: HttpServer, nonsense: str) -> None:
    server.faults.append(Reply(429, headers={"Retry-After": nonsense}))
    assert client(server).get("/").status == 200


# -------------------------------------------------------------------- what it says
def test_it_knows_the_clock_of_the_server(server: HttpServer) -> None:
    server.faults.append(Reply(headers={"Date": "Sun, 22 Nov 2026 11:05:02 GMT"}))
    server_time = client(server).get("/").server_time
    assert server_time.tzinfo is not None
    assert abs(server_time - dt.datetime.now(dt.UTC)) < dt.timedelta(days=3650)


def test_it_leaves_not_found_to_the_provider(server: HttpServer) -> None:
    server.faults.extend([Reply(404), Reply(404)])
    assert client(server).get("/").status == 404
    with pytest.raises(ProtocolError, match="status 404"):
        client(server).get_json("/")


def test_a_page_for_people_is_not_data(server: HttpServer) -> None:
    server.faults.append(Reply(content_type="text/html"))
    with pytest.raises(ProtocolError, match="page for people"):
        client(server).get_json("/")


def test_it_never_writes_its_key_anywhere(
    server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.extend([Reply(500)] * 3)
    with pytest.raises(TransientError) as raised:
        client(server, headers={"Authorization": "Bearer s3cret"}).get("/")
    assert server.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in caplog.text + str(raised.value) + raised.value.detail
