"""Outer bounds: pairs of scores that no data can have. Proofs are in docs/bounds.md.

Everything follows from the spectra. λ are the eigenvalues of XXᵀ and ℓ those of YYᵀ, both scaled
to sum 1 and in decreasing order; Y has at most `rank` of them.
"""

from collections.abc import Callable

import numpy as np

from scorebounds.core.angular import from_angular, to_angular
from scorebounds.ranges.nbs_bounds import Range, nbs_given_cka, quick_nbs_given_cka

N_INVERSE = 400

# Measures that are increasing functions of another: their bounds are those of the other.
ANGULAR_OF = {"procrustes_angular": "nbs", "cka_angular": "cka"}


def base_of(measure: str) -> str:
    """Return the measure of which `measure` is a increasing function, or itself."""
    return ANGULAR_OF.get(measure, measure)


def to_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of the base measure that goes with a score of `measure`."""
    return from_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def from_base(measure: str, score: np.ndarray) -> np.ndarray:
    """Return the score of `measure` that goes with a score of its base measure."""
    return to_angular(score) if measure in ANGULAR_OF else np.asarray(score, dtype=float)


def outer_range(
    a: str,
    b: str,
    grid: np.ndarray,
    eigenvalues: np.ndarray,
    rank: int,
    *,
    quick: bool = False,
) -> Range:
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
    quick : bool
        Leave out the bound of NBS against CKA that is optimised numerically.

    Returns
    -------
    tuple of ndarray, shape (n_grid,)
        Lower and upper bound of `b`; NaN where no bound is known.
    """
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    values = to_base(a, grid)
    lower, upper = _base_range(base_of(a), base_of(b), values, spectrum, rank, quick=quick)
    return from_base(b, lower), from_base(b, upper)


def _base_range(
    a: str, b: str, grid: np.ndarray, spectrum: np.ndarray, rank: int, *, quick: bool
) -> Range:
    if a == b:
        return grid.copy(), grid.copy()
    known: dict[tuple[str, str], Callable[[np.ndarray, np.ndarray, int], Range]] = {
        ("cka", "nbs"): quick_nbs_given_cka if quick else nbs_given_cka,
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
    """Invert the bounds of b given a: which values of a are possible for each b of `grid`?

    Between two values of a, the lower bound at the smaller and the upper bound at the larger one
    hold, because both ends increase with a.
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
    return np.asarray(np.clip(spectrum[-1] - (1 - linreg), 0, None))
