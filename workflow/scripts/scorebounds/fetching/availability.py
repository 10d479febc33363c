"""The table of what was used, from where, and what was left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from scorebounds.fetching.checksums import checksum_of, name_in_raw, require_checksum
from scorebounds.fetching.provenance import read_source

COLUMNS = [
    "dataset",
    "file",
    "status",
    "source",
    "checksum",
    "held_to",
    "bytes",
    "licence",
    "citation",
    "reason",
]


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
        used, `held_to` the file that it was compared with.

    Raises
    ------
    ValueError
        If a file that was used has not the checksum that was expected.
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
    known, held_to = entry["checksum"], "data/datasets.tsv"
    if not known and (recorded := locked.get(name_in_raw(path))):
        known, held_to = recorded, "data/checksums.lock, from its first download"
    if known:
        require_checksum(path, known, held_to)
    return {
        "source": entry.get("source") or read_source(path) or "was in data/raw already",
        "checksum": checksum_of(path, known.partition(":")[0] or "sha256"),
        "held_to": held_to if known else "",
        "bytes": str(path.stat().st_size),
    }
