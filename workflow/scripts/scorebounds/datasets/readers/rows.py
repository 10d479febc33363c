"""What there is for each row of an array: labels, names, counters; and which of them are used."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scorebounds.core.recording import RESERVED, ROW_NAME, stored_name
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import ROW_AXES, meaning, names_of_times
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.labels import as_rows, fault_of_label, fits, tidy
from scorebounds.datasets.readers.population import Population
from scorebounds.datasets.readers.roles import COUNTER, IGNORED, INDEX, LABEL, NAME
from scorebounds.datasets.readers.tables import read_labels
from scorebounds.datasets.readers.vocabulary import (
    best_names,
    is_counter,
    is_identifier,
    may_name_rows,
)

logger = logging.getLogger(__name__)

# Arrays of these names describe the other axes, or were stored by this software.
NO_LABELS = ("time", "neuron", "activity", ROW_NAME)
# What is no label: how many of them are explained, and how many more are named.
N_EXPLAINED, N_NAMED = 5, 3


@dataclass(frozen=True)
class Rows:
    """What a file says about the rows of its activity.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (n_rows,)
        Everything that has a value per row, by a name that netCDF can store.
    variables : tuple of str
        Those that are task variables.
    found : tuple of str
        Those of them that the user has not named.
    names : str or None
        The one that names the rows.
    notes : tuple of str
        What was decided, a sentence each.
    """

    values: Mapping[str, np.ndarray]
    variables: tuple[str, ...]
    found: tuple[str, ...]
    names: str | None
    notes: tuple[str, ...]


def read_rows(
    container: Container,
    population: Population,
    entry: Entry,
    path: Path,
    roles: Mapping[str, str] | None = None,
) -> Rows:
    """Read the labels that are named, or those that are found, and the names of the rows.

    Parameters
    ----------
    container : Container
    population : Population
        The activity, brought into rows.
    entry : Entry
    path : Path
        For warnings.
    roles : mapping of str to str, optional
        What the columns of a table are.

    Raises
    ------
    UnusableError
        If something that the user named is not there or cannot be used.
    """
    collected = _Collected(container, population, entry, path)
    if isinstance(entry.labels, str):
        collected.add_table(Path(entry.labels))
    elif entry.labels is not None:
        for name in entry.labels:
            collected.add_label(name, container.read(name))
    if roles is not None:
        collected.add_columns(roles)
    else:
        collected.add_asked()
        if entry.labels is None:
            collected.add_found()
    collected.add_groups()
    return collected.finished()


class _Collected:
    """Gathers what has a value per row, and sorts it."""

    def __init__(
        self, container: Container, population: Population, entry: Entry, path: Path
    ) -> None:
        self.container, self.population, self.entry, self.path = container, population, entry, path
        self.values: dict[str, np.ndarray] = {}
        self.variables: list[str] = []
        self.found: list[str] = []
        self.candidates: list[str] = []
        self.unusable: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def add_label(self, name: str, values: np.ndarray, *, found: bool = False) -> None:
        """Add a task variable; one that was found may be something else, or left out."""
        try:
            rows = tidy(as_rows(name, values, self.population))
            fault = fault_of_label(rows)
        except UnusableError as error:
            if not found:
                raise
            fault = str(error)
            rows = np.empty(0)
        if found and rows.size and self._sort_out(name, rows):
            return
        if found and fault is None and rows.dtype.kind == "f" and len(np.unique(rows)) == len(rows):
            fault = "it has another number in each row, there are no classes"
        if fault and found:
            self.unusable.append((repr(name), fault))
            return
        if fault:
            raise UnusableError(
                f"label {name!r} cannot be used: {fault}; correct it, or name the others under "
                "`labels`"
            )
        plain = self._store(name, rows)
        self.variables.append(plain)
        if found:
            self.found.append(plain)

    def _sort_out(self, name: str, rows: np.ndarray) -> bool:
        """Take counters and identifiers out of the task variables."""
        if name == self.entry.names:
            return True
        if is_counter(name):
            self._store(name, rows)
            self.notes.append(f"{name!r} counts trials and is not decoded")
            return True
        lonely = self.population.timed and meaning(name) is None and rows.dtype.kind in "iu"
        if is_identifier(name, rows) and not lonely:
            plain = self._store(name, rows)
            if may_name_rows(name):
                self.candidates.append(plain)
            self.notes.append(f"{name!r} identifies rows or stimuli and is not decoded")
            return True
        return False

    def _store(self, name: str, rows: np.ndarray) -> str:
        plain = stored_name(name)
        if name in RESERVED:
            self.notes.append(f"stored {name!r} as {plain!r}, its own name being taken")
        elif not name:
            self.notes.append(f"stored the column without a name as {plain!r}")
        if plain in self.values:
            raise UnusableError(f"expected different names of labels, got {plain!r} twice")
        self.values[plain] = rows
        return plain

    def add_table(self, path: Path) -> None:
        """Add the columns of a table of labels, a row per row of the activity."""
        for name, values in read_labels(path, self.entry).items():
            rows = tidy(as_rows(name, values, self.population))
            if name == self.entry.names:
                self._add_names(name, rows)
            elif name and not self._sort_out(name, rows):
                self.add_label(name, values)

    def add_asked(self) -> None:
        """Add the arrays of which `columns` says that they are labels or names."""
        for name, role in self.entry.columns.items():
            if name not in self.container.shapes or role not in (LABEL, NAME):
                continue
            values = self.container.read(name)
            if role == NAME:
                rows = tidy(as_rows(name, values, self.population))
                self.candidates.append(self._store(name, rows))
            elif name not in self.variables:
                self.add_label(name, values)

    def add_groups(self) -> None:
        """Add the label of groups, which `labels` need not name, because it is not decoded."""
        name = self.entry.groups
        if name in self.container.shapes and stored_name(name) not in self.values:
            self._store(name, tidy(as_rows(name, self.container.read(name), self.population)))

    def add_columns(self, roles: Mapping[str, str]) -> None:
        """Add the columns of a table that are no neurons."""
        named = () if isinstance(self.entry.labels, str) else self.entry.labels or ()
        for name, role in roles.items():
            if role in (INDEX, IGNORED):
                self.notes.append(f"left out column {name!r}: {role}")
            elif role == NAME and name != self.entry.names:
                rows = tidy(as_rows(name, self.container.read(name), self.population))
                self.candidates.append(self._store(name, rows))
            elif role in (LABEL, COUNTER) and name not in named and self.entry.labels is None:
                if name in self.entry.columns:
                    self.add_label(name, self.container.read(name))
                else:
                    self._add_array(name)

    def add_found(self) -> None:
        """Add every other array with a value per row, and say which are none."""
        used = {self.container.activity_name, self.entry.names}
        used |= {self.entry.time} if isinstance(self.entry.time, str) else set()
        asked = {name for name, role in self.entry.columns.items() if role in (LABEL, NAME)}
        of_activity = self.container.dims.get(self.container.activity_name or "", ())
        for name, shape in self.container.shapes.items():
            if name in used or name in asked or name in names_of_times(of_activity):
                continue
            role = self.entry.columns.get(name)
            if role == IGNORED:
                self.notes.append(f"left out {name!r}, as asked")
            elif name in NO_LABELS:
                self.unusable.append((repr(name), "it has the name of an axis"))
            elif not fits(shape, self.population) or not self._along_rows(name):
                reason = f"it has not one value for each of the {self.population.n_rows} rows"
                self.unusable.append((f"{name!r} of shape {shape}", reason))
            else:
                self._add_array(name)

    def _add_array(self, name: str) -> None:
        try:
            values = self.container.read(name)
        except UnusableError as error:
            self.unusable.append((repr(name), str(error)))
        else:
            self.add_label(name, values, found=True)

    def _say_unusable(self) -> None:
        """Say what is no label and why; where there are many, of the first ones."""
        for name, reason in self.unusable[:N_EXPLAINED]:
            logger.warning("%s: %s is no label: %s", self.path, name, reason)
            self.notes.append(f"left out {name}, which is no label: {reason}")
        if more := [name for name, _ in self.unusable[N_EXPLAINED:]]:
            rest = [f"and {len(more) - N_NAMED} others"] if len(more) > N_NAMED else []
            listed = ", ".join([*more[:N_NAMED], *rest])
            logger.warning("%s: %d more are no labels: %s", self.path, len(more), listed)
            self.notes.append(f"left out {len(more)} more, which are no labels: {listed}")

    def _along_rows(self, name: str) -> bool:
        """Return whether an array varies along the rows, where the file names axes."""
        dims = self.container.dims
        of_activity = dims.get(self.container.activity_name or "", ())
        if name not in dims or not of_activity:
            return meaning(name) != "neuron"
        rows = {dim for dim in of_activity if meaning(dim) in ROW_AXES}
        return not rows or set(dims[name]) <= rows

    def _add_names(self, name: str, rows: np.ndarray) -> None:
        missing = rows == "" if rows.dtype.kind in "UT" else ~np.isfinite(rows.astype(float))
        if missing.any():
            raise UnusableError(
                f"expected `names` {name!r} to have a name for each row, got none in row "
                f"{np.flatnonzero(missing)[0]}, counted from 0"
            )
        self.values[ROW_NAME] = rows

    def finished(self) -> Rows:
        """Choose the names of the rows, and say what was left out."""
        self._say_unusable()
        names = self.entry.names
        if names is not None and ROW_NAME not in self.values:
            self._add_names(
                names, tidy(as_rows(names, self.container.read(names), self.population))
            )
            self.notes.append(f"took {names!r} as the names of the rows")
        elif names is None and self.candidates:
            chosen = best_names(self.candidates)
            if chosen is None:
                self.notes.append(
                    f"did not choose names of the rows among {', '.join(self.candidates)}; name "
                    "one in `names` to match models by it"
                )
            else:
                self.values[ROW_NAME] = self.values[chosen]
                self.notes.append(f"took {chosen!r} as the names of the rows")
        return Rows(
            self.values,
            tuple(self.variables),
            tuple(self.found),
            ROW_NAME if ROW_NAME in self.values else None,
            tuple(self.notes),
        )
