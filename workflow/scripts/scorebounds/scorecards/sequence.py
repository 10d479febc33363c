"""Find rows that follow each other in time, for which permutations of single rows are no chance."""

import numpy as np

from scorebounds.scorecards.matching import Matched

N_PERMUTATIONS = 199
# Mean correlation of neighbouring rows from which on p of permuted rows is far too small.
STRONG = 0.5


def order_note(matched: Matched) -> str:
    """Warn where neighbouring rows resemble each other in the recording and in the model.

    Two unrelated time courses are similar by chance more often than permuted rows are, because
    each has few independent rows. Rows in the order of a stimulus parameter look the same, so that
    the sentence is a condition and not a verdict. Empty with an axis of time or with groups.

    Parameters
    ----------
    matched : Matched
        With one row per condition.
    """
    if matched.reference.shape[0] > 1 or matched.groups is not None:
        return ""
    found = [neighbour_correlation(side[0]) for side in (matched.reference, matched.model)]
    if min(found) < STRONG:
        return ""
    return (
        f"Neighbouring rows resemble each other (correlation {found[0]:.2f} in the recording and "
        f"{found[1]:.2f} in the model): if rows follow each other in time, p is too small, and the "
        "axis of time or groups of rows have to be named."
    )


def neighbour_correlation(rows: np.ndarray) -> float:
    """Return the similarity of neighbouring rows, 0 where permuted rows reach it.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_columns)

    Returns
    -------
    float
        Sum of the products of neighbouring rows, centred, over the sum of squares.
    """
    centred = rows - rows.mean(axis=0)
    total = float((centred**2).sum())
    if total == 0:
        return 0.0
    rng = np.random.default_rng(0)

    def similarity(order: np.ndarray) -> float:
        ordered = centred[order]
        return float(np.einsum("ij,ij->", ordered[1:], ordered[:-1])) / total

    observed = similarity(np.arange(len(rows)))
    null = [similarity(rng.permutation(len(rows))) for _ in range(N_PERMUTATIONS)]
    return observed if observed > max(null) else 0.0
