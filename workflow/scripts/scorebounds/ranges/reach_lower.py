"""Attained values near the smallest NBS at a given CKA, from minimisers of the Lagrangian."""

from typing import NamedTuple

import numpy as np

from scorebounds.ranges.certificate_lower import LEAST, SPREAD, LowerDual
from scorebounds.ranges.newton import make_stationary, promising
from scorebounds.ranges.quartic import last_minimum
from scorebounds.ranges.remembered import remembered

N_COMPONENTS = 16
N_RADII = 20
# Rounds, from scratch and from what is best at a similar CKA.
N_ROUNDS, N_ROUNDS_NEAR = 4, 2
SPREAD_NEAR = 0.5
N_STEPS = 80
N_SURVIVORS = 8
N_BISECTIONS = 30
# How the component and ρ are varied at a similar CKA, the latter as powers of a step.
FACTORS = np.array([0.6, 0.8, 1, 1.25, 1.6])
POWERS = np.array([-1.0, -1 / 3, 0, 1 / 3, 1])


class ReachedLower(NamedTuple):
    """An attained value.

    Attributes
    ----------
    score : float
    multipliers : ndarray, shape (3,)
        Those whose minimiser it is.
    level : ndarray, shape (n_terms,)
        Spectrum of Y, each value `LowerDual.count` times.
    n_kept : int
        Number of components of X that Y keeps; the other directions of Y are outside X.
    case : tuple of int and float
        The component of which Y keeps a part, and where ρ is between its smallest and largest
        value, on a logarithmic scale from 0 to 1.
    """

    score: float
    multipliers: np.ndarray
    level: np.ndarray
    n_kept: int
    case: tuple[int, float]


@remembered
def reach_lower(dual: LowerDual, near: ReachedLower | None = None) -> ReachedLower:
    """Return a small NBS of some Y with the given CKA.

    It is attained where the space outside X is large enough; Y keeps X's first components. `near`
    is what was reached at a similar CKA.
    """
    low, high = dual.window()
    ratio = (high / low) ** (1 / N_RADII)
    r = dual.n_cases
    cases, starts, spread = _first_cases(dual, near)
    best = ReachedLower(1.0, dual.start, np.full(dual.n_terms, 1 / dual.rank), r, (r - 1, 0.5))
    for _ in range(N_ROUNDS if near is None else N_ROUNDS_NEAR):
        number, rho = np.array(cases).T
        number = number.astype(int)
        value, tuned = dual.minimise(number, _cell(rho), starts, None, N_STEPS, spread)
        _, _, level, n_kept = dual.lagrangian(tuned, number, _cell(rho))
        reached, level, n_kept = _made_feasible(dual, level, n_kept)
        order = promising(-reached, value, N_SURVIVORS)
        place = np.log(rho / low) / max(np.log(high / low), 1e-300)
        chosen = [(int(number[row]), float(place[row])) for row in order]
        best = _better(best, reached[order], tuned[order], level[order], n_kept[order], chosen)
        refined = _refined(dual, tuned[order], n_kept[order])
        level = _stationary_levels(dual, refined, n_kept[order])
        score, level, n_kept = _made_feasible(dual, level, n_kept[order])
        best = _better(best, score, refined, level, n_kept, chosen)
        order = order[np.argsort(np.minimum(reached[order], score), kind="stable")][:N_SURVIVORS]
        ratio = ratio ** (1 / 3)
        found = {
            (int(number[row]) + shift, float(rho[row] * factor)): tuned[row]
            for row in order[::-1]
            for shift in (-1, 0, 1)
            for factor in (1 / ratio, 1, ratio)
            if 0 <= number[row] + shift < r and low <= rho[row] * factor <= high
        }
        if not found:
            break
        cases, starts = list(found), np.array(list(found.values()))
        spread = np.full(len(cases), SPREAD if near is None else SPREAD_NEAR)
    return best


def _first_cases(
    dual: LowerDual, near: ReachedLower | None
) -> tuple[list[tuple[int, float]], np.ndarray, np.ndarray]:
    """Return components and ρ, multipliers to start from, and how far the best ones can be."""
    low, high = dual.window()
    ratio = (high / low) ** (1 / N_RADII)
    if near is None:
        radii = low * ratio ** (np.arange(N_RADII) + 0.5)
        components = (
            np.unique(np.round(np.geomspace(1, dual.n_cases, N_COMPONENTS)).astype(int)) - 1
        )
    else:
        before = low * (high / low) ** near.case[1]
        radii = np.unique(np.clip(before * ratio**POWERS, low, high))
        around = np.round((near.case[0] + 1) * FACTORS).astype(int) - 1
        components = np.unique(np.clip(around, 0, dual.n_cases - 1))
    cases = [(int(j), float(rho)) for j in components for rho in radii]
    starts, spread = np.repeat(dual.start[None], len(cases), 0), np.full(len(cases), SPREAD)
    if near is None:
        return cases, starts, spread
    # Multipliers that served a similar CKA are near the best ones, unless the case changes.
    again = np.repeat(near.multipliers[None], len(cases), 0)
    spread = np.append(np.full(len(cases), SPREAD_NEAR), spread)
    return 2 * cases, np.concatenate([again, starts]), spread


