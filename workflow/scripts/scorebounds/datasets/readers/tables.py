"""Tables as text: separators, decimal marks and missing values as spreadsheets and R write them."""

import csv
import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.datasets.errors import UnusableError

SEPARATORS = (",", ";", "\t", "|", " ")
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "None")
N_LOOKED_AT = 200  # rows from which the form of a table is told
LOOKED_AT_BYTES = 1 << 22
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")


@dataclass(frozen=True)
class Table:
    """The columns of a table.

    Attributes
    ----------
    columns : dict of str to ndarray
        Numbers, booleans or text, by name; the name of an index is empty.
    notes : tuple of str
        How the text was read.
    """

    columns: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()


def read_table(path: Path, *, decimal: str | None = None) -> Table:
    """Read a text table, compressed or not, or a table of columns (`.parquet`, `.feather`).

    Parameters
    ----------
    path : Path
    decimal : str, optional
        The decimal mark, `.` or `,`, where the file does not tell.

    Raises
    ------
    UnusableError
        If it is no table, or one whose columns cannot be told.
    """
    if path.suffix.lower() in (".parquet", ".feather"):
        return _from_arrow(path)
    text, notes = _start_of(path)
    layout = _Layout.of(text, path, decimal)
    frame = _read_frame(path, layout, notes)
    if frame.empty:
        raise UnusableError("expected rows of values below the header, got none")
    columns = {}
    for name in frame:
        columns[str(name)] = values_of_column(frame[name], str(name), layout.decimal)
    return Table(columns, (*notes, *layout.notes()))


@dataclass(frozen=True)
class _Layout:
    """How a table is written: separator, header, decimal mark, lines before the header."""

    separator: str
    names: tuple[str, ...]
    n_skipped: int
    decimal: str
    grouping: str | None
    has_header: bool
    has_row_names: bool
    text_columns: tuple[str, ...]
    n_trailing: int = 0

    @classmethod
    def of(cls, text: str, path: Path, decimal: str | None) -> "_Layout":
        """Tell the layout from the first lines of a file."""
        lines = text.splitlines()
        n_skipped, comment, given = _lines_before_header(lines)
        lines = [line for line in lines[n_skipped:] if line.strip()][: N_LOOKED_AT + 1]
        if not lines:
            raise UnusableError(
                "expected a header with the names of the columns, got an empty file"
            )
        separator = given or _separator(lines, path)
        rows = [_split(line, separator) for line in lines]
        header, body, has_header = _header(rows, comment, separator)
        header, body, row_names, n_trailing = _aligned(header, body, separator)
        _require_names(header)
        mark, grouping = _decimal_mark(body, decimal)
        as_text = tuple(
            name
            for name, fields in zip(header, zip(*body, strict=True), strict=True)
            if any(re.fullmatch(r"0\d+", field) for field in fields)
        )
        return cls(
            separator, tuple(header), n_skipped, mark, grouping, has_header, row_names, as_text,
            n_trailing,
        )  # fmt: skip

    def notes(self) -> list[str]:
        """Say what is not as in a plain CSV."""
        said = []
        if self.separator != ",":
            said.append(f"columns are separated by {self.separator!r}")
        if self.decimal != ".":
            said.append(f"the decimal mark is {self.decimal!r}")
        if self.grouping:
            said.append(f"thousands are separated by {self.grouping!r}")
        if not self.has_header:
            said.append("there is no header: columns are numbered from 0")
        if self.n_trailing:
            said.append("left out an empty column after the last separator")
        return said


def _start_of(path: Path) -> tuple[str, list[str]]:
    """Read the first lines of a file as text, and say in which encoding."""
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        content = file.read(LOOKED_AT_BYTES)
        cut = bool(file.read(1))
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "ignore"), ["text is in UTF-16"]
    try:
        text, notes = content.decode("utf-8-sig", "ignore" if cut else "strict"), []
    except UnicodeDecodeError:
        text, notes = content.decode("cp1252", "replace"), ["text is not UTF-8; read as cp1252"]
    return (text[: text.rfind("\n")] if cut else text), notes


