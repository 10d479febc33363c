"""Which neurons of a user's recording belong to which subject."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.population import Population


def part_subjects(
    container: Container, subjects: Sequence[object] | str | None
) -> tuple[Container, np.ndarray | None]:
    """Return the subject of each neuron, and the container without the array that names them.

    Parameters
    ----------
    container : Container
    subjects : str, sequence, or None
        Name of an array of the file, or the subjects themselves.
    """
    if subjects is None:
        return container, None
    if not isinstance(subjects, str):
        return container, np.array([str(each) for each in subjects])
    values = np.array([_as_text(each) for each in container.read(subjects).ravel().tolist()])
    # It says nothing about rows, even where there are as many rows as neurons.
    shapes = {name: shape for name, shape in container.shapes.items() if name != subjects}
    return replace(container, shapes=shapes), values


def with_subjects(population: Population, subjects: np.ndarray | None) -> Population:
    """Add the subject of each neuron.

    Raises
    ------
    UnusableError
        If there is not one for each neuron, or only one subject.
    """
    if subjects is None:
        return population
    n_neurons = population.activity.shape[-1]
    if len(subjects) != n_neurons:
        raise UnusableError(
            f"expected `subjects` with a value for each of the {n_neurons} neurons, got "
            f"{len(subjects)}; give an array of the file, or a list, with a subject per neuron"
        )
    names, counts = np.unique(subjects, return_counts=True)
    if len(names) < 2:
        raise UnusableError(
            f"expected `subjects` to name at least two subjects, got {str(names[0])!r} alone; "
            "leave it out"
        )
    shown = ", ".join(f"{name} ({count})" for name, count in zip(names, counts, strict=True))
    said = f"the neurons are those of {len(names)} subjects: {shown}"
    return replace(population, subjects=subjects, done=(*population.done, said))


def _as_text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
