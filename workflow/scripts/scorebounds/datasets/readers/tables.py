"""Tables in text files, and their columns as numbers, booleans or text."""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.arrow_tables import read_arrow
from scorebounds.datasets.readers.containers import as_text, require_content
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.layout import Layout, layout_of
from scorebounds.datasets.readers.vocabulary import is_name_of_names, is_no_neuron

# Missing values as spreadsheets, R, pandas, databases and people write them, in lower case.
MISSING = (
    "",
    "na",
    "n/a",
    "n.a.",
    "#n/a",
    "#n/a n/a",
    "#na",
    "<na>",
    "nan",
    "-nan",
    "null",
    "(null)",
    "none",
    "nat",
    "nil",
    "missing",
    "-",
    "--",
    ".",
    "?",
    "\\n",
    "1.#qnan",
    "-1.#ind",
    "1.#ind",
    "#value!",
    "#div/0!",
    "#num!",
    "#ref!",
    "#name?",
)
# Numbers as no program writes them: 1'000, 1_000, 12 %, (5), '5', 1.5D-3, a long minus.
_STRANGE = re.compile(
    r"[('\"\u2018]?[+\-\u2212\u2013]?\s?(\d{1,3}(_\d{3})+|\d[\d'\u2019\s.,]*)(\.\d+)?"
    r"([eEdD][+\-\u2212]?\d+)?\s?[%\u2030]?[)'\"\u2019]?"
)
_LARGEST = np.iinfo(np.int64).max
# A table in memory takes a few times the bytes of its text.
MEMORY_PER_BYTE = 3


@dataclass(frozen=True)
class Table:
    """The columns of a table.

    Attributes
    ----------
    columns : dict of str to ndarray
        Numbers, booleans or objects that are text, by name; the name of an index is empty.
    notes : tuple of str
        How the text was read.
    """

    columns: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()


def read_table(path: Path, *, decimal: str | None = None, names: Sequence[str] = ()) -> Table:
    """Read a text table, compressed or not, or a table of columns (`.parquet`, `.feather`).

    Parameters
    ----------
    path : Path
    decimal : str, optional
        The decimal mark, `.` or `,`, where the file does not tell.
    names : sequence of str, optional
        Columns that hold names, of which the text counts: `1e3` is not `1000`.

    Raises
    ------
    UnusableError
        If it is no table, or one whose columns cannot be separated.
    """
    require_content(path)
    if path.suffix.lower() in (".parquet", ".feather"):
        return Table(read_arrow(path))
    _require_memory(path)
    layout = layout_of(path, decimal)
    named = {name for name in layout.names if name in names or is_name_of_names(name)}
    frame = _read_frame(path, layout, [*named, *layout.text_columns])
    n_all, frame = len(frame), _without_empty_end(frame)
    notes = layout.notes()
    if len(frame) < n_all:
        notes.append(f"left out {n_all - len(frame)} empty rows at the end")
    if frame.empty:
        raise UnusableError("expected rows of values below the header, got none")
    columns = {
        name: _values(frame[name], name, layout, is_name=name in named) for name in layout.names
    }
    return Table(columns, tuple(notes))


def read_labels(path: Path, entry: Entry) -> dict[str, np.ndarray]:
    """Return the columns of a table of labels, whose faults name it."""
    try:
        table = read_table(path, decimal=entry.decimal, names=entry.columns_of_names())
        return {
            name: as_text(name, values) if values.dtype.kind == "O" else values
            for name, values in table.columns.items()
        }
    except UnusableError as error:
        raise UnusableError(f"its labels {path}: {error}") from error


def _require_memory(path: Path) -> None:
    """Refuse a text that does not fit into memory, however well it is compressed."""
    free, size = psutil.virtual_memory().available, path.stat().st_size
    if path.suffix.lower() == ".gz":
        size = 0
        with gzip.open(path, "rb") as file:
            while MEMORY_PER_BYTE * size <= free and (block := file.read(1 << 22)):
                size += len(block)
    if MEMORY_PER_BYTE * size > free:
        raise UnusableError(
            f"the table needs {MEMORY_PER_BYTE * size / 1e9:.1f} GB of memory or more and "
            f"{free / 1e9:.1f} GB are free; take fewer samples or neurons"
        )