def _lines_before_header(lines: Sequence[str]) -> tuple[int, str, str]:
    """Count comments, and return the last of them and the separator that Excel may name."""
    count, comment, separator = 0, "", ""
    for line in lines:
        if found := re.fullmatch(r'"?sep=(.)"?', line.strip()):
            separator = found[1]
        elif line.startswith(("#", "%")):
            comment = line.lstrip("#% ")
        elif line.strip():
            break
        count += 1
    return count, comment, separator


def _split(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    return [field.strip() for field in fields]


def _separator(lines: Sequence[str], path: Path) -> str:
    """Tell the separator: that by which lines have equally many fields, more than one."""
    name = path.name.lower().removesuffix(".gz")
    order = ("\t", *SEPARATORS) if name.endswith((".tsv", ".tab")) else SEPARATORS
    for separator in (*(s for s in order if s in ";\t|"), ",", " "):
        counts = {len(_split(line, separator)) for line in lines}
        body = {len(_split(line, separator)) for line in lines[1:]} or counts
        # One more field in the rows than in the header: names of rows, or a trailing separator.
        if min(counts) > 1 and len(body) == 1 and max(counts) - min(counts) <= 1:
            return separator
    return "\t" if name.endswith((".tsv", ".tab")) else ","


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        return False
    return True


def _header(
    rows: list[list[str]], comment: str, separator: str
) -> tuple[list[str], list[list[str]], bool]:
    """Part the header from the rows; a file of np.savetxt has none, or one in a comment."""
    first = rows[0]
    named = _split(comment, separator) if comment else []
    if all(_is_number(field) for field in first) and first:
        counted = [field for field in first if re.fullmatch(r"\d+", field)]
        if len(counted) == len(first) > 1 and [int(f) - int(first[0]) for f in first] == list(
            range(len(first))
        ):
            return first, rows[1:], True  # pandas' numbers of columns
        if len(named) == len(first):
            return named, rows, False
        return [str(place) for place in range(len(first))], rows, False
    return first, rows[1:], True


def _aligned(
    header: list[str], body: list[list[str]], separator: str
) -> tuple[list[str], list[list[str]], bool, int]:
    """Bring header and rows to one number of fields; say if there are names of rows."""
    if not body:
        raise UnusableError("expected rows of values below the header, got none")
    widths = {len(row) for row in body}
    width = max(widths)
    if len(widths) > 1:
        place = next(p for p, row in enumerate(body) if len(row) != len(header))
        raise UnusableError(
            f"expected {len(header)} fields in each row, as in the header, got "
            f"{len(body[place])} in row {place}, counted from 0"
        )
    empty_end = all(row[-1] == "" for row in body)
    if width == len(header) + 1 and empty_end:
        return header, [row[:-1] for row in body], False, 1
    if width == len(header) and header[-1] == "" and empty_end and width > 1:
        return header[:-1], [row[:-1] for row in body], False, 1
    if width == len(header) + 1:
        return ["", *header], body, True, 0
    if width != len(header):
        hint = (
            "; are these decimal commas? Save the table with `;` between the columns"
            if separator == "," and width == 2 * len(header)
            else ""
        )
        raise UnusableError(
            f"expected {len(header)} fields in each row, as in the header, got {width}{hint}"
        )
    return header, body, False, 0


def _require_names(header: Sequence[str]) -> None:
    unnamed = [place for place, name in enumerate(header) if not name]
    if unnamed and unnamed != [0]:
        raise UnusableError(
            f"expected a name for every column, got none for column {unnamed[-1]}, counted from 0"
        )
    if len(set(header)) < len(header):
        twice = next(name for place, name in enumerate(header) if name in header[:place])
        raise UnusableError(f"expected different names, got two columns named {twice!r}")


def _decimal_mark(body: Sequence[Sequence[str]], decimal: str | None) -> tuple[str, str | None]:
    """Return the decimal mark and the separator of thousands, or None."""
    fields = [field for row in body for field in row if "," in field]
    numbers = [f for f in fields if _COMMA_NUMBER.fullmatch(f) or _GROUPED.fullmatch(f)]
    by_point = [f for f in fields if _GROUPED_BY_POINT.fullmatch(f) and "." in f]
    if decimal is not None:
        other = "." if decimal == "," else ","
        return decimal, other if fields else None
    if by_point:
        return ",", "."
    if not numbers:
        return ".", None
    points = any(re.fullmatch(r"[+-]?\d+\.\d+", field) for row in body for field in row)
    decimals = [f for f in numbers if not _GROUPED.fullmatch(f)]
    if decimals and not points:
        return ",", None
    grouped = [f for f in numbers if _GROUPED.fullmatch(f)]
    if grouped and not decimals and (points or any("." in f or f.count(",") > 1 for f in grouped)):
        return ".", ","
    raise UnusableError(
        f"cannot tell whether the comma in {numbers[0]!r} is a decimal mark or separates "
        "thousands; say `decimal: ','` or `decimal: '.'` in the entry"
    )


def _read_frame(path: Path, layout: _Layout, notes: Iterable[str]) -> pd.DataFrame:
    """Read all rows, numbers as numbers where they are plainly so."""
    trailing = [f"_empty_{number}" for number in range(layout.n_trailing)]
    encoding = "utf-16" if any("UTF-16" in note for note in notes) else "utf-8-sig"
    if any("cp1252" in note for note in notes):
        encoding = "cp1252"
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
        "encoding": encoding,
        "low_memory": False,
        "decimal": layout.decimal,
        "thousands": layout.grouping,
        "dtype": {f"c{names.index(name)}": str for name in layout.text_columns},
        "comment": None,
    }
    frame: pd.DataFrame = pd.read_csv(path, **options)
    frame = frame.iloc[:, : len(layout.names)]
    frame.columns = pd.Index(layout.names)
    return frame


