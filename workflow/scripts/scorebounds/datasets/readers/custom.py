"""A user's own recording, in whichever of the common formats it comes."""

import logging
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.io
import xarray as xr

from scorebounds.core.recording import ROW_NAME, recording
from scorebounds.datasets.matlab import UNREADABLE, UnusableError
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    Container,
    column,
    open_container,
    read_csv,
)
from scorebounds.datasets.readers.population import (
    AXES,
    Population,
    arrange,
    average,
    leave_out,
    without_padding,
)

logger = logging.getLogger(__name__)

_DAMAGED = (*UNREADABLE, EOFError, zipfile.BadZipFile, scipy.io.matlab.MatReadError)


def load(
    path: Path,
    *,
    array: str | None = None,
    axes: Sequence[str] | None = None,
    labels: Sequence[str] | str | None = None,
    average_by: Sequence[str] = (),
    units: str = "",
    time: Sequence[float] | str | None = None,
    drop: Sequence[str] = (),
    names: str | None = None,
) -> xr.DataArray:
    """Read a recording whose format its file name tells: .npz, .npy, .csv, .mat or .nc.

    Parameters
    ----------
    path : Path
    array : str, optional
        Name of the array of activity; `activity` if not given. A `.csv` has a sample per row:
        its columns of numbers are the neurons, but for those named as labels.
    axes : sequence of str, optional
        See `population.arrange`. Axes of a `.nc` that have our names need not be given.
    labels : sequence of str, or str, optional
        Names of arrays in the same file, or the path of a `.csv` with a row per sample. Not
        given: every other array with one value per sample, trial or condition is a label.
    average_by : sequence of str
        Labels; what agrees in all of them is averaged.
    units : str
        Unit of the activity.
    time : sequence of float, or str, optional
        Bin centres in ms, or the name of the array that has them.
    drop : sequence of str
        What to leave out; see `population.DROPS`.
    names : str, optional
        Name of the array with a name for each sample, trial or condition. They are no label; a
        model's are matched by them.

    Raises
    ------
    ValueError
        If the file cannot be read, or not be used as described.
    """
    try:
        with open_container(path) as container:
            used = {array or DEFAULT_ARRAY, *([time] if isinstance(time, str) else [])}
            used |= {names} if names else set()
            named = set() if labels is None or isinstance(labels, str) else set(labels)
            if path.suffix.lower() == ".csv":
                activity, axes = _columns(container, named | used), axes or ("sample", "neuron")
            else:
                activity, axes = _array(container, array or DEFAULT_ARRAY, axes)
            population = arrange(activity, axes, array or DEFAULT_ARRAY)
            found = _labels(container, population, labels, used, path)
            if names:
                found[ROW_NAME] = _as_rows(names, container.read(names), population)
            centres = _bin_centres(container, population, time)
        population = without_padding(replace(population, labels=found))
        population = leave_out(population, drop)
        if average_by:
            population = average(population, average_by)
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename or path}: no such file") from error
    except UnusableError as error:
        raise ValueError(f"{path}: {error}") from error
    except _DAMAGED as error:
        raise ValueError(f"{path}: cannot be read: {_one_line(error)}") from error
    activity, *halves = (
        values if population.timed else values[0]
        for values in (population.activity, *population.halves)
    )
    # Averaging leaves out names that differ within a condition.
    of_rows = dict(population.labels)
    row_names = of_rows.pop(ROW_NAME, None)
    made = recording(
        activity,
        of_rows,
        units=units,
        time=centres,
        names=row_names,
        halves=halves,
        done=population.done,
    )
    return made.assign_attrs(averaged_by=list(average_by))


def _array(
    container: Container, name: str, axes: Sequence[str] | None
) -> tuple[np.ndarray, Sequence[str] | None]:
    """Read the activity; axes that have our names in the file need not be given."""
    dims = container.dims.get(name, ())
    if axes is None and dims and set(dims) <= set(AXES):
        axes = dims
    return container.read(name), axes


def _columns(container: Container, no_neurons: set[str]) -> np.ndarray:
    """Read the columns of numbers of a table but those that are something else."""
    columns = [container.read(name) for name in container.shapes if name not in no_neurons]
    numbers = [values for values in columns if values.dtype.kind in "fiub"]
    if not numbers:
        raise UnusableError("expected columns of numbers, a neuron each, got none")
    return np.column_stack(numbers)


