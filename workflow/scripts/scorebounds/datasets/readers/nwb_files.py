"""NWB: spikes of units, or a series of samples, in windows around the times of trials."""

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import BIN_CENTRES
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    Container,
    require_bytes,
    require_memory,
)
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.hdf5_files import kind_of, read_dataset
from scorebounds.datasets.self_contained import require_self_contained

MS_PER_S = 1000.0
INTERVALS, TRIALS, SPIKES = "intervals", "trials", "units/spike_times"


@contextlib.contextmanager
def open_file(path: Path, entry: Entry) -> Iterator[Container]:
    """Count spikes, or average samples, in the bins of a window around an event of each trial."""
    require_self_contained(path)
    if not h5py.is_hdf5(path):
        raise UnusableError("cannot be read as NWB, which is HDF5")
    with h5py.File(path, "r") as file:
        tables = {name: _columns(table) for name, table in file.get(INTERVALS, {}).items()}
        _require_choice(file, tables, entry)
        table, column = _place(str(entry.align))
        trials = tables[table]
        onsets = np.asarray(trials.pop(column), dtype=np.float64)
        edges = _edges(entry)
        used = np.isfinite(onsets)
        source = entry.array if entry.array not in (None, DEFAULT_ARRAY, "units") else None
        n_neurons = _n_neurons(file, source)
        shape = (int(used.sum()), len(edges) - 1, n_neurons)
        require_memory(path.name, shape)
        name = source or DEFAULT_ARRAY
        labels = {label: values[used] for label, values in trials.items()}
        centres = (edges[:-1] + edges[1:]) / 2

        def read(wanted: str) -> np.ndarray:
            if wanted == name:
                return _activity(file, source, onsets[used], edges)
            return centres if wanted == BIN_CENTRES else labels[wanted]

        shapes = {name: shape, BIN_CENTRES: centres.shape}
        shapes |= {label: values.shape for label, values in labels.items()}
        notes = [
            f"{'averaged ' + source if source else 'counted spikes'} in bins of {entry.bin:g} ms, "
            f"{edges[0]:g} to {edges[-1]:g} ms from {entry.align!r}"
        ]
        if not used.all():
            notes.append(f"left out {(~used).sum()} rows of {table!r} without {column!r}")
        yield Container(
            shapes,
            read,
            {name: ("trial", "time", "unit"), BIN_CENTRES: ("time",)}
            | dict.fromkeys(labels, ("trial",)),
            notes=tuple(notes),
        )


def _columns(table: h5py.Group) -> dict[str, np.ndarray]:
    """Read the columns of a table that have a number or a text in each row."""
    rows = len(table["id"]) if "id" in table else None
    return {
        name: _read(item)
        for name, item in table.items()
        if isinstance(item, h5py.Dataset)
        and name != "id"
        and kind_of(item) != "objects"
        and item.shape == (rows,)
        and f"{name}_index" not in table
        and not name.endswith("_index")
    }


def _read(item: h5py.Dataset) -> np.ndarray:
    """Read all of a data set, which may be far larger than its file, if it fits into memory."""
    require_bytes(f"{item.name[1:]!r} of shape {item.shape}", item.nbytes, copies=1)
    return read_dataset(item)


def _place(align: str) -> tuple[str, str]:
    """Return table and column of `sleep_ripples/start_time`; the table of trials needs no name."""
    table, _, column = align.rpartition("/")
    return table or TRIALS, column