def _cell(rho: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the cells of one ρ, and of all shares and levels."""
    none, all_of_it = np.zeros_like(rho), np.ones_like(rho)
    return rho, rho, none, all_of_it, none, all_of_it


def _better(
    best: ReachedLower,
    scores: np.ndarray,
    multipliers: np.ndarray,
    level: np.ndarray,
    n_kept: np.ndarray,
    cases: list[tuple[int, float]],
) -> ReachedLower:
    """Return what is best, or the best of others."""
    top = int(scores.argmin())
    if scores[top] >= best.score:
        return best
    found = multipliers[top], level[top], int(n_kept[top]), cases[top]
    return ReachedLower(float(scores[top]), *found)


def _stationary_levels(dual: LowerDual, multipliers: np.ndarray, n_kept: np.ndarray) -> np.ndarray:
    """Return the spectra at which the Lagrangian is stationary, though not always least.

    At multipliers for which a kept component would rather be 0 there is a gap of the Lagrangian
    bound, and the smallest NBS is at the other minimum.
    """
    alpha, eta, gamma = (multipliers[:, k, None] for k in range(3))
    r = dual.n_cases
    outside = np.clip(alpha / (2 * gamma), 0, None)
    level = np.repeat(outside, dual.n_terms, 1)
    inside = last_minimum(dual.root, alpha + eta * dual.spectrum, gamma)
    level[:, :r] = np.where(np.arange(r) < n_kept[:, None], inside, outside)
    return level


def _refined(dual: LowerDual, multipliers: np.ndarray, n_kept: np.ndarray) -> np.ndarray:
    """Return multipliers whose stationary spectra satisfy the constraints more exactly."""
    scaled_cka, r = dual.cka * dual.norm, dual.n_cases

    def slopes(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        level = _stationary_levels(dual, at, n_kept[rows])
        rho = at[:, 1] * scaled_cka / (2 * at[:, 2])
        inside = np.where(np.arange(r) < n_kept[rows][:, None], level[:, :r], 0)
        return np.column_stack(
            [
                1 - level @ dual.count,
                scaled_cka * rho - inside @ dual.spectrum,
                level**2 @ dual.count - rho**2,
            ]
        )

    return make_stationary(slopes, multipliers, np.array([0, LEAST, LEAST]))


def _made_feasible(
    dual: LowerDual, level: np.ndarray, n_kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return NBS, spectrum and kept components of each spectrum, NBS inf where there is none.

    It is mixed with X until its CKA is high enough. What has a larger CKA than asked for is turned
    out of X until it has that CKA.
    """
    whole = (level @ dual.count)[:, None]
    level = np.where(whole > 0, level / np.where(whole > 0, whole, 1), 1 / dual.rank)
    r = dual.n_cases
    best, kept_of_best = np.full(len(level), np.inf), n_kept
    level_of_best = level
    for number in (n_kept, n_kept + 1):
        kept = np.clip(number, 1, r)
        is_kept = np.arange(r) < kept[:, None]
        target = np.zeros_like(level)
        target[:, :r] = np.where(is_kept, dual.spectrum, 0)
        target = target / target.sum(1, keepdims=True)
        low, high = np.zeros(len(level)), np.ones(len(level))
        for step in range(N_BISECTIONS):
            t = low if step == 0 else 0.5 * (low + high)
            cka, _ = _scores(dual, level, target, is_kept, t)
            enough = cka >= dual.cka
            high, low = np.where(enough, t, high), np.where(enough, low, t)
        cka, score = _scores(dual, level, target, is_kept, high)
        score = score * np.sqrt(np.minimum(dual.cka / np.maximum(cka, 1e-300), 1))
        better = (cka >= dual.cka) & (score < best)
        best, kept_of_best = np.where(better, score, best), np.where(better, kept, kept_of_best)
        mixed = (1 - high)[:, None] * level + high[:, None] * target
        level_of_best = np.where(better[:, None], mixed, level_of_best)
    return best, level_of_best, kept_of_best


def _scores(
    dual: LowerDual, level: np.ndarray, target: np.ndarray, is_kept: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return CKA and NBS of Y with spectrum (1 − t) level + t target and some components of X."""
    mixed = (1 - t)[:, None] * level + t[:, None] * target
    inside = np.where(is_kept, mixed[:, : dual.n_cases], 0)
    norm = np.sqrt(mixed**2 @ dual.count)
    return (inside @ dual.spectrum) / (dual.norm * norm), np.sqrt(inside) @ dual.root
