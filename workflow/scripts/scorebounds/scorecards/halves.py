"""Halves of trials, and estimates from them of scores with the noise-free recording.

Noise of the halves is independent, so that products across halves contain none of it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from scorebounds.core.angular import to_angular
from scorebounds.measures.base import Measure


@dataclass(frozen=True)
class HalvesOfTrials:
    """One split of the trials, with the conditions that are used.

    Attributes
    ----------
    first, second : ndarray, shape (n_times, n_conditions, n_x)
    whole : ndarray, shape (n_times, n_conditions, n_x)
        The recording that models are scored with.
    """

    first: np.ndarray
    second: np.ndarray
    whole: np.ndarray

    @cached_property
    def flat(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both halves and the whole as centred samples × neurons."""
        sides = (side.reshape(-1, side.shape[-1]) for side in (self.first, self.second, self.whole))
        first, second, whole = (side - side.mean(axis=0) for side in sides)
        return first, second, whole

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        return int(self.whole.shape[0] * self.whole.shape[1])

    @cached_property
    def signal(self) -> float:
        """Estimated squared norm of the noise-free recording."""
        first, second, _ = self.flat
        return float((first * second).sum())

    @cached_property
    def total(self) -> float:
        """Squared norm of the recording."""
        return float((self.flat[2] ** 2).sum())

    @cached_property
    def same_condition(self) -> np.ndarray:
        """Pairs of samples whose noise is not independent, shape (n_rows, n_rows)."""
        condition = np.tile(np.arange(self.whole.shape[1]), self.whole.shape[0])
        same: np.ndarray = condition[:, None] == condition
        return same

    @cached_property
    def grams(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """XXᵀ of either half, across halves (without noise in expectation), and of the whole."""
        first, second, whole = self.flat
        across = first @ second.T
        return first @ first.T, second @ second.T, (across + across.T) / 2, whole @ whole.T

    def without(self, conditions: np.ndarray) -> "HalvesOfTrials":
        """Return the same without these conditions."""
        sides = (np.delete(side, conditions, axis=1) for side in self.sides)
        return HalvesOfTrials(*sides)

    @property
    def sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both halves and the whole."""
        return self.first, self.second, self.whole


def linear_cka(halves: HalvesOfTrials) -> float:
    """Estimate the CKA of the recording with its noise-free self.

    ⟨K_w, K_t⟩ and ‖K_t‖² of the unknown Gram matrix K_t are estimated entry by entry: from
    K₁ ∘ K₂ for pairs of conditions, and from the product across halves within a condition, where
    the noise of K₁ and K₂ does not average out.
    """
    first, second, across, whole = halves.grams
    return _ratio(first, second, across, whole, halves.same_condition)


def angular_cka(halves: HalvesOfTrials) -> float:
    """Estimate angular CKA, 1 − arccos(CKA)/(π/2), of the recording with its noise-free self."""
    return float(to_angular(linear_cka(halves)))


def debiased_cka(halves: HalvesOfTrials) -> float:
    """Estimate debiased CKA: √(⟨K₁, K₂⟩_u / ⟨K_w, K_w⟩_u), ⟨⟩_u the unbiased HSIC."""
    first, second, across, whole = (u_centred(gram) for gram in halves.grams)
    return _ratio(first, second, across, whole, halves.same_condition)


def _ratio(
    first: np.ndarray,
    second: np.ndarray,
    across: np.ndarray,
    whole: np.ndarray,
    same_condition: np.ndarray,
) -> float:
    apart = np.where(same_condition, 0.0, first * second).sum()
    truth = apart + np.where(same_condition, across * across, 0.0).sum()
    cross = apart + np.where(same_condition, whole * across, 0.0).sum()
    if truth <= 0 or cross <= 0:
        return math.nan
    return float(cross / math.sqrt(truth * (whole * whole).sum()))


def u_centred(gram: np.ndarray) -> np.ndarray:
    """Centre a Gram matrix such that products of two are unbiased (Székely and Rizzo 2014)."""
    n = len(gram)
    off = gram.copy()
    np.fill_diagonal(off, 0)
    rows = off.sum(axis=1) / (n - 2)
    off -= rows[:, None] + rows[None, :] - off.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(off, 0)
    return off


def fitted_r2(halves: HalvesOfTrials, width: int) -> float:
    """Estimate the R² of a regression on a model that contains the noise-free recording.

    A model of `width` independent units also fits that share of the noise. Only for independent
    samples.
    """
    if halves.whole.shape[0] > 1:
        return math.nan
    noise = (halves.total - halves.signal) / (halves.n_rows - 1)
    return (halves.signal + min(width, halves.n_rows - 1) * noise) / halves.total


def held_out_r2(halves: HalvesOfTrials) -> float:
    """Estimate the share of the variance that is not noise: the largest expected held-out R²."""
    return halves.signal / halves.total


def held_out_correlation(halves: HalvesOfTrials) -> float:
    """Estimate the median over neurons of the correlation with the noise-free response."""
    first, second, _ = halves.flat
    norms = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    half = (first * second).sum(axis=0) / np.where(norms > 0, norms, np.nan)
    return _from_half(float(np.nanmedian(half)))


def rdm_correlation(halves: HalvesOfTrials) -> float:
    """Estimate the correlation of the correlation-distance RDM with that of the noise-free data.

    Noise multiplies the correlations of patterns by their reliability, which is as the inverse of
    their squared norms; products across halves give the variance of the noise-free RDM. Only for
    independent samples.
    """
    if halves.whole.shape[0] > 1:
        return math.nan
    upper = np.triu_indices(halves.n_rows, 1)
    patterns = [side.reshape(-1, side.shape[-1]) for side in halves.sides]
    patterns = [side - side.mean(axis=1, keepdims=True) for side in patterns]
    norms = [float((side**2).sum()) for side in patterns]
    first, second, whole = (np.corrcoef(side)[upper] for side in patterns)
    shared = float(np.cov(first, second)[0, 1])
    if shared <= 0:
        return math.nan
    attenuation = math.sqrt(norms[0] * norms[1]) / norms[2]
    return attenuation * math.sqrt(shared) / float(whole.std(ddof=1))


def _from_half(reliability: float) -> float:
    """Return the correlation of the whole with the truth from that of its halves."""
    return math.sqrt(2 * reliability / (1 + reliability)) if reliability > 0 else math.nan


Estimator = Callable[[HalvesOfTrials], float]
ESTIMATORS: dict[str, Estimator] = {
    "cka": linear_cka,
    "cka_angular": angular_cka,
    "cka_debiased": debiased_cka,
    "rsa_correlation_pearson": rdm_correlation,
}


# Measures whose estimate is for independent samples only.
OF_INDEPENDENT_SAMPLES = ("linreg", "rsa_correlation_pearson")


def estimator_of(measure: Measure, width: int) -> Estimator | None:
    """Return the estimate of a measure's noise ceiling, None where none is valid."""
    if measure.bounds[0] == -math.inf:
        return held_out_r2
    if measure.cross_validated:
        return held_out_correlation
    if measure.name == "linreg":
        return partial(fitted_r2, width=width)
    return ESTIMATORS.get(measure.name)
