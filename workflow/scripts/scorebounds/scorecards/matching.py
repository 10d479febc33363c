"""Match the rows of a model's activity with the samples of a reference."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.checks import MIN_SAMPLES
from scorebounds.core.recording import CONDITION_PLACE, N_CONDITIONS, ROW_NAME, stored_name
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.names import as_text, codes, comparable, near_miss, shown, stems
from scorebounds.scorecards.repeats import with_repeats
from scorebounds.scorecards.rows import what_rows_are
from scorebounds.scorecards.times import AVERAGE, BROADCAST, ORDER, align_times
from scorebounds.scorecards.unequal import unequal_rows

logger = logging.getLogger(__name__)

NAMES, LABELS = "names", "labels"
EXACT, STEM = "exact", "stem"
ERROR, INTERSECT = "error", "intersect"

By = str | Sequence[str] | Mapping[str, Any]


def match(
    reference: xr.DataArray,
    model: xr.DataArray,
    by: By | None = None,
    *,
    average_repeats: bool = True,
) -> Matched:
    """Find the model's row for every sample, or condition, of a reference.

    Parameters
    ----------
    reference, model : DataArray
        As `core.recording.recording` makes them.
    by : str, sequence of str, or mapping, optional
        `order`: row i goes with row i, or with all trials of condition i where trials and
        conditions are axes of the reference. `names`: rows of equal name go together. A list of
        labels: rows that agree in all of them. A mapping says more: `names` (`exact`, or `stem` for
        names of files without folder and ending) or `labels`, `on_missing` (`error`, or `intersect`
        to leave out rows of the reference that the model lacks), `time` (`broadcast` a model
        without times to all of the reference's, `average` the reference over time, or take times in
        `order`). Not given: the order, which names, labels and times of both must not contradict.
    average_repeats : bool
        Whether rows of equal name that are paired by order are trials of one condition.

    Returns
    -------
    Matched

    Raises
    ------
    ValueError
        If the two do not match; the message says what was expected, what came, and the remedy.
    """
    spec = _spec(by)
    sides = _sides(reference, model)
    x, y, averaged, notes = align_times(reference, model, spec.get("time"), sides)
    if LABELS not in spec and NAMES not in spec:
        matched = _by_order(reference, model, (x, y), sides, is_chosen=ORDER in spec)
        if average_repeats:
            matched = with_repeats(matched, *pair_in_order(reference, model)[:2])
    else:
        matched = _by_keys(reference, model, (x, y), sides, spec)
    labels = spec.get(LABELS, ())
    # Several rows of one condition are its trials.
    by_condition = NAMES in spec or len(matched.condition) > matched.n_conditions
    matched = replace(
        matched,
        is_averaged=averaged,
        notes=(*notes, *matched.notes),
        rows_are=what_rows_are(reference, model, labels, by_name=by_condition),
    )
    for note in matched.notes:
        logger.warning("%s: %s", sides, note)
    return matched


def _spec(by: By | None) -> dict[str, Any]:
    """Return what is asked of matching as a mapping."""
    if by is None or isinstance(by, str):
        known: dict[str | None, dict[str, Any]] = {
            None: {},
            ORDER: {ORDER: True},
            NAMES: {NAMES: EXACT},
        }
        if by not in known:
            raise ValueError(
                f"match: expected order, names, a list of labels or a mapping, got {by!r}"
            )
        return known[by]
    if not isinstance(by, Mapping):
        return {LABELS: list(by)}
    choices = {
        NAMES: (EXACT, STEM, True),
        "on_missing": (ERROR, INTERSECT),
        "time": (BROADCAST, AVERAGE, ORDER),
    }
    for key, value in by.items():
        if key != LABELS and value not in choices.get(key, ()):
            allowed = ", ".join(map(str, choices.get(key, ()))) or "no such setting"
            raise ValueError(f"match: expected {key} to be one of {allowed}, got {value!r}")
    return dict(by)


def _sides(reference: xr.DataArray, model: xr.DataArray) -> str:
    return f"model {model.attrs['dataset']!r} for {reference.attrs['dataset']!r}"


def _row(array: xr.DataArray) -> str:
    return str(array.dims[-2])


def _by_order(
    reference: xr.DataArray,
    model: xr.DataArray,
    pair: tuple[np.ndarray, np.ndarray],
    sides: str,
    *,
    is_chosen: bool,
) -> Matched:
    x, y = pair
    reference, model, there, condition = pair_in_order(reference, model)
    notes = []
    for key in (ROW_NAME, *_shared_labels(reference, model)):
        fault = _contradiction(reference, model, key)
        if fault is not None and not is_chosen:
            raise ValueError(f"{sides}: {fault}")
        notes += [fault] if fault is not None else []
    return Matched(x, y[:, there], condition, notes=tuple(notes))


def pair_in_order(
    reference: xr.DataArray, model: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray, np.ndarray, np.ndarray]:
    """Pair row i with row i, or with the trials of condition i.

    Returns
    -------
    reference, model : DataArray
        The rows that go together, of several trials the first.
    there : ndarray of int, shape (n_conditions,)
        The rows of the model that have a trial.
    condition : ndarray of int, shape (n_rows,)
        Which of them goes with each row of the reference.
    """
    n_reference, n_rows = reference.sizes[_row(reference)], model.sizes[_row(model)]
    if n_reference == n_rows:
        every = np.arange(n_rows)
        return reference, model, every, every
    if CONDITION_PLACE in reference.coords:
        place = reference[CONDITION_PLACE]
        n_conditions = int(place.attrs[N_CONDITIONS])
        if n_rows == n_conditions:
            there, first, condition = np.unique(
                place.values, return_index=True, return_inverse=True
            )
            reference = reference.isel({_row(reference): first})
            return reference, model.isel({_row(model): there}), there, condition.ravel()
    raise ValueError(f"{_sides(reference, model)}: {unequal_rows(reference, model)}")


def _shared_labels(reference: xr.DataArray, model: xr.DataArray) -> list[str]:
    return [name for name in reference.attrs["variables"] if name in model.attrs["variables"]]


def _contradiction(reference: xr.DataArray, model: xr.DataArray, key: str) -> str | None:
    """Say where names or labels of both deny that row i goes with row i, or return None."""
    if key not in reference.coords or key not in model.coords:
        return None
    a, b = comparable(reference[key].values, model[key].values)
    by_stem = key == ROW_NAME and not np.isin(a, b).any()
    if by_stem:
        a, b = stems(a), stems(b)
    differ = np.flatnonzero(a != b)
    # Names that have nothing in common, as numbers and file names, deny nothing.
    if not differ.size or not np.isin(a, b).any():
        return None
    row = differ[0]
    what, remedy = (
        ("names", "match: {names: stem}" if by_stem else "match: names")
        if key == ROW_NAME
        else (f"labels {key!r}", f"match: [{key}]")
    )
    return (
        f"rows are matched in order, and the {what} of both disagree in {differ.size} of {len(a)} "
        f"rows, first in row {row}: {shown([a], [row])} in the reference, {shown([b], [row])} in "
        f"the model; set `{remedy}`, or `match: order` if the order is right"
    )


def _by_keys(
    reference: xr.DataArray,
    model: xr.DataArray,
    pair: tuple[np.ndarray, np.ndarray],
    sides: str,
    spec: Mapping[str, Any],
) -> Matched:
    """Match rows by names or labels; every row is looked up once."""
    x, y = pair
    keys = [stored_name(name) for name in spec[LABELS]] if LABELS in spec else [ROW_NAME]
    a = _columns(reference, keys, sides, "the reference")
    b = _columns(model, keys, sides, "the model")
    if spec.get(NAMES) == STEM:
        a, b = [stems(column) for column in a], [stems(column) for column in b]
    of_reference, of_model = codes(a, b)
    _require_unique(of_model, b, sides, keys)
    place = np.full(max(of_reference.max(), of_model.max()) + 1, -1)
    place[of_model] = np.arange(len(of_model))
    missing = np.flatnonzero(place[of_reference] < 0)
    notes: list[str] = []
    rows = None
    if missing.size:
        if spec.get("on_missing", ERROR) == ERROR:
            raise ValueError(_what_is_missing(model, a, b, missing, of_reference, sides))
        rows = np.flatnonzero(place[of_reference] >= 0)
        n_there, n_all = len(np.unique(of_reference[rows])), len(np.unique(of_reference))
        if n_there < MIN_SAMPLES:
            raise ValueError(
                f"{sides}: expected at least {MIN_SAMPLES} {_row(reference)}s that both have, got "
                f"{n_there} of {n_all}"
            )
        notes.append(
            f"scored on the {n_there} of {n_all} {_row(reference)}s that the model has; left out "
            f"{shown(a, _first(of_reference, missing))}"
        )
        x, of_reference = x[:, rows], of_reference[rows]
    used, first, of_row = np.unique(of_reference, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Matched(x, y[:, place[used[order]]], rank[of_row.ravel()], rows, notes=tuple(notes))


def _first(of_reference: np.ndarray, rows: np.ndarray) -> list[int]:
    """Return the first of the rows that are equal, in their order."""
    _, first = np.unique(of_reference[rows], return_index=True)
    return [int(row) for row in rows[np.sort(first)]]


def _what_is_missing(
    model: xr.DataArray,
    a: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    missing: np.ndarray,
    of_reference: np.ndarray,
    sides: str,
) -> str:
    rows = _first(of_reference, missing)
    hint = ""
    remedy = "to score those that both have, set match: {names: exact, on_missing: intersect}"
    if len(a) == 1:
        hint = near_miss(as_text(a[0])[rows[0]], [str(name) for name in as_text(b[0])])
    if len(missing) == len(of_reference):
        by_stem = len(a) == 1 and np.isin(stems(a[0]), stems(b[0])).all()
        remedy = (
            "without folder and ending they agree: set match: {names: stem}"
            if by_stem
            else "the two have none in common, so give both the same names"
        )
    return (
        f"{sides}: expected a {_row(model)} of the model for each of the reference's, got none for "
        f"{shown(a, rows)}{hint}; {remedy}"
    )


def _columns(array: xr.DataArray, by: Sequence[str], sides: str, side: str) -> list[np.ndarray]:
    """Return the columns by which rows are found."""
    for name in by:
        if name not in array.coords:
            known = ", ".join(array.attrs["variables"]) or "none"
            what = (
                "names (`names` of an entry, index of a DataFrame)"
                if name == ROW_NAME
                else f"a label {name!r}"
            )
            raise ValueError(f"{sides}: expected {side} to have {what}, got the labels: {known}")
    return [array[name].values for name in by]


def _require_unique(
    of_model: np.ndarray, columns: Sequence[np.ndarray], sides: str, by: Sequence[str]
) -> None:
    counts = np.bincount(of_model)
    twice = np.flatnonzero(counts[of_model] > 1)
    if twice.size:
        said = "names" if by == [ROW_NAME] else ", ".join(by)
        raise ValueError(
            f"{sides}: expected each of the model's conditions once by {said}, "
            f"got more of {shown(columns, _first(of_model, twice))}; average them (`average_by`), "
            "or name more labels"
        )
