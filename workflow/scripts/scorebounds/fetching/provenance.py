"""Where a file was fetched from: a note next to it."""

import json
from pathlib import Path

from scorebounds.fetching.addresses import public
from scorebounds.fetching.checksums import checksum_of


def note_path(file: Path) -> Path:
    """Return the path of the note that says what a file was fetched from."""
    return file.with_name(f"{file.name}.source.json")


def write_source(file: Path, source: str) -> None:
    """Write next to a file what it was fetched from, without secrets."""
    note = {"source": public(source), "checksum": checksum_of(file)}
    note_path(file).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def read_source(file: Path) -> str:
    """Read what a file was fetched from; empty if that is not known, or it is another file now."""
    try:
        note = json.loads(note_path(file).read_text(encoding="utf-8"))
        return public(note["source"]) if note["checksum"] == checksum_of(file) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