def _read_frame(path: Path, layout: Layout, as_text: Sequence[str]) -> pd.DataFrame:
    """Read all rows, numbers as numbers where they are plainly so."""
    trailing = [f"_empty_{number}" for number in range(layout.n_trailing)]
    names = [*layout.names, *trailing]
    options: dict[str, Any] = {
        "sep": r"\s+" if layout.separator == " " else layout.separator,
        "header": None,
        "names": [f"c{place}" for place in range(len(names))],
        "skiprows": layout.n_skipped + layout.has_header,
        "index_col": False,
        "keep_default_na": False,
        "na_values": [],
        "skipinitialspace": layout.separator != " ",
        "encoding": layout.encoding,
        "low_memory": False,
        "decimal": layout.decimal,
        "thousands": layout.grouping,
        "dtype": {f"c{names.index(name)}": str for name in as_text},
        "comment": None,
    }
    frame: pd.DataFrame = pd.read_csv(path, **options)
    frame = frame.iloc[:, : len(layout.names)]
    frame.columns = pd.Index(layout.names)
    return frame


def _without_empty_end(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out the rows at the end in which every field is empty, as spreadsheets write them."""
    while len(frame) and all(value == "" for value in frame.iloc[-1]):
        frame = frame.iloc[:-1]
    return frame


def _values(
    values: "pd.Series[Any]", name: str, layout: Layout, *, is_name: bool = False
) -> np.ndarray:
    """Return a column of numbers or booleans, or of text, which is empty where it is missing.

    Text is an array of objects, which a long one among them does not make longer.

    Raises
    ------
    UnusableError
        If it is of numbers but for some words.
    """
    if pd.api.types.is_bool_dtype(values):
        return values.to_numpy(bool)
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy()
    text = values.astype(str).str.strip()
    lower = text.str.lower()
    words = set(lower.unique())
    if words == {"true", "false"} or words in ({"true"}, {"false"}):
        return (lower == "true").to_numpy(bool)
    missing = lower.isin(MISSING).to_numpy()
    plain = text.str.replace(layout.grouping, "", regex=False) if layout.grouping else text
    plain = plain.str.replace(",", ".", regex=False) if layout.decimal == "," else plain
    numbers = pd.to_numeric(plain.where(~missing), errors="coerce").to_numpy(np.float64)
    odd = np.isnan(numbers) & ~missing
    if missing.all() and not is_no_neuron(name):
        return numbers
    if missing.all() or odd.sum() > (~missing).sum() / 2:
        if not is_no_neuron(name):
            _require_no_strange_numbers(text[odd], name)
        return text.to_numpy(object)
    if odd.any():
        place = int(np.flatnonzero(odd)[0])
        if is_name:
            return text.to_numpy(object)
        raise UnusableError(
            f"expected numbers in column {name!r}, got {text.iloc[place]!r} in sample {place}, "
            "counted from 0"
        )
    return _whole_or_text(plain[~missing], text, numbers, is_name=is_name)


def _whole_or_text(
    given: "pd.Series[str]", text: "pd.Series[str]", numbers: np.ndarray, *, is_name: bool
) -> np.ndarray:
    """Return numbers as whole ones if they are; as text what is another name than its number."""
    if given.str.fullmatch(r"[+-]?0\d+").any():
        return text.to_numpy(object)
    if given.str.fullmatch(r"[+-]?\d+").all():
        whole = [int(value) for value in given]
        if max(map(abs, whole)) > _LARGEST or (len(given) < len(text) and is_name):
            return text.to_numpy(object)
        return np.array(whole, dtype=np.int64) if len(given) == len(text) else numbers
    is_other = given.str.contains(r"[eE]").any() or given.nunique() > len(np.unique(numbers))
    return text.to_numpy(object) if is_name and is_other else numbers


def _require_no_strange_numbers(text: "pd.Series[str]", name: str) -> None:
    """Refuse numbers in a spelling that would make text of a neuron."""
    strange = text[text.str.fullmatch(_STRANGE)]
    if len(strange) and len(strange) > len(text) / 2:
        raise UnusableError(
            f"expected numbers in column {name!r} as programs write them (1234.5, 1.2e-3), got "
            f"{strange.iloc[0]!r}"
        )
