"""What every script of the workflow does around its work."""

import contextlib
import errno
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from scorebounds.core.allocation import keep_freed_memory
from scorebounds.core.memory import is_out_of_memory, require_memory, what_was_allocated
from scorebounds.core.visible import visible

# Jobs draw into files. A user's backend may need a display, or not exist, which ends the import.
os.environ["MPLBACKEND"] = "Agg"
# Errors that a user can act on: their message is all that is needed.
USER_ERRORS = (ValueError, OSError, MemoryError)
# What to do about errors of the file system.
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again",
    errno.EDQUOT: "the quota is used up: free some space and run the same command again",
    errno.EACCES: "this user may not write or read there: change the permissions of the folder",
    errno.EPERM: "this user may not write or read there: change the permissions of the folder",
    errno.EROFS: "the file system is read-only: run in another folder (--directory)",
    errno.ENOTDIR: "there is a file where a folder is needed: rename or delete it",
    errno.EEXIST: "there is a file where a folder is needed: rename or delete it",
    errno.EISDIR: "there is a folder where a file is needed: rename or delete it",
}
MEMORY_REMEDY = "use less data, or give the job more memory (docs/clusters.md)"
# h5py raises other errors than OSError, with the number of the system's error in the text.
HDF5_ERRNO = re.compile(r"errno = (\d+)")


def require_own_library() -> None:
    """Stop a job whose library is not in the folder of its script.

    Snakemake appends the script's folder to the search path, where an installed copy of the
    library, possibly of another version, comes first.
    """
    main = sys.modules["__main__"]
    # Snakemake runs a copy of the script and stores the path of the original in __file__.
    if not hasattr(main, "__real_file__"):
        return
    script, used = Path(main.__file__ or ""), Path(__file__).resolve().parents[2]
    expected = script.parent.resolve()
    # A script of a repository on a hosting site has an address as its path; its copy in the source
    # cache is next to the library.
    cached = not script.is_file() and (used / script.name).is_file()
    if used != expected and not cached:
        print(
            f"error: expected the library scorebounds in {expected}, next to the script, but "
            f"Python found the copy in {used} first; uninstall it from the environment of the "
            "workflow (pip uninstall scorebounds), or unset PYTHONPATH",
            file=sys.stderr,
        )
        raise SystemExit(1)


def sentence(error: BaseException) -> str:
    """Say in one sentence what went wrong: which file, and what to do about it."""
    number, file = None, None
    if isinstance(error, OSError):
        number, file = error.errno, error.filename
    if found := HDF5_ERRNO.search(str(error)):
        number = int(found[1])
    if is_out_of_memory(error):
        return f"out of memory: {what_was_allocated(error)}; {MEMORY_REMEDY}"
    if number is None or number not in REMEDIES:
        return " ".join(str(error).split())
    place = f"{file}: " if file else ""
    return f"{place}{os.strerror(number)}; {REMEDIES[number]}"


def cause_of(error: BaseException) -> BaseException:
    """Return the full disk that an error followed from, such as a file that cannot be closed."""
    before: BaseException | None = error
    while before is not None:
        if isinstance(before, OSError) and before.errno in (errno.ENOSPC, errno.EDQUOT):
            return before
        before = before.__cause__ or before.__context__
    return error


def is_users(error: BaseException) -> bool:
    """Tell whether a user can act on an error, so that one sentence says all."""
    if isinstance(error, USER_ERRORS) or is_out_of_memory(error):
        return True
    return HDF5_ERRNO.search(str(error)) is not None


@contextlib.contextmanager
def job_log(path: str, *, n_parts: int = 1) -> Iterator[None]:
    """Send logging, stdout and stderr to the rule's log, and end with one sentence on failure.

    A job that does not fit into memory, not even one of its `n_parts` at a time, does not begin.

    An error that a user can act on ends in one sentence on the console, where warnings of the
    library go, too; the traceback is in the log only.
    """
    require_own_library()
    keep_freed_memory()
    console = sys.stderr
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        log = open(path, "w", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed below
    except OSError as error:
        print(f"error: {sentence(error)}", file=console)
        raise SystemExit(1) from error
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    warnings_shown = logging.StreamHandler(console)
    warnings_shown.setLevel(logging.WARNING)
    warnings_shown.setFormatter(logging.Formatter("warning: %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("scorebounds")
    root.addHandler(handler)
    ours.addHandler(warnings_shown)
    ours.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    # A full disk holds no log either.
    reported, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            if job := getattr(sys.modules["__main__"], "snakemake", None):
                require_memory(dict(job.resources.items()), job.config, n_parts=n_parts)
            yield
    except Exception as error:
        root.exception("job failed")
        cause = cause_of(error)
        if not is_users(cause):
            raise
        print(visible(f"error: {sentence(cause)}"), file=console)
        raise SystemExit(1) from error
    finally:
        root.removeHandler(handler)
        ours.removeHandler(warnings_shown)
        logging.raiseExceptions = reported
        with contextlib.suppress(OSError):
            log.close()
