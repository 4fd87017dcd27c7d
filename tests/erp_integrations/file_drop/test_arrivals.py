"""Files that nobody uploads: a watched folder, and an SFTP server in this process."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
import time_machine
from django.core.exceptions import ValidationError

from erp_integrations import connections
from erp_integrations.credentials import EncryptedCredentials
from erp_integrations.file_drop import arrivals
from erp_integrations.models import DroppedFile, ErpConnection, FileState, WatchedPlace
from erp_integrations.providers.errors import AuthenticationError, ConfigurationError
from erp_integrations.providers.file_drop.provider import FileDropProvider
from projects.models import User
from tests.erp_integrations.file_drop.conftest import Drop, content_of
from tests.fakes.sftp_server import FakeSftp, sftp_server

pytestmark = pytest.mark.django_db

ROW = "5001,07/16/2026,V-ACME,Acme,INV-1,1250.00"
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def folder(connection: ErpConnection, settings: Any, tmp_path: Path) -> Path:
    """The company's own folder, with one inside it that is watched."""
    settings.FILE_DROP_FOLDER = str(tmp_path)
    made = tmp_path / str(connection.company_id) / "checks"
    made.mkdir(parents=True)
    connection.settings = {"folder": "checks"}
    connection.save()
    return made


@pytest.fixture
def server(tmp_path: Path, connection: ErpConnection, settings: Any) -> Iterator[FakeSftp]:
    settings.ERP_PRIVATE_ADDRESSES = True
    shown = tmp_path / "there"
    shown.mkdir()
    with sftp_server(shown) as fake:
        connection.settings = fake.settings
        connection.credentials = {"sftp_password": fake.password}
        connection.save()
        yield fake


def look(connection: ErpConnection, clock: Any, times: int = 2, *, again: bool = False) -> None:
    """As the scheduler does, a minute apart."""
    for _ in range(times):
        arrivals.look(connection.pk, again=again)
        clock.shift(60)


def names() -> list[str]:
    return list(DroppedFile.objects.order_by("pk").values_list("name", flat=True))


def trouble() -> str:
    return WatchedPlace.objects.get().trouble


def test_a_file_is_taken_once_it_stays_as_it_is(
    folder: Path, connection: ErpConnection, clock: Any
) -> None:
    (folder / "july.csv").write_bytes(content_of(ROW)[:50])
    look(connection, clock, 1)
    (folder / "july.csv").write_bytes(content_of(ROW))  # somebody was still writing
    look(connection, clock, 1)
    assert names() == []
    look(connection, clock, 3)
    assert names() == ["july.csv"]
    assert (folder / "july.csv").exists()


@pytest.mark.parametrize("name", ["july.csv.part", "july.tmp", ".july.csv", "~$july.xlsx"])
def test_a_name_of_a_file_that_is_written_waits(
    folder: Path, connection: ErpConnection, clock: Any, name: str
) -> None:
    (folder / name).write_bytes(content_of(ROW))
    look(connection, clock, 3)
    assert names() == []
    (folder / name).rename(folder / "july.csv")
    look(connection, clock)
    assert names() == ["july.csv"]


def test_a_copy_under_another_name_is_said_and_not_done_twice(
    folder: Path, connection: ErpConnection, clock: Any
) -> None:
    for name in ("july.csv", "july (2).csv"):
        (folder / name).write_bytes(content_of(ROW))
    look(connection, clock, 4)
    states = DroppedFile.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [FileState.ASKING, FileState.REPEATED]
    assert "the same file as" in DroppedFile.objects.latest("pk").message


def test_what_is_no_table_is_listed_with_why(
    folder: Path, connection: ErpConnection, clock: Any
) -> None:
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7 ...")
    look(connection, clock, 3)
    file = DroppedFile.objects.get()
    assert (file.state, bool(file.file)) == (FileState.REFUSED, False)


