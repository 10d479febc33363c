"""Progress of long work, on the error stream."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes records of the log as lines of progress."""


@contextmanager
def progress_shown() -> Iterator[None]:
    """Show the log of the library, and warnings, as lines on the error stream."""
    logger = logging.getLogger("scorebounds")
    if any(isinstance(handler, _Lines) for handler in logger.handlers):
        yield
        return
    handler = _Lines(sys.stderr)
    handler.setFormatter(logging.Formatter("scorebounds: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logger.removeHandler(handler)
        logger.setLevel(level)
