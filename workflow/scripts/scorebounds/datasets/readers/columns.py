"""Which columns of a table, or of an array, are the neurons."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import TEXT, Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.odd import label_planes, odd_columns
from scorebounds.datasets.readers.population import Population
from scorebounds.datasets.readers.roles import (
    IGNORED,
    LABEL,
    MAX_LISTED,
    NAME,
    NEURON,
    ROLES,
    roles_of_columns,
)
from scorebounds.datasets.readers.vocabulary import is_whole

N_SHOWN = 3
# The report lists every column, but of large tables.
N_LISTED = 200


def activity_of_table(
    container: Container, entry: Entry
) -> tuple[np.ndarray, dict[str, str], list[str]]:
    """Read the columns that are neurons, and say what each of the others is.

    Returns
    -------
    activity : ndarray, shape (n_samples, n_neurons)
    roles : dict of str to str
        By column.
    notes : list of str

    Raises
    ------
    UnusableError
        If there are none, or the role of a column is ambiguous.
    """
    given = _given_roles(entry.columns, container.shapes)
    if not isinstance(entry.labels, str):
        given |= dict.fromkeys(entry.labels or (), LABEL)
    named = [entry.names] if entry.names is not None else []
    given |= dict.fromkeys((name for name in named if name in container.shapes), NAME)
    if isinstance(entry.time, str):
        given[entry.time] = IGNORED
    columns = _columns(container)
    roles = roles_of_columns(columns, given)
    # Text that does not fit into memory is a label that is left out.
    roles |= {name: given.get(name, LABEL) for name in container.shapes if name not in roles}
    neurons = [name for name, role in roles.items() if role == NEURON]
    if not neurons:
        raise UnusableError(
            "expected columns of numbers, a neuron each, got "
            + ", ".join(f"{name!r} ({role})" for name, role in list(roles.items())[:N_SHOWN])
        )
    not_numbers = [
        name for name in neurons if name not in columns or columns[name].dtype.kind not in "fiub"
    ]
    if not_numbers:
        raise UnusableError(f"expected numbers in column {not_numbers[0]!r}, got text")
    shown = ", ".join(neurons[:N_LISTED]) + (", …" if neurons[N_LISTED:] else "")
    notes = [f"took {len(neurons)} columns as neurons: {shown}"]
    return np.column_stack([columns[name] for name in neurons]), roles, notes


def _columns(container: Container) -> dict[str, np.ndarray]:
    """Read the columns, but text that does not fit into memory."""
    columns = {}
    for name in container.shapes:
        try:
            columns[name] = container.read(name)
        except UnusableError:
            if container.kinds.get(name) != TEXT:
                raise
    return columns


def _given_roles(columns: Mapping[str, str], there: Mapping[str, object]) -> dict[str, str]:
    """Check what the user says of the columns."""
    for name, role in columns.items():
        if role not in ROLES:
            raise UnusableError(
                f"expected `columns` to call {name!r} one of {', '.join(ROLES)}, got {role!r}"
            )
        if name not in there:
            raise UnusableError(
                f"expected the columns of `columns` to be there, got no {name!r}; the file has "
                f"{', '.join(map(repr, list(there)[:10]))}"
            )
    return dict(columns)


def part_columns(
    container: Container, population: Population, entry: Entry
) -> tuple[Container, Population, Entry]:
    """Take the columns of an array that are no neurons out of it, by number.

    Labels and names become arrays of their own, `column_3`.

    Raises
    ------
    UnusableError
        If a column looks like no neuron and the user has not said what it is.
    """
    n_neurons = population.activity.shape[-1]
    others = {name for name in container.shapes if name != container.activity_name}
    there = [*map(str, range(n_neurons)), *others]
    given = _given_roles(entry.columns, dict.fromkeys(there))
    numbers = {int(name): role for name, role in given.items() if name not in others}
    _ask_about_columns(population, numbers)
    apart = {number: role for number, role in numbers.items() if role != NEURON}
    if not apart:
        return container, population, entry
    values = {f"column_{n}": _once_per_row(population, n) for n, r in apart.items() if r != IGNORED}
    shapes = {**container.shapes, **{name: one.shape for name, one in values.items()}}
    reader = container.reader

    def read(name: str) -> np.ndarray:
        return values[name] if name in values else reader(name)

    roles = {f"column_{number}": role for number, role in apart.items() if role != IGNORED}
    said = "; ".join(f"{number}: {role}" for number, role in apart.items())
    kept = np.delete(population.activity, list(apart), axis=-1)
    return (
        replace(container, shapes=shapes, reader=read),
        replace(
            population, activity=kept, done=(*population.done, f"took columns as asked: {said}")
        ),
        replace(entry, columns={**entry.columns, **roles}),
    )


def _ask_about_columns(population: Population, given: Mapping[int, str]) -> None:
    """Raise UnusableError where columns are unlike the other neurons."""
    activity = population.activity
    odd = odd_columns(activity[0]) if len(activity) == 1 else label_planes(activity)
    asked = [(column, reason) for column, reason in odd if column not in given]
    if asked:
        more = f"; nor of {len(asked) - 1} others" if asked[1:] else ""
        roles = ", ".join(f"{column}: {IGNORED}" for column, _ in asked[:MAX_LISTED])
        raise UnusableError(
            f"cannot tell whether column {asked[0][0]}, counted from 0, is a neuron: "
            f"{asked[0][1]}{more}; say it in the entry, as columns: {{{roles}}}, or {NEURON}, "
            f"{LABEL} or {NAME}"
        )


def _once_per_row(population: Population, column: int) -> np.ndarray:
    """Return a column of an array that has one value per row, whatever the time."""
    values = population.activity[..., column]
    if not (values == values[:1]).all():
        raise UnusableError(
            f"expected column {column}, as a {LABEL} or {NAME}, with the same value at all times"
        )
    first: np.ndarray = values[0]
    return first.astype(np.int64) if is_whole(first) else first
