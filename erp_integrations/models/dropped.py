"""Files with payments: how their columns are read, what they hold, and what is wrong with them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp_integrations.models.connection import ErpConnection
from erp_integrations.models.run import SyncRun
from payments.models import PaymentMethod
from projects.access import Level, Person, Tool
from projects.models import Company


class FileSource(models.TextChoices):
    UPLOAD = "upload", "Uploaded"
    FOLDER = "folder", "Watched folder"
    SFTP = "sftp", "SFTP"


class FileState(models.TextChoices):
    """*Read* is not yet synced: the sync takes what was read (``DroppedFile.is_synced``)."""

    ASKING = "asking", "Asks for its columns"
    READY = "ready", "Waiting to be read"
    READ = "read", "Read"
    REPEATED = "repeated", "Dropped before"
    REFUSED = "refused", "Cannot be read"


class DroppedFileQuerySet(models.QuerySet["DroppedFile"]):
    """Files hold payments of all projects: they are for people of the whole company."""

    def for_user(self, user: Person) -> Self:
        """Admin on the company's ERP Integrations tool, or accounting approver."""
        return self.filter(
            Q(company__in=Company.objects.with_level(user, Tool.ERP_INTEGRATIONS, Level.ADMIN))
            | Q(company__in=Company.objects.with_approver(user))
        )


class FileMapping(models.Model):
    """What the columns of files with these headings mean; chosen once, by a person.

    ``columns`` is ``{name of the column's meaning: heading}``. ``signature`` is
    a digest of the headings: by it the mapping of the next file is found.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="file_mappings"
    )
    signature = models.CharField(max_length=32)
    columns = models.JSONField()
    date_order = models.CharField(max_length=3)
    decimal_mark = models.CharField(max_length=1)
    #: for files without a column that says how was paid
    method = models.CharField(
        max_length=20, choices=PaymentMethod.choices, default=PaymentMethod.CHECK
    )
    #: of files that do not show it themselves
    encoding = models.CharField(max_length=20)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "signature"], name="one_mapping_per_heading"
            )
        ]

    def __str__(self) -> str:
        return ", ".join(self.columns.values())


class DroppedFile(models.Model):
    """One file. ``encoding`` … ``header_line`` say how its table is found in it.

    ``lines`` counts rows below the heading, ``payments`` what they make,
    ``problems`` rows that could not be used, ``remarks`` rows that only repeat.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.PROTECT, related_name="dropped_files"
    )
    #: empty for one that was not kept
    file = models.FileField(upload_to="dropped/", max_length=200, blank=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=10, choices=FileSource.choices)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    received_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=FileState.choices)
    #: why it cannot be read, or what it repeats
    message = models.CharField(max_length=500, blank=True)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    sheet = models.CharField(max_length=100, blank=True)
    header_line = models.PositiveIntegerField(default=1)
    mapping = models.ForeignKey(
        FileMapping, on_delete=models.SET_NULL, null=True, blank=True, related_name="files"
    )
    lines = models.PositiveIntegerField(default=0)
    payments = models.PositiveIntegerField(default=0)
    problems = models.PositiveIntegerField(default=0)
    remarks = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    #: the last of its ``DroppedPayment``; what the sync's cursor has to reach
    last_row = models.BigIntegerField(default=0)
    #: the sync that was asked for when it was read
    run = models.ForeignKey(
        SyncRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = models.Manager.from_queryset(DroppedFileQuerySet)()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "sha256"],
                condition=~Q(state="repeated"),
                name="a_file_is_done_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FileState.values), name="file_state_is_one_we_have"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["asking", "ready"]) | ~Q(file=""),
                name="file_to_be_read_is_there",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(mapping__isnull=False),
                name="ready_file_has_its_columns",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "-id"], name="dropped_file_by_connection"),
            models.Index(
                fields=["connection", "id"], condition=Q(state="ready"), name="dropped_file_ready"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProblemKind(models.TextChoices):
    BAD = "bad", "Not used"
    REMARK = "remark", "Remark"


class DroppedProblem(models.Model):
    """A row of a file that was not used, with its cells, so that it can be mended."""

    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    file = models.ForeignKey(
        DroppedFile, on_delete=models.CASCADE, related_name="problem_rows", db_index=False
    )
    kind = models.CharField(max_length=6, choices=ProblemKind.choices)
    #: where the row begins in the file, as an editor or Excel numbers it
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=1000)
    cells = models.JSONField()

    class Meta:
        ordering = ["line", "pk"]
        indexes = [models.Index(fields=["file", "kind", "line", "id"], name="problem_by_line")]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


class DroppedPayment(models.Model):
    """A payment as one file states it: what the sync reads, in the order of their ids.

    The newest one of a ``remote_id`` is what the books say of it. ``content``
    is a ``RemotePayment`` as JSON.
    """

    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    connection = models.ForeignKey(ErpConnection, on_delete=models.CASCADE, db_index=False)
    file = models.ForeignKey(DroppedFile, on_delete=models.CASCADE, db_index=False)
    remote_id = models.CharField(max_length=200)
    content = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["connection", "id"], name="dropped_payment_in_order"),
            models.Index(fields=["connection", "remote_id", "-id"], name="dropped_payment_newest"),
        ]

    def __str__(self) -> str:
        return self.remote_id


class WatchedPlace(models.Model):
    """A folder or an SFTP server that is looked at, and what came of the last look."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        ErpConnection, on_delete=models.CASCADE, related_name="watched_places"
    )
    source = models.CharField(max_length=10, choices=FileSource.choices)
    looked_at = models.DateTimeField()
    #: why the last look failed; empty when it did not
    trouble = models.CharField(max_length=500, blank=True)
    #: digest of the settings and credentials that were refused; with the same ones nobody knocks
    refused_with = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "source"], name="one_watched_place_per_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} of {self.connection_id}"


class FileSighting(models.Model):
    """A file that was seen in a watched place: fetched once it stays as it is."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    place = models.ForeignKey(WatchedPlace, on_delete=models.CASCADE, related_name="sightings")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    #: seconds, as the place tells them
    modified = models.BigIntegerField()
    #: since when it has this size and time
    seen_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)
    is_taken = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "name"], name="one_sighting_per_name")
        ]

    def __str__(self) -> str:
        return self.name
