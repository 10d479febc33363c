"""What a recording says of its conditions and neurons: groups, subjects, and components.

Groups are conditions that resemble each other: runs, sessions, films.

Cross-validated measures hold out whole groups, conditions are permuted within groups, and the
jackknife leaves out whole groups.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from scorebounds.core.recording import SUBJECTS
from scorebounds.scorecards.matched import Matched


def with_groups(
    matched: Matched,
    reference: xr.DataArray,
    model: xr.DataArray,
    groups: str | Sequence[object] | np.ndarray | None = None,
) -> Matched:
    """Add the group of each condition, if the settings name a label of groups.

    Parameters
    ----------
    matched : Matched
        Of `reference` and `model`.
    reference, model : DataArray
        The attribute `groups` of either names the label, if `groups` is not given.
    groups : str or array_like, optional
        A label of the recording, or the group of each row of it.

    Raises
    ------
    ValueError
        If the recording has no such label, or fewer than two groups.
    """
    if groups is None:
        groups = reference.attrs.get("groups") or model.attrs.get("groups") or None
    if groups is None:
        return matched
    name = groups if isinstance(groups, str) else "groups"
    values = _of_rows(reference, groups)
    if matched.rows is not None:
        values = values[matched.rows]
    codes = np.unique(values, return_inverse=True)[1].ravel()
    first = np.unique(matched.condition, return_index=True)[1]
    of_condition = codes[first]
    if (of_condition[matched.condition] != codes).any():
        said = f"trials of one condition differ in {name!r}; whole conditions are held out instead"
        return replace(matched, notes=(*matched.notes, said))
    n_groups = len(np.unique(of_condition))
    if n_groups < 2:
        raise ValueError(
            f"expected at least two values of {name!r} to hold out in turn, got {n_groups}; "
            "leave out `groups`"
        )
    said = (
        f"the {n_groups} values of {name!r} are held out whole in cross-validation and in the "
        "jackknife, and conditions are permuted within them"
    )
    return replace(matched, groups=of_condition, notes=(*matched.notes, said))


def with_subjects(
    matched: Matched,
    reference: xr.DataArray,
    subjects: str | Sequence[object] | np.ndarray | None = None,
) -> Matched:
    """Add the subject of each neuron of the reference, where neurons of several are known.

    Parameters
    ----------
    matched : Matched
    reference : DataArray
        Its coordinate `core.recording.SUBJECTS` is used, if `subjects` is not given.
    subjects : str or array_like, shape (n_neurons,), optional
        A coordinate along the neurons of the recording, or the subject of each neuron.

    Raises
    ------
    ValueError
        If there is no such coordinate, no subject for each neuron, or fewer than two subjects.
    """
    if subjects is None and SUBJECTS not in reference.coords:
        return matched
    values = _of_neurons(reference, SUBJECTS if subjects is None else subjects)
    codes = np.unique(values.astype(str), return_inverse=True)[1].ravel()
    if codes.max() < 1:
        raise ValueError(
            f"expected neurons of at least two subjects, got those of {values[0]} alone; leave out "
            "`subjects`"
        )
    if reference.attrs.get("reduced"):
        raise ValueError(
            "expected neurons, of which each belongs to a subject, got principal components; leave "
            "out `subjects` or `components`"
        )
    return replace(matched, subjects=codes)


def _of_neurons(
    reference: xr.DataArray, subjects: str | Sequence[object] | np.ndarray
) -> np.ndarray:
    if isinstance(subjects, str):
        named = [str(name) for name, each in reference.coords.items() if each.dims == ("neuron",)]
        if subjects not in named:
            raise ValueError(
                f"{reference.attrs['dataset']}: expected `subjects` to name a coordinate of the "
                f"neurons, got {subjects!r}; there are: {', '.join(named) or 'none'}"
            )
        return np.asarray(reference[subjects].values)
    values = np.asarray(subjects)
    n_neurons = reference.sizes["neuron"]
    if values.shape != (n_neurons,):
        raise ValueError(
            f"expected subjects with a value for each of the {n_neurons} neurons of the recording, "
            f"got shape {values.shape}"
        )
    return values


def with_components(matched: Matched, reference: xr.DataArray, model: xr.DataArray) -> Matched:
    """Say which side was reduced to its components, whose sampling the jackknife leaves out."""
    of_x, of_y = (str(side.attrs.get("reduced") or "") for side in (reference, model))
    of_components = bool(of_x)
    notes = []
    if of_x:
        notes.append(
            f"of the recording, {of_x}; intervals are over conditions only, because components are "
            "no sample of neurons"
        )
    if of_y:
        notes.append(f"of the model, {of_y}")
    return replace(matched, notes=(*matched.notes, *notes), of_components=of_components)


def _of_rows(reference: xr.DataArray, groups: str | Sequence[object] | np.ndarray) -> np.ndarray:
    row = str(reference.dims[-2])
    if isinstance(groups, str):
        labels = [str(name) for name, label in reference.coords.items() if label.dims == (row,)]
        if groups not in labels:
            raise ValueError(
                f"{reference.attrs['dataset']}: expected `groups` to name a label of the "
                f"recording, got {groups!r}; labels are: {', '.join(labels) or 'none'}"
            )
        return np.asarray(reference[groups].values)
    values = np.asarray(groups)
    if values.shape != (reference.sizes[row],):
        raise ValueError(
            f"expected groups with a value for each of the {reference.sizes[row]} {row}s of the "
            f"recording, got shape {values.shape}"
        )
    return values


def assign(
    n_conditions: int,
    n_parts: int,
    rng: np.random.Generator,
    groups: np.ndarray | None,
    *,
    in_order: bool = False,
    folds: np.ndarray | None = None,
) -> np.ndarray:
    """Assign conditions to at most `n_parts` parts, at random or in order; groups stay whole.

    Given the fold of each condition, parts without groups have as much of each fold as possible.

    Returns
    -------
    ndarray of int, shape (n_conditions,)
        The part of each condition, counted from 0.
    """
    if groups is None and in_order:
        return np.arange(n_conditions) * min(n_parts, n_conditions) // n_conditions
    if groups is None and folds is not None:
        shuffled = rng.permutation(n_conditions)
        by_fold = shuffled[np.argsort(folds[shuffled], kind="stable")]
        parts = np.empty(n_conditions, dtype=np.int64)
        parts[by_fold] = np.arange(n_conditions) % min(n_parts, n_conditions)
        return parts
    if groups is None:
        return rng.permutation(np.arange(n_conditions) % min(n_parts, n_conditions))
    size = len(np.unique(groups))
    return np.asarray(rng.permutation(np.arange(size) % min(n_parts, size))[groups])
