"""Columns of numbers that are unlike the other neurons: identifiers, labels, times, counters.

Each rule states how probable its finding would be for a neuron by chance, and names a column only
if that is small for a matrix of so many columns.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaln

from scorebounds.datasets.errors import UnusableError

# Below this many rows, values tell nothing.
MIN_ROWS = 8
# Most rules look at no more rows than these, evenly spaced, and at fewer of many columns.
MAX_ROWS, MAX_VALUES = 2000, 4_000_000
# A pattern that recurs is looked for by its first rows.
LENGTH_OF_START, N_PERIODS = 8, 20
VARIANCE_RATIO = 1e4
# Probability, over all columns, at which a finding is no accident any more.
IMPROBABLE = 1e-3
# Neighbouring rows are this much more alike than any two, if rows follow each other in time.
SMOOTH = 0.5
LINEAR = 0.99
# A unit may be silent but for so large a share of the rows.
MAX_SHARE_OF_A_SPARSE_UNIT = 0.05
# Marks of missing values, of people and of formats.
_NINES = [float("9" * digits) for digits in range(2, 9)]
MARKS = np.array(
    [*(-nines for nines in _NINES), *_NINES, 9.969209968386869e36, -32768, 1e20, -1e20, 1e30, -1e30]
)
MIN_GAP = 10
# The largest of differences of rare counts is below this.
MIN_COUNT = 3


def is_rising(values: np.ndarray) -> bool:
    """Say whether values count up or down in equal steps, as a row number does."""
    steps = np.diff(values.astype(np.float64))
    return len(values) >= MIN_ROWS and bool((steps == steps[0]).all() and steps[0] != 0)


def odd_columns(matrix: np.ndarray) -> list[tuple[int, str]]:
    """List columns of (n_samples, n_neurons) that look unlike the other neurons, and why.

    Constant columns and missing values are no matter of this function.
    """
    if len(matrix) < MIN_ROWS or matrix.shape[1] < 2:
        return []
    sample = _sampled(matrix)
    finite = np.isfinite(sample)
    low = np.where(finite, sample, np.inf).min(axis=0)
    high = np.where(finite, sample, -np.inf).max(axis=0)
    varies = low < high
    whole = varies & ((sample == np.round(sample)) | ~finite).all(axis=0)
    found: dict[int, str] = {}
    for column, reason in (
        *_ordered(matrix, sample, whole, varies),
        *_not_decimals(sample, whole, varies),
        *_spread(sample),
    ):
        found.setdefault(column, reason)
    return sorted(found.items())


def _sampled(matrix: np.ndarray) -> np.ndarray:
    """Return rows at equal distances, in double precision."""
    n_rows, n_columns = matrix.shape
    n_sampled = min(n_rows, max(min(MAX_ROWS, MAX_VALUES // n_columns), 100))
    rows = np.linspace(0, n_rows - 1, n_sampled).astype(int)
    return np.asarray(matrix[rows], dtype=np.float64)


def _not_decimals(
    sample: np.ndarray, whole: np.ndarray, varies: np.ndarray
) -> Iterator[tuple[int, str]]:
    """Yield the columns of whole numbers among columns of decimals."""
    decimal = varies & ~whole
    # Of two columns, a flag and a probability are no two neurons.
    if whole.sum() >= decimal.sum() + (sample.shape[1] == 2):
        return
    # Averages of counts are whole now and then; how often, the columns of decimals tell.
    others = sample[:, decimal]
    others = others[np.isfinite(others) & (others != 0)]
    by_chance = ((others == np.round(others)).sum() + 1) / (others.size + 2)
    for column in np.flatnonzero(whole).tolist():
        values = sample[:, column]
        n_active = int((np.isfinite(values) & (values != 0)).sum())
        is_sparse = n_active <= MAX_SHARE_OF_A_SPARSE_UNIT * len(values) + 1
        if not is_sparse and sample.shape[1] * by_chance**n_active < IMPROBABLE:
            yield column, "it holds whole numbers and the others hold decimals"


def _ordered(
    matrix: np.ndarray, sample: np.ndarray, whole: np.ndarray, varies: np.ndarray
) -> Iterator[tuple[int, str]]:
    """Yield the columns whose values are in an order, or as frequent, as no neuron's are."""
    n_columns = matrix.shape[1]
    steps = np.diff(sample, axis=0)
    sorted_ones = varies & ((steps >= 0).all(axis=0) | (steps <= 0).all(axis=0))
    in_time = _follow_in_time(sample)
    complete = varies & np.isfinite(sample).all(axis=0)
    reasons: dict[int, str] = {}
    for column in np.flatnonzero(complete & (sorted_ones | whole)).tolist():
        values = np.asarray(matrix[:, column], dtype=np.float64)
        if is_rising(values):
            reasons[column] = "it counts the rows in equal steps"
        elif sorted_ones[column] and (not in_time or _is_clock(values)):
            if n_columns * _chance_of_sorted(values) < IMPROBABLE:
                reasons[column] = "its values are sorted"
        elif whole[column] and (reason := _design(values, n_columns)):
            reasons[column] = reason
    # Many such columns are no accident of one column, but how these data are.
    if len(reasons) < n_columns / 2:
        yield from reasons.items()


def _follow_in_time(sample: np.ndarray) -> bool:
    """Say whether neighbouring rows are alike in most columns, as in a time course."""
    variance = sample.var(axis=0)
    known = np.isfinite(variance) & (variance > 0)
    if not known.any():
        return False
    steps = (np.diff(sample[:, known], axis=0) ** 2).mean(axis=0) / (2 * variance[known])
    return bool(np.median(steps) < SMOOTH)


