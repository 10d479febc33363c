"""Noise ceilings: the score that the noise-free recording would have with the recording itself.

They are estimated from halves of the trials (`halves`). Measures for which no estimate with the
right expectation is known have no ceiling, and neither have recordings without a signal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebounds.core.intervals import half_width
from scorebounds.core.measure_table import entry_of
from scorebounds.measures.base import Measure
from scorebounds.scorecards.formatting import SIGNIFICANT
from scorebounds.scorecards.halves import (
    OF_INDEPENDENT_SAMPLES,
    Estimator,
    HalvesOfTrials,
    estimator_of,
)
from scorebounds.scorecards.jackknife import LEAST_DEFINED
from scorebounds.scorecards.permutations import distinct_orders
from scorebounds.scorecards.samples import Halves

# More rows than these would need matrices of more than 0.2 GB each.
MOST_ROWS = 5000
# Permutations of the conditions of one half in the test for any signal; fewer where fewer exist.
N_SIGNAL_PERMUTATIONS = 199
NO_ESTIMATE = "no estimator with the right expectation is known for this measure"
NO_ESTIMATE_OVER_TIME = (
    "no estimator with the right expectation is known for this measure and recordings over time"
)
TOO_NOISY = "the halves of the trials agree too little to estimate it"
NO_SIGNAL = "the halves of the trials do not agree better than chance"
BELOW_CHANCE = "the ceiling does not exceed chance: the trials are too noisy"
# With three conditions there are five other orders, so that p is at least 1/6.
MIN_CONDITIONS = 4
TOO_FEW_CONDITIONS = "there are too few conditions to test whether the halves of the trials agree"
TOO_MANY_ROWS = f"not computed for more than {MOST_ROWS} rows"


@dataclass(frozen=True)
class Ceiling:
    """A noise ceiling with its 95 % interval over conditions; NaN where `note` says why."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    note: str = ""


def has_signal(halves: HalvesOfTrials, seed: int) -> bool:
    """Test by permutation whether the conditions of the two halves agree."""
    first, second = (
        side - side.mean(axis=1, keepdims=True) for side in (halves.first, halves.second)
    )
    products = np.einsum("tip,tjp->ij", first, second)
    orders = distinct_orders(len(products), N_SIGNAL_PERMUTATIONS, seed)
    null = products[np.arange(len(products)), orders].sum(axis=1)
    as_large = int((null >= np.trace(products)).sum())
    return (as_large + 1) / (len(null) + 1) <= SIGNIFICANT


def splits_of(
    whole: np.ndarray, halves: Sequence[Halves]
) -> tuple[list[HalvesOfTrials], np.ndarray]:
    """Return the splits over the neurons that have both halves, and which these are."""
    if not halves:
        return [], np.zeros(whole.shape[-1], bool)
    shaped = [tuple(np.reshape(half, whole.shape) for half in pair) for pair in halves]
    neurons = np.all([np.isfinite(a + b).all(axis=(0, 1)) for a, b in shaped], axis=0)
    if not neurons.any():
        return [], neurons
    return [
        HalvesOfTrials(a[..., neurons], b[..., neurons], whole[..., neurons]) for a, b in shaped
    ], neurons


def noise_ceiling(
    splits: Sequence[HalvesOfTrials],
    measure: Measure,
    *,
    width: int,
    n_groups: int,
    seed: int,
) -> Ceiling:
    """Estimate the score of a model that knows the noise-free responses.

    Parameters
    ----------
    splits : sequence of HalvesOfTrials
    measure : Measure
    width : int
        Independent units of the model.
    n_groups, seed : int
        Groups of conditions of the jackknife that gives the interval.
    """
    if not splits:
        return Ceiling()
    estimate = estimator_of(measure, width)
    if estimate is None:
        return Ceiling(note=NO_ESTIMATE)
    if splits[0].n_rows > MOST_ROWS:
        return Ceiling(note=TOO_MANY_ROWS)
    if splits[0].whole.shape[1] < MIN_CONDITIONS:
        return Ceiling(note=TOO_FEW_CONDITIONS)
    if not has_signal(splits[0], seed):
        return Ceiling(note=NO_SIGNAL)
    value = _mean([estimate(split) for split in splits])
    if math.isnan(value):
        over_time = splits[0].whole.shape[0] > 1 and measure.name in OF_INDEPENDENT_SAMPLES
        return Ceiling(note=NO_ESTIMATE_OVER_TIME if over_time else TOO_NOISY)
    half = _half_width(splits, estimate, n_groups, seed)
    low = value - half - entry_of(measure.name).ceiling_excess
    high = min(value + half, measure.bounds[1])
    return Ceiling(min(value, measure.bounds[1]), low, high)


def _mean(values: Sequence[float]) -> float:
    """Average over splits; NaN unless most of them are defined."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if len(finite) > len(values) / 2 else math.nan


def _half_width(
    splits: Sequence[HalvesOfTrials],
    estimate: Estimator,
    n_groups: int,
    seed: int,
) -> float:
    """Return half the width of the jackknife interval over conditions, from the first split."""
    n_conditions = splits[0].whole.shape[1]
    n = min(n_groups, n_conditions)
    group = np.random.default_rng(seed).permutation(np.arange(n_conditions) % n)
    values = np.array(
        [estimate(splits[0].without(np.flatnonzero(group == index))) for index in range(n)]
    )
    values = values[np.isfinite(values)]
    if len(values) < max(2, LEAST_DEFINED * n):
        return math.nan
    return half_width(float((len(values) - 1) * values.var()) ** 0.5, len(values) - 1)
