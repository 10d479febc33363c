"""What there is to know about the measures, for the command line and score cards."""

from collections.abc import Iterable

import pandas as pd

from scorebounds.measures import registry
from scorebounds.measures.base import Measure

INVARIANCES = {
    "orthogonal": "rotations",
    "isotropic_scaling": "scale",
    "translation": "offset",
    "permutation": "order of neurons",
    "invertible_linear": "any invertible linear map",
}


def measures_table(names: Iterable[str] | None = None) -> pd.DataFrame:
    """Return a row per measure: id, label, range, perfect score, direction, gradient, formula."""
    chosen = [registry.load(name) for name in (registry.names() if names is None else names)]
    return pd.DataFrame(
        {
            "measure": measure.name,
            "label": measure.label,
            "lowest": measure.bounds[0],
            "highest": measure.bounds[1],
            "perfect": measure.perfect,
            "higher_is_closer": measure.higher_is_closer,
            "gradient": measure.differentiable,
        }
        for measure in chosen
    )


def definitions(names: Iterable[str]) -> pd.DataFrame:
    """Return how measures are defined: measure, label, formula, invariant_to, blind_to, source."""
    columns = ["measure", "label", "formula", "invariant_to", "blind_to", "source"]
    rows = [
        (
            measure.name,
            measure.label,
            measure.formula,
            ", ".join(invariances(measure)),
            measure.blind_to,
            measure.reference,
        )
        for measure in map(registry.load, names)
    ]
    return pd.DataFrame(rows, columns=columns)


def invariances(measure: Measure) -> list[str]:
    """List what may change in the data without changing the score, in words."""
    said = []
    for name, word in INVARIANCES.items():
        if name in measure.invariances:
            said.append(word)
        said += [
            f"{word} of {side.upper()}" for side in "xy" if f"{name}_{side}" in measure.invariances
        ]
    return said


def describe_measure(name: str) -> str:
    """Return what a reader of a measure's scores has to know, in lines of text."""
    measure = registry.load(name)
    low, high = measure.bounds
    perfect = "depends on the data" if measure.perfect is None else f"{measure.perfect:g}"
    rows = {
        "measure": f"{measure.name} ({measure.label})",
        "formula": measure.formula,
        "range": f"{low:g} to {high:g}",
        "perfect score": perfect,
        "closer is": "higher" if measure.higher_is_closer else "lower",
        "symmetric": "yes" if measure.symmetric else "no",
        "gradient": "yes" if measure.differentiable else "no, it can only be scored",
        "does not change with": ", ".join(invariances(measure)),
        "blind to": measure.blind_to,
        "cost": measure.cost,
        "source": measure.reference,
    }
    width = max(map(len, rows))
    return "\n".join(f"{title.ljust(width)}  {text}" for title, text in rows.items())
