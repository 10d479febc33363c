"""By which orders of the rows chance is estimated, where rows may follow each other in time.

Two unrelated time courses are similar by chance more often than permuted rows are, because each has
few independent rows. Circular shifts keep the order of the rows, and so their correlations. They
hold as long as the rows are many compared with the time over which they are correlated, and as long
as the two do not drift: a drift agrees with any other where neither is shifted.
"""

from dataclasses import replace

import numpy as np
from scipy.fft import dct
from scipy.special import fdtrc

from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.rows import CONDITIONS, SHIFTED, TIMES, WITHHELD
from scorebounds.scorecards.samples import of_moderate_size

N_PERMUTATIONS = 199
# Independent rows from which on circular shifts of correlated rows give valid p (simulated).
LEAST_INDEPENDENT = 20
# Random projections that stand for the columns where these are more.
N_PROJECTIONS = 64
# The slowest cosines over the rows: a trend, a full cycle, and one and a half. Both sides drift
# where the same one is larger than this level allows in either.
N_SLOW = 3
DRIFT_LEVEL = 0.02
LEAST_ROWS = 12
CORRELATIONS = np.arange(0, 0.96, 0.05)


def with_exchange(matched: Matched) -> Matched:
    """Add how rows may be exchanged, and a sentence on why it is not by permutation.

    Conditions are permuted. Times are shifted, and so are rows of which nobody has said what they
    are, if neighbours are correlated in the recording and in the model: for conditions in the order
    of a stimulus, p of circular shifts is valid as well. If both drift, no p is.

    Parameters
    ----------
    matched : Matched
        With one row per condition.
    """
    if matched.reference.shape[0] > 1 or matched.rows_are == CONDITIONS:
        return matched
    sides = [_projected(side[0]) for side in (matched.reference, matched.model)]
    groups = np.zeros(matched.n_conditions) if matched.groups is None else matched.groups
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    found = [neighbour_correlation(side, members) for side in sides]
    is_drift = (drift_of(sides[0], members) & drift_of(sides[1], members)).any()
    if matched.rows_are != TIMES and min(found) <= 0 and not is_drift:
        return matched
    if is_drift:
        remedy = "Remove slow changes from both to test the rest."
        if matched.rows_are != TIMES:
            remedy = "If rows are conditions and not times, name their axes: (condition, neuron)."
        note = (
            "The recording and the model drift over the rows, which makes unrelated data similar, "
            f"so that no p is valid. {remedy}"
        )
        return replace(matched, exchange=WITHHELD, order_note=note)
    n_independent = independent_rows(sides[0], sides[1], members)
    said = "Rows are times"
    if min(found) > 0:
        said = (
            f"Neighbouring rows are correlated ({found[0]:.2f} in the recording, {found[1]:.2f} in "
            "the model)"
        )
    remedy = ""
    if matched.rows_are != TIMES:
        remedy = " If rows are conditions and not times, name their axes: (condition, neuron)."
    if n_independent >= LEAST_INDEPENDENT:
        note = f"{said}: chance is estimated by circular shifts, which keep their order.{remedy}"
        return replace(matched, exchange=SHIFTED, order_note=note)
    note = (
        f"{said}: only about {max(n_independent, 1):.0f} of {matched.n_conditions} rows are "
        f"independent, too few for a valid p.{remedy}"
    )
    return replace(matched, exchange=WITHHELD, order_note=note)


def _projected(rows: np.ndarray) -> np.ndarray:
    """Return the rows, by random projections of them where they are wide."""
    rows = of_moderate_size(rows)
    if rows.shape[1] <= N_PROJECTIONS:
        return rows
    rng = np.random.default_rng(0)
    projected: np.ndarray = rows @ rng.standard_normal((rows.shape[1], N_PROJECTIONS))
    return projected


