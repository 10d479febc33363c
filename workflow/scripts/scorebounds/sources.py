"""What was used, and where it came from: a note beside each fetched file, and their table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from scorebounds.checksums import checksum_of

COLUMNS = [
    *("dataset", "file", "status", "source", "checksum", "held_to", "bytes"),
    *("licence", "citation", "reason"),
]


def note_path(file: Path) -> Path:
    """Return where it stands what a file was fetched from."""
    return file.with_name(f"{file.name}.source.json")


def write_source(file: Path, source: str) -> None:
    """Note beside a file what it was fetched from."""
    note = {"source": source, "checksum": checksum_of(file)}
    note_path(file).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def read_source(file: Path) -> str:
    """Read what a file was fetched from; empty if that is not known, or it is another file now."""
    try:
        note = json.loads(note_path(file).read_text(encoding="utf-8"))
        return note["source"] if note["checksum"] == checksum_of(file) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def availability(entries: Sequence[Mapping[str, str]], locked: Mapping[str, str]) -> pd.DataFrame:
    """Say of every known dataset what was used, from where, or why it was left out.

    Parameters
    ----------
    entries : sequence of mapping
        A file each: `dataset`, `file`, `path` (empty if it is not used), `status`, `checksum` (of
        the catalogue, or empty), `licence`, `citation`, `reason`.
    locked : mapping of str to str
        Checksums of first downloads, by `<dataset>/<file>`.

    Returns
    -------
    DataFrame
        A row per file: `source` is where it was fetched from, `checksum` that of the file that was
        used, `held_to` who knew it beforehand.
    """
    rows = []
    for entry in entries:
        row = {name: entry.get(name, "") for name in COLUMNS}
        if entry["path"]:
            row |= _used(Path(entry["path"]), entry, locked)
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _used(path: Path, entry: Mapping[str, str], locked: Mapping[str, str]) -> dict[str, str]:
    """Describe a file that was used."""
    known = entry["checksum"]
    lock_name = path.as_posix().removeprefix("data/raw/")
    held_to = "data/datasets.tsv" if known else ""
    if not known and lock_name in locked:
        known, held_to = locked[lock_name], "data/checksums.lock, from its first download"
    return {
        "source": entry.get("source") or read_source(path) or "was in data/raw already",
        "checksum": known or checksum_of(path),
        "held_to": held_to,
        "bytes": str(path.stat().st_size),
    }
