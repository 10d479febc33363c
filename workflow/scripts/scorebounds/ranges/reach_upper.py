"""Attained values near the largest NBS at a given CKA, from maximisers of the Lagrangian."""

from typing import NamedTuple

import numpy as np

from scorebounds.ranges.certificate_upper import LEAST, START, UpperDual
from scorebounds.ranges.newton import make_stationary, promising
from scorebounds.ranges.remembered import remembered

N_COMPONENTS = 12
N_TRACES = 12
NEARLY_ALL = [0.96, 0.98, 0.99, 0.998]
# Rounds, and cases that are varied, from scratch and from what is best at a similar CKA.
N_ROUNDS, N_ROUNDS_NEAR = 4, 2
N_SURVIVORS, N_SURVIVORS_NEAR = 12, 4
N_STEPS = 100
N_BISECTIONS = 40
# How the first component is varied at a similar CKA, and both components of the best cases: by a
# share of the number of the first, which is halved in each round.
FACTORS = np.array([0.4, 0.6, 0.8, 1, 1.25, 1.6, 2.5])
SHIFT = 0.2
SHIFTS = ((0, 0), (1, 1), (-1, -1), (0, 1), (1, 0))


class Reached(NamedTuple):
    """An attained value.

    Attributes
    ----------
    score : float
    multipliers : ndarray, shape (3,)
        Those whose maximiser it is.
    case : tuple of int, int and float
        First and second component of the largest block (−1: a single one), and its trace.
    """

    score: float
    multipliers: np.ndarray
    case: tuple[int, int, float]


@remembered
def reach_upper(dual: UpperDual, near: Reached | None = None) -> Reached:
    """Return a large NBS of some L with a CKA of at most the given one.

    By the theorem the largest is that of an L with one turned pair: for some pairs and traces the
    multipliers are tuned, the maximiser of the Lagrangian is made to satisfy the constraints, and
    the best are varied. `near` is what was reached at a similar CKA.
    """
    n = len(dual.eigenvalues)
    traces = np.append(np.linspace(0.08, 0.92, N_TRACES), NEARLY_ALL)
    width = float(traces[1] - traces[0])
    if near is None:
        cases = [(*case, float(trace)) for case in _first_cases(n) for trace in traces]
        starts = np.repeat(START[None], len(cases), 0)
    else:
        width /= 3
        cases = _near_cases(n, near.case, width)
        starts = np.repeat(near.multipliers[None], len(cases), 0)
    best = Reached(0.0, START, cases[0])
    n_rounds = N_ROUNDS if near is None else N_ROUNDS_NEAR
    n_survivors = N_SURVIVORS if near is None else N_SURVIVORS_NEAR
    for shift in SHIFT * 0.5 ** np.arange(n_rounds):
        first, second, trace = np.array(cases).T
        first, second = first.astype(int), second.astype(int)
        number = np.where(second < 0, first, _number_of_pair(n, first, second))
        limit = np.maximum(np.minimum(trace, 1 - trace), 1e-12)
        value, tuned = dual.minimise(number, trace, limit, starts, None, N_STEPS)
        reached = _made_feasible(dual, tuned, number, trace, limit)
        chosen = promising(reached, value, n_survivors)
        part = number[chosen], trace[chosen], limit[chosen]
        refined = _refined(dual, tuned[chosen], *part)
        score = _made_feasible(dual, refined, *part)
        better = chosen[score > reached[chosen]]
        tuned[better] = refined[score > reached[chosen]]
        reached[better] = score[score > reached[chosen]]
        order = np.argsort(-reached, kind="stable")[:n_survivors]
        top = order[0]
        if reached[top] > best.score:
            case = int(first[top]), int(second[top]), float(trace[top])
            best = Reached(float(reached[top]), tuned[top], case)
        width /= 3
        found = {
            case: tuned[row]
            for row in order[::-1]
            for case in _variations(
                n, int(first[row]), int(second[row]), float(trace[row]), shift, width
            )
        }
        cases, starts = list(found), np.array(list(found.values()))
    return best


