"""Rows that repeat a stimulus: trials of one condition, as names, labels or the model itself say.

A recording resembles itself where a stimulus is repeated, and so does a model. Permuted one by one,
such rows make unrelated models better than chance.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from scorebounds.core.averages import is_single, mean_as_stored
from scorebounds.core.recording import ROW_NAME
from scorebounds.datasets.readers.vocabulary import STIMULI, words
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.names import as_text
from scorebounds.scorecards.rows import CONDITIONS, TIMES
from scorebounds.scorecards.samples import of_moderate_size

# Distance, in units of the root mean square norm, up to which rows are equal: networks in single
# precision give a stimulus slightly different activity in another batch.
ROUNDING = 1e-5
SPAN_GROUPS = "equal rows are in several groups; whole conditions are held out instead of groups"
_DECIMAL_OR_TIME = re.compile(r"[\d\s.,:TZ/+-]*[.,:/][\d\s.,:TZ/+-]*")


def with_repeats(matched: Matched, reference: xr.DataArray, model: xr.DataArray) -> Matched:
    """Take rows of equal name, or of the same stimulus by a label, for trials of one condition.

    Parameters
    ----------
    matched : Matched
        Paired by order; unchanged where a condition has several rows already, and where no row is
        repeated. The model's rows of one condition are averaged.
    reference, model : DataArray
        The rows that go together.
    """
    if len(matched.condition) > matched.n_conditions:
        return matched
    if TIMES in {str(side.attrs.get("rows", "")) for side in (reference, model)}:
        return matched
    known = [_stimuli(side) for side in (reference, model)]
    codes = [found for found in known if found is not None and len(set(found)) < len(found)]
    if not codes:
        return matched
    condition = _codes(codes)
    n = int(condition.max()) + 1
    if n == matched.n_conditions:
        return matched
    y, single = matched.model, is_single(matched.model)
    averages = [mean_as_stored(y[:, condition == code], 1, single=single) for code in range(n)]
    note = (
        f"{len(condition)} rows have {n} names; those of equal name are averaged as trials of one "
        "condition (if they are different conditions, give them different names)"
    )
    return replace(
        matched,
        model=np.stack(averages, axis=1),
        condition=condition,
        notes=(*matched.notes, note),
    )


def _stimuli(array: xr.DataArray) -> np.ndarray | None:
    """Return a number for the stimulus of each row, None where nothing tells it."""
    names = [ROW_NAME] if ROW_NAME in array.coords else []
    names = names or [name for name in array.attrs["variables"] if STIMULI.fullmatch(words(name))]
    columns = [as_text(array[name].values) for name in names]
    columns = [each for each in columns if not any(map(_DECIMAL_OR_TIME.fullmatch, each))]
    return (
        _codes([np.unique(each, return_inverse=True)[1] for each in columns]) if columns else None
    )


def _codes(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return a number for the values of each row, counted in the order in which they occur."""
    _, first, of_row = np.unique(np.stack(columns), axis=1, return_index=True, return_inverse=True)
    rank: np.ndarray = np.argsort(np.argsort(first))[of_row.ravel()]
    return rank


def with_equal_rows(matched: Matched) -> Matched:
    """Take rows in which the model is equal for trials of one condition.

    A model gives the same activity for each repeat of a stimulus, up to rounding, and a few repeats
    suffice to make an unrelated model of many units better than chance. Rows that are known to be
    conditions are not averaged; a note says what to do if they are trials.
    """
    if len(matched.condition) > matched.n_conditions:
        return matched
    of_row = equal_rows(matched.model)
    n, n_rows = int(of_row.max()) + 1, len(of_row)
    if n in (1, n_rows):
        return matched
    said = f"the model has {n} different rows among {n_rows}"
    if matched.rows_are == CONDITIONS:
        note = (
            f"{said}, and each row counts as a condition (if equal ones are trials of one "
            "condition, p is too small: give them the same name)"
        )
        return replace(matched, notes=(*matched.notes, note))
    if matched.rows_are:
        return matched
    note = (
        f"{said}; equal ones are averaged as trials of one condition (if they are different "
        "conditions, name their axes: (condition, neuron))"
    )
    first = np.unique(of_row, return_index=True)[1]
    groups, notes = matched.groups, (*matched.notes, note)
    if groups is not None:
        spans = (groups[first][of_row] != groups).any()
        groups = None if spans else groups[first]
        notes = (*notes, SPAN_GROUPS) if spans else notes
    return replace(
        matched,
        model=matched.model[:, first],
        condition=of_row[matched.condition],
        groups=groups,
        notes=notes,
    )


def equal_rows(model: np.ndarray) -> np.ndarray:
    """Return a number for each row of (n_times, n_rows, n_units), the same for equal rows.

    Counted in the order in which they occur. A model may be silent in response to different
    stimuli: rows of zeros have numbers of their own.
    """
    rows = model.swapaxes(0, 1).reshape(model.shape[1], -1)
    number = _equal_rows(rows)
    is_silent = ~rows.any(axis=1)
    number[is_silent] = len(rows) + np.arange(is_silent.sum())
    return _codes([number])


def _equal_rows(rows: np.ndarray) -> np.ndarray:
    """Return a number for each row, the same for rows that differ by rounding only.

    Equal rows have equal projections on any direction, so that they are neighbours in the order of
    a random one.
    """
    centred = of_moderate_size(rows)
    centred = centred - centred.mean(axis=0)
    direction = np.random.default_rng(0).standard_normal(centred.shape[1])
    order = np.argsort(centred @ direction, kind="stable")
    steps = np.linalg.norm(np.diff(centred[order], axis=0), axis=1)
    is_new = steps > ROUNDING * np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    number = np.zeros(len(rows), dtype=np.int64)
    number[order[1:]] = np.cumsum(is_new)
    return number
