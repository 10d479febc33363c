"""A user's own recording, in whichever of the common formats it comes."""

import contextlib
import csv
import gzip
import logging
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.io
import xarray as xr

from scorebounds.core.checks import count_neurons
from scorebounds.core.memory import is_out_of_memory
from scorebounds.core.recording import ROW_NAME, recording, stored_name, with_conditions
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.matlab import UNREADABLE
from scorebounds.datasets.readers.axes import axes_in_file
from scorebounds.datasets.readers.bin_centres import bin_centres_in_file, given_bin_centres
from scorebounds.datasets.readers.columns import activity_of_table, part_columns
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.formats import open_container
from scorebounds.datasets.readers.numpy_files import require_no_suite2p
from scorebounds.datasets.readers.odd import doubt_of_minus_one, require_no_marks
from scorebounds.datasets.readers.population import (
    Population,
    arrange,
    average,
    is_constant,
    leave_out,
    without_padding,
)
from scorebounds.datasets.readers.reduction import reduce_to_components
from scorebounds.datasets.readers.rows import Rows, read_rows
from scorebounds.datasets.readers.subjects import part_subjects, with_subjects
from scorebounds.datasets.readers.unnamed_axes import require_order, why_samples_first

logger = logging.getLogger(__name__)

DAMAGED = (
    *UNREADABLE,
    csv.Error,
    EOFError,
    IndexError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
    gzip.BadGzipFile,
    scipy.io.matlab.MatReadError,
)


def load(
    path: Path,
    *,
    average_by: Sequence[str] = (),
    units: str = "",
    drop: Sequence[str] = (),
    groups: str = "",
    components: float | None = None,
    array: str | None = None,
    axes: Sequence[str] | None = None,
    pool: str | None = None,
    labels: Sequence[str] | str | None = None,
    names: str | None = None,
    columns: Mapping[str, str] | None = None,
    time: Sequence[float] | str | None = None,
    decimal: str | None = None,
    mask: str | None = None,
    align: str | None = None,
    window: Sequence[float] | None = None,
    bin: float | None = None,  # noqa: A002 (the word of the field)
    subjects: Sequence[object] | str | None = None,
) -> xr.DataArray:
    """Read a recording whose format its file name tells.

    Parameters
    ----------
    path : Path
        See `formats.OPENERS` for the formats.
    average_by : sequence of str
        Labels; what agrees in all of them is averaged, in double precision.
    units : str
        Unit of the activity.
    drop : sequence of str
        What to leave out; see `population.DROPS`.
    groups : str
        A label whose values are held out whole in cross-validation, as sessions or runs.
    components : float, optional
        Reduce the recording to its leading principal components: their number, or below 1 the share
        of the variance that they hold.
    array, axes, pool, labels, names, columns, time, decimal, mask, align, window, bin, subjects
        See `entry.Entry`.

    Returns
    -------
    DataArray, dims (sample, neuron) or (time, condition, neuron)
        Attributes: units; variables, the task variables; found, those of them that the user has
        not named; averaged_by; groups; reduced, what components
        replace the neurons; precision, the type of the file's numbers; rows, what a row is
        (sample, trial, condition or time); history, what each part of the file became.

    Raises
    ------
    ValueError
        If the file cannot be read, or not be used as described.
    """
    path = Path(path)
    entry = Entry(
        array=array,
        axes=axes,
        pool=pool,
        labels=labels,
        names=names,
        columns=_as_text(columns),
        time=time,
        decimal=decimal,
        mask=mask,
        align=align,
        window=window,
        bin=bin,
        groups=groups,
        subjects=subjects,
    )
    average_by, groups = [stored_name(name) for name in average_by], groups and stored_name(groups)
    with _faults_named(path):
        with open_container(path, entry) as container:
            population, rows, centres, precision = _read(container, entry, path)
        population = leave_out(without_padding(population), drop)
        _warn_of_constant(population, path)
        if average_by:
            population = average(population, average_by)
        reduced = ""
        if components is not None:
            population, reduced = reduce_to_components(population, components)
        if groups and groups not in population.labels:
            raise UnusableError(
                f"expected `groups` to be a label, got {groups!r}; labels are: "
                f"{', '.join(rows.values) or 'none'}"
            )
    made = _recorded(population, rows, centres, units, average_by)
    return made.assign_attrs(
        averaged_by=list(average_by),
        found=[name for name in rows.found if name in made.attrs["variables"]],
        groups=groups,
        reduced=reduced,
        precision=precision,
        rows=population.row,
    )


