"""Outer bounds: pairs of scores that no data can have. Proofs are in docs/bounds.md.

Everything follows from the spectra. λ are the eigenvalues of XXᵀ and ℓ those of YYᵀ, both scaled
to sum 1 and in falling order; Y has at most `rank` of them. ρ = ‖ℓ‖ = 1/√PR(Y) is scanned in
cells, and each cell is bounded as a whole, so that nothing falls between two values of ρ.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize

N_CELLS = 200
N_INVERSE = 400
# By how much the bounds of NBS given CKA are moved outwards, so that rounding cannot cross them.
ROUNDING = 1e-8

Range = tuple[np.ndarray, np.ndarray]


def to_angular(cosine: np.ndarray) -> np.ndarray:
    """Return 1 − arccos(cosine)/(π/2): the angular form of NBS or CKA."""
    return 1 - np.arccos(np.clip(cosine, -1, 1)) / (math.pi / 2)


def from_angular(score: np.ndarray) -> np.ndarray:
    """Return the cosine whose angular form is `score`."""
    return np.cos((1 - np.asarray(score)) * math.pi / 2)


# Measures that are rising functions of another: their bounds are those of the other.
ANGULAR_OF = {"procrustes_angular": "nbs", "cka_angular": "cka"}


def base_of(measure: str) -> str:
    """Return the measure of which `measure` is a rising function, or itself."""
    return ANGULAR_OF.get(measure, measure)


def to_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of the base measure that goes with a score of `measure`."""
    return from_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def from_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of `measure` that goes with a score of its base measure."""
    return to_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def outer_range(a: str, b: str, grid: np.ndarray, eigenvalues: np.ndarray, rank: int) -> Range:
    """Bound measure b for each value of measure a, for Y of at most `rank` dimensions.

    Parameters
    ----------
    a, b : str
        Ids of measures.
    grid : ndarray, shape (n_grid,)
        Scores of `a`.
    eigenvalues : ndarray, shape (r,)
        Of XXᵀ, X centred: sums of squares along its PCs.
    rank : int
        Largest rank that Y can have, at least r.

    Returns
    -------
    tuple of ndarray, shape (n_grid,)
        Lower and upper bound of `b`; NaN where no bound is known.
    """
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    lower, upper = _base_range(base_of(a), base_of(b), to_base(a, grid), spectrum, rank)
    return from_base(b, lower), from_base(b, upper)


def _base_range(a: str, b: str, grid: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    if a == b:
        return grid.copy(), grid.copy()
    known: dict[tuple[str, str], Callable[[np.ndarray, np.ndarray, int], Range]] = {
        ("cka", "nbs"): nbs_given_cka,
        ("linreg", "nbs"): nbs_given_linreg,
        ("linreg", "cka"): cka_given_linreg,
    }
    if (a, b) in known:
        return known[a, b](grid, spectrum, rank)
    if (b, a) in known:
        return _inverse(known[b, a], grid, spectrum, rank)
    return np.full(len(grid), np.nan), np.full(len(grid), np.nan)


def _inverse(
    bound: Callable[[np.ndarray, np.ndarray, int], Range],
    grid: np.ndarray,
    spectrum: np.ndarray,
    rank: int,
) -> Range:
    """Read the bounds of b given a the other way: which a can go with a b of `grid`?

    Between two values of a, the lower bound at the smaller and the upper bound at the larger one
    hold, for both are rising.
    """
    values = np.linspace(0, 1, N_INVERSE + 1)
    lower, upper = bound(values, spectrum, rank)
    lower, upper = np.minimum.accumulate(lower[::-1])[::-1], np.maximum.accumulate(upper)
    possible = (lower[:-1] <= grid[:, None] + 1e-12) & (upper[1:] >= grid[:, None] - 1e-12)
    first = possible.argmax(1)
    last = N_INVERSE - possible[:, ::-1].argmax(1)
    none = ~possible.any(1)
    return np.where(none, np.nan, values[first]), np.where(none, np.nan, values[last])


def nbs_given_linreg(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound NBS by √linreg from above and, where Y has no dimension to spare, from below.

    With as many dimensions as X at most, Y that explains a share R of X has NBS² of at least
    λ_r − (1 − R). Both are the best possible.
    """
    return np.sqrt(_least_share(linreg, spectrum, rank)), np.sqrt(linreg)


