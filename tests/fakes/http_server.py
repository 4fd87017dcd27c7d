"""A small HTTP server in a thread, which can also misbehave on the level of bytes."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What is sent. ``promise`` is a Content-Length that may differ from the truth."""

    status: int = 200
    body: bytes = b"[]"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    promise: int | None = None
    #: seconds before anything is sent, and between single bytes of the body
    silence: float = 0
    drip: float = 0


class HttpServer:
    """Answers with ``answer(request)``, or with the next of ``faults`` while there are any."""

    #: 0: any that is free
    port: ClassVar[int] = 0

    def __init__(self, answer: Callable[[Request], Reply] = lambda request: Reply()) -> None:
        self.answer = answer
        self.faults: deque[Reply] = deque()
        self.requests: list[Request] = []
        self.connections = 0
        #: set at the end, so that no reply keeps its thread longer than its test
        self.is_over = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.faults.popleft() if self.faults else self.answer(request)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: HttpServer

    def get_request(self) -> Any:
        accepted = super().get_request()
        self.owner.connections += 1
        return accepted

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what several tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: else each answer waits 40 ms for the client's word that its headers have come
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = dict(self.headers.items())
        body = self.rfile.read(int(headers.get("Content-Length", "0")))
        request = Request(parts.path, parse_qs(parts.query), headers, self.command, body)
        reply = self.server.owner.reply(request)
        self.server.owner.is_over.wait(reply.silence) if reply.silence else None
        self.send_response(reply.status)
        length = len(reply.body) if reply.promise is None else reply.promise
        for name, value in {
            "Content-Type": reply.content_type,
            "Content-Length": str(length),
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(reply)
        self.close_connection = length != len(reply.body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _send(self, reply: Reply) -> None:
        if not reply.drip:
            self.wfile.write(reply.body)
            return
        for byte in reply.body:
            self.wfile.write(bytes([byte]))
            if self.server.owner.is_over.wait(reply.drip):
                return

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The server's clock, as a test wants it."""
        clock = getattr(self.server.owner, "clock", time.time)
        return super().date_time_string(clock() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        pass
