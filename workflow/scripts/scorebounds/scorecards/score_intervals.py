"""Intervals of scores: of which measures they are valid, and of what they are intervals."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.angular import from_angular, to_angular
from scorebounds.core.intervals import half_width
from scorebounds.measures.base import Measure
from scorebounds.scorecards.jackknife import NEURONS, corrected_estimate, jackknife_estimate
from scorebounds.scorecards.replicates import NESTED
from scorebounds.scorecards.rows import PERMUTED
from scorebounds.scorecards.saturation import is_nearly_saturated

# Measures whose bias the jackknife removes, in simulations with known population (docs/truth.md).
# That of nuclear norms, truncated components and matched neurons is not linear in 1/n.
CORRECTED = {"cka", "cka_angular", "cka_debiased", "linreg", "rsa_correlation_pearson"}
# R² from which on a fit is exact, up to rounding.
SATURATION = 1e-9
# CKA of unrelated data above which the jackknife does not remove enough of it.
HIGHEST_CHANCE = 0.35
# Share of the structure that neurons have in common (`measures.sampled.shared_among_neurons`) below
# which it is not known well enough to correct the norm of a kernel.
LEAST_SHARED = 0.2
# Ends between which an interval says nothing.
LOWEST, HIGHEST = 0.025, 0.975
# Of the variance of a score over samples (`uneven_ends`), chosen in simulations.
LEFT, RIGHT = 0.1, 2.0
# The same of ridge regression with a tuned penalty: where it finds little, the penalty is large and
# the score hardly varies. The upper end is at most so many half-widths away.
LEFT_OF_TUNED, FURTHEST = 0.01, 1.5
# Factors of the half-widths of held-out R², held-out correlations and R² with a tuned penalty, and
# the half-width, times √n of n conditions, that choosing a penalty adds in quadrature. Chosen in
# simulations, in which intervals were too narrow.
WIDENED, WIDENED_OF_CORRELATION, WIDENED_OF_TUNED, OF_CHOICE = 1.1, 1.2, 1.2, 0.17
IN_ORDER = "rows that follow each other in time are no independent sample"
TOO_FEW = "there are too few conditions or neurons for the jackknife"
ONE_NEURON = "there is one neuron, which does not tell how much neurons differ"
SATURATED = (
    "when the jackknife leaves out a group of conditions, the model has as many units as samples "
    "and fits them all"
)
NEARLY_SATURATED = (
    "the training samples are hardly more than the units, or fewer, so that regression without "
    "penalty varies more than the jackknife estimates"
)
HIGH_CHANCE = (
    "conditions are so few, compared with neurons and units, that the bias that they cause is not "
    "removed; debiased CKA has no such bias"
)
FEW_NOISY_NEURONS = (
    "the recording's neurons are so few, or have so little in common, that the bias that this "
    "causes is not removed; averages over more trials, square roots of spike counts, or more "
    "neurons have less of it"
)
NEARLY_ALL = (
    "the interval would contain nearly every score, because there are few conditions or neurons, "
    "or because a few hold most of the variance (of spike counts, take square roots)"
)
GROUPED_CORRELATION = (
    "where groups of conditions are held out, the intervals of held-out correlations were too "
    "narrow in simulations"
)
NO_INTERVAL = "no way to remove the bias from few conditions and neurons is known"
NOT_SIMULATED = "how often intervals cover the score of the population has not been simulated"
# Measures whose intervals missed the population score in simulations.
BIASED = ("nbs", "procrustes", "svcca", "cca", "pwcca", "soft_matching", "mutual_knn")


def has_valid_interval(measure: Measure) -> bool:
    """Return whether the interval of a score covers its population value as often as it says.

    A score of held-out samples is about this number of samples, and needs no correction. Its
    standard error is from repeated groups (`jackknife.without_repeats`).
    """
    return measure.cross_validated or measure.name in CORRECTED


def is_corrected(measure: Measure, scored: Mapping[str, Any], n_times: int) -> bool:
    """Return whether the interval is that of a score corrected by the jackknife in replicates."""
    return (
        bool(scored["is_informative"])
        and not measure.cross_validated
        and not is_r2_of_independent_samples(measure, n_times)
        and has_valid_interval(measure)
    )


def is_r2_of_independent_samples(measure: Measure, n_times: int) -> bool:
    """Return whether R² = truth + (1 − truth) chance holds, which gives its interval directly."""
    return measure.name == "linreg" and n_times == 1


def score_interval(
    scored: Mapping[str, Any],
    replicates: pd.DataFrame,
    measure: Measure,
    n_times: int,
    exchange: str = PERMUTED,
) -> dict[str, Any]:
    """Return the score corrected for few conditions and neurons, and its interval."""
    note = ""
    low = high = centre = math.nan
    if not scored["is_informative"]:
        pass
    elif exchange != PERMUTED:
        note = IN_ORDER
    elif reason := _why_none(scored, replicates, measure):
        note = reason
    elif is_corrected(measure, scored, n_times):
        centre, low, high = _corrected(scored, replicates, measure)
        note = TOO_FEW if math.isnan(low) else ""
    else:
        centre, low, high = _of_jackknife(scored, replicates, measure, n_times)
        note = TOO_FEW if math.isnan(low) else ""
    if low <= LOWEST and high >= HIGHEST:
        note = NEARLY_ALL
    elif not math.isnan(low) and n_times == 1 and _has_high_chance(scored, measure):
        note = HIGH_CHANCE
    elif not math.isnan(low) and _has_few_noisy_neurons(scored, measure):
        note = FEW_NOISY_NEURONS
    if note:
        centre = low = high = math.nan
    least, most = measure.bounds
    ends = {"score_corrected": centre, "score_low": low, "score_high": high}
    clipped = {name: float(np.clip(value, least, most)) for name, value in ends.items()}
    return {**clipped, "interval_note": note}


def uneven_ends(centre: float, half: float, left: float = LEFT) -> tuple[float, float]:
    """Return the scores that are compatible with an estimate, given its half-width at the estimate.

    Low estimates come with a small standard error, so that an interval of equal halves lies below
    the population too often. The interval contains every score s with
    (estimate − s)² ≤ half² v(s)/v(estimate), where v(s) = (s + `left`)(`RIGHT` − s) follows the
    variance over samples in simulations, constant below 0. If an interval of equal halves contains
    0, so does this one: the bias that remains for unrelated data after the correction is positive.

    Parameters
    ----------
    centre : float
        The estimate.
    half : float
        Half-width of an interval of equal halves.
    left : float
        Variance at 0 relative to its slope.
    """
    known = min(max(centre, 0.0), 1.0)
    scale = half**2 / ((known + left) * (RIGHT - known))
    below_zero = math.sqrt(scale * left * RIGHT)
    # (1 + k) s² − 2 b s + c = 0
    middle = (centre + scale * (RIGHT - left) / 2) / (1 + scale)
    product = (centre**2 - scale * left * RIGHT) / (1 + scale)
    root = math.sqrt(max(middle**2 - product, 0.0))
    low = middle - root if centre - below_zero > 0 else centre - below_zero
    if centre - half <= 0:
        low = min(low, centre - half)
    high = middle + root if centre + below_zero > 0 else centre + below_zero
    return low, high


def _why_none(scored: Mapping[str, Any], replicates: pd.DataFrame, measure: Measure) -> str | None:
    """Say why a measure has no interval for these data, whatever it would be."""
    if not has_valid_interval(measure):
        return NO_INTERVAL if measure.name.startswith(BIASED) else NOT_SIMULATED
    if scored.get("n_reference_neurons", 2) < 2:
        return ONE_NEURON
    if scored.get("has_groups") and measure.cross_validated and measure.bounds[0] != -math.inf:
        return GROUPED_CORRELATION
    return _why_saturated(scored, replicates, measure)


def _why_saturated(
    scored: Mapping[str, Any], replicates: pd.DataFrame, measure: Measure
) -> str | None:
    """Say why a regression without penalty has too many units for an interval, if it has."""
    score = scored["score"]
    if measure.name == "linreg":
        exact = bool((replicates.score >= 1 - SATURATION).any())
        return SATURATED if score < 1 - SATURATION and exact else None
    return NEARLY_SATURATED if is_nearly_saturated(measure.name, scored) else None


def _has_high_chance(scored: Mapping[str, Any], measure: Measure) -> bool:
    """Return whether CKA is so high for unrelated data that its bias cannot be removed.

    With times, permuted conditions also share their time course: chance is not the bias.
    """
    if measure.name not in ("cka", "cka_angular"):
        return False
    chance = scored["null_mean"]
    return bool((from_angular(chance) if measure.angular else chance) > HIGHEST_CHANCE)


def _is_of_kernel(measure: Measure) -> bool:
    """Return whether the denominator is the norm of the recording's kernel, as of CKA and RSA.

    That of R² is a sum over neurons, which few neurons do not bias.
    """
    return measure.name in CORRECTED - {"linreg"}


def _has_few_noisy_neurons(scored: Mapping[str, Any], measure: Measure) -> bool:
    """Return whether the norm of the recording's kernel is mostly that of single neurons."""
    return _is_of_kernel(measure) and bool(scored["shared_among_neurons"] < LEAST_SHARED)


