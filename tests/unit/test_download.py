"""Fetching from folders, and from a real HTTP server on loopback that can do everything wrong."""

import datetime as dt
import email.utils
import hashlib
import http.server
import io
import json
import re
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from scorebounds.fetching import transfer
from scorebounds.fetching.availability import availability
from scorebounds.fetching.checksums import hold_to_lock, read_lock, require_checksum
from scorebounds.fetching.fetch import fetch, mirror_sources
from scorebounds.fetching.file_types import content_fault
from scorebounds.fetching.provenance import note_path, read_source
from scorebounds.fetching.transfer import Options

CONTENT = b"recorded activity\n" * 20_000
HALF = len(CONTENT) // 2
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
SHA1 = "sha1:" + hashlib.sha1(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Please wait</body></html>"
QUICK = Options(timeout=0.4, retries=2, per_host=2, first_wait=0.01, longest_wait=3)


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("unit.mat", CONTENT)
    return content.getvalue()


ZIPPED = zipped()


class Handler(http.server.BaseHTTPRequestHandler):
    """Does what the path says; how often it was asked counts per path."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        with server.counting:
            asked = server.asked.setdefault(self.path, [])
            asked.append((time.monotonic(), dict(self.headers)))
            server.running += 1
            server.most_running = max(server.most_running, server.running)
        try:
            name = self.path.strip("/").split("/")[0].replace("-", "_")
            getattr(self, name)(len(asked))
        finally:
            with server.counting:
                server.running -= 1

    def answer(self, status=200, body=b"", length=None, **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body) if length is None else length))
        for key, value in headers.items():
            if value is not None:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_range(self, content=CONTENT, **headers):
        """Send what is asked for, a part of the content or all of it."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range", headers.get("ETag")) == headers.get("ETag")
        if not wanted or not unchanged:
            self.answer(200, content, **headers)
            return
        start = int(wanted[1])
        if start >= len(content):
            self.answer(416)
            return
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206, content[start:], Content_Range=place, **headers)

    def good(self, _):
        self.answer_range(ETag='"1"')

    def missing(self, _):
        self.answer(404)

    def forbidden(self, _):
        self.answer(403)

    def wrong(self, _):
        self.answer(200, CONTENT[:-1] + b".")

    def page(self, _):
        self.answer(200, PAGE, Content_Type="text/html")

    def short(self, _):
        # Without a length nothing but the content tells that it is cut short.
        self.answer(200, CONTENT[:HALF], Content_Length=None)

    def short_zip(self, _):
        self.answer(200, ZIPPED[:-30], Content_Length=None)

    def zip(self, _):
        self.answer(200, ZIPPED)

    def truncated(self, _):
        # Every time the same half, whatever is asked for.
        self.answer(200, CONTENT[:HALF], length=len(CONTENT))

    def drop(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
        else:
            self.answer_range(ETag='"1"')

    def drop_twice(self, n):
        if n == 1:
            self.answer(200, CONTENT[:100], length=len(CONTENT), Last_Modified="Tue, 1 Jul 2025")
        elif n == 2:
            place = f"bytes 100-{len(CONTENT) - 1}/{len(CONTENT)}"
            length = len(CONTENT) - 100
            self.answer(206, CONTENT[100:HALF], length=length, Content_Range=place)
        else:
            self.answer_range()

    def drop_without_range(self, n):
        part = CONTENT[:HALF] if n == 1 else CONTENT
        self.answer(200, part, length=len(CONTENT), ETag='"1"')

    def drop_and_change(self, n):
        # What came first is of another version of the file.
        if n == 1:
            self.answer(200, b"?" * HALF, length=len(CONTENT), ETag='"0"')
        else:
            self.answer_range(ETag='"1"')

    def drop_and_lie(self, n):
        # No word of a version, and the first half was of another.
        if n == 1:
            self.answer(200, b"?" * HALF, length=len(CONTENT))
        else:
            self.answer_range()

    def drop_and_shift(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
        elif n == 2:
            place = f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.answer(206, CONTENT, Content_Range=place, ETag='"1"')
        else:
            self.answer_range(ETag='"1"')

    def busy(self, n):
        if n == 1:
            self.answer(429, Retry_After="1")
        else:
            self.answer_range()

    def busy_for_long(self, _):
        self.answer(429, Retry_After="86400")

    def broken(self, n):
        self.answer(503 if n < 3 else 200, b"" if n < 3 else CONTENT)

    def stall(self, n):
        if n == 1:
            self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
            self.server.stopping.wait(5)
        else:
            self.answer_range(ETag='"1"')

    def drip(self, n):
        if n > 1:
            self.answer_range(ETag='"1"')
            return
        self.answer(200, CONTENT[:HALF], length=len(CONTENT), ETag='"1"')
        for byte in CONTENT[HALF : HALF + 100]:
            self.wfile.write(bytes([byte]))
            if self.server.stopping.wait(0.1):
                return

    def chunked(self, n):
        self.protocol_version = "HTTP/1.1"
        self.answer(200, Content_Length=None, Transfer_Encoding="chunked", Connection="close")
        for start in range(0, len(CONTENT) if n > 1 else HALF, 10_000):
            piece = CONTENT[start : start + 10_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n" if n > 1 else b"ffff\r\n")

    def silent(self, _):
        self.server.stopping.wait(5)

    def slow(self, _):
        time.sleep(0.15)
        self.answer(200, CONTENT)


class Server(http.server.ThreadingHTTPServer):
    """Counts what it is asked, and stops waiting handlers when it stops."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.counting = {}, threading.Lock()
        self.running = self.most_running = 0
        self.stopping = threading.Event()

    def handle_error(self, *_):
        """A client that gave up is no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server():
    with Server() as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield httpd
        httpd.stopping.set()
        httpd.shutdown()
        thread.join()


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


def test_where_a_mirror_has_a_file(folder):
    assert mirror_sources(
        [str(folder), folder.as_uri(), "https://host/raw/", "relative"], "data/a b.bin"
    ) == [
        f"{folder}/data/a b.bin",
        f"{folder}/data/a b.bin",
        "https://host/raw/data/a%20b.bin",
        "relative/data/a b.bin",
    ]
    with pytest.raises(ValueError, match=r"mirror 's3://bucket': expected a folder"):
        mirror_sources(["s3://bucket"], "data/good.bin")


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
        "http://127.0.0.1:9/never/asked",
    ]
    assert fetch_quickly(target, sources) == f"{server.url}/good"
    assert target.read_bytes() == CONTENT
    assert f"from {server.url}/good" in caplog.text


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
        ("http://127.0.0.1:9/data/good.bin", "Connection refused"),
    ],
)
def test_nothing_is_left_of_what_could_not_be_fetched(folder, server, target, source, reason):
    source = source.format(folder=folder, server=server.url)
    with pytest.raises(ValueError) as error:
        fetch_quickly(target, [source], retries=1)
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
        ("stall", 2),
        ("drip", 2),
        ("chunked", 2),
        ("busy", 2),
        ("broken", 3),
    ],
)
def test_what_fails_at_first_is_got_in_the_end(server, target, path, tries):
    fetch_quickly(target, [f"{server.url}/{path}"])
    assert target.read_bytes() == CONTENT
    assert len(server.asked[f"/{path}"]) == tries
    assert set(target.parent.iterdir()) == {target, note_path(target)}


