"""Names and labels of rows, in a form in which they can be compared between files."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

N_SHOWN = 3
# Beyond this many names, only spelling that differs by case or blanks is looked for.
MAX_COMPARED = 20_000
# Relative difference up to which two decimals are the same.
ROUNDING = 1e-6


def comparable(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring two columns into one form: numbers if both are numbers, text otherwise.

    Text is compared exactly once it is in Unicode's composed form (NFC), without blanks around it.

    Parameters
    ----------
    a, b : ndarray, shape (n,) and (m,)

    Returns
    -------
    tuple of two ndarray
        Both of numbers, or both of text.
    """
    if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        return _rounded(a, b)
    return as_text(a), as_text(b)


def as_text(values: np.ndarray) -> np.ndarray:
    """Write names as text; a whole number has no decimal point."""
    if values.dtype.kind == "f":
        return np.array(
            [f"{v:.0f}" if v == np.round(v) else str(v) for v in values.tolist()], object
        )
    plain = (v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values)
    return np.array([unicodedata.normalize("NFC", v).strip(" \t\r\n\0\xa0") for v in plain], object)


def _rounded(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make decimals equal that differ by rounding; whole numbers are compared exactly."""
    if "f" not in (a.dtype.kind, b.dtype.kind):
        # Of signed and unsigned numbers of 64 bits, the common type is a decimal.
        mixed = np.result_type(a, b).kind == "f"
        return (a.astype(object), b.astype(object)) if mixed else (a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    distinct = np.unique(np.concatenate([a, b]))
    whole = (distinct == np.round(distinct)).all()
    if whole or len(distinct) < 2:
        return a, b
    apart = np.diff(distinct) > ROUNDING * np.abs(distinct[1:])
    first = distinct[np.concatenate([[True], apart])]

    def place(values: np.ndarray) -> np.ndarray:
        group = (np.searchsorted(first, values, side="right") - 1).clip(0)
        placed: np.ndarray = first[group]
        return placed

    return place(a), place(b)


def stems(values: np.ndarray) -> np.ndarray:
    """Return names of files without folder and ending: `a/im_01.png` is `im_01`."""
    return np.array(
        [PurePosixPath(name.replace("\\", "/")).stem for name in as_text(values)], dtype=object
    )


def codes(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each row of two tables, so that equal rows have equal numbers.

    Parameters
    ----------
    a, b : sequence of ndarray
        Columns, the same ones of either table.

    Returns
    -------
    tuple of two ndarray of int
    """
    parts = []
    for left, right in zip(a, b, strict=True):
        both = [pd.Series(values) for values in comparable(left, right)]
        parts.append(pd.factorize(pd.concat(both, ignore_index=True))[0])
    joint = np.unique(np.column_stack(parts), axis=0, return_inverse=True)[1].ravel()
    return joint[: len(a[0])], joint[len(a[0]) :]


def shown(columns: Sequence[np.ndarray], rows: Iterable[int]) -> str:
    """Show some rows, in quotes, so that blanks and look-alikes are seen."""
    chosen = list(rows)
    said = [" ".join(_quoted(column[row]) for column in columns) for row in chosen[:N_SHOWN]]
    more = f" and {len(chosen) - N_SHOWN} more" if chosen[N_SHOWN:] else ""
    return "; ".join(said) + more


def _quoted(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return ascii(plain) if isinstance(plain, str) and not plain.isascii() else repr(plain)


def near_miss(name: str, there: Sequence[str]) -> str:
    """Say which name is nearly the one that is missing; empty if there is none."""
    plain = _without_accidents(name)
    close = [other for other in there if _without_accidents(other) == plain]
    if not close and len(there) <= MAX_COMPARED:
        close = difflib.get_close_matches(name, there, n=1, cutoff=0.8)
    return f"; the nearest one is {_quoted(close[0])}" if close else ""


def _without_accidents(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).casefold()
    stem = PurePosixPath(plain.replace("\\", "/")).stem
    plain = re.sub(r"(?<!\d)0+(?=\d)", "", stem)
    return "".join(letter for letter in plain if letter.isalnum())
