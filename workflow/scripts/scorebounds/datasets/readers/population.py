"""A user's array of activity, brought from their axes into ours, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scorebounds.core.checks import count_neurons
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import FEATURE_AXES, ROW_AXES, known_axes

DROPS = ("missing_trials", "missing_neurons", "constant_neurons")


@dataclass(frozen=True)
class Population:
    """Activity of neurons in rows (samples, trials or conditions), over time if there is any.

    Attributes
    ----------
    activity : ndarray, shape (n_times, n_rows, n_neurons)
        One time where there is no axis of time.
    row : str
        What a row is.
    timed : bool
    grid : tuple of int
        Numbers of conditions and trials of which the rows are made; else the number of rows.
    labels : mapping of str to ndarray, shape (n_rows,)
    done : tuple of str
        What was done so far.
    halves : tuple of ndarray, shape as `activity`
        Of averages over trials: those over either half of the trials; else empty.
    subjects : ndarray of str, shape (n_neurons,), or None
        Subject of each neuron.
    condition : ndarray of int, shape (n_rows,), or None
        Place of each row's condition, where conditions and trials are the rows together.
    """

    activity: np.ndarray
    row: str
    timed: bool
    grid: tuple[int, ...]
    labels: Mapping[str, np.ndarray]
    done: tuple[str, ...]
    halves: tuple[np.ndarray, ...] = ()
    subjects: np.ndarray | None = None
    condition: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.activity.shape[1])

    def kept(self, rows: np.ndarray, *done: str) -> "Population":
        """Keep the rows of a mask."""
        labels = {name: values[rows] for name, values in self.labels.items()}
        condition = None if self.condition is None else self.condition[rows]
        return replace(
            self,
            activity=self.activity[:, rows],
            labels=labels,
            done=(*self.done, *done),
            condition=condition,
        )


def arrange(
    activity: np.ndarray, axes: Sequence[str] | None, name: str, pool: str | None = None
) -> Population:
    """Bring an array into the order (time, row, neuron).

    Parameters
    ----------
    activity : ndarray
        Numbers; integers become floating point.
    axes : sequence of str, or None
        What each axis is: `neuron`; `time`; `sample`, `trial`, `condition`, or both of the
        latter, which then become rows together. None: (sample, neuron), or (time, condition,
        neuron).
    name : str
        Of the array, for messages.
    pool : str, optional
        How the axes of feature maps (channel, height, width, …) become neurons: `flatten`, or
        `mean` or `max` over all but the channels.

    Raises
    ------
    UnusableError
        If the array is not of numbers, or not of these axes.
    """
    _require_numbers(activity, name)
    shape = activity.shape
    axes = known_axes(shape, axes, name, pool)
    done = [f"read {name!r} of shape {shape} as {', '.join(axes)}"]
    if set(axes) & set(FEATURE_AXES):
        activity, axes = _pooled(activity, axes, str(pool))
        done.append(f"made {activity.shape[-1]} neurons of the feature maps ({pool})")
    rows = [axis for axis in ROW_AXES if axis in axes]
    # Without an axis of rows, the times are the samples.
    timed = "time" in axes and bool(rows)
    order = ["time", *rows, "neuron"] if "time" in axes else [*rows, "neuron"]
    moved = activity.transpose([axes.index(axis) for axis in order])
    grid = moved.shape[1:-1] if timed else moved.shape[:-1]
    flat = moved.reshape(moved.shape[0] if timed else 1, -1, moved.shape[-1])
    return Population(
        # Of the same type still: conversion of what is left out would be for nothing.
        flat,
        row=rows[-1] if rows else "time",
        timed=timed,
        grid=grid,
        labels={},
        done=tuple(done),
        condition=np.repeat(np.arange(grid[0]), grid[1]) if len(grid) > 1 else None,
    )


def _require_numbers(activity: np.ndarray, name: str) -> None:
    if activity.dtype.kind == "V" and activity.dtype.itemsize == 2:
        raise UnusableError(
            f"expected {name!r} to hold numbers, got {activity.dtype}, as NumPy stores half "
            "precision that it cannot name (bfloat16); save it as float32"
        )
    if activity.dtype.kind not in "fiub":
        what = {"c": "complex numbers", "U": "text", "S": "text"}.get(
            activity.dtype.kind, "objects"
        )
        remedy = (
            f"save real numbers, or choose one of the cells, as array: {name}{{1}}"
            if activity.dtype.kind == "O"
            else "save real numbers"
        )
        raise UnusableError(
            f"expected {name!r} to hold numbers, got {what} of shape {activity.shape}; {remedy}"
        )
    if not activity.size:
        raise UnusableError(
            f"expected {name!r} with at least one sample and one neuron, got shape {activity.shape}"
        )


def _pooled(
    activity: np.ndarray, axes: tuple[str, ...], pool: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Make one axis of neurons, the last, of the axes of feature maps."""
    kept = [place for place, axis in enumerate(axes) if axis not in FEATURE_AXES]
    features = [place for place, axis in enumerate(axes) if axis in FEATURE_AXES]
    if pool == "flatten":
        moved = activity.transpose([*kept, *features])
        flat = moved.reshape(*moved.shape[: len(kept)], -1)
    else:
        if "channel" not in axes:
            raise UnusableError(
                f"expected `axes` to say which one is channel, which {pool} leaves, "
                f"got {', '.join(axes)}"
            )
        channel = axes.index("channel")
        moved = activity.transpose([*kept, channel, *(p for p in features if p != channel)])
        over = tuple(range(len(kept) + 1, moved.ndim))
        flat = moved.max(over) if pool == "max" else moved.mean(over, dtype=np.float64)
    return flat, (*(axes[place] for place in kept), "neuron")


