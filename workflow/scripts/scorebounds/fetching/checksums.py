"""Checksums of files: those that the catalogue knows, and those of a first download."""

import contextlib
import fcntl
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

UNKNOWN = ""


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the checksum of a file, as `<algorithm>:<hexadecimal digits>`."""
    with open(path, "rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def matches(path: Path, checksum: str) -> bool:
    """Tell whether a file has a checksum, by whichever algorithm that is."""
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
        If a line is not `<checksum>  <dataset>/<file>`.
    """
    if not lock.is_file():
        return {}
    checksums = {}
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        checksum, gap, name = line.partition("  ")
        if not gap or ":" not in checksum:
            raise ValueError(
                f"{lock}, line {number}: expected a checksum, two spaces and a file, got {line!r}"
            )
        checksums[name] = checksum
    return checksums


def record_checksum(lock: Path, name: str, checksum: str) -> None:
    """Add a checksum to the lock file; several jobs may do so at a time."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "a", encoding="utf-8") as file, _held(file.fileno()):
        file.write(f"{checksum}  {name}\n")


def hold_to_lock(path: Path, name: str, lock: Path) -> None:
    """Check a file whose checksum is not known against that of its first download.

    If there is none yet, the file's is recorded now, and a warning says so.

    Raises
    ------
    ValueError
        If it differs.
    """
    known = read_lock(lock).get(name, UNKNOWN)
    if known:
        require_checksum(path, known, f"{lock}, from its first download")
        return
    checksum = checksum_of(path)
    record_checksum(lock, name, checksum)
    logger.warning(
        "%s: its checksum was not known; %s is recorded in %s, and later runs hold to it",
        *(path, checksum, lock),
    )


@contextlib.contextmanager
def _held(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
