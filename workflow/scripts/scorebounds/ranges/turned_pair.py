"""The part of the Lagrangian that one turned pair of components has (docs/theory/certificate.md).

For a block with trace s on components with eigenvalues λᵢ ≥ λⱼ, m = λᵢd + λⱼd' and v = √det, the
Lagrangian is √(m + 2Pv) − ηm − 2γv² + γs² − αs with P = √(λᵢλⱼ). It is concave in (m, v), which lie
in an ellipse: m = s(middle + half·cos θ), v = ½ s sin θ on its edge.
"""

from typing import NamedTuple

import numpy as np

from scorebounds.ranges.quartic import between

N_ANGLES = 17
ANGLES = np.linspace(0, np.pi, N_ANGLES)[:, None]
N_PARABOLAS = 3


class Pair(NamedTuple):
    """Pairs of components of X: means and half-differences of their eigenvalues, and √(λᵢλⱼ)."""

    middle: np.ndarray
    half: np.ndarray
    product: np.ndarray


def stationary(pair: Pair, eta: np.ndarray, gamma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (m, v) at which the Lagrangian has no slope."""
    v = eta * pair.product / (2 * gamma)
    return 1 / (4 * eta * eta) - 2 * pair.product * v, v


def is_feasible(pair: Pair, m: np.ndarray, v: np.ndarray, trace: np.ndarray) -> np.ndarray:
    """Return the position of (m, v) in the ellipse of the trace."""
    return np.asarray(
        (2 * v <= trace)
        & (
            np.abs(m - pair.middle * trace)
            <= pair.half * np.sqrt(np.maximum(trace**2 - 4 * v * v, 0))
        )
    )


def best_on_edge(
    pair: Pair, eta: np.ndarray, gamma: np.ndarray, trace: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (m, v) on the edge of the ellipse where the Lagrangian is largest, nearly."""

    def value(angle: np.ndarray) -> np.ndarray:
        m, v = trace * (pair.middle + pair.half * np.cos(angle)), 0.5 * trace * np.sin(angle)
        root = np.sqrt(np.maximum(m + 2 * pair.product * v, 0))
        return np.asarray(root - eta * m - 2 * gamma * v * v)

    angle = ANGLES[value(ANGLES).argmax(0), 0]
    step = np.pi / (N_ANGLES - 1)
    for _ in range(N_PARABOLAS):
        low, middle, high = value(np.stack([angle - step, angle, angle + step]))
        bend = np.minimum(low - 2 * middle + high, -1e-300)
        peak = between(0.5 * step * (low - high) / bend, -step, step)
        angle = between(angle + peak, 0, np.pi)
        step /= 6
    return trace * (pair.middle + pair.half * np.cos(angle)), 0.5 * trace * np.sin(angle)


def edge_bound(pair: Pair, multipliers: np.ndarray, cell: tuple[float, ...]) -> np.ndarray:
    """Bound the Lagrangian over all traces in a cell by a supergradient at one point.

    A concave function lies below its tangents, so that any point gives a valid bound; one where the
    maximum is on the edge of the ellipse gives a good one.
    """
    alpha, eta, gamma = multipliers
    m, v = best_on_edge(pair, eta, gamma, np.array(0.5 * (cell[0] + cell[1])))
    root = np.sqrt(np.maximum(m + 2 * pair.product * v, 1e-300))
    slope_m = 1 / (2 * root) - eta
    slope_v = pair.product / root - 4 * gamma * v
    constant = root - eta * m - 2 * gamma * v * v - slope_m * m - slope_v * v
    width = np.hypot(slope_m * pair.half, 0.5 * np.maximum(slope_v, 0))
    support = slope_m * pair.middle + width
    ends = [gamma * s * s - alpha * s + s * support for s in cell]
    return np.asarray(constant + np.maximum(*ends))
