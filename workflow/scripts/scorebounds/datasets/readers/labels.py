"""Values per row, as labels or names: checked, and equal where they differ by accident only."""

import unicodedata

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import as_text
from scorebounds.datasets.readers.odd import mark_of_missing
from scorebounds.datasets.readers.population import Population

ROUNDING = 1e-6


def tidy(values: np.ndarray) -> np.ndarray:
    """Return labels or names in which what differs by accident is equal.

    Text is stripped and composed (Unicode NFC); numbers that differ by rounding become equal;
    dates become text.
    """
    if values.dtype.kind == "S":
        values = np.array([value.decode("utf-8", "replace") for value in values.ravel()])
    if values.dtype.kind == "M":
        return values.astype(str)
    if values.dtype.kind in "UT":
        # Line ends and null characters of fixed-width text go with the blanks.
        return np.array(
            [unicodedata.normalize("NFC", str(value)).strip(" \t\r\n\0\xa0") for value in values]
        )
    if values.dtype.kind == "f":
        return _without_rounding(values.astype(np.float64))
    return values


def _without_rounding(values: np.ndarray) -> np.ndarray:
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2:
        return values
    close = np.diff(distinct) <= ROUNDING * np.abs(distinct[1:])
    # Of continuous values neighbours may be as close by chance; classes are far from each other.
    if not close.any() or len(distinct) > len(values) / 2:
        return values
    first = distinct[np.concatenate([[True], ~close])]
    place = np.searchsorted(first, values, side="right") - 1
    return np.where(np.isfinite(values), first[place.clip(0)], values)


def fits(shape: tuple[int, ...], population: Population) -> bool:
    """Say whether an array has a value for each row, or for each condition of the rows."""
    sizes = tuple(size for size in shape if size != 1)
    return sizes in {(population.n_rows,), population.grid, population.grid[:1]}


def as_rows(name: str, values: np.ndarray, population: Population) -> np.ndarray:
    """Give each row its value; one per condition goes to all of its trials.

    Raises
    ------
    UnusableError
        If the values are not that many, or neither numbers nor text.
    """
    flat = np.squeeze(values)
    if not fits(flat.shape, population):
        raise UnusableError(
            f"expected label {name!r} with a value for each of the {population.n_rows} "
            f"{population.row}s, got shape {values.shape}"
        )
    if flat.shape != (population.n_rows,) and flat.shape != population.grid:
        flat = np.repeat(flat, population.grid[1])
    return _plain(name, flat.ravel())


def _plain(name: str, values: np.ndarray) -> np.ndarray:
    """Return numbers or text; MATLAB hands over a cell of text as an array in each element."""
    if values.dtype.kind != "O":
        return values
    cells = [np.ravel(np.asarray(cell)) for cell in values]
    if not all(cell.size <= 1 and cell.dtype.kind in "USTfiub" for cell in cells):
        raise UnusableError(f"expected label {name!r} to hold numbers or text, got objects")
    texts = [_text(cell[0]) if cell.size else "" for cell in cells]
    return as_text(name, np.array(texts, dtype=object))


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def fault_of_label(values: np.ndarray) -> str | None:
    """Say why values are no labels, or return None."""
    if values.dtype.kind not in "USTfiub":
        return f"expected numbers or text, got {values.dtype}"
    missing = values == "" if values.dtype.kind in "UST" else ~np.isfinite(values)
    if missing.any():
        return f"there is no value in row {np.flatnonzero(missing)[0]}, counted from 0"
    mark = mark_of_missing(values)
    if mark is not None:
        return f"{mark:g} stands for missing values in {(values == mark).sum()} rows"
    if len(np.unique(values)) < 2:
        return "it has one value throughout, there is nothing to decode"
    return None