def neighbour_correlation(rows: np.ndarray, members: list[np.ndarray]) -> float:
    """Return the correlation of neighbouring rows, 0 where permuted rows reach it.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_columns)
    members : list of ndarray of int
        The rows of each group, within which rows have neighbours and are permuted.

    Returns
    -------
    float
        Sum of the products of neighbouring rows, centred, over the sum of squares.
    """
    parts = [rows[each] - rows[each].mean(axis=0) for each in members]
    total = sum(float((part**2).sum()) for part in parts)
    if total == 0:
        return 0.0
    rng = np.random.default_rng(0)

    def similarity(*, permuted: bool) -> float:
        ordered = [part[rng.permutation(len(part))] if permuted else part for part in parts]
        return sum(float(np.einsum("ij,ij->", part[1:], part[:-1])) for part in ordered) / total

    observed = similarity(permuted=False)
    null = [similarity(permuted=True) for _ in range(N_PERMUTATIONS)]
    return observed if observed > max(null) else 0.0


def drift_of(rows: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    """Return which of the slowest cosines over the rows are larger than in a stationary sequence.

    The power of each is compared with the mean of the faster ones, all divided by the spectrum of
    the autoregressive sequence that fits these best (F test; the degrees of freedom of a cosine are
    the participation ratio of the columns).

    Returns
    -------
    ndarray of bool, shape (N_SLOW,)
        None is where each group has fewer than `LEAST_ROWS` rows.
    """
    parts = [rows[each] - rows[each].mean(axis=0) for each in members if len(each) >= LEAST_ROWS]
    if not any(part.any() for part in parts):
        return np.zeros(N_SLOW, dtype=bool)
    powers = [(dct(part, axis=0, norm="ortho")[1:] ** 2).sum(axis=1) for part in parts]
    frequencies = [np.pi * np.arange(1, len(part)) / len(part) for part in parts]
    fast = np.concatenate([power[N_SLOW:] for power in powers])
    correlation = _correlation_of(fast, np.concatenate([each[N_SLOW:] for each in frequencies]))
    whitened = [
        power * _inverse_spectrum(correlation, frequency)
        for power, frequency in zip(powers, frequencies, strict=True)
    ]
    slow = np.mean([power[:N_SLOW] for power in whitened], axis=0)
    mean = float(np.concatenate([power[N_SLOW:] for power in whitened]).mean())
    if mean == 0:
        return np.asarray(slow > 0)
    variances = np.linalg.svd(np.concatenate(parts), compute_uv=False) ** 2
    width = float(variances.sum() ** 2 / (variances**2).sum())
    p = fdtrc(width * len(parts), width * len(fast), slow / mean)
    drifts: np.ndarray = p <= DRIFT_LEVEL
    return drifts


def _inverse_spectrum(correlation: float, frequency: np.ndarray) -> np.ndarray:
    """Return that of an autoregressive sequence, up to a factor."""
    inverse: np.ndarray = 1 + correlation**2 - 2 * correlation * np.cos(frequency)
    return inverse


def _correlation_of(power: np.ndarray, frequency: np.ndarray) -> float:
    """Return the correlation of neighbours whose spectrum is most likely (Whittle 1953)."""
    if not power.any():
        return 0.0
    inverses = np.array([_inverse_spectrum(each, frequency) for each in CORRELATIONS])
    likelihood = np.log(inverses).mean(axis=1) - np.log((inverses * power).mean(axis=1))
    return float(CORRELATIONS[np.argmax(likelihood)])


def independent_rows(x: np.ndarray, y: np.ndarray, members: list[np.ndarray]) -> float:
    """Return the number of independent rows that a similarity of two sequences rests on.

    n / (1 + 2 Σ r_x(k) r_y(k)), with the autocorrelations r at lag k (Bartlett 1935).
    """
    of_x, of_y = _autocovariance(x, members), _autocovariance(y, members)
    products = of_x[1:] * of_y[1:] / (of_x[0] * of_y[0])
    return float(len(x) / max(1 + 2 * products.sum(), 1 / len(x)))


def _autocovariance(rows: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    """Return the sum of the products of rows at each lag, within groups."""
    n_lags = max(map(len, members))
    total = np.zeros(n_lags)
    for each in members:
        part = rows[each] - rows[each].mean(axis=0)
        spectrum = np.fft.rfft(part, 2 * n_lags, axis=0)
        total += np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=1))[:n_lags]
    return total