def without_padding(population: Population) -> Population:
    """Leave out the rows of a grid of conditions × trials that hold nothing but NaN."""
    if len(population.grid) < 2:
        return population
    empty = np.isnan(population.activity).all(axis=(0, 2))
    if not empty.any():
        return population
    return population.kept(~empty, f"left out {empty.sum()} empty trials, which fill up the array")


def leave_out(population: Population, what: Sequence[str]) -> Population:
    """Leave out rows or neurons that cannot be used; each step is added to the history."""
    if not what:
        return population
    finite = np.isfinite(population.activity)
    if "missing_trials" in what:
        rows = finite.all(axis=(0, 2))
        if not rows.all():
            said = f"left out {(~rows).sum()} of {len(rows)} {population.row}s: values are missing"
            population, finite = population.kept(rows, said), finite[:, rows]
    flat = population.activity
    unwanted = {
        "missing_neurons": ("values are missing", ~finite.all(axis=(0, 1))),
        "constant_neurons": ("constant", is_constant(flat) if flat.size else None),
    }
    kept, done = np.ones(flat.shape[-1], dtype=bool), []
    for name, (reason, neurons) in unwanted.items():
        if name in what and neurons is not None and neurons.any():
            done.append(f"left out {count_neurons(np.flatnonzero(neurons))}: {reason}")
            kept &= ~neurons
    if kept.all():
        return population
    subjects = None if population.subjects is None else population.subjects[kept]
    return replace(
        population, activity=flat[..., kept], subjects=subjects, done=(*population.done, *done)
    )


def is_constant(activity: np.ndarray) -> np.ndarray:
    """Return which neurons of (n_times, n_rows, n_neurons) have one value throughout."""
    # Booleans have no difference.
    return np.asarray(activity.min(axis=(0, 1)) == activity.max(axis=(0, 1)))


def average(population: Population, names: Sequence[str]) -> Population:
    """Average the rows that agree in some labels; a condition is what they agree in.

    Labels that differ within a condition are left out.

    Raises
    ------
    UnusableError
        If there is no label of such a name.
    """
    unknown = [name for name in names if name not in population.labels]
    if unknown:
        known = ", ".join(population.labels) or "none"
        raise UnusableError(
            f"expected the labels of `average_by` to be there, got no {unknown[0]!r}; "
            f"labels are: {known}"
        )
    codes = [np.unique(population.labels[name], return_inverse=True)[1] for name in names]
    _, first, of_row, counts = np.unique(
        np.column_stack(codes), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    of_row = of_row.ravel()
    in_order = np.split(np.argsort(of_row, kind="stable"), np.cumsum(counts)[:-1])
    groups = [population.activity[:, rows] for rows in in_order]
    means = np.stack([_mean(rows) for rows in groups], axis=1)
    halves: tuple[np.ndarray, ...] = ()
    if counts.min() > 1:
        halves = tuple(
            np.stack([_mean(rows[:, first::2]) for rows in groups], axis=1) for first in (0, 1)
        )
    labels, mixed = {}, []
    for name, values in population.labels.items():
        if (values == values[first][of_row]).all():
            labels[name] = values[first]
        else:
            mixed.append(name)
    done = [
        f"averaged {counts.sum()} {population.row}s by {', '.join(names)}: {len(counts)} "
        f"conditions of {counts.min()} to {counts.max()}"
    ]
    done += [f"left out the label {name!r}, which differs within conditions" for name in mixed]
    return replace(
        population,
        activity=means,
        row="condition",
        grid=(len(counts),),
        labels=labels,
        done=(*population.done, *done),
        halves=halves,
        condition=None,
    )


def _mean(rows: np.ndarray) -> np.ndarray:
    """Average over rows in double precision, whatever the type of the file's numbers."""
    return np.asarray(rows.mean(axis=1, dtype=np.float64))