def test_a_file_whose_columns_are_known_is_read_without_a_question(
    folder: Path, drop: Drop, connection: ErpConnection, clock: Any
) -> None:
    drop(content_of(ROW))
    (folder / "august.csv").write_bytes(content_of(ROW.replace("5001", "5002")))
    look(connection, clock)
    assert DroppedFile.objects.latest("pk").state == FileState.READY


@pytest.mark.parametrize("typed", ["..", "../1", "/etc", "checks/../../.."])
def test_no_folder_outside_the_companys_own_is_looked_at(
    folder: Path, connection: ErpConnection, clock: Any, typed: str
) -> None:
    (folder.parent.parent / "theirs.csv").write_bytes(content_of(ROW))
    connection.settings = {"folder": typed}
    connection.save()
    look(connection, clock, 3)
    assert names() == []
    assert "inside this company's own folder" in trouble()


def test_a_link_in_the_folder_leads_nowhere(
    folder: Path, connection: ErpConnection, clock: Any
) -> None:
    (folder.parent / "secret.csv").write_bytes(content_of(ROW))
    (folder / "innocent.csv").symlink_to(folder.parent / "secret.csv")
    look(connection, clock, 3)
    assert names() == []


def test_a_server_without_folders_says_so(
    connection: ErpConnection, folder: Path, clock: Any, settings: Any
) -> None:
    settings.FILE_DROP_FOLDER = ""
    look(connection, clock, 1)
    assert "FILE_DROP_FOLDER" in trouble()