def test_goes_on_where_it_broke_off(server, target):
    fetch_quickly(target, [f"{server.url}/drop"])
    (_, first), (_, second) = server.asked["/drop"]
    assert "Range" not in first
    assert second["Range"] == f"bytes={HALF}-"
    assert second["If-Range"] == '"1"'


def test_goes_on_in_a_later_run(server, target):
    with pytest.raises(ValueError, match=rf"\(Connection broken: IncompleteRead\({HALF} bytes"):
        fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    assert not target.exists()
    assert target.with_name("good.bin.part").stat().st_size == HALF
    fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    assert target.read_bytes() == CONTENT
    assert server.asked["/drop"][1][1]["Range"] == f"bytes={HALF}-"


def test_a_part_from_elsewhere_is_not_gone_on_with(server, target):
    with pytest.raises(ValueError, match="none of its sources"):
        fetch_quickly(target, [f"{server.url}/drop"], retries=0)
    fetch_quickly(target, [f"{server.url}/good"], retries=0)
    assert target.read_bytes() == CONTENT
    assert "Range" not in server.asked["/good"][0][1]


def test_without_a_checksum_only_what_is_vouched_for_is_gone_on_with(server, target):
    # Here the server says nothing of a version: the half that is there is not used.
    with pytest.raises(ValueError, match="none of its sources"):
        fetch_quickly(target, [f"{server.url}/drop-and-lie"], "", retries=0)
    fetch_quickly(target, [f"{server.url}/drop-and-lie"], "", retries=0)
    assert target.read_bytes() == CONTENT
    assert "Range" not in server.asked["/drop-and-lie"][1][1]


