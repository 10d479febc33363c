"""Content and checksums of raw files, and the table of where they came from."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.download_server import CONTENT, SHA1, SHA256, ZIPPED, Server, serving
from scorebounds.fetching.availability import availability
from scorebounds.fetching.checksums import (
    read_lock,
    require_checksum,
    require_raw_files,
    require_recorded,
)
from scorebounds.fetching.fetch import fetch
from scorebounds.fetching.file_types import content_fault


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


def test_genuine_files_have_the_content_of_their_names(mirror, tmp_path):
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


def test_checksum_of_a_first_download_is_recorded_and_required_later(tmp_path, caplog):
    lock, target = tmp_path / "checksums.lock", tmp_path / "data.zip"
    target.write_bytes(ZIPPED)
    require_recorded(target, "mante2013/data.zip", lock)
    recorded = "sha256:" + hashlib.sha256(ZIPPED).hexdigest()
    assert read_lock(lock) == {"mante2013/data.zip": recorded}
    assert f"its checksum was not known; {recorded} is recorded in {lock}" in caplog.text
    caplog.clear()
    require_recorded(target, "mante2013/data.zip", lock)
    assert caplog.text == ""
    target.write_bytes(ZIPPED + b".")
    with pytest.raises(ValueError, match=r"as in .*checksums\.lock, from its first download, got"):
        require_recorded(target, "mante2013/data.zip", lock)
    lock.write_text("damaged\n")
    with pytest.raises(ValueError, match=r"checksums\.lock, line 1: expected a checksum, two"):
        read_lock(lock)


DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (b"foo:12  x/f", "'foo:12  x/f'"),
        (b"md5:c4ca4238a0b923820dcc509a6f75849b  x/f", "'md5:c4ca"),
        (b"md5:  x/f", "'md5:  x/f'"),
        (b"shake_128:1  x/f", "'shake_128:1  x/f'"),
        (b":  x/f", "':  x/f'"),
        (b"sha256:6b86  x/f", "'sha256:6b86  x/f'"),
        (b"\xff\xfe  x/f", r"'\\xff\\xfe  x/f'"),
        (f"sha256:{DIGEST}  x/\xff".encode("latin-1"), f"'sha256:{DIGEST}  x/"),
        (f"sha256:{DIGEST}  ".encode(), f"'sha256:{DIGEST}  '"),
        (f"sha256:{DIGEST}   x/f".encode(), f"'sha256:{DIGEST}   x/f'"),
        (f"sha256:{DIGEST}  x/gsha256:{DIGEST}  x/f".encode(), f"'sha256:{DIGEST}  x/gsha256"),
        (b"", "''"),
        (f"sha256:{DIGEST}  a/b".encode(), "another checksum than in an earlier line, 'sha256:0"),
    ],
)
def test_damaged_line_of_first_downloads_is_named(tmp_path, damage, found):
    lock, target = tmp_path / "checksums.lock", tmp_path / "f"
    target.write_bytes(CONTENT)
    content = f"{SHA256}  a/b\n".encode() + damage + b"\n"
    lock.write_bytes(content)
    with pytest.raises(ValueError, match=r"checksums\.lock, line 2: expected a checksum") as error:
        require_raw_files([target], [""], lock)
    said = str(error.value)
    assert f"(sha256:<64 hexadecimal digits>  <dataset>/<file>), found {found}" in said
    assert said.endswith("delete it to record the checksum of the file as it is now")
    assert "\n" not in said
    assert lock.read_bytes() == content


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_entries_are_added_in_lines_of_their_own(tmp_path, end):
    lock, target = tmp_path / "checksums.lock", tmp_path / "f"
    target.write_bytes(CONTENT)
    lock.write_bytes(f"sha256:{DIGEST}  x/a b{end}".encode())
    require_recorded(target, "x/f", lock)
    expected = {"x/a b": f"sha256:{DIGEST}", "x/f": SHA256}
    assert read_lock(lock) == expected
    require_recorded(target, "x/f", lock)
    assert read_lock(lock) == expected


def test_folder_in_place_of_the_checksums_of_first_downloads_is_named(tmp_path):
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        read_lock(tmp_path)


def test_checksums_recorded_at_the_same_time_are_all_kept(tmp_path):
    lock = tmp_path / "data/checksums.lock"
    files = [tmp_path / f"{number}.bin" for number in range(20)]
    for file in files:
        file.write_bytes(file.name.encode())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: require_recorded(file, file.name, lock), files))
    assert set(read_lock(lock)) == {file.name for file in files}


def test_changed_file_is_refused_when_it_is_read(tmp_path):
    path = tmp_path / "good.bin"
    path.write_bytes(CONTENT)
    require_checksum(path, SHA256)
    require_checksum(path, SHA1)
    path.write_bytes(CONTENT + b".")
    for checksum in (SHA256, SHA1):
        with pytest.raises(ValueError, match=rf"good\.bin: expected {checksum} as in .*delete"):
            require_checksum(path, checksum)


def test_first_downloads_of_one_file_that_differ_are_not_both_accepted(tmp_path):
    lock = tmp_path / "checksums.lock"
    files = [tmp_path / str(number) for number in range(8)]
    for file in files:
        file.write_bytes(file.name.encode())

    def accepted(file):
        try:
            require_recorded(file, "mante2013/data.zip", lock)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accepted, files)) == 1
    assert len(lock.read_text().splitlines()) == 1


def test_raw_files_are_checked_before_they_are_read(tmp_path):
    raw = tmp_path / "data/raw/a"
    raw.mkdir(parents=True)
    known, unknown = raw / "known.bin", raw / "unknown.bin"
    for file in (known, unknown):
        file.write_bytes(CONTENT)
    lock = tmp_path / "data/checksums.lock"
    require_raw_files([known, unknown], [SHA256, ""], lock)
    assert read_lock(lock) == {"a/unknown.bin": SHA256}
    for file in (known, unknown):
        file.write_bytes(CONTENT[:-1])
        with pytest.raises(ValueError, match=rf"{file.name}: expected {SHA256} as in"):
            require_raw_files([known, unknown], [SHA256, ""], lock)
        file.write_bytes(CONTENT)


def test_availability_names_the_source_of_each_file(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "data/raw/a/good.bin"
    fetch(target, [f"{server.url}/good"], SHA256)
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
    nothing_known = availability([{**entry, "checksum": ""}], {})
    assert nothing_known.checksum.tolist() == [SHA256]
    assert nothing_known.held_to.tolist() == [""]
    # A file that took the place of the one that was fetched is not said to come from there.
    target.write_bytes(b"another")
    with pytest.raises(ValueError, match=rf"good\.bin: expected {SHA1} as in data/datasets\.tsv"):
        availability([entry], {})
    replaced = availability([{**entry, "checksum": ""}], {})
    assert replaced.source.tolist() == ["was in data/raw already"]
    assert replaced.checksum.tolist() == ["sha256:" + hashlib.sha256(b"another").hexdigest()]
