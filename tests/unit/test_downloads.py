"""Fetching from folders, and from a real HTTP server on loopback that can do everything wrong."""

import datetime as dt
import io
import json
import re
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from helpers.download_server import CONTENT, HALF, SHA1, SHA256, Server, serving
from scorebounds.fetching import slots, transfer
from scorebounds.fetching.addresses import mirror_sources, public, without_secrets
from scorebounds.fetching.catalogue import fetch_catalogue_file
from scorebounds.fetching.fetch import fetch, restore
from scorebounds.fetching.provenance import note_path, read_source
from scorebounds.fetching.store import Store
from scorebounds.fetching.transfer import Options

# Long time limits, so that a loaded machine meets none; pauses are not waited for (`clock`).
QUICK = Options(timeout=30, retries=2, per_host=2, first_wait=0.01, longest_wait=3)


class Clock:
    """Stands in for the module `time`: sleeping takes no time, and is recorded."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("locks")))
    clock = Clock()
    monkeypatch.setattr(transfer, "time", clock)
    monkeypatch.setattr(slots, "time", clock)
    return clock


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    """A mirror that holds data/good.bin and data/wrong.bin."""
    (tmp_path / "mirror" / "data").mkdir(parents=True)
    (tmp_path / "mirror" / "data" / "good.bin").write_bytes(CONTENT)
    (tmp_path / "mirror" / "data" / "wrong.bin").write_bytes(CONTENT[:-1])
    return tmp_path / "mirror"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "good.bin"


def fetch_quickly(target, sources, checksum=SHA256, **options):
    return fetch(target, sources, checksum, options=QUICK._replace(**options))


def test_path_of_a_file_in_each_kind_of_mirror(folder):
    assert mirror_sources(
        [str(folder), folder.as_uri(), "https://host/raw/", "relative", "http://host/raw?sig=1"],
        "data/a b.bin",
    ) == [
        f"{folder}/data/a b.bin",
        f"{folder}/data/a b.bin",
        "https://host/raw/data/a%20b.bin",
        "relative/data/a b.bin",
        "http://host/raw/data/a%20b.bin?sig=1",
    ]


@pytest.mark.parametrize(
    "mirror",
    [
        "s3://u:w0rd@bucket",
        "ftp://u:w0rd@h",
        "http://u:w0rd@[::1",
        "http:/u:w0rd@h/raw",
        "https:u:w0rd@h",
        "https://u:w0rd@/raw",
        "//u:w0rd@h/raw",
        "u_1:w0rd@h/raw",
        "https://u:w0rd/1@h/raw",
        "https://u:w0rd#1@h/raw",
        "https://u:w0rd?1@h/raw",
    ],
)
def test_a_mirror_that_is_none_is_refused_without_its_secrets(mirror):
    with pytest.raises(ValueError, match=r"mirrors: expected a folder, file:// or http") as error:
        mirror_sources([mirror], "data/good.bin")
    assert "w0rd" not in str(error.value)


@pytest.mark.parametrize("checksum", [SHA256, SHA1])
def test_fetches_from_a_folder_and_from_a_server(folder, server, tmp_path, checksum):
    for number, source in enumerate([f"{folder}/data/good.bin", f"{server.url}/good"]):
        target = tmp_path / str(number) / "good.bin"
        assert fetch_quickly(target, [source], checksum) == source
        assert target.read_bytes() == CONTENT
        assert read_source(target) == source
        assert set(target.parent.iterdir()) == {target, note_path(target)}


def test_takes_the_first_source_that_has_the_right_file(folder, server, target, caplog):
    caplog.set_level("INFO", logger="scorebounds")
    sources = [
        f"{folder}/data/none.bin",
        f"{folder}/data/wrong.bin",
        f"{server.url}/missing",
        f"{server.url}/wrong",
        f"{server.url}/good",
        f"{server.url}/never-asked",
    ]
    assert fetch_quickly(target, sources) == f"{server.url}/good"
    assert target.read_bytes() == CONTENT
    assert f"from {server.url}/good" in caplog.text
    assert "/never-asked" not in server.asked


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{folder}/data/wrong.bin", "its checksum is not the one expected by data/datasets.tsv"),
        ("{folder}/data/none.bin", "no such file"),
        ("{server}/wrong", "its checksum is not the one expected"),
        ("{server}/page", "its checksum is not the one expected by data/datasets.tsv: it is a web"),
        ("{server}/short", "its checksum is not the one expected"),
        ("{server}/missing", "404 Not Found"),
        ("{server}/forbidden", "403 Forbidden"),
        ("{server}/busy-for-long", "429 Too Many Requests, and it asks to wait 86400 s"),
        ("{server}/silent", "timed out"),
        ("{unreachable}/data/good.bin", "Connection refused"),
    ],
)
def test_nothing_is_left_of_what_could_not_be_fetched(
    folder, server, unreachable, target, source, reason
):
    source = source.format(folder=folder, server=server.url, unreachable=unreachable)
    timeout = 0.1 if source.endswith("silent") else 30
    with pytest.raises(ValueError) as error:
        fetch_quickly(target, [source], retries=1, timeout=timeout)
    message = str(error.value)
    assert message.startswith(f"{target}: none of its sources has it: {source} (")
    assert reason in message
    assert "mirrors" in message
    assert "offline=true" in message
    assert "\n" not in message
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "tries"),
    [
        ("drop", 2),
        ("drop-twice", 3),
        ("drop-without-range", 2),
        ("drop-and-change", 2),
        ("drop-and-lie", 3),
        ("drop-and-shift", 3),
        ("chunked", 2),
        ("busy", 2),
        ("broken", 3),
    ],
)
def test_download_that_fails_at_first_succeeds_after_retries(server, target, path, tries):
    fetch_quickly(target, [f"{server.url}/{path}"])
    assert target.read_bytes() == CONTENT
    assert len(server.asked[f"/{path}"]) == tries
    assert set(target.parent.iterdir()) == {target, note_path(target)}


def test_stalled_download_is_tried_again(server, target, monkeypatch):
    get, timeouts = transfer.Session.get, iter([0.1])

    def get_impatiently_at_first(session, url, **options):
        return get(session, url, **{**options, "timeout": next(timeouts, 30)})

    monkeypatch.setattr(transfer.Session, "get", get_impatiently_at_first)
    fetch_quickly(target, [f"{server.url}/stall"])
    assert target.read_bytes() == CONTENT
    assert len(server.asked["/stall"]) == 2


def test_trickle_of_bytes_counts_as_stalled(clock):
    class Trickle:
        def read1(self, _):
            clock.now += 1
            return b"." if clock.now < 100 else b""

    response = requests.Response()
    response.raw = Trickle()
    arriving = transfer._arriving(response, timeout=30)
    with pytest.raises(OSError, match=r"it stalled: 31 bytes in 31 s"):
        list(arriving)
    # The same bytes within the time limit are a slow end of a file.
    clock.now = 80
    assert b"".join(transfer._arriving(response, timeout=30)) == 19 * b"."


def test_download_resumes_where_it_broke_off(server, target):
    fetch_quickly(target, [f"{server.url}/drop"])
    first, second = server.asked["/drop"]
    assert "Range" not in first
    assert second["Range"] == f"bytes={HALF}-"
    assert second["If-Range"] == '"1"'


def test_download_resumes_in_a_later_run(server, target):
    with pytest.raises(ValueError, match=rf"\(Connection broken: IncompleteRead\({HALF} bytes"):
        fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    assert not target.exists()
    assert target.with_name("good.bin.part").stat().st_size == HALF
    fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    assert target.read_bytes() == CONTENT
    assert server.asked["/drop"][1]["Range"] == f"bytes={HALF}-"


def test_part_of_another_address_is_not_resumed(server, target):
    with pytest.raises(ValueError, match="none of its sources"):
        fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    fetch_quickly(target, [f"{server.url}/good"], retries=0)
    assert target.read_bytes() == CONTENT
    assert "Range" not in server.asked["/good"][0]


def test_without_a_checksum_only_a_part_with_a_validator_is_resumed(server, target):
    # Here the server says nothing of a version: the half that is there is not used.
    with pytest.raises(ValueError, match="none of its sources"):
        fetch_quickly(target, [f"{server.url}/drop-and-lie"], "", retries=0)
    fetch_quickly(target, [f"{server.url}/drop-and-lie"], "", retries=0)
    assert target.read_bytes() == CONTENT
    assert "Range" not in server.asked["/drop-and-lie"][1]


def test_download_that_stays_incomplete_is_not_put_in_place(server, target):
    with pytest.raises(ValueError, match=rf"{HALF}"):
        fetch_quickly(target, [f"{server.url}/truncated"])
    assert len(server.asked["/truncated"]) == 3
    assert not target.exists()
    # The part that arrived stays next to it for the next run, under a name that no rule has.
    names = {path.name for path in target.parent.iterdir()}
    assert names == {"good.bin.part", "good.bin.part.json"}


def test_part_that_is_too_long_is_fetched_again(server, target):
    target.parent.mkdir()
    part = target.with_name("good.bin.part")
    part.write_bytes(CONTENT + b"more")
    note = {"url": transfer._url_digest(f"{server.url}/good"), "validator": '"1"'}
    part.with_name("good.bin.part.json").write_text(json.dumps(note))
    fetch_quickly(target, [f"{server.url}/good"])
    assert target.read_bytes() == CONTENT


def test_waits_as_long_as_the_server_asks(server, target, clock):
    fetch_quickly(target, [f"{server.url}/busy"])
    assert clock.slept == [1]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Tue, 01 Jul 2025 12:00:50 GMT", 50),
    ],
)
def test_pause_that_a_server_asks_for(text, seconds):
    now = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
    assert transfer._retry_after(text, now) == seconds


@pytest.mark.parametrize("per_host", [1, 2])
def test_downloads_from_one_host_at_a_time_are_limited(server, tmp_path, monkeypatch, per_host):
    n_downloads = 5
    running, waiting, change, release = set(), set(), threading.Condition(), threading.Event()

    def note(threads):
        with change:
            threads.add(threading.get_ident())
            change.notify_all()

    def attempt(*_, **__):
        note(running)
        release.wait()
        return False

    def sleep(_):
        # A download that found no free place comes here before it looks again.
        note(waiting)
        release.wait()

    monkeypatch.setattr(transfer, "_attempt", attempt)
    monkeypatch.setattr(slots.time, "sleep", sleep)
    options = QUICK._replace(per_host=per_host)

    def one(number):
        return transfer.download(server.url, tmp_path / str(number), options, verified=True)

    with ThreadPoolExecutor(n_downloads) as pool:
        downloads = [pool.submit(one, number) for number in range(n_downloads)]
        with change:
            change.wait_for(lambda: len(running | waiting) == n_downloads)
            at_a_time = len(running)
        release.set()
        assert [download.result() for download in downloads] == [False] * n_downloads
    assert at_a_time == per_host


@pytest.mark.parametrize("path", ["endless", "good", "inflating"])
def test_download_that_is_larger_than_expected_is_given_up(server, target, path):
    limit = 2 * len(CONTENT) if path == "inflating" else len(CONTENT) - 1
    with pytest.raises(ValueError, match=rf"more than the {limit}( bytes)? expected"):
        fetch_quickly(target, [f"{server.url}/{path}"], most_bytes=limit)
    assert len(server.asked[f"/{path}"]) == 1
    assert list(target.parent.iterdir()) == []


def test_download_of_the_expected_size_is_kept(server, target):
    fetch_quickly(target, [f"{server.url}/good"], most_bytes=len(CONTENT))
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("address", "location", "followed"),
    [
        ("https://a.org/x", "http://a.org/x", False),
        ("https://a.org/x", "//b.org/x", True),
        ("https://a.org/x", "/y", True),
        ("http://a.org/x", "https://a.org/x", True),
        ("http://a.org/x", "http://b.org/x", True),
    ],
)
def test_redirect_from_https_to_http_is_refused(address, location, followed):
    response = requests.Response()
    response.url, response.status_code = address, 302
    response.headers["Location"] = location
    response.raw = io.BytesIO()
    session = transfer.Session()
    if followed:
        assert session.get_redirect_target(response) == location
    else:
        with pytest.raises(ValueError, match="redirects from https to http, which is not encrypt"):
            session.get_redirect_target(response)


def test_body_of_a_redirect_is_not_read(server, target):
    fetch_quickly(target, [f"{server.url}/moved"])
    assert target.read_bytes() == CONTENT
    assert server.read_whole == []


def test_addresses_are_shown_without_secrets():
    secret = "https://user:pass%20word@host.org:81/a.zip?api_key=12&download=1&sig=34"
    assert public(secret) == "https://host.org:81/a.zip?api_key=…&download=1&sig=…"
    assert public("/data/user@host/a.zip") == "/data/user@host/a.zip"
    for name in ("#access_token", "?pw", "?x=1&X-Amz-Signature", "?jwt", "?password", "?API-Key"):
        assert public(f"https://host.org/a{name}=word") == f"https://host.org/a{name}=…"
    said = without_secrets(f"Invalid URL {secret!r} for user:pass%20word, api_key=12", secret)
    assert "pass" not in said
    assert "12" not in said.replace("api_key=12", "")
    elsewhere = "host=other: exceeded with url: https://me:word@other.org/a?sig=word&n=1 (timeout)"
    assert without_secrets(elsewhere, secret) == (
        "host=other: exceeded with url: https://other.org/a?sig=…&n=1 (timeout)"
    )
    decoded = without_secrets("'pass word' is no password", secret)
    assert decoded == "'…' is no password"


def test_password_of_a_mirror_is_written_nowhere(server, tmp_path, caplog):
    caplog.set_level("DEBUG", logger="scorebounds")
    mirror = server.url.replace("//", "//reader:se-cret@")
    for path in ("good", "drop"):
        target = tmp_path / path / "file.bin"
        source = fetch_quickly(target, [f"{mirror}/{path}"])
        assert source == read_source(target) == f"{server.url}/{path}"
    for path in ("missing", "truncated"):
        with pytest.raises(ValueError, match="none of its sources has it") as error:
            fetch_quickly(tmp_path / path / "file.bin", [f"{mirror}/{path}"])
        assert "se-cret" not in str(error.value)
    assert server.asked["/good"][0]["Authorization"].startswith("Basic ")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in written} > {"file.bin", "file.bin.part", "file.bin.part.json"}
    assert not [path for path in written if b"se-cret" in path.read_bytes()]
    assert "se-cret" not in caplog.text


def test_verified_file_is_restored_from_the_store(tmp_path):
    raw = tmp_path / "data/raw"
    target, store = raw / "a/good.bin", Store(raw)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    store.keep(target, "a/good.bin")
    target.unlink()
    assert not restore(target, "a/good.bin", "", store)
    assert not restore(target, "a/good.bin", "sha256:0", store)
    assert not target.exists()
    assert restore(target, "a/good.bin", SHA1, store)
    assert target.read_bytes() == CONTENT
    # The file that replaced it is the one in the store.
    target.unlink()
    target.write_bytes(b"another version")
    store.keep(target, "a/good.bin")
    assert store.path("a/good.bin").read_bytes() == b"another version"
    assert not restore(target, "a/good.bin", SHA1, store)


def test_runs_that_share_the_raw_files_may_fetch_one_at_the_same_time(folder, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    targets = []
    for number in range(8):
        (tmp_path / f"run{number}/data").mkdir(parents=True)
        (tmp_path / f"run{number}/data/raw").symlink_to(shared)
        targets.append(tmp_path / f"run{number}/data/raw/data/good.bin")

    def fetch_one(target):
        told = {"mirrors": [str(folder)], "offline": True, "downloads": {}}
        lock = tmp_path / "checksums.lock"
        fetch_catalogue_file(target, "data/good.bin", [], SHA256, "", lock, **told)
        return target.read_bytes() == CONTENT

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fetch_one, targets))
    names = {path.name for path in shared.rglob("*") if path.is_file()}
    assert names == {"good.bin", "good.bin.source.json"}


def test_store_copies_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("not supported")

    monkeypatch.setattr(type(tmp_path), "hardlink_to", no_links)
    raw = tmp_path / "data/raw"
    target, store = raw / "a/good.bin", Store(raw)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    store.keep(target, "a/good.bin")
    target.unlink()
    assert restore(target, "a/good.bin", SHA256, store)
    assert target.read_bytes() == CONTENT


def test_lock_folder_of_another_user_is_not_used(tmp_path, caplog):
    ours = slots._lock_folder(tmp_path)
    assert ours == slots._lock_folder(tmp_path)
    assert caplog.text == ""
    ours.rmdir()
    (tmp_path / "elsewhere").mkdir()
    ours.symlink_to(tmp_path / "elsewhere")
    other = slots._lock_folder(tmp_path)
    assert other != ours
    assert other.parent == tmp_path
    assert "expected a folder that only this user can write to" in caplog.text
    ours.unlink()
    ours.mkdir()
    ours.chmod(0o777)
    assert slots._lock_folder(tmp_path) != ours


def test_offline_requests_nothing_from_servers(folder, server, target):
    with pytest.raises(ValueError, match=r"not asked: offline"):
        fetch(target, [f"{server.url}/good"], SHA256, offline=True)
    fetch(target, [f"{folder}/data/good.bin"], SHA256, offline=True)
    assert server.asked == {}


@pytest.mark.parametrize(
    ("path", "name", "reason"),
    [
        ("page", "data.zip", "it is a web page, not the file"),
        ("page", "data.csv", "it is a web page, not the file"),
        ("short-zip", "data.zip", "it is cut short"),
        ("good", "data.nc", "it does not begin as a .nc file"),
        ("good", "data.mat", "it does not begin as a .mat file"),
    ],
)
def test_without_a_checksum_wrong_content_is_refused(server, tmp_path, path, name, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        fetch_quickly(tmp_path / name, [f"{server.url}/{path}"], "")
    assert list(tmp_path.iterdir()) == []
