"""How many downloads from one host run at a time, over all processes of a user on a machine."""

import contextlib
import fcntl
import logging
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1


@contextlib.contextmanager
def slot(host: str, per_host: int) -> Iterator[None]:
    """Wait until fewer than `per_host` downloads run from a host, and count as one of them."""
    folder = _lock_folder(Path(tempfile.gettempdir()))
    places = [folder / f"{quote(host, safe='')}.{number}" for number in range(per_host)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(place, "a", encoding="utf-8")) for place in places]
        while not any(map(_lock, files)):
            time.sleep(_POLL_SECONDS)
        yield


def _lock_folder(parent: Path) -> Path:
    """Return the folder of this user's lock files in a folder that users may share."""
    folder = parent / f"scorebounds-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return folder
    own = Path(tempfile.mkdtemp(prefix="scorebounds-", dir=parent))
    logger.warning(
        "%s: expected a folder that only this user can write to; %s is used instead, and downloads "
        "of other jobs do not count towards `downloads: per_host`",
        folder,
        own,
    )
    return own


def _lock(file: IO[str]) -> bool:
    """Lock a file unless another process has; closing it gives it back."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
