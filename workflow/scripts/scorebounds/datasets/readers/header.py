"""The header of a text table, and whether there is one."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from scorebounds.datasets.errors import UnusableError

# Below this, a row of whole numbers may be like that by chance.
MIN_COLUMNS, MANY_COLUMNS, MIN_ROWS = 3, 6, 6
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def part_header(rows: list[list[str]], named: list[str]) -> tuple[list[str], list[list[str]], bool]:
    """Part the header from the rows, and say whether the first row is one.

    Parameters
    ----------
    rows : list of list of str
    named : list of str
        What a comment before the rows says, as `np.savetxt` writes a header.

    Raises
    ------
    UnusableError
        If the first row may be either.
    """
    body = rows[1:]
    first = rows[0][: len(rows[0]) - n_empty(rows[0])]
    if not all(_is_number(field) for field in first):
        _require_no_sample(first, body)
        return rows[0], body, True
    if len(named) == len(first):
        return named, rows, False
    if _is_unlike(first, body) or _numbers_columns(first):
        return rows[0], body, True
    if _counts(first) or _is_scale(first, body):
        raise _header_or_sample(first)
    n_trailing = min(n_empty(row) for row in rows)
    names = [str(place) for place in range(len(rows[0]) - n_trailing)]
    return [*names, *[""] * n_trailing], rows, False


def _header_or_sample(first: Sequence[str]) -> UnusableError:
    return UnusableError(
        f"cannot tell whether the first row, {', '.join(first[:3])}, …, is the header or a "
        "sample; write a header with names that are no numbers, as n0, n1, …"
    )


def _require_no_sample(first: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Refuse a first row of numbers and some text, unless its numbers plainly name columns."""
    fields = [field for field in first if _is_number(field)]
    if len(fields) < len(first) / 2 or _numbers_columns(fields, 2) or _is_unlike(first, body):
        return
    numbers = [float(field.replace(",", ".")) for field in fields]
    # Names of many times or frequencies are in order, samples are not.
    if len(numbers) < MANY_COLUMNS or not all(b > a for a, b in pairwise(numbers)):
        raise _header_or_sample(first)


def _is_unlike(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Say whether a row holds different whole numbers, and the rows below decimals."""
    whole = [place for place, field in enumerate(first) if _is_number(field)]
    fields = [first[place] for place in whole]
    if not all(_WHOLE.fullmatch(field) for field in fields) or len(set(fields)) < len(fields):
        return False
    if len(fields) < MIN_COLUMNS or len(body) < MIN_ROWS:
        return False
    columns = list(zip(*body, strict=False))
    return len(columns) >= len(first) and all(
        any(not _WHOLE.fullmatch(field) for field in columns[place]) for place in whole
    )


def _numbers_columns(fields: Sequence[str], at_least: int = MANY_COLUMNS) -> bool:
    """Say whether fields are 0, 1, 2, … or 1, 2, 3, … over many columns, as pandas writes them."""
    return len(fields) >= at_least and list(fields) in (
        [str(place) for place in range(first, first + len(fields))] for first in (0, 1)
    )


def _counts(fields: Sequence[str]) -> bool:
    """Say whether fields are whole numbers in equal steps of 1, or rise over many columns."""
    if len(fields) < MIN_COLUMNS or not all(re.fullmatch(r"\d+", field) for field in fields):
        return False
    numbers = [int(field) for field in fields]
    steps = {b - a for a, b in pairwise(numbers)}
    return steps == {1} or (len(fields) >= MANY_COLUMNS and min(steps) > 0)


def _is_scale(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Say whether decimals are in order as times or frequencies are, and rows below are not."""
    if len(first) < MIN_COLUMNS + 1 or not all(_is_number(f) for row in body for f in row if f):
        return False
    steps = np.diff([float(field.replace(",", ".")) for field in first])
    if np.allclose(steps, steps[0], rtol=1e-6, atol=0) and steps[0]:
        return True
    below = [np.diff([float(f.replace(",", ".") or "nan") for f in row]) for row in body]
    n_rising = sum(bool((differences > 0).all()) for differences in below)
    return len(first) >= MANY_COLUMNS and bool((steps > 0).all()) and n_rising < len(body) / 2


def align(
    header: list[str], body: list[list[str]], separator: str
) -> tuple[list[str], list[list[str]], int]:
    """Bring header and rows to one number of fields, without empty columns at the end."""
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
    n_trailing = min(n_empty(row) for row in body)
    n_named = len(header) - n_empty(header)
    if n_trailing and width - n_trailing <= n_named <= width and n_named < width:
        return header[:n_named], [row[:n_named] for row in body], width - n_named
    if width == len(header) + 1:
        return ["", *header], body, 0
    if width != len(header):
        hint = (
            "; are these decimal commas? Save the table with `;` between the columns"
            if separator == "," and width == 2 * len(header)
            else ""
        )
        raise UnusableError(
            f"expected {len(header)} fields in each row, as in the header, got {width}{hint}"
        )
    return header, body, 0


def n_empty(fields: Sequence[str]) -> int:
    """Count the empty fields at the end."""
    filled = [place for place, field in enumerate(fields) if field]
    return len(fields) - 1 - filled[-1] if filled else len(fields)


def require_names(header: Sequence[str]) -> None:
    unnamed = [place for place, name in enumerate(header) if not name]
    if unnamed and unnamed != [0]:
        raise UnusableError(
            f"expected a name for every column, got none for column {unnamed[-1]}, counted from 0"
        )
    if len(set(header)) < len(header):
        twice = next(name for place, name in enumerate(header) if name in header[:place])
        raise UnusableError(f"expected different names, got two columns named {twice!r}")


def require_one_header(header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Refuse a first row that belongs to the header, as numbers of electrodes or units do."""
    first = [field for name, field in zip(header, body[0], strict=True) if name]
    rest = [row[-len(first) :] for row in body[1:]]
    if _is_unlike(first, rest):
        raise UnusableError(
            f"cannot tell whether row 0, {', '.join(first[:3])}, …, is a sample or a second "
            "header: it holds whole numbers and the rows below hold decimals; delete it, or write "
            "its numbers as decimals (1.0)"
        )
