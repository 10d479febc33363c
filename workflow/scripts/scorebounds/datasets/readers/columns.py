"""Which columns of a table, or of an array, are the neurons."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.population import Population
from scorebounds.datasets.readers.roles import (
    IGNORED,
    LABEL,
    NAME,
    NEURON,
    ROLES,
    odd_columns,
    roles_of_columns,
)

logger = logging.getLogger(__name__)

N_SHOWN = 3


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
        If there are none, or it cannot be told of some column.
    """
    given = _given_roles(entry.columns, container.shapes)
    if not isinstance(entry.labels, str):
        given |= dict.fromkeys(entry.labels or (), LABEL)
    named = [entry.names] if entry.names is not None else []
    given |= dict.fromkeys((name for name in named if name in container.shapes), NAME)
    if isinstance(entry.time, str):
        given[entry.time] = IGNORED
    columns = {name: container.read(name) for name in container.shapes}
    roles = roles_of_columns(columns, given)
    neurons = [name for name, role in roles.items() if role == NEURON]
    if not neurons:
        raise UnusableError("expected columns of numbers, a neuron each, got none")
    not_numbers = [name for name in neurons if columns[name].dtype.kind not in "fiub"]
    if not_numbers:
        raise UnusableError(f"expected numbers in column {not_numbers[0]!r}, got text")
    shown = ", ".join(neurons[:N_SHOWN]) + (", …" if neurons[N_SHOWN:] else "")
    notes = [f"took {len(neurons)} columns as neurons: {shown}"]
    return np.column_stack([columns[name] for name in neurons]), roles, notes


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


def without_ignored_columns(population: Population, entry: Entry, path: Path) -> Population:
    """Leave out columns of an array by number; warn of others that look like no neuron.

    Raises
    ------
    UnusableError
        If a column counts the rows and the user has not said what it is.
    """
    n_neurons = population.activity.shape[-1]
    numbers = {int(name): role for name, role in entry.columns.items() if name.isdigit()}
    wrong = [number for number in numbers if number >= n_neurons]
    if wrong:
        raise UnusableError(
            f"expected `columns` to number neurons from 0 to {n_neurons - 1}, got {wrong[0]}"
        )
    if len(population.activity) == 1:
        for column, reason in odd_columns(population.activity[0]):
            if column in numbers:
                continue
            said = f"cannot tell whether neuron {column}, counted from 0, is one: {reason}"
            if "counts the rows" in reason:
                raise UnusableError(
                    f"{said}; say it in the entry, as columns: {{{column}: {IGNORED}}}, or {NEURON}"
                )
            logger.warning("%s: %s; leave it out with columns: {%d: ignore}", path, said, column)
    ignored = [number for number, role in numbers.items() if role == IGNORED]
    if not ignored:
        return population
    kept = np.delete(population.activity, ignored, axis=-1)
    said = f"left out neuron {', '.join(map(str, ignored))}, as asked"
    return replace(population, activity=kept, done=(*population.done, said))