def kept_by_corrections(shared: float, n_groups: int) -> float:
    """Return what is left of a score with few neurons, after both corrections of the jackknife.

    What each neuron has of its own enlarges the norm of the kernel of p neurons, so that the score
    is √s times that of the population, with the share s = 1/(1 + c/p) that neurons have in common.
    Where s is small, this is not nearly linear in 1/p, and the corrections remove too little.

    Parameters
    ----------
    shared : float
        s, above 0.
    n_groups : int
        Of neurons, two of which can be left out.

    Returns
    -------
    float
        Relative to the score of the population: 1.00 for s = 0.8, 0.95 for 0.5 and 0.83 for 0.3.
    """
    own = (1 - shared) / shared
    n_left = n_groups - np.arange(3)
    whole, without_one, without_two = np.sqrt(n_left / (n_left + own * n_groups)).tolist()
    first = n_groups * whole - (n_groups - 1) * without_one
    of_replicates = (n_groups - 1) * without_one - (n_groups - 2) * without_two
    return float(first - (n_groups - 1) * (of_replicates - first) / 2)


def _of_jackknife(
    scored: Mapping[str, Any], replicates: pd.DataFrame, measure: Measure, n_times: int
) -> tuple[float, float, float]:
    """Return a held-out score or a corrected R² of independent samples, with its interval."""
    score = scored["score"]
    estimate = jackknife_estimate(score, replicates)
    half = estimate.ci_half_width
    if is_r2_of_independent_samples(measure, n_times):
        half /= max(1 - scored["null_mean"], 1e-9)
        centre = score - estimate.bias
        return centre, centre - half, centre + half
    if measure.name not in NESTED or math.isnan(half):
        half *= WIDENED if measure.bounds[0] == -math.inf else WIDENED_OF_CORRELATION
        return score, score - half, score + half
    half = math.hypot(WIDENED_OF_TUNED * half, OF_CHOICE / math.sqrt(scored["n_conditions"]))
    high = uneven_ends(score, half, LEFT_OF_TUNED)[1]
    return score, score - half, min(high, score + FURTHEST * half)


def _corrected(
    scored: Mapping[str, Any], replicates: pd.DataFrame, measure: Measure
) -> tuple[float, float, float]:
    """Return a corrected score with its interval; of an angle from those of its cosine."""
    score, kept = scored["score"], 1.0
    if measure.angular:
        score = float(from_angular(score))
        replicates = replicates.assign(score=from_angular(replicates.score))
    estimate = corrected_estimate(score, replicates)
    if math.isnan(estimate.bias):
        return math.nan, math.nan, math.nan
    shared = scored["shared_among_neurons"]
    if _is_of_kernel(measure) and shared >= LEAST_SHARED:
        of_neurons = replicates.neuron_group[replicates.left_out == NEURONS]
        kept = kept_by_corrections(shared, of_neurons.nunique())
    centre = (score - estimate.bias) / kept
    # The step that `kept` undoes is known no better than to its own size.
    of_step = half_width(abs(centre) * (1 - kept), estimate.n_free)
    half = math.hypot(estimate.ci_half_width / kept, of_step)
    ends = np.array([centre, *uneven_ends(centre, half)])
    middle, low, high = (to_angular(ends) if measure.angular else ends).tolist()
    return middle, low, high