def test_a_download_that_never_comes_whole_is_never_put_in_place(server, target):
    with pytest.raises(ValueError, match=rf"{HALF}"):
        fetch_quickly(target, [f"{server.url}/truncated"])
    assert len(server.asked["/truncated"]) == 3
    assert not target.exists()
    # What there is waits beside it for the next run, under a name that no rule has.
    assert {path.name for path in target.parent.iterdir()} == {
        *("good.bin.part", "good.bin.part.json")
    }


def test_a_complete_part_that_was_never_checked_is_fetched_anew(server, target):
    target.parent.mkdir()
    part = target.with_name("good.bin.part")
    part.write_bytes(CONTENT + b"more")
    note = {"url": f"{server.url}/good", "validator": '"1"'}
    part.with_name("good.bin.part.json").write_text(json.dumps(note))
    fetch_quickly(target, [f"{server.url}/good"])
    assert target.read_bytes() == CONTENT


def test_waits_as_long_as_the_server_asks(server, target):
    fetch_quickly(target, [f"{server.url}/busy"])
    (first, _), (second, _) = server.asked["/busy"]
    assert second - first >= 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17),
        ("", None),
        ("soon", None),
        ("-5", None),
        (email.utils.format_datetime(dt.datetime(2001, 1, 1, tzinfo=dt.UTC), usegmt=True), 0),
    ],
)
def test_pause_that_a_server_asks_for(text, seconds):
    response = requests.Response()
    response.headers["Retry-After"] = text
    assert transfer._retry_after(response) == seconds
    later = dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=50)
    response.headers["Retry-After"] = email.utils.format_datetime(later, usegmt=True)
    assert 45 < transfer._retry_after(response) <= 50


@pytest.mark.parametrize(("per_host", "most"), [(1, 1), (2, 2)])
def test_a_host_is_asked_for_few_files_at_a_time(server, tmp_path, per_host, most):
    targets = [tmp_path / f"{number}.bin" for number in range(5)]

    def one(target):
        return fetch_quickly(target, [f"{server.url}/slow"], per_host=per_host)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(one, targets))
    assert all(target.read_bytes() == CONTENT for target in targets)
    assert server.most_running <= most


