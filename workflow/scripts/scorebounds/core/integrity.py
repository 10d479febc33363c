"""Notice files of results that were cut or changed after they were written, and a full disk."""

import contextlib
import csv
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

REMEDY = "delete it and run the same command again"
# The name that follows is not compared.
_LINE_OF_DIGEST = re.compile(rb"([0-9a-fA-F]{64})(?:\s|$)")
# Of a file of a digest, of which the first line counts.
_MOST_BYTES = 100


def digest_path(path: Path) -> Path:
    """Return the hidden file that holds the digest of a file, as `sha256sum` writes it."""
    return path.with_name(f".{path.name}.sha256")


def record_digest(path: str | Path) -> None:
    """Write the SHA-256 digest of a file next to it."""
    path = Path(path)
    digest_path(path).write_text(f"{_digest(path)}  {path.name}\n", encoding="utf-8")


def has_digest(path: str | Path) -> bool:
    """Tell whether there is a digest of a file, or something in its place."""
    return os.path.lexists(digest_path(Path(path)))


def require_digest(path: str | Path) -> None:
    """Raise ValueError if a file differs from what was written, or its digest is damaged.

    A file without a recorded digest is accepted: it may come from elsewhere.
    """
    path = Path(path)
    if not has_digest(path):
        return
    expected = _recorded_digest(path)
    found = _digest(path)
    if found != expected:
        raise ValueError(
            f"{path}: expected the file as it was written (sha256 {expected[:12]}…), found "
            f"{path.stat().st_size} bytes of another content (sha256 {found[:12]}…): it was cut "
            f"or changed; {REMEDY}"
        )


def require_space(path: str | Path, n_bytes: int) -> None:
    """Raise OSError (ENOSPC) unless a file of this size fits on the disk.

    HDF5 ends the whole process when a disk fills while it writes.
    """
    folder = Path(path).absolute().parent
    if shutil.disk_usage(folder).free < n_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextlib.contextmanager
def readable(path: str | Path, kind: str) -> Iterator[None]:
    """Turn what a reader says of a damaged file into a ValueError that names file and remedy.

    A file that differs from its recorded digest is not opened.

    Parameters
    ----------
    path : str or Path
    kind : str
        What the file should be, such as ``"netCDF file"``.
    """
    require_digest(path)
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (OSError, KeyError, RuntimeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{path}: expected a complete {kind}, found {Path(path).stat().st_size} bytes that "
            f"cannot be read ({_first_line(error)}); {REMEDY}"
        ) from error


def _recorded_digest(path: Path) -> str:
    recorded = digest_path(path)
    if recorded.is_file():
        with open(recorded, "rb") as file:
            content = file.read(_MOST_BYTES)
        if line := _LINE_OF_DIGEST.match(content):
            return line[1].decode().lower()
        found = f"{content[:20]!r}" if content else "an empty file"
    else:
        found = "a folder" if recorded.is_dir() else "a broken link or no regular file"
    raise ValueError(
        f"{recorded}: expected the SHA-256 digest of {path.name} (64 hexadecimal digits), found "
        f"{found}; delete it and {path.name}, and run the same command again"
    )


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
