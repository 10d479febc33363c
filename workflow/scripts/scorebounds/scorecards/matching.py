"""Match the rows of a model's activity with the samples of a reference."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from scorebounds.core.recording import ROW_NAME

ORDER, NAMES = "order", "names"
N_SHOWN = 3


@dataclass(frozen=True)
class Matched:
    """A reference and a model with matched conditions.

    Attributes
    ----------
    reference : ndarray, shape (n_times, n_rows, n_x)
        One time where there is no axis of time.
    model : ndarray, shape (n_times, n_conditions, n_y)
        The conditions of the model that the reference has.
    condition : ndarray of int, shape (n_rows,)
        Which of the model's conditions goes with each row of the reference: several rows are
        trials of one condition.
    """

    reference: np.ndarray
    model: np.ndarray
    condition: np.ndarray

    @property
    def n_conditions(self) -> int:
        """Number of conditions of the model that the reference has."""
        return int(self.model.shape[1])

    @property
    def is_balanced(self) -> bool:
        """Whether the reference has as many rows of each condition."""
        return len(set(np.bincount(self.condition))) == 1

    @property
    def has_trials(self) -> bool:
        """Whether the reference has at least two rows of every condition."""
        return bool(np.bincount(self.condition).min() > 1)


def match(reference: xr.DataArray, model: xr.DataArray, by: str | Sequence[str] = ORDER) -> Matched:
    """Find the model's row for every sample, or condition, of a reference.

    Parameters
    ----------
    reference, model : DataArray
        As `core.recording.recording` makes them.
    by : str or sequence of str
        `order`: row i goes with row i. `names`: rows of equal name go together. A list of labels:
        rows that agree in all of them.

    Raises
    ------
    ValueError
        If the two do not match; the message says what was expected, what came, and the remedy.
    """
    names = f"model {model.attrs['dataset']!r} for {reference.attrs['dataset']!r}"
    x, y = _by_time(reference), _by_time(model)
    if len(x) != len(y):
        raise ValueError(
            f"{names}: expected {_times(reference)}, as the reference has, got {_times(model)}; "
            "record the model at the reference's times"
        )
    if by == ORDER:
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                f"{names}: expected {x.shape[1]} {_row(reference)}s in the order of the "
                f"reference's, got {y.shape[1]}; record the same ones, or name in `match` the "
                "labels by which they are found"
            )
        return Matched(x, y, np.arange(x.shape[1]))
    keys = [ROW_NAME] if by == NAMES else list(by)
    of_reference = _keys(reference, keys, names, "the reference")
    of_model = _keys(model, keys, names, "the model")
    _require_unique(of_model, names, keys)
    known = set(of_model)
    missing = [key for key in dict.fromkeys(of_reference) if key not in known]
    if missing:
        raise ValueError(
            f"{names}: expected a {_row(model)} of the model for each of the reference's, "
            f"got none for {_shown(missing)}"
        )
    used = list(dict.fromkeys(of_reference))
    model_row = {key: row for row, key in enumerate(of_model)}
    number = {key: row for row, key in enumerate(used)}
    return Matched(
        x, y[:, [model_row[key] for key in used]], np.array([number[key] for key in of_reference])
    )


def _by_time(array: xr.DataArray) -> np.ndarray:
    return array.values if "time" in array.dims else array.values[None]


def _times(array: xr.DataArray) -> str:
    return f"{array.sizes['time']} times" if "time" in array.dims else "samples without times"


def _row(array: xr.DataArray) -> str:
    return str(array.dims[-2])


def _keys(array: xr.DataArray, by: Sequence[str], names: str, side: str) -> list[tuple[str, ...]]:
    """Return what each row is found by; numbers are equal to their text."""
    for name in by:
        if name not in array.coords:
            known = ", ".join(array.attrs["variables"]) or "none"
            what = "names (`names`)" if name == ROW_NAME else f"a label {name!r}"
            raise ValueError(f"{names}: expected {side} to have {what}, got the labels: {known}")
    columns = [array[name].values for name in by]
    return [tuple(_plain(value) for value in row) for row in zip(*columns, strict=True)]


def _plain(value: object) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    try:
        return f"{float(text):.10g}"
    except ValueError:
        return text


def _require_unique(keys: list[tuple[str, ...]], names: str, by: Sequence[str]) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        said = "names" if by == [ROW_NAME] else ", ".join(by)
        raise ValueError(
            f"{names}: expected each of the model's conditions once by {said}, "
            f"got more of {_shown(twice)}; average them (`average_by`), or name more labels"
        )


def _shown(keys: Sequence[tuple[str, ...]]) -> str:
    shown = "; ".join(" ".join(key) for key in keys[:N_SHOWN])
    return f"{shown} and {len(keys) - N_SHOWN} more" if keys[N_SHOWN:] else shown
