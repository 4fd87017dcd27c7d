"""How long an exchange with an ERP may take, how often it is tried, and what came back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

#: how much of an unexpected answer is worth keeping for the log
DETAIL = 500


class Limits(msgspec.Struct, frozen=True):
    """How long and how much one exchange may take."""

    connect_seconds: float = 5.0
    #: without a single byte
    read_seconds: float = 30.0
    #: from the request to the last byte of the answer
    total_seconds: float = 60.0
    max_bytes: int = 20_000_000


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often a transient failure is tried again before it is given up."""

    attempts: int = 4
    wait_initial: float = 0.5
    wait_max: float = 20.0
    wait_jitter: float = 1.0
    #: an ERP that asks for a longer pause is left alone until the next run
    longest_retry_after: float = 60.0
    budget_seconds: float = 120.0


#: for somebody who waits in front of a page
HURRIED = Limits(connect_seconds=3.0, read_seconds=6.0, total_seconds=8.0)


class Answer(msgspec.Struct, frozen=True):
    """What came back, whatever its status; ``server_time`` is the ERP's own clock."""

    status: int
    content_type: str
    body: bytes
    server_time: datetime
    retry_after: float | None = None
    #: names in lower case
    headers: Mapping[str, str] = {}

    @property
    def is_json(self) -> bool:
        return "json" in self.content_type

    def json(self) -> Any:
        """The decoded body. Raises ``ValueError`` when it is not JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body[:DETAIL].decode(errors="replace")
