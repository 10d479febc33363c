"""Bounds of NBS for a given CKA from the spectrum of X alone. Proofs are in docs/bounds.md.

ρ = ‖ℓ‖ = 1/√PR(Y) is scanned in cells, and each cell is bounded as a whole, so that the bound also
holds between two values of ρ.
"""

import math
from functools import lru_cache

import numpy as np

from scorebounds.ranges.quartic import between

N_CELLS = 200
# By how much the bounds of NBS given CKA are moved outwards, so that rounding cannot cross them.
ROUNDING = 1e-8
# Rounding of a computed CKA of 1, per dimension of X.
CKA_ROUNDING = 1e-15

Range = tuple[np.ndarray, np.ndarray]


def nbs_given_cka(cka: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound NBS for each value of CKA; see `lower_nbs` and `upper_nbs`."""
    return _nbs_given_cka(cka, spectrum, rank, _peak_bound(tuple(spectrum), rank))


def quick_nbs_given_cka(cka: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound NBS for each value of CKA by closed forms alone, within milliseconds."""
    return _nbs_given_cka(cka, spectrum, rank, None)


def _nbs_given_cka(
    cka: np.ndarray, spectrum: np.ndarray, rank: int, peaks: "_PeakBound | None"
) -> Range:
    low, high = before_rounding(cka, spectrum)
    lower = np.array([lower_nbs(value, spectrum, rank) for value in low])
    upper = np.array([upper_nbs(value, spectrum, rank, peaks) for value in high])
    return np.clip(lower - ROUNDING, 0, 1), np.clip(upper + ROUNDING, 0, 1)


def before_rounding(cka: np.ndarray, spectrum: np.ndarray) -> Range:
    """Return the smallest and largest CKA that can be `cka` when computed.

    CKA is the square of a norm of XᵀY, so that its rounding is proportional to its root.
    """
    rounding = CKA_ROUNDING * len(spectrum) * np.sqrt(np.clip(cka, 0, 1))
    return np.clip(cka - rounding, 0, 1), np.clip(cka + rounding, 0, 1)


def participation_window(cka: float, spectrum: np.ndarray, rank: int) -> tuple[float, float]:
    """Return the smallest and largest ‖ℓ‖ that a Y with this CKA can have.

    CKA is at most the cosine between the sorted spectra, so the angle of ℓ to the flat spectrum
    is that of λ, plus or minus arccos(CKA).
    """
    norm = float(np.linalg.norm(spectrum))
    to_flat = math.acos(min(1.0, 1 / (norm * math.sqrt(rank))))
    turn = math.acos(min(max(cka, 0.0), 1.0))
    flattest = 1 / (math.sqrt(rank) * math.cos(max(0.0, to_flat - turn)))
    steepest = math.sqrt(rank) * math.cos(min(math.pi / 2, to_flat + turn))
    return flattest, 1.0 if steepest <= 1 else 1 / steepest


def lower_nbs(cka: float, spectrum: np.ndarray, rank: int) -> float:
    """Return the smallest NBS that this CKA leaves possible.

    The squared singular values z of XᵀY sum to t = cka ‖λ‖ ρ, and their partial sums are at most
    those of λℓ (Horn). Of all such z the one with the largest partial sums has the smallest Σ√z.
    """
    norm = float(np.linalg.norm(spectrum))
    flattest, steepest = participation_window(cka, spectrum, rank)
    edges = np.geomspace(flattest, max(steepest, flattest), N_CELLS + 1)
    shared = cka * norm * edges[:-1]
    sums = np.minimum(largest_partial_sums(edges[1:], shared, spectrum, rank), shared[:, None])
    sums[:, -1] = shared
    return float(min(1.0, sums_of_roots(sums).min()))


def largest_partial_sums(
    radius: np.ndarray, shared: np.ndarray, spectrum: np.ndarray, rank: int
) -> np.ndarray:
    """Return the largest Σ_{i≤k} λᵢℓᵢ, shape (n_cells, r), for Σℓ = 1, ‖ℓ‖ ≤ ρ, Σλℓ ≥ t."""
    r = len(spectrum)
    mean = 1 / rank
    along = np.linalg.norm(np.concatenate([spectrum - mean, np.full(rank - r, -mean)]))
    free = np.sqrt(np.clip(radius**2 - mean, 0, None))
    squares = np.cumsum(spectrum**2)
    level = np.cumsum(spectrum) / rank
    if along < 1e-9:
        spread = np.sqrt(np.clip(squares - rank * level**2, 0, None))
        return np.asarray(level + free[:, None] * spread)
    # v = (λ₁ … λ_k, 0 …) less its mean has the part v₂ along λ and the part v₃ orthogonal to it.
    v2 = (squares - level) / along
    v3 = np.sqrt(np.clip(squares - rank * level**2 - v2**2, 0, None))
    least = ((shared - mean) / along)[:, None]
    best = free[:, None] * v2 / np.maximum(np.hypot(v2, v3), 1e-300)
    chosen = np.minimum(np.maximum(best, least), np.maximum(free[:, None], least))
    orthogonal = np.sqrt(np.clip(free[:, None] ** 2 - chosen**2, 0, None))
    return np.asarray(level + v2 * chosen + v3 * orthogonal)


def sums_of_roots(partial: np.ndarray) -> np.ndarray:
    """Return Σ√z for the z of each row, whose partial sums are the row's concave majorant."""
    rising = np.maximum.accumulate(partial, axis=1)
    steps = np.diff(rising, axis=1, prepend=0)
    sums = np.sqrt(steps).sum(1)
    for row in np.flatnonzero((np.diff(steps, axis=1) > 1e-15).any(1)):
        sums[row] = _sum_over_majorant(rising[row])
    return np.asarray(sums)


def _sum_over_majorant(rising: np.ndarray) -> float:
    corners = [(0, 0.0)]
    for index, value in enumerate(rising.tolist(), 1):
        while len(corners) > 1:
            (x0, y0), (x1, y1) = corners[-2:]
            if (y1 - y0) * (index - x1) > (value - y1) * (x1 - x0):
                break
            corners.pop()
        corners.append((index, value))
    steps, rises = np.diff(np.array(corners), axis=0).T
    return float((steps * np.sqrt(rises / steps)).sum())


def upper_nbs(
    cka: float, spectrum: np.ndarray, rank: int, peaks: "_PeakBound | None" = None
) -> float:
    """Return a bound of the largest NBS at this CKA, the best of four (three without `peaks`).

    With participation ratios P = 1/‖λ‖² and Q = 1/ρ², g = √(PQ): NBS² is at most r cka/g, at most
    cka/g + √((1 − 1/P)(1 − 1/Q)), and at most 1 − (1 − cka²)/(2 min(P, Q)) (Fuchs and van de
    Graaf); and by Horn at most what `_PeakBound` says.
    """
    norm = float(np.linalg.norm(spectrum))
    first, last = participation_window(cka, spectrum, rank)
    edges = _edges(norm, rank)
    cells = (edges[1:] >= first - 1e-15) & (edges[:-1] <= last + 1e-15)
    low, high = np.maximum(edges[:-1][cells], first), np.minimum(edges[1:][cells], last)
    share = cka * norm * high
    squared = [
        len(spectrum) * share,
        share + np.sqrt((1 - norm**2) * np.clip(1 - low**2, 0, None)),
        1 - (1 - cka**2) * np.maximum(norm, low) ** 2 / 2,
    ]
    best = np.sqrt(np.clip(np.min(squared, axis=0), 0, None))
    if peaks is not None:
        best = np.minimum(best, peaks.upper_bound[cells] + share / (2 * peaks.top_two[cells]))
    return float(min(1.0, best.max()))


def _edges(norm: float, rank: int) -> np.ndarray:
    """Return the edges of the cells of ρ."""
    below = np.geomspace(1 / math.sqrt(rank), norm, N_CELLS // 2 + 1)
    above = np.geomspace(norm, 1, N_CELLS // 2 + 1)[1:]
    return np.concatenate([below, above])


@lru_cache(maxsize=4)
def _peak_bound(spectrum: tuple[float, ...], rank: int) -> "_PeakBound":
    return _PeakBound(np.array(spectrum), rank)


class _PeakBound:
    """Part of a bound of NBS from above that does not depend on CKA, per cell of ρ.

    With s = √(λℓ) the singular values σ of XᵀY obey Σσ ≤ Σs − (Σs² − Σσ²)/(2(s₁ + s₂)), and s₁ + s₂
    is at most `top_two`. `upper_bound` bounds Σs − Σs²/(2 top_two) by Lagrangian duality: any
    multipliers give a bound, the search only makes it good.
    """

    def __init__(self, spectrum: np.ndarray, rank: int):
        self.edges = _edges(float(np.linalg.norm(spectrum)), rank)
        pair_share = 2 / rank + np.sqrt(
            np.clip(2 * (1 - 2 / rank) * (self.edges[1:] ** 2 - 1 / rank), 0, None)
        )
        self.top_two = np.sqrt(spectrum[:2].sum() * np.minimum(pair_share, 1))
        self.upper_bound = np.empty(len(self.edges) - 1)
        start = np.array([0.5, 0.0])
        for cell, top in enumerate(self.top_two):
            self.upper_bound[cell], start = _dual_upper_bound(
                spectrum, rank, top, self.edges[cell], self.edges[cell + 1], start
            )


def _dual_upper_bound(
    spectrum: np.ndarray, rank: int, top: float, low: float, high: float, start: np.ndarray
) -> tuple[float, np.ndarray]:
    """Bound max Σ√(λℓ) − Σλℓ/(2 top) over Σℓ = 1, low ≤ ‖ℓ‖ ≤ high, from above."""
    weights = np.concatenate([spectrum, np.zeros(rank - len(spectrum))])
    number = np.arange(1, rank + 1)
    limit = np.sqrt(np.minimum(1 / number, high / np.sqrt(number)))

    def dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        level, gamma = multipliers
        radius = low if gamma > 0 else high
        square = weights / (2 * top) + level
        x, terms = _largest_quartic(np.sqrt(weights), square, gamma, limit)
        value = float(terms.sum() + level - gamma * radius**2)
        return value, np.array([1 - (x**2).sum(), (x**4).sum() - radius**2])

    # SciPy's optimisers are slow to import, and most callers never come here.
    from scipy.optimize import minimize

    found = minimize(dual, start, jac=True, method="BFGS", options={"maxiter": 40})
    return float(found.fun), found.x


def _largest_quartic(
    linear: np.ndarray, square: np.ndarray, quartic: float, limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the x in [0, limit] with the largest linear·x − square·x² + quartic·x⁴, and that."""
    # The slope is convex for a positive and concave for a negative quartic: from the left or from
    # the right end Newton's steps go monotonously to the first maximum.
    x = np.zeros_like(limit) if quartic > 0 else limit.copy()
    with np.errstate(over="ignore"):
        for _ in range(60):
            slope = linear - 2 * square * x + 4 * quartic * x**3
            bend = np.minimum(12 * quartic * x**2 - 2 * square, -1e-300)
            moved = between(x + between(slope / -bend, -limit, limit), 0, limit)
            if np.abs(moved - x).max() < 1e-13:
                break
            x = moved
    choices = np.stack([x, limit, np.zeros_like(limit)])
    values = linear * choices - square * choices**2 + quartic * choices**4
    best = values.argmax(0)[None]
    return np.take_along_axis(choices, best, 0)[0], np.take_along_axis(values, best, 0)[0]
