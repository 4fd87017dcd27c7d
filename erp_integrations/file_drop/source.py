"""What the files of a connection say, for its provider to read as pages."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeVar

import msgspec
from django.db import connection as database
from django.db.models import Max, Sum

from erp_integrations.models import DroppedFile, DroppedPayment, ErpAllocation, ErpConnection
from erp_integrations.models.mirror import Outcome, RemoteState
from erp_integrations.providers.contract import RemoteBill, RemotePayment

T = TypeVar("T")
_payment = msgspec.json.Decoder(RemotePayment)


class DroppedStatements:
    """Implements ``providers.contract.Statements`` on the database.

    Pages are read ahead in a thread of their own; such a thread gives its
    database connection back after each question.
    """

    def __init__(self, connection: ErpConnection) -> None:
        self._connection_id = connection.pk
        self._home = threading.get_ident()

    def after(self, row: int, size: int) -> list[tuple[int, RemotePayment]]:
        def ask() -> list[tuple[int, RemotePayment]]:
            mine = DroppedPayment.objects.filter(connection=self._connection_id, pk__gt=row)
            rows = mine.order_by("pk").values_list("pk", "content")[:size]
            return [(pk, _payment.decode(bytes(content))) for pk, content in rows]

        return self._asked(ask)

    def before(self, moment: dt.datetime) -> int:
        def ask() -> int:
            files = DroppedFile.objects.filter(connection=self._connection_id)
            later = DroppedPayment.objects.filter(
                file__in=files.filter(received_at__gte=moment).values("pk")
            )
            first = later.order_by("pk").values_list("pk", flat=True).first()
            last = files.aggregate(last=Max("last_row"))["last"] or 0
            return last if first is None else first - 1

        return self._asked(ask)

    def newest(self, remote_id: str) -> RemotePayment | None:
        def ask() -> RemotePayment | None:
            mine = DroppedPayment.objects.filter(
                connection=self._connection_id, remote_id=remote_id
            )
            content = mine.order_by("-pk").values_list("content", flat=True).first()
            return None if content is None else _payment.decode(bytes(content))

        return self._asked(ask)

    def bills(self, remote_ids: Sequence[str] | None) -> Iterator[RemoteBill]:
        """Those that issued payments pay; no file tells what a bill comes to, so that is paid."""

        def ask() -> list[RemoteBill]:
            rows = ErpAllocation.objects.filter(
                erp_payment__connection=self._connection_id,
                erp_payment__status=RemoteState.ISSUED,
            ).exclude(outcome=Outcome.REMOVED)
            if remote_ids is not None:
                rows = rows.filter(bill_id__in=remote_ids)
            names = ("bill_id", "bill_number", "erp_payment__currency")
            first = {"vendor": Max("erp_payment__vendor_name")}
            found = rows.order_by("bill_id").values_list(*names)
            sums = found.annotate(paid=Sum("amount"), **first)
            return [_bill(*row) for row in sums]

        yield from self._asked(ask)

    def _asked(self, ask: Callable[[], T]) -> T:
        with _given_back(threading.get_ident() != self._home):
            return ask()


@contextmanager
def _given_back(is_elsewhere: bool) -> Iterator[None]:
    try:
        yield
    finally:
        if is_elsewhere:
            database.close()


def _bill(bill_id: str, number: str, currency: str, paid: Decimal, vendor: str) -> RemoteBill:
    return RemoteBill(
        remote_id=bill_id,
        number=number,
        vendor_ref=bill_id.partition("|")[0],
        vendor_name=vendor,
        currency=currency,
        total=paid,
        paid=paid,
        is_posted=True,
    )
