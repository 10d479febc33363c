"""Checksums of files: those that the catalogue knows, and those of a first download."""

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

UNKNOWN = ""
_CHECKSUM_OF_LOCK = "sha256:[0-9a-f]{64}  "
# An entry that follows another one on its line is part of no name.
_ENTRY = re.compile(rf"(?!.+{_CHECKSUM_OF_LOCK})({_CHECKSUM_OF_LOCK})(\S.*)")
_MOST_SHOWN = 120


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the checksum of a file, as `<algorithm>:<hexadecimal digits>`."""
    with open(path, "rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def matches(path: Path, checksum: str) -> bool:
    """Tell whether a file has a checksum; it says by which algorithm."""
    return checksum_of(path, checksum.partition(":")[0]) == checksum


def require_checksum(path: Path, checksum: str, origin: str = "data/datasets.tsv") -> None:
    """Raise ValueError unless the file has the checksum that `origin` names."""
    found = checksum_of(path, checksum.partition(":")[0])
    if found != checksum:
        raise ValueError(
            f"{path}: expected {checksum} as in {origin}, got {found}; "
            "delete the file to fetch it again"
        )


def read_lock(lock: Path) -> dict[str, str]:
    """Read the checksums of first downloads, by `<dataset>/<file>`; none if there is no file.

    Raises
    ------
    ValueError
        If a line is not `<checksum>  <dataset>/<file>`, or differs from an earlier one of its file.
    """
    if lock.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(lock))
    if not lock.is_file():
        return {}
    checksums: dict[str, str] = {}
    lines = lock.read_bytes().removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines if lines != [b""] else [], start=1):
        checksum, name = _entry(line)
        if not name or checksums.get(name, checksum) != checksum:
            found = "another checksum than in an earlier line, " if name else ""
            found += repr(line[:_MOST_SHOWN].decode("utf-8", errors="backslashreplace"))
            raise ValueError(
                f"{lock}, line {number}: expected a checksum, two spaces and a file "
                f"(sha256:<64 hexadecimal digits>  <dataset>/<file>), found {found}; correct the "
                "line, or delete it to record the checksum of the file as it is now"
            )
        checksums[name] = checksum
    return checksums


def _entry(line: bytes) -> tuple[str, str]:
    """Return checksum and name of a line, or two empty strings if it is damaged."""
    with contextlib.suppress(UnicodeDecodeError):
        if entry := _ENTRY.fullmatch(line.removesuffix(b"\r").decode("utf-8")):
            return entry[1].strip(), entry[2]
    return "", ""


def require_recorded(path: Path, name: str, lock: Path) -> None:
    """Require the checksum of the first download of a file whose checksum is not known.

    If there was none yet, the file's is recorded now, with a warning. Several jobs may do
    so at a time: the first one decides.

    Raises
    ------
    ValueError
        If it differs.
    """
    found = checksum_of(path)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "a", encoding="utf-8") as file, _held(file.fileno()):
        recorded = read_lock(lock).get(name, UNKNOWN)
        if not recorded:
            # An editor may have left the last line without its end.
            end = "" if lock.read_bytes()[-1:] in (b"", b"\n") else "\n"
            file.write(f"{end}{found}  {name}\n")
            file.flush()
    if recorded:
        require_checksum(path, recorded, f"{lock}, from its first download")
        return
    logger.warning(
        "%s: its checksum was not known; %s is recorded in %s, and later runs require it",
        path,
        found,
        lock,
    )


def require_raw_files(files: Sequence[Path], checksums: Sequence[str], lock: Path) -> None:
    """Check files of `data/raw` before they are read.

    Parameters
    ----------
    files : sequence of Path
        In `data/raw`, as <dataset>/<file>.
    checksums : sequence of str
        Of each file in the catalogue; empty where it is not known.
    lock : Path
        File with the checksums of first downloads.

    Raises
    ------
    ValueError
        If a file differs; the message says what to do.
    """
    for file, checksum in zip(files, checksums, strict=True):
        if checksum:
            require_checksum(file, checksum)
        else:
            require_recorded(file, name_in_raw(file), lock)


def name_in_raw(path: Path) -> str:
    """Return the name of a raw file in catalogue and lock: <dataset>/<file>."""
    return path.as_posix().rpartition("data/raw/")[2]


@contextlib.contextmanager
def _held(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
