"""How a text table is written: separator, header, decimal mark; as spreadsheets and R write it."""

import csv
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.header import (
    align,
    n_empty,
    part_header,
    require_names,
    require_one_header,
)

SEPARATORS = (",", ";", "\t", "|", " ")
N_LOOKED_AT = 200  # rows from which the form of a table is detected
LOOKED_AT_BYTES = 1 << 22
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    separator : str
    names : tuple of str
        The header.
    n_skipped : int
        Lines before it.
    decimal : str
    grouping : str or None
        What separates thousands.
    has_header : bool
    encoding : str
    n_trailing : int
        Empty columns after the last separator.
    text_columns : tuple of str
        Columns of digits with leading zeros, which are names.
    maybe_grouped : bool
        Whether every number has three digits after a point, as with thousands.
    """

    separator: str
    names: tuple[str, ...]
    n_skipped: int
    decimal: str
    grouping: str | None
    has_header: bool
    encoding: str
    n_trailing: int
    text_columns: tuple[str, ...]
    maybe_grouped: bool = False

    def notes(self) -> list[str]:
        """Say what is not as in a plain CSV."""
        said = []
        if self.encoding != "utf-8-sig":
            said.append(f"text is in {self.encoding}")
        if self.separator != ",":
            said.append(f"columns are separated by {self.separator!r}")
        if self.decimal != ".":
            said.append(f"the decimal mark is {self.decimal!r}")
        if self.grouping:
            said.append(f"thousands are separated by {self.grouping!r}")
        if self.maybe_grouped:
            said.append(
                "every number has three digits after its point, which was taken as the decimal "
                "mark; if it separates thousands, say `decimal: ','`"
            )
        if not self.has_header:
            said.append("there is no header: columns are numbered from 0")
        if self.n_trailing:
            said.append("left out what follows the last separator, which is empty")
        return said


def layout_of(path: Path, decimal: str | None) -> Layout:
    """Tell the layout of a table from its first lines.

    Parameters
    ----------
    path : Path
    decimal : str or None
        The decimal mark, where it is given.

    Raises
    ------
    UnusableError
        If it is no table, or one that can be read in two ways.
    """
    text, encoding = _start_of(path)
    lines = text.splitlines()
    n_skipped, comment, given = _lines_before_header(lines)
    lines = [line for line in lines[n_skipped:] if line.strip()][: N_LOOKED_AT + 1]
    if not lines:
        raise UnusableError("expected a header with the names of the columns, got an empty file")
    separator = given or _separator(lines, path)
    rows = [_split(line, separator) for line in lines]
    named = _split(comment, separator) if comment else []
    header, body, has_header = part_header(rows, named)
    header, body, n_trailing = align(header, body, separator)
    require_names(header)
    require_one_header(header, body)
    mark, grouping = _decimal_mark(body, decimal, separator)
    as_text = tuple(
        name
        for name, fields in zip(header, zip(*body, strict=True), strict=True)
        if any(re.fullmatch(r"0\d+", field) for field in fields)
    )
    return Layout(
        separator, tuple(header), n_skipped, mark, grouping, has_header, encoding, n_trailing,
        as_text, decimal is None and separator != "," and _may_be_grouped(body),
    )  # fmt: skip


def _start_of(path: Path) -> tuple[str, str]:
    """Read the first lines of a file as text, and say in which encoding."""
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        content = file.read(LOOKED_AT_BYTES)
        cut = bool(file.read(1))
    if content[:4] != b"\xff\xfe\0\0" and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "ignore"), "utf-16"
    if b"\0" in content:
        raise UnusableError(
            "expected text, got null characters, as in UTF-16 without a mark of its byte order, in "
            "UTF-32 or in another format; save the table as UTF-8"
        )
    try:
        text, encoding = content.decode("utf-8-sig", "ignore" if cut else "strict"), "utf-8-sig"
    except UnicodeDecodeError:
        text, encoding = content.decode("cp1252", "replace"), "cp1252"
    return (text[: text.rfind("\n")] if cut else text), encoding


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
    # With another separator than its own, a line of many columns is one long field.
    limit = csv.field_size_limit(max(len(line), csv.field_size_limit()))
    try:
        fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    finally:
        csv.field_size_limit(limit)
    return [field.strip() for field in fields]


def _separator(lines: Sequence[str], path: Path) -> str:
    """Tell the separator: that by which lines have equally many fields, more than one."""
    name = path.name.lower().removesuffix(".gz")
    if all(_are_decimal_commas(_split(line, " ")) for line in lines):
        return " "
    order = ("\t", *SEPARATORS) if name.endswith((".tsv", ".tab")) else SEPARATORS
    for separator in (*(s for s in order if s in ";\t|"), ",", " "):
        rows = [_split(line, separator) for line in lines]
        n_header, body = len(rows[0]), {len(row) for row in rows[1:]} or {len(rows[0])}
        n_trailing = min((n_empty(row) for row in rows[1:]), default=0)
        # One more field in the rows than in the header are names of rows.
        if len(body) == 1 and 1 < n_header <= max(body) <= n_header + max(n_trailing, 1):
            return separator
        if len(body) == 1 and 1 < max(body) == n_header - 1:
            return separator
    return "\t" if name.endswith((".tsv", ".tab")) else ","


def _are_decimal_commas(fields: Sequence[str]) -> bool:
    return len(fields) > 1 and all(_COMMA_NUMBER.fullmatch(field) for field in fields)


def _decimal_mark(
    body: Sequence[Sequence[str]], decimal: str | None, separator: str
) -> tuple[str, str | None]:
    """Return the decimal mark and the separator of thousands, or None."""
    every = [field for row in body for field in row]
    fields = [field for field in every if "," in field]
    numbers = [f for f in fields if _COMMA_NUMBER.fullmatch(f) or _GROUPED.fullmatch(f)]
    by_point = [f for f in every if _GROUPED_BY_POINT.fullmatch(f) and "." in f]
    if decimal is not None:
        other = "." if decimal == "," else ","
        return decimal, other if fields or decimal == "," else None
    if any("," in field for field in by_point):
        return ",", "."
    if not numbers:
        _require_plain_points(every, by_point, separator)
        return ".", None
    points = any(re.fullmatch(r"[+-]?\d+\.\d+", field) for field in every)
    decimals = [f for f in numbers if not _GROUPED.fullmatch(f)]
    if decimals and not points:
        return ",", None
    grouped = [f for f in numbers if _GROUPED.fullmatch(f)]
    if grouped and not decimals and (points or any("." in f or f.count(",") > 1 for f in grouped)):
        return ".", ","
    raise _ambiguous(numbers[0])


def _may_be_grouped(body: Sequence[Sequence[str]]) -> bool:
    pointed = [field for row in body for field in row if re.fullmatch(r"[+-]?\d*\.\d*", field)]
    return bool(pointed) and all(_GROUPED_BY_POINT.fullmatch(field) for field in pointed)


def _require_plain_points(every: Sequence[str], grouped: Sequence[str], separator: str) -> None:
    """Refuse whole numbers with a point between thousands: 1.234 and 600 in one table."""
    pointed = [field for field in every if re.fullmatch(r"[+-]?\d*\.\d*", field)]
    bare = any(re.fullmatch(r"[+-]?\d{1,3}", field) for field in every)
    several = [field for field in grouped if field.count(".") > 1]
    if several or (separator != "," and pointed and len(pointed) == len(grouped) and bare):
        raise _ambiguous((several or grouped)[0])


def _ambiguous(number: str) -> UnusableError:
    mark = "comma" if "," in number else "point"
    return UnusableError(
        f"cannot tell whether the {mark} in {number!r} is a decimal mark or separates "
        "thousands; say `decimal: ','` or `decimal: '.'` in the entry"
    )