def _refined(
    dual: UpperDual,
    multipliers: np.ndarray,
    cases: np.ndarray,
    trace: np.ndarray,
    limit: np.ndarray,
) -> np.ndarray:
    """Return multipliers whose maximisers satisfy the constraints more exactly."""

    def slopes(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        return dual.lagrangian(at, cases[rows], trace[rows], limit[rows])[1]

    return make_stationary(slopes, multipliers, np.array([-np.inf, LEAST, LEAST]))


def _first_cases(n: int) -> list[tuple[int, int]]:
    components = np.unique(np.round(np.geomspace(1, n, N_COMPONENTS)).astype(int)) - 1
    cases = [(int(k), -1) for k in components]
    cases += [(int(k), int(k) + 1) for k in components if k + 1 < n]
    return cases + [(int(k), n - 1) for k in components if k < n - 2]


def _near_cases(n: int, case: tuple[int, int, float], width: float) -> list[tuple[int, int, float]]:
    """Return cases with components of a similar order of magnitude, and similar traces."""
    around = np.unique(np.clip(np.round((case[0] + 1) * FACTORS).astype(int) - 1, 0, n - 1))
    pairs = [(int(k), -1) for k in around] + [(int(k), int(k) + 1) for k in around if k + 1 < n]
    traces = [case[2] + step for step in (-width, 0, width) if 0 < case[2] + step < 1]
    return [(*pair, float(trace)) for pair in pairs for trace in traces]


def _variations(
    n: int, first: int, second: int, trace: float, shift: float, width: float
) -> list[tuple[int, int, float]]:
    """Return cases with components and traces nearby; `shift` is relative to the component."""
    size = max(1, round((first + 1) * shift))
    cases = [(first + a * size, second + b * size if second >= 0 else -1) for a, b in SHIFTS]
    cases = [(a, b) for a, b in cases if 0 <= a < n and (b == -1 or a < b < n)]
    traces = [trace + step for step in (-width, 0, width) if 0 < trace + step < 1]
    return [(*case, float(each)) for case in cases for each in traces]


def _number_of_pair(n: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the case of each pair: singles come first, then pairs as `triu_indices` lists them."""
    number: np.ndarray = n + first * (2 * n - first - 1) // 2 + second - first - 1
    return number


def _made_feasible(
    dual: UpperDual,
    multipliers: np.ndarray,
    cases: np.ndarray,
    trace: np.ndarray,
    limit: np.ndarray,
) -> np.ndarray:
    """Return the NBS of each maximiser, scaled to trace 1 and mixed until its CKA is low enough."""
    _, _, (level, m, v, count) = dual.lagrangian(multipliers, cases, trace, limit)
    first, second = dual.first[cases], dual.second[cases]
    pair = dual.pair(first, np.where(second < 0, first, second))
    weighted = count * level
    whole = weighted.sum(1) + trace
    shared = (weighted @ dual.eigenvalues + m) / whole
    squared = ((weighted * level).sum(1) + trace**2 - 2 * v * v) / whole**2
    score = (count * np.sqrt(level)) @ dual.root + np.sqrt(np.maximum(m + 2 * pair.product * v, 0))
    score = score / np.sqrt(whole)
    # A share t of the trace goes to the last component, or outside X where samples allow it.
    number, least = len(dual.eigenvalues) - 1, dual.eigenvalues[-1]
    of_pair = trace - (m - dual.eigenvalues[second] * trace) / np.maximum(2 * pair.half, 1e-300)
    last = np.where(second == number, of_pair, np.where(first == number, trace, level[:, -1]))
    last = last / whole
    low, high = np.zeros(len(cases)), np.ones(len(cases))
    for step in range(N_BISECTIONS):
        t = low if step == 0 else 0.5 * (low + high)
        norm = np.sqrt((1 - t) ** 2 * squared + 2 * t * (1 - t) * last + t * t)
        above = (1 - t) * shared + t * least > dual.scaled_cka * norm
        high = np.where(above, high, t)
        low = np.where(above, t, low)
    return np.asarray(np.sqrt(1 - high) * score)


def matrix_of(dual: UpperDual, reached: Reached) -> tuple[np.ndarray, tuple[int, int], np.ndarray]:
    """Return the maximiser of the Lagrangian that attains a value, before it is mixed.

    Returns
    -------
    tuple of ndarray, shape (n_components,), tuple of int, and ndarray, shape (2, 2)
        Diagonal in the components of X and the direction outside, the turned pair (the second is −1
        for none, and r for the direction outside), and the root of its block.
    """
    first, second, trace = reached.case
    n = len(dual.eigenvalues)
    pair = np.array([first]), np.array([second])
    case = pair[0] if second < 0 else _number_of_pair(n, *pair)
    limit = max(min(trace, 1 - trace), 1e-12)
    _, _, (level, m, v, _) = dual.lagrangian(
        reached.multipliers[None], case, np.array([trace]), np.array([limit])
    )
    start = np.append(0, np.cumsum(dual.count)).astype(int)
    diagonal = np.repeat(level[0], dual.count.astype(int))
    if second < 0:
        diagonal[start[first]] = trace
        return diagonal / diagonal.sum(), (int(start[first]), -1), np.zeros((2, 2))
    one, other = dual.eigenvalues[[first, second]]
    upper = float(np.clip((m[0] - other * trace) / (one - other), 0, trace))
    lower, size = trace - upper, min(v[0], np.sqrt(upper * (trace - upper)))
    diagonal[start[[first, second]]] = upper, lower
    whole = diagonal.sum()
    off = np.sqrt(max(upper * lower - size**2, 0))
    # The root of a 2 × 2 matrix from its trace and determinant.
    matrix = np.array([[upper, off], [off, lower]])
    root = (matrix + size * np.eye(2)) / np.sqrt(trace + 2 * size)
    pair_of_components = int(start[first]), int(start[second])
    return diagonal / whole, pair_of_components, root / np.sqrt(whole)
