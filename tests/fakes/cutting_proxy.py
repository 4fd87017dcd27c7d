"""A proxy between us and an ERP that cuts connections where a test says so."""

import contextlib
import http.client
import threading
from collections import deque
from collections.abc import Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit


class When(Enum):
    #: the ERP never hears of it
    BEFORE = "before"
    #: the ERP has done it and answered, and the answer gets no further
    AFTER = "after"
    #: the answer breaks off in its middle
    AMID = "amid"


class Cut(NamedTuple):
    """``what``: ``POST``, ``DELETE`` or ``GET``, or the button at the end of the path."""

    what: str
    when: When = When.AFTER


class CuttingProxy:
    """Forwards everything; the requests that the next of ``cuts`` speaks of are cut."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.cuts: deque[Cut] = deque()
        self.done: list[Cut] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def cut_of(self, method: str, path: str) -> Cut | None:
        """The cut that is meant for this request, used up."""
        names = {path.rpartition("/")[2]} if path.endswith("/post") else {method}
        if self.cuts and self.cuts[0].what in names:
            self.done.append(self.cuts.popleft())
            return self.done[-1]
        return None

    @contextlib.contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        proxy: CuttingProxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        cut = proxy.cut_of(self.command, self.path)
        self.close_connection = True
        if cut and cut.when is When.BEFORE:
            return
        status, headers, content = self._forwarded(proxy, body)
        if cut and cut.when is When.AFTER:
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)

    do_POST = do_PUT = do_DELETE = do_GET

    def _forwarded(
        self, proxy: CuttingProxy, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        there = http.client.HTTPConnection(proxy.host, proxy.port, timeout=60)
        try:
            there.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = there.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            there.close()

    def log_message(self, format: str, *args: object) -> None:
        pass
