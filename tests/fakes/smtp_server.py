"""A mail server in a thread, which can also refuse people or hang up."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage


class SmtpServer:
    """Keeps what it was given; ``refusals`` maps an address to the code it is answered."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusals: dict[str, int] = {}
        #: answered to the next greeting instead of a welcome
        self.greeting = 220
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.owner = self

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @contextlib.contextmanager
    def running(self) -> Iterator["SmtpServer"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    owner: SmtpServer


class _Session(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321."""

    server: _Server

    def handle(self) -> None:
        owner = self.server.owner
        self._answer(owner.greeting, "mail.example.com")
        if owner.greeting != 220:
            return
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "QUIT":
                self._answer(221, "bye")
                return
            self._obey(verb.upper(), rest)

    def _obey(self, verb: str, rest: str) -> None:
        if verb == "RCPT":
            address = rest.partition("<")[2].partition(">")[0]
            code = self.server.owner.refusals.get(address, 250)
            if code == 250:
                self.server.owner.recipients.append(address)
            self._answer(code, "so it is")
        elif verb == "DATA":
            self._answer(354, "go on")
            self._take_in()
            self._answer(250, "kept")
        else:
            self._answer(250, "fine")

    def _take_in(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.owner.received.append(message)

    def _answer(self, code: int, words: str) -> None:
        self.wfile.write(f"{code} {words}\r\n".encode())
