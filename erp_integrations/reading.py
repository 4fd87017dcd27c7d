"""Reading pages for a run: one ahead of the writing, with signs of life, for a time slice."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from erp_integrations import ingest, runs, sweep
from erp_integrations.models import SyncIssue, SyncRun
from erp_integrations.models.issue import IssueCode
from erp_integrations.models.run import RunPhase
from erp_integrations.providers.contract import Cursor, Page, Provider
from erp_integrations.providers.errors import RecordError, RecordNotFound

#: unusable records that are asked for again in one run
ASK_AGAIN = 200


class TimeSliceOver(Exception):
    """The task has worked long enough; the run goes on in a new one."""


class TimeSlice:
    """How long one task may work on a run."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + settings.SYNC_TIME_SLICE

    def check(self) -> None:
        """Call it where the run could go on later. Raises ``TimeSliceOver``."""
        if time.monotonic() > self._ends:
            raise TimeSliceOver


def read_changes(run: SyncRun, provider: Provider) -> None:
    """What a run of mode *changes* does."""
    read_since(run, provider, run.connection.cursor)
    ask_again(run, provider)


def read_everything(run: SyncRun, provider: Provider) -> None:
    """What a sweep does."""
    read_since(run, provider, None)
    ask_again(run, provider)
    sweep.look_for_vanished(run, provider)


def read_since(run: SyncRun, provider: Provider, cursor: Cursor | None) -> None:
    """Everything after the cursor; after its own checkpoint in a run that is taken up again."""
    resume = run.checkpoint is not None
    runs.beat(run, RunPhase.READING)
    time_slice = TimeSlice()
    pages = provider.pages(run.checkpoint if resume else cursor, resume=resume)
    for page in one_ahead(pages, run):
        # First: once the checkpoint has moved, nobody would tell of them again.
        sweep.take_out(run, page.deleted)
        if page.misses_deletions:
            runs.want_sweep(run)
        ingest.apply_page(run, page)
        time_slice.check()


def one_ahead(pages: Iterator[Page], run: SyncRun) -> Iterator[Page]:
    """The pages, each read while the one before is being written."""
    with ThreadPoolExecutor(1, thread_name_prefix="erp-reader") as reader:
        coming = reader.submit(next, pages, None)
        while (page := _await(coming, run)) is not None:
            coming = reader.submit(next, pages, None)
            yield page


def _await(coming: "Future[Page | None]", run: SyncRun) -> Page | None:
    while True:
        try:
            return coming.result(timeout=settings.SYNC_LEASE_SECONDS / 3)
        except NotYet:
            runs.beat(run)


def ask_again(run: SyncRun, provider: Provider) -> None:
    """Records that could not be used in earlier runs may have been mended since."""
    if run.is_preview:
        return
    earlier = unusable(run).exclude(remote_id="").exclude(run=run).order_by("pk")
    remote_ids = list(earlier.values_list("remote_id", flat=True)[:ASK_AGAIN])
    for remote_id in remote_ids:
        runs.beat(run, RunPhase.RETRYING)
        try:
            sweep.take_in(run, provider.payment(remote_id))
        except RecordNotFound:
            unusable(run).filter(remote_id=remote_id).update(resolved_at=timezone.now())
        except RecordError as error:
            unusable(run).filter(remote_id=remote_id).update(message=str(error)[:1000])


def unusable(run: SyncRun) -> QuerySet[SyncIssue]:
    """Records of the run's connection that could not be used yet."""
    return SyncIssue.objects.open().filter(
        connection=run.connection_id, code=IssueCode.UNUSABLE_RECORD
    )
