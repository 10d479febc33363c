"""Downloads, kept where Snakemake does not delete them.

Snakemake removes the output of a rule before its job runs again. The store in `data/raw/.kept`
holds a second name (a hard link) of each file, so that the job finds it there and, if its checksum
matches, does not download it again. Where the file system has no hard links, it is a copy.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FOLDER = ".kept"


class Store:
    """The store of a folder `data/raw`.

    Parameters
    ----------
    raw : Path
        The folder of raw files.
    """

    def __init__(self, raw: Path) -> None:
        self.folder = raw / FOLDER

    def path(self, name: str) -> Path:
        """Return where the store has the file `<dataset>/<file>`."""
        return self.folder / name

    def keep(self, file: Path, name: str) -> None:
        """Give a verified file a second name in the store."""
        kept = self.path(name)
        if kept.exists() and kept.samefile(file):
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        link_or_copy(file, part)
        part.replace(kept)

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let one process at a time fetch a file, also where runs share `data/raw`."""
        lock = self.folder / "locks" / name
        lock.parent.mkdir(parents=True, exist_ok=True)
        with open(lock, "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file another name in place of what has it; copy it where there are no hard links."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
