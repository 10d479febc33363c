"""A user's array of activity, brought from their axes into ours, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scorebounds.core.checks import count_neurons
from scorebounds.datasets.matlab import UnusableError

ROW_AXES = ("sample", "condition", "trial")
AXES = (*ROW_AXES, "time", "neuron")
DEFAULT_AXES = {2: ("sample", "neuron"), 3: ("time", "condition", "neuron")}
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
    """

    activity: np.ndarray
    row: str
    timed: bool
    grid: tuple[int, ...]
    labels: Mapping[str, np.ndarray]
    done: tuple[str, ...]
    halves: tuple[np.ndarray, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.activity.shape[1])

    def kept(self, rows: np.ndarray, *done: str) -> "Population":
        """Keep the rows of a mask."""
        labels = {name: values[rows] for name, values in self.labels.items()}
        return replace(
            self, activity=self.activity[:, rows], labels=labels, done=(*self.done, *done)
        )


def arrange(activity: np.ndarray, axes: Sequence[str] | None, name: str) -> Population:
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

    Raises
    ------
    UnusableError
        If the array is not of numbers, or not of these axes.
    """
    if activity.dtype.kind not in "fiub":
        what = {"c": "complex numbers", "U": "text", "S": "text"}.get(
            activity.dtype.kind, "objects"
        )
        raise UnusableError(
            f"expected {name!r} to hold numbers, got {what} of shape {activity.shape}; "
            "save real numbers"
        )
    if not activity.size:
        raise UnusableError(
            f"expected {name!r} with at least one sample and one neuron, got shape {activity.shape}"
        )
    axes = _known_axes(activity, axes, name)
    rows = [axis for axis in ("sample", "condition", "trial") if axis in axes]
    # Without an axis of rows, the times are the samples.
    timed = "time" in axes and bool(rows)
    order = [*(["time"] if "time" in axes else []), *rows, "neuron"]
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
        done=(f"read {name!r} of shape {activity.shape} as {', '.join(axes)}",),
    )


def _known_axes(activity: np.ndarray, axes: Sequence[str] | None, name: str) -> tuple[str, ...]:
    if axes is None:
        if activity.ndim not in DEFAULT_AXES:
            raise UnusableError(
                f"expected {name!r} as (sample, neuron) or (time, condition, neuron), "
                f"got shape {activity.shape}; name its `axes` in config.yaml"
            )
        return DEFAULT_AXES[activity.ndim]
    if len(axes) != activity.ndim:
        raise UnusableError(
            f"expected {name!r} with the axes {', '.join(axes)}, got shape {activity.shape}"
        )
    if "neuron" not in axes or len(axes) < 2 or {"sample"} < set(axes) & set(ROW_AXES):
        raise UnusableError(
            "expected `axes` to name neuron, and sample or trial, condition, time, "
            f"got {', '.join(axes)}"
        )
    return tuple(axes)


def without_padding(population: Population) -> Population:
    """Leave out the rows of a grid of conditions × trials that hold nothing but NaN."""
    if len(population.grid) < 2:
        return population
    empty = np.isnan(population.activity).all(axis=(0, 2))
    if not empty.any():
        return population
    return population.kept(~empty, f"left out {empty.sum()} empty trials, which fill up the array")


def leave_out(population: Population, what: Sequence[str]) -> Population:
    """Leave out rows or neurons that cannot be used; each step is told in the history."""
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
        "constant_neurons": ("constant", np.ptp(flat, axis=(0, 1)) == 0 if flat.size else None),
    }
    kept, done = np.ones(flat.shape[-1], dtype=bool), []
    for name, (reason, neurons) in unwanted.items():
        if name in what and neurons is not None and neurons.any():
            done.append(f"left out {count_neurons(np.flatnonzero(neurons))}: {reason}")
            kept &= ~neurons
    if kept.all():
        return population
    return replace(population, activity=flat[..., kept], done=(*population.done, *done))


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
    groups = [population.activity[:, of_row == group] for group in range(len(counts))]
    means = np.stack([rows.mean(axis=1) for rows in groups], axis=1)
    halves: tuple[np.ndarray, ...] = ()
    if counts.min() > 1:
        halves = tuple(
            np.stack([rows[:, first::2].mean(axis=1) for rows in groups], axis=1)
            for first in (0, 1)
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
    )
