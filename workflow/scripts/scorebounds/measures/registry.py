"""Similarity measures: `names()` lists them, `load(name)` returns one."""

import copyreg
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from scorebounds.core import measure_table
from scorebounds.core.measure_table import measure_names as names
from scorebounds.measures.base import Measure, SaturatedScoreWarning

__all__ = ["Measure", "SaturatedScoreWarning", "declare", "family", "load", "names"]


def declare(name: str, **definition: Any) -> Measure:
    """Declare a measure of the table, which gives its label, symmetry and the like.

    Parameters
    ----------
    name : str
        Its id in `scorebounds.core.measure_table`.
    **definition
        The other attributes of `Measure`.

    Raises
    ------
    ValueError
        If the table has no such measure, or has a scale for it and the definition none.
    """
    entry = measure_table.find_entry(name)
    if entry is None:
        raise ValueError(
            f"measure {name!r} is declared, but not in the table of measures: add an entry for it "
            "to core/measure_table.py"
        )
    if entry.off_scale != ("scale" in definition):
        raise ValueError(
            f"measure {name!r}: expected a `scale` exactly if its entry in core/measure_table.py "
            f"says off_scale=True, got off_scale={entry.off_scale}"
        )
    return Measure(
        name=name,
        label=measure_table.measure_label(name),
        symmetric=entry.symmetric,
        differentiable=entry.has_gradient,
        cross_validated=entry.cross_validated,
        of_trajectories=entry.of_trajectories,
        **definition,
    )


@dataclass(frozen=True)
class Family:
    """Measures that differ in a parameter, which is part of their id.

    Attributes
    ----------
    id : str
        As in the table of measures, such as ``ridge_<λ>``.
    member : callable
        Takes the parameter as the id writes it and declares the measure.
    """

    id: str
    member: Callable[[str], Measure]


def family(id: str) -> Callable[[Callable[[str], Measure]], Family]:  # noqa: A002
    """Decorate a function from the parameter to the measure as the family with this id."""
    return lambda member: Family(id, member)


_LOADED: dict[str, Measure] = {}


def load(name: str) -> Measure:
    """Return the measure with this id or alias: the same object each time.

    Only the module of the measure is imported.

    Raises
    ------
    ValueError
        If there is no such measure; the message suggests near ids and lists all of them.

    Examples
    --------
    >>> load("linear_cka") is load("cka")
    True
    """
    if not isinstance(name, str):
        raise TypeError(f"expected the id of a measure, such as 'cka', got {name!r}")
    name = measure_table.canonical_name(name)
    if name not in _LOADED:
        _LOADED[name] = _declared(name, measure_table.entry_of(name))
    return _LOADED[name]


def _declared(name: str, entry: measure_table.MeasureEntry) -> Measure:
    """Return what the module that the table names declares."""
    where = f"scorebounds.measures.{entry.module}"
    try:
        module = import_module(where)
    except ModuleNotFoundError as error:
        if error.name != where:
            raise
        raise ValueError(
            f"core/measure_table.py says that {entry.id!r} is declared in measures/{entry.module}"
            ".py, which does not exist: create it"
        ) from None
    for declared in vars(module).values():
        if isinstance(declared, Measure) and declared.name == name:
            return declared
        if isinstance(declared, Family) and declared.id == entry.id:
            return declared.member(entry.parameter(name) or "")
    raise ValueError(
        f"core/measure_table.py says that {entry.id!r} is declared in measures/{entry.module}.py, "
        "but it is not: declare it there (`declare` or `family` of measures/base.py)"
    )


def _reduce(measure: Measure) -> tuple[Callable[[str], Measure], tuple[str]]:
    """Pickle a measure by its name."""
    if _LOADED.get(measure.name) is not measure:
        raise TypeError(f"measure {measure.name!r} was not made by `load`: it cannot be pickled")
    return load, (measure.name,)


copyreg.pickle(Measure, _reduce)
