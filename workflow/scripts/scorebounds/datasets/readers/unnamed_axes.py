"""Axes without names: what is evidence of their order, and when the user is asked."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import meaning
from scorebounds.datasets.readers.containers import NUMBERS, OBJECTS, Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.tables import read_labels
from scorebounds.datasets.readers.vocabulary import names_rows, words

_TIMES = re.compile(r"(.*_)?(time|times|timestamps?|t|bins?|frames?)(_.*)?|bin_?cent(er|re)s?")
_BIN_CENTRES = re.compile(r"t|(time|timestamp|time_?bin|time_?point|bin|bin_?cent(er|re)|frame)s?")
# Neighbouring times are alike: the squared step is below this share of what it is in any order.
SMOOTH = 0.5
# Another axis on which neighbours are more alike, by this factor, is rather that of time.
MARGIN = 2.0
MIN_TIMES = 10
# Mean correlation of repeats of the same stimuli is above this, if they are of any use.
MAX_ALIKE = 0.2
# Below it, places that are alike by more than chance, and not more so if near, are repeats too.
N_SHUFFLES, MAX_SHARE_OF_FAR = 39, 0.5
MAX_VALUES = 2_000_000


def require_order(values: np.ndarray, name: str, container: Container, entry: Entry) -> str | None:
    """Return what was assumed of axes without names, or None if there is no doubt.

    Two axes are (sample, neuron). Three are (time, condition, neuron) if something says that the
    first one is time: bin centres in the entry or the file, or values that change slowly along it.
    Labels do not confirm the order if another axis has as many places as the rows.

    Parameters
    ----------
    values : ndarray
    name : str
        Of the array, for messages.
    container : Container
        The other arrays of the file.
    entry : Entry
        Bin centres and a table of labels, which may indicate the order.

    Raises
    ------
    UnusableError
        If the file contradicts the order, or, of three axes, if nothing indicates it.
    """
    shape = values.shape
    assumed, wrong = ("sample, neuron", 1) if len(shape) == 2 else ("time, condition, neuron", 0)
    against = [other for other in _along(container, shape, wrong) if names_rows(other)]
    if against and not any(names_rows(other) for other in _along(container, shape, 1 - wrong)):
        raise UnusableError(
            f"expected {name!r} as ({assumed}), got shape {shape} and {against[0]!r} with "
            f"{shape[wrong]} values, as many as axis {wrong} has, counted from 0; say in `axes` "
            "what each axis is"
        )
    same_size = _said_of_same_size(container, shape, name, entry)
    if len(shape) == 2:
        _require_no_times_of_columns(container, shape, name)
        return same_size or _said_of_slow_columns(values, name)
    times = {axis: _times_along(container, shape, axis) for axis in range(3)}
    if not times[1] and not times[2] and (entry.time is not None or times[0]) and shape[-1] > 1:
        return same_size
    if (
        not any(times.values())
        and shape[-1] > 1
        and (why := _why_time_first(values, container, entry))
    ):
        return (
            f"the axes of {name!r}, of shape {shape}, have no names and were taken as time, "
            f"condition, neuron, because {why}; if they are others, as trial, condition, neuron, "
            "name them in `axes`"
        )
    last = "save it without its last axis, of size 1, or " if shape[-1] == 1 else ""
    raise UnusableError(
        f"cannot tell what the axes of {name!r}, of shape {shape}, are: the file does not name "
        f"them; {last}say it in the entry, in their order, as axes: [time, condition, neuron], "
        "[trial, condition, neuron], [condition, trial, neuron], [trial, time, neuron] or, of a "
        "network with a `pool`, [sample, token, channel]"
    )


def why_samples_first(container: Container, shape: tuple[int, ...], entry: Entry) -> str:
    """Say which of two axes without names was taken for the samples, and why."""
    described = [f"{other!r}" for other in _along(container, shape, 0)]
    if isinstance(entry.labels, str):
        described = ["the table of labels"]
    why = (
        f"because {described[0]} has as many values"
        if described
        else "as usual; nothing in the file says which is which; if they are the other way round, "
        "say axes: [neuron, sample]"
    )
    return f"took axis 0, of {shape[0]}, as samples and axis 1, of {shape[1]}, as neurons, {why}"


def _said_of_same_size(
    container: Container, shape: tuple[int, ...], name: str, entry: Entry
) -> str | None:
    """Say that the labels fit another axis than that of the rows too."""
    n_rows = shape[-2]
    if shape.count(n_rows) < 2 or n_rows == 1:
        return None
    labels = entry.labels or [
        other
        for other, of in container.shapes.items()
        if [size for size in of if size != 1] == [n_rows] and names_rows(other)
    ]
    if not labels and entry.names is None:
        return None
    axes = "[neuron, sample]" if len(shape) == 2 else "[time, neuron, condition]"
    return (
        f"{name!r} has the shape {shape}, so that its labels fit two axes; they were taken as "
        f"those of axis {len(shape) - 2}, counted from 0; if they belong to another, say so in "
        f"`axes`, as axes: {axes}"
    )


def _require_no_times_of_columns(container: Container, shape: tuple[int, ...], name: str) -> None:
    """Refuse two axes of which the second one has bin centres: it is that of time."""
    for other in _along(container, shape, 1):
        if not _BIN_CENTRES.fullmatch(words(other)) or container.kinds.get(other) == OBJECTS:
            continue
        values = container.read(other).ravel()
        if values.dtype.kind in "fiu" and shape[1] > 1 and (np.diff(values) > 0).all():
            raise UnusableError(
                f"expected {name!r} as (sample, neuron), got shape {shape} and rising numbers "
                f"{other!r} for its {shape[1]} columns, as times have; say axes: [neuron, time] if "
                "the rows are neurons, axes: [sample, neuron] if the columns are; of one neuron a "
                "file, give the folder of the files as `path`, with axes: [trial, time, neuron]"
            )


def _said_of_slow_columns(values: np.ndarray, name: str) -> str | None:
    """Say that values change slowly along the second of two axes, as if that were time."""
    if values.dtype.kind not in "fiu" or min(values.shape) < MIN_TIMES:
        return None
    down, along = (_roughness(values, axis) for axis in range(2))
    if along > SMOOTH or down < MARGIN * along:
        return None
    return (
        f"neighbouring columns of {name!r} are alike, as neighbouring times are; the columns were "
        "taken as neurons; if they are times, say axes: [neuron, time]"
    )


def _along(container: Container, shape: tuple[int, ...], axis: int) -> list[str]:
    """List the arrays that have a value for each place of this axis and of no other."""
    others = {size for place, size in enumerate(shape) if place != axis}
    return [
        other
        for other, of in container.shapes.items()
        if [size for size in of if size != 1] == [shape[axis]] and shape[axis] not in others
    ]


def _times_along(container: Container, shape: tuple[int, ...], axis: int) -> list[str]:
    return [
        other
        for other in _along(container, shape, axis)
        if meaning(other) == "time" or _TIMES.fullmatch(words(other))
    ]


def _why_time_first(values: np.ndarray, container: Container, entry: Entry) -> str | None:
    """Say what indicates (time, condition, neuron), or return None."""
    first, *others = (_roughness(values, axis) for axis in range(3))
    is_slow = len(values) >= MIN_TIMES and first < SMOOTH
    if is_slow and all(other > MARGIN * first for other in others):
        return "values change slowly along the first one only"
    if min(others) < SMOOTH or _are_repeats(values):
        return None
    asked = {entry.names, *(entry.labels if isinstance(entry.labels, list | tuple) else ())}
    is_described = asked & set(_along(container, values.shape, 1)) or any(
        _are_classes(labels, values.shape[1]) for labels in _labels(container, entry, values)
    )
    if not is_described:
        return None
    return "the second one has labels or names and the first one no repeats of the same responses"


def _are_repeats(values: np.ndarray) -> bool:
    """Say whether the places of the first axis hold responses to the same stimuli in one order.

    They do if they correlate, centred per neuron, by more than they would with the stimuli in any
    order; times do so too, but then near ones correlate more than far ones.
    """
    centred = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    alike = _alike(centred)
    pairs = alike[np.triu_indices(len(alike), 1)]
    if not pairs.size:
        return False
    if pairs.mean() > MAX_ALIKE:
        return True
    rng = np.random.default_rng(0)
    by_chance = max(
        _mean_of_pairs(np.stack([rng.permutation(place) for place in centred]))
        for _ in range(N_SHUFFLES)
    )
    near = np.diagonal(alike, 1).mean()
    far = pairs.mean() if len(alike) < 3 else alike[np.triu_indices(len(alike), 2)].mean()
    return bool(pairs.mean() > by_chance and far > MAX_SHARE_OF_FAR * near)


def _alike(values: np.ndarray) -> np.ndarray:
    """Return the correlations of the places of the first axis."""
    flat = _few(values)
    size = np.linalg.norm(flat, axis=1)
    scale = np.maximum(np.outer(size, size), np.finfo(float).tiny)
    return np.asarray(flat @ flat.T / scale)


def _mean_of_pairs(values: np.ndarray) -> float:
    alike = _alike(values)
    return float(alike[np.triu_indices(len(alike), 1)].mean())


def _labels(container: Container, entry: Entry, values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what there is for the places of the second axis."""
    for other in _along(container, values.shape, 1):
        if container.kinds.get(other, NUMBERS) != OBJECTS:
            yield container.read(other)
    if isinstance(entry.labels, str):
        yield from read_labels(Path(entry.labels), entry).values()


def _are_classes(labels: np.ndarray, n_rows: int) -> bool:
    """Say whether labels, one per row, are there several times each."""
    return labels.size == n_rows and 1 < len(np.unique(labels)) <= n_rows / 2


def _roughness(values: np.ndarray, axis: int) -> float:
    """Return the mean squared step along an axis, in units of that in a random order."""
    moved = _few(np.moveaxis(values, axis, 0))
    variance = moved.var(axis=0, ddof=1).mean() if len(moved) > 1 else 0
    return float((np.diff(moved, axis=0) ** 2).mean() / (2 * variance)) if variance else np.inf


def _few(moved: np.ndarray) -> np.ndarray:
    """Flatten all axes but the first, to values that are there and not too many."""
    flat = moved.reshape(len(moved), -1)
    some = np.linspace(0, flat.shape[1] - 1, min(flat.shape[1], max(MAX_VALUES // len(flat), 1)))
    flat = flat[:, some.astype(int)].astype(np.float64)
    return flat[:, np.isfinite(flat).all(axis=0)]
