"""What every script of the workflow does around its work."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

# Errors that a user can act on: their message is the whole story.
USER_ERRORS = (ValueError, OSError)


def require_own_library() -> None:
    """Stop a job whose library does not lie in the folder of its script.

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
    # cache lies next to the library.
    cached = not script.is_file() and (used / script.name).is_file()
    if used != expected and not cached:
        print(
            f"error: expected the library scorebounds in {expected}, next to the script, but "
            f"Python found the copy in {used} first; uninstall it from the environment of the "
            "workflow (pip uninstall scorebounds), or unset PYTHONPATH",
            file=sys.stderr,
        )
        raise SystemExit(1)


@contextlib.contextmanager
def job_log(path: str) -> Iterator[None]:
    """Send logging, stdout and stderr to the rule's log, and end with one sentence on failure.

    Bad input is told in one sentence, on the console too, as are our own warnings; the traceback
    stands in the log only.
    """
    require_own_library()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    console = sys.stderr
    with open(path, "w", encoding="utf-8", buffering=1) as log:
        handler = logging.StreamHandler(log)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        told = logging.StreamHandler(console)
        told.setLevel(logging.WARNING)
        told.setFormatter(logging.Formatter("warning: %(message)s"))
        root, ours = logging.getLogger(), logging.getLogger("scorebounds")
        root.addHandler(handler)
        ours.addHandler(told)
        ours.setLevel(logging.INFO)
        logging.captureWarnings(capture=True)
        try:
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                yield
        except USER_ERRORS as error:
            root.exception("job failed")
            print(f"error: {error}", file=console)
            raise SystemExit(1) from error
        except Exception:
            root.exception("job failed")
            raise
        finally:
            root.removeHandler(handler)
            ours.removeHandler(told)
