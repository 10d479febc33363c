"""Arguments of the public functions, checked and brought into one form."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.datasets.arrays import as_recording, require_same_order
from scorebounds.measures import registry
from scorebounds.scorecards.grouping import with_components, with_groups, with_subjects
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.matching import By, match, pair_in_order
from scorebounds.scorecards.times import ORDER

# One measure of each kind; with a tuned penalty and no fixed one, because the result of a fixed
# penalty depends on the unit in which the model's activity is expressed.
DEFAULT_MEASURES = (
    "cka",
    "cka_debiased",
    "procrustes_angular",
    "rsa_correlation_pearson",
    "linreg",
    "ridge_cv_tuned",
    "svcca",
    "soft_matching",
    "mutual_knn_10",
)

recording = as_recording
samples = samples_by_neurons


def require_varying(array: xr.DataArray) -> None:
    """Raise ValueError where all samples are equal."""
    values = samples(array)
    if (values == values[0]).all():
        raise ValueError(
            f"expected the {array.attrs['dataset']} to vary over samples, got the same values in "
            "all of them"
        )


def matched(
    x: xr.DataArray,
    y: xr.DataArray,
    by: By,
    groups: Any = None,
    subjects: Any = None,
    *,
    average_repeats: bool = True,
) -> Matched:
    """Pair the rows of a model with those of a recording."""
    if by == ORDER:
        require_same_order(*pair_in_order(x, y)[:2])
    # In order without having been asked for: labels and times must not contradict it either.
    in_pairs = match(x, y, None if by == ORDER else by, average_repeats=average_repeats)
    found = with_groups(in_pairs, x, y, groups)
    return with_subjects(with_components(found, x, y), x, subjects)


def matched_models(reference: xr.DataArray, models: Any, by: By) -> dict[str, Matched]:
    """Pair each of several models with a recording; one array is one model."""
    several = models if isinstance(models, Mapping) else {"model": models}
    if isinstance(models, list | tuple) and any(hasattr(each, "shape") for each in models):
        raise ValueError(
            f"expected a mapping of names to models, such as {{'a': y}}, got a "
            f"{type(models).__name__} of {len(models)} arrays"
        )
    if not several:
        raise ValueError("expected at least one model, got none")
    return {
        str(name): matched(reference, as_recording(values, str(name)), by)
        for name, values in several.items()
    }


def measure_ids(names: Iterable[str] | None) -> list[str]:
    """Return the ids of measures; the default ones if none are named."""
    if names is None:
        return list(DEFAULT_MEASURES)
    listed = [names] if isinstance(names, str) else list(names)
    if not listed:
        raise ValueError("expected at least one measure, got an empty list")
    return list(dict.fromkeys(registry.load(name).name for name in listed))


def optimizable(names: Iterable[str] | None) -> list[str]:
    """Return the ids of measures with a gradient; by default those of the default measures."""
    ids = measure_ids(names)
    without = [name for name in ids if not registry.load(name).differentiable]
    if names is not None and without:
        raise ValueError(
            f"expected measures with a gradient, got {without[0]!r}, which can only be scored"
        )
    return [name for name in ids if name not in without]


def label_names(array: xr.DataArray) -> list[str]:
    """Return the names of the labels of a recording."""
    return [str(name) for name in array.attrs["variables"]]


def with_labels(array: xr.DataArray, labels: Mapping[str, Any] | None) -> xr.DataArray:
    """Return the recording with these labels in place of its own, if any are given."""
    if labels is None:
        return array
    if not isinstance(labels, Mapping):
        raise TypeError(
            "expected labels as a mapping of names to values, such as {'choice': values}, got a "
            f"{type(labels).__name__}"
        )
    row = str(array.dims[-2])
    n_rows = array.sizes[row]
    columns = {str(name): np.asarray(values) for name, values in labels.items()}
    for name, values in columns.items():
        if values.shape != (n_rows,):
            raise ValueError(
                f"expected label {name!r} with a value for each of the {n_rows} {row}s, "
                f"got shape {values.shape}"
            )
    kept = array.drop_vars(label_names(array), errors="ignore")
    made = kept.assign_coords({name: (row, values) for name, values in columns.items()})
    return made.assign_attrs(variables=list(columns))


def whole(number: Any, name: str) -> int:
    """Return a number that has to be whole."""
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise TypeError(f"expected {name} to be a whole number, got {number!r}")
    return int(number)


def number(value: Any, name: str) -> float:
    """Return a score as a floating point number."""
    if isinstance(value, bool | str) or not isinstance(value, Real):
        raise TypeError(f"expected a number as the score of {name}, got {value!r}")
    return float(value)


def require_known(arguments: Mapping[str, Any], function: Callable[..., Any]) -> None:
    """Raise ValueError for an argument that a function does not have."""
    known = list(inspect.signature(function).parameters)[1:]
    for name in arguments:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"expected one of {', '.join(known)}, got {name!r}{meant}")


def positive(number: int, name: str) -> int:
    """Return a whole number that has to be at least 1."""
    number = whole(number, name)
    if number < 1:
        raise ValueError(f"expected {name} of at least 1, got {number}")
    return number
