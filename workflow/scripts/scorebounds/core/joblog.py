"""What every script of the workflow does around its work."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

# Errors that a user can act on: their message is the whole story.
USER_ERRORS = (ValueError, OSError)


@contextlib.contextmanager
def job_log(path: str) -> Iterator[None]:
    """Send logging, stdout and stderr to the rule's log, and end with one sentence on failure.

    Bad input is told in one sentence, on the console too, as are our own warnings; the traceback
    stands in the log only.
    """
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
