"""Notice files of results that were cut or changed after they were written, and a full disk."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

REMEDY = "delete it and run the same command again"


def digest_path(path: Path) -> Path:
    """Return the hidden file that holds the digest of a file, as `sha256sum` writes it."""
    return path.with_name(f".{path.name}.sha256")


def record_digest(path: str | Path) -> None:
    """Write the SHA-256 digest of a file next to it."""
    path = Path(path)
    digest_path(path).write_text(f"{_digest(path)}  {path.name}\n", encoding="utf-8")


def require_digest(path: str | Path) -> None:
    """Raise ValueError if a file differs from what was written.

    A file without a recorded digest is accepted: it may come from elsewhere.
    """
    path = Path(path)
    recorded = digest_path(path)
    if not recorded.is_file():
        return
    expected = recorded.read_text(encoding="utf-8").partition(" ")[0]
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
def readable_netcdf(path: str | Path) -> Iterator[None]:
    """Turn what HDF5 says of a damaged netCDF file into a ValueError that names file and remedy.

    A file that differs from its recorded digest is not opened.
    """
    require_digest(path)
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a complete netCDF file, found one of {Path(path).stat().st_size} "
            f"bytes that cannot be read ({_first_line(error)}); {REMEDY}"
        ) from error


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