@contextlib.contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    """Raise what is wrong with a file as a `ValueError` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename or path}: no such file") from error
    except UnusableError as error:
        raise ValueError(f"{path}: {error}") from error
    except (MemoryError, *DAMAGED) as error:
        if is_out_of_memory(error):
            # Of the largest arrays it is said before; a damaged file may give any size.
            raise ValueError(
                f"{path}: needs more memory than is free; take fewer samples or neurons, or fetch "
                "the file again if it is damaged"
            ) from error
        raise ValueError(f"{path}: cannot be read: {_one_line(error)}") from error


def _warn_of_constant(population: Population, path: Path) -> None:
    if not population.activity.size or population.n_rows < 2:
        return
    constant = np.flatnonzero(is_constant(population.activity))
    if constant.size:
        logger.warning(
            "%s: constant, so that no score can see them: %s; `drop: [constant_neurons]` leaves "
            "them out",
            path,
            count_neurons(constant),
        )


def _as_text(columns: Mapping[str, str] | None) -> dict[str, str]:
    # A number of a column is text like a name.
    return {str(name): role for name, role in (columns or {}).items()}


def _read(
    container: Container, entry: Entry, path: Path
) -> tuple[Population, Rows, np.ndarray | None, str]:
    """Read activity and what there is for its rows; all of it is checked, nothing left out."""
    roles = None
    if container.is_table:
        activity, roles, notes = activity_of_table(container, entry)
        axes: Sequence[str] | None = entry.axes or ("sample", "neuron")
        container = replace(container, notes=(*container.notes, *notes))
    else:
        container = replace(container, activity_name=container.choose_activity(entry.array))
        activity, axes = _array(container, str(container.activity_name), entry)
    name = container.activity_name or "the columns"
    container, subjects = part_subjects(container, entry.subjects)
    precision = str(activity.dtype)
    population = arrange(activity, axes, name, entry.pool)
    doubts = [doubt_of_minus_one(population.activity)]
    if axes is None and entry.pool is None:
        require_no_suite2p(path)
        if activity.ndim == 2:
            why = why_samples_first(container, activity.shape, entry)
            population = replace(population, done=(*population.done, why))
        doubts.append(require_order(activity, name, container, entry))
    population = _with_doubts(population, doubts, path)
    if not container.is_table:
        require_no_marks(population.activity, name)
        container, population, entry = part_columns(container, population, entry)
    population = with_subjects(population, subjects)
    rows = read_rows(container, population, entry, path, roles)
    centres = given_bin_centres(container, population, entry.time)
    lost: tuple[str, ...] = ()
    if centres is None and population.timed:
        centres, lost = bin_centres_in_file(container, population)
        for said in lost:
            logger.warning("%s: %s", path, said)
    for said in container.noticed:
        logger.warning("%s: %s", path, said)
    done = (*container.notes, *population.done, *container.noticed, *lost, *rows.notes)
    return replace(population, labels=rows.values, done=done), rows, centres, precision


def _array(
    container: Container, name: str, entry: Entry
) -> tuple[np.ndarray, Sequence[str] | None]:
    """Read the activity, and its axes where the file names them."""
    dims = container.dims.get(name, ())
    values, axes = container.read(name), entry.axes
    if axes is None and entry.pool is None and dims:
        axes = axes_in_file(dims, name)
        if axes and "time" in axes and len(axes) > 2 and values.shape[axes.index("time")] == 1:
            # One bin is no time course.
            values = values.squeeze(axes.index("time"))
            axes = tuple(axis for axis in axes if axis != "time")
    return values, axes


def _with_doubts(population: Population, doubts: Sequence[str | None], path: Path) -> Population:
    """Say what was assumed."""
    said = [doubt for doubt in doubts if doubt is not None]
    for one in said:
        logger.warning("%s: %s", path, one)
    return replace(population, done=(*population.done, *said))


def _recorded(
    population: Population,
    rows: Rows,
    centres: np.ndarray | None,
    units: str,
    average_by: Sequence[str],
) -> xr.DataArray:
    activity, *halves = (
        values if population.timed else values[0]
        for values in (population.activity, *population.halves)
    )
    # Averaging leaves out what differs within a condition.
    of_rows = dict(population.labels)
    names = of_rows.pop(ROW_NAME, None)
    if names is None and len(average_by) == 1 and average_by[0] not in rows.variables:
        names = of_rows.get(average_by[0])
    made = recording(
        activity,
        {name: values for name, values in of_rows.items() if name in rows.variables},
        units=units,
        time=centres,
        names=names,
        halves=halves,
        subjects=population.subjects,
        done=population.done,
    )
    # What is not decoded can still be what models are matched by, or folds are grouped by.
    others = {name: values for name, values in of_rows.items() if name not in rows.variables}
    made = made.assign_coords({name: (made.dims[-2], values) for name, values in others.items()})
    if population.condition is None:
        return made
    return with_conditions(made, population.condition, population.grid[0])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
