"""Inputs and names that the tests of measures share."""

import warnings

import torch

from scorebounds.core.measure_table import entry_of
from scorebounds.measures import registry

# Measures that are not defined for independent noise, which most tests draw; they have their own
# tests (test_corrected_cka.py).
NOT_OF_NOISE = {"cka_corrected", "cka_corrected_x"}
# Measures of trajectories instead of paired rows (test_dynamics.py).
OF_TRAJECTORIES = {"dsa"}
NAMES = [name for name in registry.names() if name not in NOT_OF_NOISE | OF_TRAJECTORIES]
DIFFERENTIABLE = [name for name in NAMES if registry.load(name).differentiable]
SATURATED = "ignore::scorebounds.measures.base.SaturatedScoreWarning"


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def load(name):
    """Load a measure; those with a size that small data do not have, at a smaller size."""
    return registry.load({"pls_cv_pearson_25": "pls_cv_pearson_3"}.get(name, name))


def least_rank(measure):
    """Return the rank of data below which a score is rounding: components that are fitted."""
    entry = entry_of(measure.name)
    return int(entry.parameter(measure.name)) if entry.id == "pls_cv_pearson_<k>" else 1


def score(measure, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
        return measure.score(x, y)


def cases():
    """Pairs of every kind of shape: tall, different widths, wide, rank-deficient."""
    low_rank = draw(30, 2, seed=2) @ draw(2, 6, seed=3)
    return {
        "tall": (draw(30, 6), draw(30, 6, seed=1)),
        "widths": (draw(30, 6), draw(30, 4, seed=1)),
        "wide": (draw(14, 20), draw(14, 25, seed=1)),
        "x of low rank": (low_rank, draw(30, 5, seed=1)),
        "y of low rank": (draw(30, 5), low_rank),
    }


CASES = cases()
_LOWEST_RANK = {
    case: min(int(torch.linalg.matrix_rank(side)) for side in pair) for case, pair in CASES.items()
}
# Each measure with the cases whose scores are more than rounding.
CASES_OF_MEASURES = [
    (name, case)
    for name in NAMES
    for case, rank in _LOWEST_RANK.items()
    if least_rank(load(name)) <= rank
]


def central_differences(scores, y, step=1e-6):
    """Return the derivative of each score by each entry of its matrix, some hundred at a time."""
    sides = (step * torch.eye(y[0].numel(), dtype=y.dtype)).reshape(-1, *y.shape[1:])
    parts = [
        scores((y[:, None] + part).flatten(0, 1)) - scores((y[:, None] - part).flatten(0, 1))
        for part in sides.split(400)
    ]
    derivatives = torch.cat([part.reshape(len(y), -1) for part in parts], 1) / (2 * step)
    return derivatives.reshape(y.shape)