def cka_given_linreg(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound CKA by that of X's first components that hold the explained variance.

    Both bounds are the best possible (Cauchy interlacing).
    """
    norm = np.linalg.norm(spectrum)
    before = np.cumsum(spectrum) - spectrum
    filled = np.clip(linreg[:, None] - before, 0, spectrum)
    upper = np.linalg.norm(filled, axis=1) / norm
    return _least_share(linreg, spectrum, rank) / norm, np.minimum(upper, 1)


def _least_share(linreg: np.ndarray, spectrum: np.ndarray, rank: int) -> np.ndarray:
    """Return the least squared overlap that a direction of Y has with X."""
    if rank > len(spectrum):
        return np.zeros(len(linreg))
    return np.clip(spectrum[-1] - (1 - linreg), 0, None)


def nbs_given_cka(cka: np.ndarray, spectrum: np.ndarray, rank: int) -> Range:
    """Bound NBS for each value of CKA; see `lower_nbs` and `upper_nbs`."""
    peaks = _peak_bound(tuple(spectrum), rank)
    lower = np.array([lower_nbs(value, spectrum, rank) for value in cka])
    upper = np.array([upper_nbs(value, spectrum, rank, peaks) for value in cka])
    return np.clip(lower - ROUNDING, 0, 1), np.clip(upper + ROUNDING, 0, 1)


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
    sums = np.minimum(_largest_partial_sums(edges[1:], shared, spectrum, rank), shared[:, None])
    sums[:, -1] = shared
    return float(min(1.0, _sums_of_roots(sums).min()))


def _largest_partial_sums(
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
        return level + free[:, None] * spread
    # v = (λ₁ … λ_k, 0 …) less its mean has the part v₂ along λ and the part v₃ beside it.
    v2 = (squares - level) / along
    v3 = np.sqrt(np.clip(squares - rank * level**2 - v2**2, 0, None))
    least = ((shared - mean) / along)[:, None]
    best = free[:, None] * v2 / np.maximum(np.hypot(v2, v3), 1e-300)
    chosen = np.minimum(np.maximum(best, least), np.maximum(free[:, None], least))
    beside = np.sqrt(np.clip(free[:, None] ** 2 - chosen**2, 0, None))
    return level + v2 * chosen + v3 * beside


def _sums_of_roots(partial: np.ndarray) -> np.ndarray:
    """Return Σ√z for the z of each row, whose partial sums are the row's concave majorant."""
    rising = np.maximum.accumulate(partial, axis=1)
    steps = np.diff(rising, axis=1, prepend=0)
    sums = np.sqrt(steps).sum(1)
    for row in np.flatnonzero((np.diff(steps, axis=1) > 1e-15).any(1)):
        sums[row] = _sum_over_majorant(rising[row])
    return sums


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


def upper_nbs(cka: float, spectrum: np.ndarray, rank: int, peaks: "_PeakBound") -> float:
    """Return the largest NBS that this CKA leaves possible, the best of four bounds.

    With participation ratios P = 1/‖λ‖² and Q = 1/ρ², g = √(PQ): NBS² is at most r cka/g, at most
    cka/g + √((1 − 1/P)(1 − 1/Q)), and at most 1 − (1 − cka²)/(2 min(P, Q)) (Fuchs and van de
    Graaf); and by Horn at most what `_PeakBound` says.
    """
    norm = float(np.linalg.norm(spectrum))
    first, last = participation_window(cka, spectrum, rank)
    low, high = peaks.edges[:-1], peaks.edges[1:]
    cells = (high >= first - 1e-15) & (low <= last + 1e-15)
    low, high = np.maximum(low[cells], first), np.minimum(high[cells], last)
    share = cka * norm * high
    squared = [
        len(spectrum) * share,
        share + np.sqrt((1 - norm**2) * np.clip(1 - low**2, 0, None)),
        1 - (1 - cka**2) * np.maximum(norm, low) ** 2 / 2,
    ]
    peak = peaks.height[cells] + share / (2 * peaks.top_two[cells])
    best = np.minimum(np.sqrt(np.clip(np.min(squared, axis=0), 0, None)), peak)
    return float(min(1.0, best.max()))


@lru_cache(maxsize=4)
def _peak_bound(spectrum: tuple[float, ...], rank: int) -> "_PeakBound":
    return _PeakBound(np.array(spectrum), rank)


class _PeakBound:
    """Part of a bound of NBS from above that does not depend on CKA, per cell of ρ.

    With s = √(λℓ) the singular values σ of XᵀY obey Σσ ≤ Σs − (Σs² − Σσ²)/(2(s₁ + s₂)), and s₁ + s₂
    is at most `top_two`. `height` bounds Σs − Σs²/(2 top_two) by Lagrangian duality: any
    multipliers give a bound, the search only makes it good.
    """

    def __init__(self, spectrum: np.ndarray, rank: int):
        norm = float(np.linalg.norm(spectrum))
        below = np.geomspace(1 / math.sqrt(rank), norm, N_CELLS // 2 + 1)
        above = np.geomspace(norm, 1, N_CELLS // 2 + 1)[1:]
        self.edges = np.concatenate([below, above])
        pair_share = 2 / rank + np.sqrt(
            np.clip(2 * (1 - 2 / rank) * (self.edges[1:] ** 2 - 1 / rank), 0, None)
        )
        self.top_two = np.sqrt(spectrum[:2].sum() * np.minimum(pair_share, 1))
        self.height = np.empty(len(self.edges) - 1)
        start = np.array([0.5, 0.0])
        for cell, top in enumerate(self.top_two):
            self.height[cell], start = _dual_height(
                spectrum, rank, top, self.edges[cell], self.edges[cell + 1], start
            )


def _dual_height(
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

    found = minimize(dual, start, jac=True, method="BFGS", options={"maxiter": 40})
    return float(found.fun), found.x


def _largest_quartic(
    linear: np.ndarray, square: np.ndarray, quartic: float, limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the x in [0, limit] with the largest linear·x − square·x² + quartic·x⁴, and that."""
    # The slope is convex for a positive and concave for a negative quartic: from the left or from
    # the right end Newton's steps go monotonously to the first maximum.
    x = np.zeros_like(limit) if quartic > 0 else limit.copy()
    for _ in range(60):
        slope = linear - 2 * square * x + 4 * quartic * x**3
        bend = np.minimum(12 * quartic * x**2 - 2 * square, -1e-300)
        with np.errstate(over="ignore"):
            moved = np.clip(x + np.clip(slope / -bend, -limit, limit), 0, limit)
        if np.abs(moved - x).max() < 1e-13:
            break
        x = moved
    choices = np.stack([x, limit, np.zeros_like(limit)])
    values = linear * choices - square * choices**2 + quartic * choices**4
    best = values.argmax(0)[None]
    return np.take_along_axis(choices, best, 0)[0], np.take_along_axis(values, best, 0)[0]