def _is_clock(values: np.ndarray) -> bool:
    """Say whether values grow with the number of the row, as times do and slow neurons do not."""
    return bool(abs(np.corrcoef(values, np.arange(len(values)))[0, 1]) > LINEAR)


def _chance_of_sorted(values: np.ndarray) -> float:
    """Return the probability that values in random order are sorted; 1 if they are not."""
    steps = np.diff(values)
    if not ((steps >= 0).all() or (steps <= 0).all()):
        return 1.0
    counts = np.unique(values, return_counts=True)[1]
    return float(2 * np.exp(gammaln(counts + 1).sum() - gammaln(len(values) + 1)))


def _design(values: np.ndarray, n_columns: int) -> str | None:
    """Say how whole numbers are distributed, if no counts are like that."""
    distinct, counts = np.unique(values, return_counts=True)
    n_rows, n_distinct = len(values), len(distinct)
    if n_distinct == n_rows:
        steps = np.diff(distinct)
        if (steps == steps[0]).all():
            return "it holds each number once, in equal steps if sorted"
        # Values that are spread smoothly, by as much as these, would repeat.
        repeats = n_rows * (n_rows - 1) / 2 / (2 * np.sqrt(np.pi) * values.std())
        if n_columns * np.exp(-repeats) < IMPROBABLE:
            return "it holds another whole number in each row"
        return None
    if (counts == counts[0]).all():
        logarithm = gammaln(n_rows + 1) - n_distinct * gammaln(counts[0] + 1)
        if n_columns * np.exp(logarithm - n_rows * np.log(n_distinct)) < 10 * IMPROBABLE:
            return "each of its values is there equally often"
    same = ((counts / n_rows) ** 2).sum()
    starts = np.lib.stride_tricks.sliding_window_view(values, min(LENGTH_OF_START, n_rows))
    periods = np.flatnonzero((starts == starts[0]).all(axis=1))[1:N_PERIODS].tolist()
    # A design recurs as a whole; the last rows of a rarely active unit may equal its first.
    for period in (period for period in periods if period <= n_rows / 2):
        is_accident = n_columns * n_rows * same ** (n_rows - period) > IMPROBABLE
        if not is_accident and (values[period:] == values[:-period]).all():
            return f"its values recur every {period} rows"
    return None


def _spread(sample: np.ndarray) -> Iterator[tuple[int, str]]:
    """Yield the columns with a variance of another order of magnitude."""
    with np.errstate(invalid="ignore", over="ignore"):
        variance = sample.var(axis=0)
    known = variance[np.isfinite(variance) & (variance > 0)]
    if len(known) < 3:
        return
    median = np.median(known)
    high = variance > VARIANCE_RATIO * median
    rest = variance[~high & np.isfinite(variance)]
    if not rest.size or high.sum() >= sample.shape[1] / 3:
        return
    for column in np.flatnonzero(high & (variance > 100 * rest.max())).tolist():
        ratio = variance[column] / median
        yield column, f"its variance is {ratio:.0e} times that of the others"


def label_planes(activity: np.ndarray) -> list[tuple[int, str]]:
    """List the columns of (n_times, n_rows, n_neurons) that are the same at all times, and why."""
    if len(activity) < 3:
        return []
    first = activity[:1]
    still = (activity == first).all(axis=(0, 1)) & (first != first[:, :1]).any(axis=(0, 1))
    if still.sum() >= activity.shape[-1] / 2:
        return []
    reason = "its values differ between rows and are the same at all times"
    return [(column, reason) for column in np.flatnonzero(still).tolist()]


def mark_of_missing(matrix: np.ndarray) -> float | None:
    """Return the number that stands for missing values, as -999 far from all others, or None."""
    if matrix.dtype.kind not in "fiu" or matrix.size < MIN_ROWS:
        return None
    for mark in (np.nanmin(matrix), np.nanmax(matrix)):
        # In single precision, 9.97e36 is another number than in double.
        if not np.isclose(float(mark), MARKS, rtol=1e-6, atol=0).any():
            continue
        others = matrix[np.isfinite(matrix) & (matrix != mark)].astype(np.float64)
        gap = np.abs(others - float(mark)).min() if others.size else 0
        if gap > MIN_GAP * max(np.ptp(others) if others.size else 0, 1):
            return float(mark)
    return None


def require_no_marks(matrix: np.ndarray, name: str) -> None:
    """Raise UnusableError for a number that stands for missing values, as -999."""
    mark = mark_of_missing(matrix)
    if mark is not None:
        raise UnusableError(
            f"expected missing values of {name!r} as NaN or empty, got {mark:g} in "
            f"{np.isclose(matrix.astype(np.float64), mark, rtol=1e-6).sum()} places, far from all "
            "other numbers; replace it by NaN (`drop: [missing_trials]` then leaves these samples "
            "out, `drop: [missing_neurons]` the neurons)"
        )


def doubt_of_minus_one(matrix: np.ndarray) -> str | None:
    """Say that one negative number among counts or rates may stand for missing values, or None.

    Numbers that are signed by nature, as differences and normalised values, have several negative
    ones.
    """
    if matrix.dtype.kind not in "fi" or matrix.size < MIN_ROWS:
        return None
    lowest = np.nanmin(matrix)
    n_lowest = int((matrix == lowest).sum())
    if not (-10 < lowest < 0 and lowest == round(float(lowest))) or np.nanmax(matrix) < MIN_COUNT:
        return None
    if int((matrix < 0).sum()) > n_lowest:
        return None
    return (
        f"the only negative number is {lowest:g}, in {n_lowest} places; it was taken as a value; "
        "if it stands for missing values, replace it by NaN"
    )
