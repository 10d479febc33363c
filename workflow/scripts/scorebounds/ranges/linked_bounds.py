"""Bounds of measures that are tied to CKA, NBS or linear regression. Proofs are in docs/bounds.md.

Each such measure has a hub: one of those three, which bounds it and which it bounds. With any other
measure it is bounded through its hub.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scorebounds.core.measure_table import entry_of
from scorebounds.ranges.nbs_bounds import Range

# By how much these bounds are moved outwards: they are roots of differences of rounded numbers.
MARGIN = 1e-7
# A share of the kernel outside the flat one below which nothing is proven.
NOTHING = 1e-9
# The share of variance that SVCCA keeps of each side where its id names none.
SVCCA_SHARE = 0.99


class Samples(NamedTuple):
    """What bounds need of X's samples, next to its spectrum.

    Attributes
    ----------
    n_samples : int
    unevenness : float
        Variance of the squared norms of X's centred rows, divided by their squared mean.
    """

    n_samples: int
    unevenness: float


def samples_of(x: np.ndarray) -> Samples:
    """Return what bounds need of the samples of X, shape (n_samples, n_x)."""
    squared = np.square(x - x.mean(0)).sum(1)
    return Samples(len(x), float(squared.var() / squared.mean() ** 2))


class Link(NamedTuple):
    """How a measure and its hub bound each other.

    Attributes
    ----------
    hub : str
    implied : callable
        Takes lower and upper bounds of the hub, and returns those of the measure.
    implying : callable
        Takes scores of the measure, and returns bounds of the hub.
    """

    hub: str
    implied: Callable[[np.ndarray, np.ndarray], Range]
    implying: Callable[[np.ndarray], Range]


def link_of(measure: str, spectrum: np.ndarray, rank: int, samples: Samples | None) -> Link | None:
    """Return the link of a measure, or None where nothing is proven for it.

    Parameters
    ----------
    measure : str
    spectrum : ndarray, shape (r,)
        Eigenvalues of XXᵀ, in decreasing order, of sum 1.
    rank : int
        Largest rank of Y.
    samples : Samples, optional
        Without them RSA and debiased CKA have no link.
    """
    entry = entry_of(measure)
    if entry.id == "ridge_<λ>":
        return Link("linreg", _ridge_given_linreg, _linreg_given_ridge)
    if measure in {"cca", "cca_r2"}:
        return _Subspaces(spectrum, 1.0).link
    if entry.id.startswith("svcca"):
        return _Subspaces(spectrum, float(entry.parameter(measure) or SVCCA_SHARE)).link
    if samples is None or measure not in {"rsa_euclidean_pearson", "cka_debiased"}:
        return None
    kernels = _Kernels(spectrum, rank, samples)
    if not kernels.is_defined:
        return None
    return kernels.distances if measure == "rsa_euclidean_pearson" else kernels.debiased


def _ridge_given_linreg(low: np.ndarray, high: np.ndarray) -> Range:
    return 0 * low, high


def _linreg_given_ridge(ridge: np.ndarray) -> Range:
    return np.clip(ridge - MARGIN, 0, 1), np.ones_like(ridge)


class _Subspaces:
    """CCA and SVCCA against NBS.

    X and Y are cut to the components that hold a share of their variance, of X the first `kept`.
    """

    def __init__(self, spectrum: np.ndarray, share: float):
        held = np.append(0, np.cumsum(spectrum))
        # Where the share is met to rounding, the measure keeps one of two numbers of components.
        number = np.searchsorted(held, share + 1e-12 * np.array([-1, 1]))
        fewest, most = np.clip(number, 1, len(spectrum)).tolist()
        self.held, self.number = held[: most + 1], np.arange(most + 1)
        lost, of_y = max(0.0, 1 - float(held[fewest])), 1 - share
        self.factor = np.sqrt(1 - of_y)
        self.lost = np.sqrt((1 - lost) * of_y) + np.sqrt(max(lost, 0.0))
        self.link = Link("nbs", self._given_nbs, self._nbs_given)

    def _nbs_given(self, score: np.ndarray) -> Range:
        share = np.interp(score * self.number[-1], self.number, self.held)
        high = self.factor * np.sqrt(share) + self.lost + MARGIN
        return 0 * score, np.minimum(high, 1)

    def _given_nbs(self, low: np.ndarray, high: np.ndarray) -> Range:
        share = (np.clip(low - MARGIN - self.lost, 0, None) / self.factor) ** 2
        # The number of components that hold a share is the inverse of what is interpolated above.
        least = np.interp(share, self.held, self.number) / self.number[-1]
        return least, np.ones_like(high)


class _Kernels:
    """RSA of Euclidean distances (Pearson) and debiased CKA against CKA.

    In the notation of docs/bounds.md, section 6: `k0` is the squared norm of K₀, `p` the angle of K
    to the flat kernel H, `flattest` and `steepest` the ends of the same angle of L.
    """

    def __init__(self, spectrum: np.ndarray, rank: int, samples: Samples):
        n = samples.n_samples
        squared = float(spectrum @ spectrum)
        self.k0 = squared - 1 / (n - 1)
        self.is_defined = n > 3 and self.k0 > NOTHING
        self.p = np.arccos(min(1.0, 1 / np.sqrt(squared * (n - 1))))
        self.flattest = np.arccos(min(1.0, np.sqrt(min(rank, n - 1) / (n - 1))))
        self.steepest = np.arccos(min(1.0, np.sqrt(1 / (n - 1))))
        if self.is_defined:
            of_distances = samples.unevenness / (2 * self.k0)
            self.distances_share = of_distances / (1 + of_distances)
            self.debiased_share = min(1.0, samples.unevenness / ((n - 2) * self.k0))
        self.distances = Link("cka", self._distances_given_cka, self._cka_given_distances)
        self.debiased = Link("cka", self._debiased_given_cka, self._cka_given_debiased)

    def _cosines(self, cka: np.ndarray) -> Range:
        """Return the smallest and largest cosine between K₀ and L₀ at a CKA."""

        def cosine(angle: np.ndarray | float) -> np.ndarray:
            size = np.maximum(np.sin(self.p) * np.sin(angle), 1e-12)
            return np.asarray((cka - np.cos(self.p) * np.cos(angle)) / size)

        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.arccos(np.clip(np.cos(self.p) / np.maximum(cka, 1e-300), -1, 1))
        least = cosine(np.clip(inner, self.flattest, self.steepest))
        largest = np.maximum(cosine(self.flattest), cosine(self.steepest))
        return np.clip(least, -1, 1), np.clip(largest, -1, 1)

    def _ckas(self, low: np.ndarray, high: np.ndarray) -> Range:
        """Return the smallest and largest CKA where the cosine of K₀ and L₀ is in an interval."""

        def cka(cosine: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
            return np.asarray(
                np.cos(self.p) * np.cos(angle) + np.sin(self.p) * np.sin(angle) * cosine
            )

        inner = np.arctan2(np.sin(self.p) * high, np.full_like(high, np.cos(self.p)))
        least = np.minimum(cka(low, self.flattest), cka(low, self.steepest))
        largest = cka(high, np.clip(inner, self.flattest, self.steepest))
        return np.clip(least, 0, 1), np.clip(largest, 0, 1)

    def _distances_given_cka(self, low: np.ndarray, high: np.ndarray) -> Range:
        share = self.distances_share
        _, cosine = self._cosines(high)
        least, _ = self._cosines(low)
        upper = np.sqrt(share + (1 - share) * np.clip(cosine, 0, 1) ** 2)
        lower = -np.sqrt(share + (1 - share) * np.clip(least, -1, 0) ** 2)
        return np.maximum(lower - MARGIN, -1), np.minimum(upper + MARGIN, 1)

    def _cka_given_distances(self, score: np.ndarray) -> Range:
        share = self.distances_share
        positive = np.sqrt(np.clip((score - MARGIN) ** 2 - share, 0, None) / (1 - share))
        # Below the share of X's row norms nothing is known of the kernels.
        known = score - MARGIN > np.sqrt(share)
        low = np.where(known, np.clip(positive, 0, 1), -1)
        return self._ckas(low, np.ones_like(score))

    def _debiased_given_cka(self, low: np.ndarray, high: np.ndarray) -> Range:
        share = self.debiased_share
        least, _ = self._cosines(low - MARGIN)
        inside = np.clip(least, 0, 1) ** 2 - share
        lower = np.sqrt(np.clip(inside, 0, None) / max(1 - share, 1e-12))
        return np.where(inside > 0, np.minimum(lower - MARGIN, 1), -1), np.ones_like(high)

    def _cka_given_debiased(self, score: np.ndarray) -> Range:
        share = self.debiased_share
        cosine = np.sqrt(share + (1 - share) * np.clip(score + MARGIN, 0, 1) ** 2)
        return self._ckas(np.full_like(score, -1.0), np.minimum(cosine + MARGIN, 1))