def _require_choice(
    file: h5py.File, tables: dict[str, dict[str, np.ndarray]], entry: Entry
) -> None:
    """Ask for the event, the window and the bins, which a reader should not choose."""
    times = [
        column if table == TRIALS else f"{table}/{column}"
        for table, columns in tables.items()
        for column, values in columns.items()
        if values.dtype.kind == "f"
    ]
    if not times:
        raise UnusableError(
            f"expected a table of trials ({INTERVALS}/{TRIALS}), or another one in {INTERVALS}, "
            "with the times at which windows are placed, got none; add one with pynwb (add_trial), "
            "or save the activity in bins as .npz"
        )
    if entry.align is None or entry.window is None or entry.bin is None:
        series = ", ".join(map(repr, _series(file))) or "none"
        raise UnusableError(
            "expected `align` (a column of times), `window` ([from, to] in ms) and `bin` (in ms); "
            f"columns of times: {', '.join(times)}; units: "
            f"{'yes' if SPIKES in file else 'no'}; other series for `array`: {series}"
        )
    table, column = _place(entry.align)
    if column not in tables.get(table, {}):
        raise UnusableError(
            f"expected `align` to be a column of times, got {entry.align!r}; columns: "
            f"{', '.join(times)}"
        )


def _series(file: h5py.File) -> list[str]:
    """List the paths of the time series of the file."""
    found: list[str] = []

    def visit(name: str, item: Any) -> None:
        timed = isinstance(item, h5py.Group) and "data" in item
        if timed and ("timestamps" in item or "starting_time" in item):
            found.append(name)

    file.visititems(visit)
    return found


def _edges(entry: Entry) -> np.ndarray:
    if entry.window is None or entry.bin is None or len(entry.window) != 2:
        raise UnusableError(f"expected `window` as [from, to] in ms, got {entry.window}")
    first, last = entry.window
    n_bins = round((last - first) / entry.bin)
    if n_bins < 1 or not np.isclose(n_bins * entry.bin, last - first):
        raise UnusableError(
            f"expected a `window` of a whole number of bins of {entry.bin:g} ms, got {first:g} to "
            f"{last:g} ms"
        )
    return first + entry.bin * np.arange(n_bins + 1)


def _n_neurons(file: h5py.File, source: str | None) -> int:
    if source is None:
        if SPIKES not in file:
            raise UnusableError(
                "expected units with spike times, got none; name a series in `array`: "
                f"{', '.join(_series(file)) or 'none'}"
            )
        return len(file[f"{SPIKES}_index"])
    if source not in file or "data" not in file[source]:
        raise UnusableError(
            f"expected a time series {source!r}, got {', '.join(_series(file)) or 'none'}"
        )
    data = file[source]["data"]
    return int(data.shape[1]) if data.ndim > 1 else 1


def _activity(
    file: h5py.File, source: str | None, onsets: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Return (trial, time, neuron): counts of spikes, or means of samples."""
    # (trial, edge) in seconds
    limits = onsets[:, None] + edges / MS_PER_S
    if source is not None:
        return _means(file[source], limits)
    ends = _read(file[f"{SPIKES}_index"]).astype(np.int64)
    spikes = _read(file[SPIKES])
    starts = np.concatenate([[0], ends[:-1]])
    counts = np.empty((len(onsets), len(edges) - 1, len(ends)))
    for unit, (start, end) in enumerate(zip(starts, ends, strict=True)):
        before = np.searchsorted(np.sort(spikes[start:end]), limits)
        counts[..., unit] = np.diff(before, axis=1)
    return counts


def _means(series: h5py.Group, limits: np.ndarray) -> np.ndarray:
    data = series["data"]
    if "timestamps" in series:
        times = _read(series["timestamps"])
    else:
        start = series["starting_time"]
        times = start[()] + np.arange(len(data)) / start.attrs["rate"]
    before = np.searchsorted(times, limits)
    if (np.diff(before, axis=1) < 1).any():
        raise UnusableError(
            "expected at least one sample in every bin, got an empty one; take wider bins, or a "
            "window that was recorded for every trial"
        )
    values = _read(data).reshape(len(data), -1)
    factor = float(data.attrs.get("conversion", 1.0))
    means = [
        [values[a:b].mean(axis=0, dtype=np.float64) for a, b in pairwise(row)] for row in before
    ]
    return factor * np.array(means)