def values_of_column(values: "pd.Series[Any]", name: str, decimal: str = ".") -> np.ndarray:
    """Return a column of numbers or booleans, or of text, which is empty where it is missing.

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
    lower = set(text.str.lower().unique())
    if lower == {"true", "false"} or lower in ({"true"}, {"false"}):
        return (text.str.lower() == "true").to_numpy(bool)
    missing = text.isin(MISSING).to_numpy()
    plain = text.str.replace(",", ".", regex=False) if decimal == "," else text
    numbers = pd.to_numeric(plain.where(~missing), errors="coerce").to_numpy(np.float64)
    odd = np.isnan(numbers) & ~missing
    if missing.all() or odd.sum() > (~missing).sum() / 2:
        return text.to_numpy(str)
    if odd.any():
        place = int(np.flatnonzero(odd)[0])
        raise UnusableError(
            f"expected numbers in column {name!r}, got {text.iloc[place]!r} in sample {place}, "
            "counted from 0"
        )
    if any(re.fullmatch(r"0\d+", value) for value in text.head(N_LOOKED_AT)):
        return text.to_numpy(str)
    return numbers


def _from_arrow(path: Path) -> Table:
    """Read `.parquet` or `.feather`; the index of pandas is a column without a name."""
    try:
        import pyarrow.feather as feather
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise missing_package("pyarrow", path) from error
    reader: Any = parquet.read_table if path.suffix.lower() == ".parquet" else feather.read_table
    table = reader(path)
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain = "" if re.fullmatch(r"__index_level_\d+__", name) else str(name)
        if plain in columns:
            raise UnusableError(f"expected different names, got two columns named {plain!r}")
        columns[plain] = _from_arrow_column(column, plain)
    if not columns or not table.num_rows:
        raise UnusableError("expected columns with at least one row, got none")
    return Table(columns)


def _from_arrow_column(column: Any, name: str) -> np.ndarray:
    series = column.to_pandas()
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(str)
    values: np.ndarray = series.to_numpy()
    if values.dtype.kind == "M":
        return values.astype(str)
    if values.dtype.kind in "fiub":
        return np.asarray(values)
    if not all(isinstance(value, str | bytes | None) for value in values):
        raise UnusableError(f"column {name!r} holds {column.type}; save numbers or text")
    return np.array(["" if value is None else str(value) for value in values])


def missing_package(package: str, path: Path) -> UnusableError:
    """Return the error that says how to install what a format needs."""
    return UnusableError(
        f"reading {''.join(path.suffixes[-2:]) or path.name} needs {package}: "
        "pip install 'scorebounds[formats]'"
        f" (or: pip install {package})"
    )