def test_offline_asks_no_server(folder, server, target):
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
def test_without_a_checksum_the_content_decides(server, tmp_path, path, name, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        fetch_quickly(tmp_path / name, [f"{server.url}/{path}"], "")
    assert list(tmp_path.iterdir()) == []


def test_genuine_files_are_told_from_their_beginnings(mirror, tmp_path):
    endings = set()
    for path in sorted(mirror.rglob("*")):
        if path.is_file():
            assert content_fault(path, path.name) is None
            endings.add(path.suffix)
            if path.suffix == ".mat":
                (tmp_path / path.name).write_bytes(path.read_bytes()[:-1])
                assert "cut short" in content_fault(tmp_path / path.name, path.name)
    assert endings == {".Rda", ".csv", ".mat", ".npy"}


def test_hdf5_that_is_cut_short_is_noticed(tmp_path):
    h5py = pytest.importorskip("h5py")
    for userblock, libver in ((0, "earliest"), (512, "earliest"), (0, "latest")):
        path = tmp_path / "data.mat"
        with h5py.File(path, "w", userblock_size=userblock, libver=libver) as file:
            file["activity"] = list(range(1000))
        if userblock:
            with open(path, "r+b") as file:
                file.write(b"MATLAB 7.3 MAT-file".ljust(128))
        assert content_fault(path, path.name) is None
        path.write_bytes(path.read_bytes()[:-1])
        assert "cut short" in content_fault(path, path.name)


def test_first_download_is_recorded_and_held_to(server, tmp_path, caplog):
    lock, target = tmp_path / "checksums.lock", tmp_path / "data.zip"
    fetch_quickly(target, [f"{server.url}/zip"], "")
    hold_to_lock(target, "mante2013/data.zip", lock)
    recorded = "sha256:" + hashlib.sha256(ZIPPED).hexdigest()
    assert read_lock(lock) == {"mante2013/data.zip": recorded}
    assert f"its checksum was not known; {recorded} is recorded in {lock}" in caplog.text
    caplog.clear()
    hold_to_lock(target, "mante2013/data.zip", lock)
    assert caplog.text == ""
    target.write_bytes(ZIPPED + b".")
    with pytest.raises(ValueError, match=r"as in .*checksums\.lock, from its first download, got"):
        hold_to_lock(target, "mante2013/data.zip", lock)
    lock.write_text("damaged\n")
    with pytest.raises(ValueError, match=r"checksums\.lock, line 1: expected a checksum, two"):
        read_lock(lock)


def test_many_jobs_record_at_a_time(tmp_path):
    lock = tmp_path / "data/checksums.lock"
    files = [tmp_path / f"{number}.bin" for number in range(20)]
    for file in files:
        file.write_bytes(file.name.encode())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: hold_to_lock(file, file.name, lock), files))
    assert set(read_lock(lock)) == {file.name for file in files}


def test_a_changed_file_is_noticed_when_it_is_read(tmp_path):
    path = tmp_path / "good.bin"
    path.write_bytes(CONTENT)
    require_checksum(path, SHA256)
    require_checksum(path, SHA1)
    path.write_bytes(CONTENT + b".")
    for checksum in (SHA256, SHA1):
        with pytest.raises(ValueError, match=rf"good\.bin: expected {checksum} as in .*delete"):
            require_checksum(path, checksum)


def test_availability_tells_the_source_of_what_was_used(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "data/raw/a/good.bin"
    fetch_quickly(target, [f"{server.url}/good"])
    entry = {
        "dataset": "a",
        "file": "good.bin",
        "path": "data/raw/a/good.bin",
        "status": "used",
        "checksum": SHA1,
        "licence": "MIT",
        "citation": "A 2020",
        "reason": "",
    }
    left_out = {**entry, "dataset": "b", "path": "", "status": "left out", "reason": "offline"}
    table = availability([entry, left_out], {}).set_index("dataset")
    assert table.loc["a"].source == f"{server.url}/good"
    assert table.loc["a"].checksum == SHA1
    assert table.loc["a"].held_to == "data/datasets.tsv"
    assert table.loc["a"].bytes == str(len(CONTENT))
    assert table.loc["b"].source == ""
    assert table.loc["b"].reason == "offline"
    unknown = availability([{**entry, "checksum": ""}], {"a/good.bin": SHA256})
    assert unknown.checksum.tolist() == [SHA256]
    assert "checksums.lock" in unknown.held_to[0]
    # A file that took the place of the one that was fetched is not said to come from there.
    target.write_bytes(b"another")
    assert availability([entry], {}).source.tolist() == ["was in data/raw already"]
