"""Fetching from folders and a real HTTP server on loopback."""

import functools
import hashlib
import http.server
import threading

import pytest

from scorebounds.checksums import require_checksum
from scorebounds.download import fetch, mirror_sources

CONTENT = b"recorded activity\n" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """A mirror that holds data/good.bin and data/wrong.bin."""
    (tmp_path / "mirror" / "data").mkdir(parents=True)
    (tmp_path / "mirror" / "data" / "good.bin").write_bytes(CONTENT)
    (tmp_path / "mirror" / "data" / "wrong.bin").write_bytes(CONTENT[:-1])
    return tmp_path / "mirror"


@pytest.fixture
def server(folder):
    """Address of the same mirror over HTTP."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("scorebounds.download.RETRIES", 0)


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


def test_fetches_from_a_folder_and_from_a_server(folder, server, tmp_path):
    for number, source in enumerate([f"{folder}/data/good.bin", f"{server}/data/good.bin"]):
        target = tmp_path / str(number) / "good.bin"
        fetch(target, [source], SHA256)
        assert target.read_bytes() == CONTENT


def test_takes_the_first_source_that_has_the_right_file(folder, server, tmp_path, caplog):
    caplog.set_level("INFO", logger="scorebounds")
    sources = [
        f"{folder}/data/none.bin",
        f"{folder}/data/wrong.bin",
        f"{server}/data/none.bin",
        f"{server}/data/wrong.bin",
        f"{server}/data/good.bin",
        "http://127.0.0.1:9/never/asked",
    ]
    fetch(tmp_path / "good.bin", sources, SHA256)
    assert (tmp_path / "good.bin").read_bytes() == CONTENT
    assert f"from {server}/data/good.bin" in caplog.text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{folder}/data/wrong.bin", "its checksum is not the one expected"),
        ("{server}/data/wrong.bin", "its checksum is not the one expected"),
        ("{server}/data/none.bin", "404"),
        ("{folder}/data/none.bin", "no such file"),
        ("http://127.0.0.1:9/data/good.bin", "Connection refused"),
    ],
)
def test_nothing_is_left_of_what_could_not_be_fetched(folder, server, tmp_path, source, reason):
    source = source.format(folder=folder, server=server)
    target = tmp_path / "out" / "good.bin"
    with pytest.raises(ValueError) as error:
        fetch(target, [source], SHA256)
    message = str(error.value)
    assert message.startswith(f"{target}: none of its sources has it: {source} (")
    assert reason in message
    assert "offline=true" in message
    assert "\n" not in message
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


def test_offline_asks_no_server(folder, server, tmp_path):
    with pytest.raises(ValueError, match=r"not asked: offline"):
        fetch(tmp_path / "good.bin", [f"{server}/data/good.bin"], SHA256, offline=True)
    fetch(tmp_path / "good.bin", [f"{folder}/data/good.bin"], SHA256, offline=True)


def test_a_changed_file_is_noticed_when_it_is_read(tmp_path):
    path = tmp_path / "good.bin"
    path.write_bytes(CONTENT)
    require_checksum(path, SHA256)
    path.write_bytes(CONTENT + b".")
    with pytest.raises(ValueError, match=rf"good\.bin: expected sha256 {SHA256}, got .*delete"):
        require_checksum(path, SHA256)