# ------------------------------------------------------------------------------ SFTP
def test_it_fetches_a_file_once_and_leaves_it_there(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    (server.folder / "july.csv").write_bytes(content_of(ROW))
    look(connection, clock, 4)
    assert names() == ["july.csv"]
    with DroppedFile.objects.get().file.open("rb") as kept:
        assert kept.read() == content_of(ROW)
    assert (server.folder / "july.csv").exists()
    assert (WatchedPlace.objects.get().source, trouble()) == ("sftp", "")


def test_the_same_name_with_new_content_is_fetched_again(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    (server.folder / "register.csv").write_bytes(content_of(ROW))
    look(connection, clock, 3)
    (server.folder / "register.csv").write_bytes(content_of(ROW, ROW.replace("5001", "5002")))
    look(connection, clock, 3)
    assert names() == ["register.csv", "register.csv"]


def test_it_deletes_what_it_fetched_only_when_told_to(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    connection.settings["sftp_after"] = "delete"
    connection.save()
    (server.folder / "july.csv").write_bytes(content_of(ROW))
    look(connection, clock, 3)
    assert names() == ["july.csv"]
    assert list(server.folder.iterdir()) == []


def test_a_file_that_grows_while_it_is_fetched_is_left(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    (server.folder / "july.csv").write_bytes(content_of(ROW))
    look(connection, clock, 1)
    server.grows = b"5002,"
    look(connection, clock, 1)
    assert (names(), trouble()) == ([], "")


def test_a_server_with_another_key_is_refused_and_learns_no_password(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    connection.settings["sftp_fingerprint"] = "SHA256:" + "A" * 43
    connection.save()
    look(connection, clock, 1)
    assert "shows another key" in trouble() and server.fingerprint in trouble()
    assert server.sign_ins == []


def test_a_wrong_password_is_tried_once_and_not_every_minute(
    server: FakeSftp, connection: ErpConnection, clock: Any
) -> None:
    connection.credentials = {"sftp_password": "wrong"}
    connection.save()
    look(connection, clock, 4)
    assert server.sign_ins == ["wrong"]
    assert "does not let northstar in" in trouble()
    look(connection, clock, 1, again=True)  # somebody pressed the button
    assert server.sign_ins == ["wrong", "wrong"]
    connection.credentials = {"sftp_password": server.password}
    connection.save()
    look(connection, clock, 1)
    assert trouble() == ""


def test_a_private_key_signs_in_even_if_its_line_breaks_were_lost(
    server: FakeSftp, connection: ErpConnection
) -> None:
    key, text = paramiko.ECDSAKey.generate(), io.StringIO()
    key.write_private_key(text)
    server.public_key = key
    credentials = {"sftp_key": text.getvalue().replace("\n", " ")}
    provider = FileDropProvider(server.settings, credentials, allow_private_addresses=True)
    assert "let us in and shows 0 files" in provider.check()
    assert server.sign_ins[-1] == "key"


def test_the_connection_can_be_tested(server: FakeSftp, connection: ErpConnection) -> None:
    connection.refresh_from_db()
    assert "shows 0 files" in connections.test_connection(connection)
    connection.credentials = EncryptedCredentials.of({"sftp_password": "wrong"})
    with pytest.raises(AuthenticationError):
        connections.test_connection(connection)
    connection.settings["sftp_folder"] = "/nowhere"
    connection.credentials = EncryptedCredentials.of({"sftp_password": server.password})
    with pytest.raises(ConfigurationError, match="no folder"):
        connections.test_connection(connection)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.5:22", "[::1]:2222"])
def test_addresses_inside_private_networks_are_refused(host: str) -> None:
    typed = {"sftp_host": host, "sftp_user": "me", "sftp_fingerprint": "A" * 43}
    with pytest.raises(ConfigurationError, match="private network"):
        FileDropProvider(typed, {"sftp_password": "x"})


def test_a_name_that_leads_into_a_private_network_is_refused_before_anything_is_sent(
    server: FakeSftp, connection: ErpConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", server.port))]

    monkeypatch.setattr("socket.getaddrinfo", found)
    typed = {**server.settings, "sftp_host": "files.example.com"}
    with pytest.raises(ConfigurationError, match="private network"):
        FileDropProvider(typed, {"sftp_password": server.password}).check()
    assert server.sign_ins == []


@pytest.mark.parametrize(
    ("typed", "secret", "says"),
    [
        ({"sftp_host": "files.example.com"}, {}, "user"),
        ({"sftp_host": "files.example.com", "sftp_user": "me"}, {"sftp_password": "x"}, "SHA256"),
        ({"sftp_host": "sftp://files/x"}, {}, "files.example.com"),
        ({"sftp_after": "burn"}, {}, "keep or delete"),
        (
            {"sftp_host": "f.example.com", "sftp_user": "me", "sftp_fingerprint": "A" * 43},
            {"sftp_key": "no key"},
            "private key",
        ),
    ],
)
def test_what_cannot_be_right_is_said_at_once(
    typed: dict[str, str], secret: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        FileDropProvider(typed, secret)


def test_the_place_may_change_when_payments_have_come(
    drop: Drop, connection: ErpConnection, carla: User
) -> None:
    """A server gets a new key one day; the books stay the same."""
    drop(content_of(ROW))
    cursor = {"row": 7}
    ErpConnection.objects.update(cursor=cursor)
    changed = connections.change_connection(
        connection=connection, by=carla, provider="file_drop", name="Vista",
        settings={"folder": "other"}, credentials={},
    )  # fmt: skip
    assert changed.cursor == cursor


def test_a_file_is_taken_again_after_a_worker_died_over_it(
    folder: Path, connection: ErpConnection, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "july.csv").write_bytes(content_of(ROW))
    look(connection, clock, 1)

    def dies(**_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(arrivals.services, "receive", dies)
        with pytest.raises(KeyboardInterrupt):
            look(connection, clock, 1)
    look(connection, clock, 1)
    assert names() == ["july.csv"]


def test_only_a_connection_with_a_place_is_looked_at(
    folder: Path, connection: ErpConnection
) -> None:
    assert arrivals.watching() == [connection.pk]
    ErpConnection.objects.update(is_active=False)
    assert arrivals.watching() == []


def test_uploads_alone_need_no_setting_at_all() -> None:
    connections.check_settings(provider="file_drop", settings={}, credentials={})
    with pytest.raises(ValidationError):
        connections.check_settings(
            provider="file_drop", settings={"sftp_after": "burn"}, credentials={}
        )