def _labels(
    container: Container,
    population: Population,
    labels: Sequence[str] | str | None,
    used: set[str],
    path: Path,
) -> dict[str, np.ndarray]:
    """Read the labels that are named, or find those that there are; a value per row of each."""
    pairs: Iterable[tuple[str, np.ndarray]]
    if isinstance(labels, str):
        pairs = _from_table(Path(labels), population)
    elif labels is not None:
        pairs = ((name, _as_rows(name, container.read(name), population)) for name in labels)
    else:
        pairs = _discovered(container, population, used, path)
    found: dict[str, np.ndarray] = {}
    for name, values in pairs:
        # A slash is a group in netCDF.
        plain = re.sub(r"[^\w.-]+", "_", name)
        if plain in found or plain in (*AXES, ROW_NAME):
            taken = "twice" if plain in found else "as that of an axis"
            raise UnusableError(f"expected different names of labels, got {plain!r} {taken}")
        found[plain] = _classes(name, values)
    return found


def _from_table(path: Path, population: Population) -> Iterator[tuple[str, np.ndarray]]:
    try:
        table = read_csv(path)
    except UnusableError as error:
        raise UnusableError(f"its labels {path}: {error}") from error
    for name in table:
        yield str(name), _as_rows(str(name), column(table, str(name)), population)


def _discovered(
    container: Container, population: Population, used: set[str], path: Path
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every other array with a value per row, and say which are none."""
    for name, shape in container.shapes.items():
        if name in used:
            continue
        if name in (*AXES, ROW_NAME):
            logger.warning("%s: %r is no label: it has the name of an axis", path, name)
        elif not _fits(shape, population):
            logger.warning(
                "%s: %r of shape %s is no label: it has not one value for each of the %d rows",
                *(path, name, shape, population.n_rows),
            )
        else:
            values = container.read(name)
            if path.suffix.lower() == ".csv" and values.dtype.kind in "fiub":
                continue  # a neuron
            fault = _fault(_as_rows(name, values, population))
            if fault:
                logger.warning("%s: %r is no label: %s", path, name, fault)
            else:
                yield name, _as_rows(name, values, population)


def _fits(shape: tuple[int, ...], population: Population) -> bool:
    sizes = tuple(size for size in shape if size != 1)
    return sizes in {(population.n_rows,), population.grid, population.grid[:1]}


def _as_rows(name: str, values: np.ndarray, population: Population) -> np.ndarray:
    """Give each row its value; one per condition goes to all of its trials."""
    flat = np.squeeze(values)
    if not _fits(flat.shape, population):
        raise UnusableError(
            f"expected label {name!r} with a value for each of the {population.n_rows} "
            f"{population.row}s, got shape {values.shape}"
        )
    if flat.shape != (population.n_rows,) and flat.shape != population.grid:
        flat = np.repeat(flat, population.grid[1])
    return _plain(name, flat.ravel())


def _plain(name: str, values: np.ndarray) -> np.ndarray:
    """Return numbers or text; MATLAB hands over a cell of text as an array in each element."""
    if values.dtype.kind != "O":
        return values
    cells = [np.ravel(cell) for cell in values]
    if not all(cell.size == 1 and cell.dtype.kind in "USfiub" for cell in cells):
        raise UnusableError(f"expected label {name!r} to hold numbers or text, got objects")
    return np.array([str(cell[0]) for cell in cells])


def _fault(values: np.ndarray) -> str | None:
    """Say why values are no labels, or return None."""
    if values.dtype.kind not in "USfiub":
        return f"expected numbers or text, got {values.dtype}"
    missing = values == "" if values.dtype.kind in "US" else ~np.isfinite(values)
    if missing.any():
        return f"there is no value in row {np.flatnonzero(missing)[0]}, counted from 0"
    if len(np.unique(values)) < 2:
        return "it has one value throughout, there is nothing to decode"
    return None


def _classes(name: str, values: np.ndarray) -> np.ndarray:
    fault = _fault(values)
    if fault:
        raise UnusableError(
            f"label {name!r} cannot be used: {fault}; mend it, or name the others under `labels`"
        )
    return values


def _bin_centres(
    container: Container, population: Population, time: Sequence[float] | str | None
) -> np.ndarray | None:
    """Return the bin centres, a rising number for each time."""
    if time is None:
        return None
    if not population.timed:
        raise UnusableError("`time` is given and no axis of `axes` is time; name it, or leave out")
    values = np.squeeze(container.read(time)) if isinstance(time, str) else np.asarray(time)
    n_times = len(population.activity)
    numbers = values.dtype.kind in "fiu" and np.isfinite(values).all()
    if values.shape != (n_times,) or not numbers or (np.diff(values) <= 0).any():
        raise UnusableError(
            f"expected `time` as {n_times} rising numbers, a bin centre each, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return values.astype(np.float64)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
