"""Connections that know where they may go and when they must end.

Two things that a plain HTTP connection cannot promise: that it never talks to
an address inside our own network because some name points there, and that a
server which sends one byte at a time does not hold a worker for hours.
"""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv4 inside IPv6, as translated by networks that only speak the latter
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PrivateAddressError(Exception):
    """The host's address is inside a private network and that is not allowed."""


class UnknownHostError(Exception):
    """There is no host of that name."""


def is_public(text: str) -> bool:
    """Whether an address literal belongs to the internet at large."""
    address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
    return address.is_global and not address.is_multicast


def _embedded(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


class _Guarded(HTTPConnection):
    """Connects to a vetted address only, and can be cut off from another thread."""

    def __init__(self, *args: Any, allow_private: bool, watch: "Watch", **options: Any) -> None:
        super().__init__(*args, **options)
        self._allow_private = allow_private
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        """One resolution, its addresses vetted, and no second look-up that could differ."""
        problem: Exception | None = None
        for family, kind, protocol, _, address in self._addresses():
            try:
                connected = self._connected(family, kind, protocol, address)
            except OSError as error:
                problem = error
            else:
                self._watch.follow(connected)
                return connected
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from problem
        raise NewConnectionError(self, str(problem)) from problem

    def _addresses(self) -> list[tuple[Any, ...]]:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno == socket.EAI_NONAME:
                raise UnknownHostError(self.host) from error
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError as error:
            raise UnknownHostError(self.host) from error
        if not self._allow_private and not all(is_public(str(entry[4][0])) for entry in found):
            raise PrivateAddressError(self.host)
        return list(found)

    def _connected(self, family: int, kind: int, protocol: int, address: Any) -> socket.socket:
        connecting = socket.socket(family, kind, protocol)
        try:
            for option in self.socket_options or ():
                connecting.setsockopt(*option)
            connecting.settimeout(self.timeout if isinstance(self.timeout, float) else None)
            connecting.connect(address)
        except BaseException:
            connecting.close()
            raise
        return connecting

    def close(self) -> None:
        super().close()
        self._watch.let_go()


class GuardedHTTPConnection(_Guarded):
    pass


class GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    pass


class Watch:
    """Cuts the connection when one exchange takes longer than it may.

    Read time-outs count from the last byte, so they do not end a drip; this
    does. It holds a second handle on the connection: the first one vanishes
    inside TLS while hands are shaken, and inside the answer when the server
    means to close after it.
    """

    def __init__(self) -> None:
        self.expired = False
        self._twin: socket.socket | None = None
        self._is_busy = False
        self._is_closed = False

    def follow(self, connected: socket.socket) -> None:
        self._drop()
        self._is_closed = False
        self._twin = connected.dup()

    def let_go(self) -> None:
        """The connection was closed, but what it brought may still be read."""
        self._is_closed = True
        if not self._is_busy:
            self._drop()

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cut whatever is followed inside the block, once it took that long."""
        self.expired, self._is_busy = False, True
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._is_busy = False
            if self._is_closed:
                self._drop()

    def _expire(self) -> None:
        self.expired = True
        if self._twin is not None:
            with contextlib.suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._twin is not None:
            self._twin.close()
            self._twin = None


def make_pool(server: tuple[str, str, int | None], **options: Any) -> urllib3.HTTPConnectionPool:
    """One guarded connection to (scheme, host, port); ``options`` as its class takes them."""
    scheme, host, port = server
    options = {"maxsize": 1, "block": True, **options}
    if scheme == "http":
        pool = urllib3.HTTPConnectionPool(host, port, **options)
        pool.ConnectionCls = GuardedHTTPConnection
        return pool
    context = ssl.create_default_context()
    secure = urllib3.HTTPSConnectionPool(host, port, ssl_context=context, **options)
    secure.ConnectionCls = GuardedHTTPSConnection
    return secure
