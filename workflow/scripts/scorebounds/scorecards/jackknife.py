"""Intervals of scores over conditions and neurons by the delete-a-group jackknife.

Groups of conditions and groups of the recording's neurons are left out in turn. Both variances
contain the interaction of conditions and neurons; it is estimated from groups of both left out
together and subtracted once (Schütt et al. 2023). The mean of the replicates gives the bias that
comes from few conditions and few neurons. The corrected score has a variance of its own: it is
corrected in each replicate too, for which every two groups are left out together. This also tells
how much of the bias is left. The jackknife counts the variance that comes from pairs of conditions
twice (Efron and Stein 1981), which is most of it near a score of 0: it is estimated from the same
replicates and subtracted, in proportion to (1 − score)², because intervals without it cover the
population more often elsewhere. A bootstrap would draw samples twice, which raises measures of
similarity. All models of a recording lose the same groups, so that their difference is known better
than either score.

Held-out scores vary more the fewer the training conditions are, without bound where these are
hardly more than the units. Their replicates therefore take each group of conditions twice instead
of leaving it out; the folds stay, so that both copies are in the same fold.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width

CONDITIONS, NEURONS, BOTH = "conditions", "neurons", "both"
TWO_OF_CONDITIONS, TWO_OF_NEURONS = "two of conditions", "two of neurons"
# Replicates of held-out scores, in which groups of conditions are repeated.
REPEATED, TWO_REPEATED = "conditions repeated", "two of conditions repeated"
BOTH_REPEATED = "conditions repeated, neurons"
NOTHING = "nothing"
# Share of the replicates that have to be defined.
LEAST_DEFINED = 0.7


@dataclass(frozen=True)
class JackknifeEstimate:
    """What the replicates say about a score; NaN without replicates.

    Attributes
    ----------
    bias : float
        Of the score, because the conditions and neurons are few; score − bias is corrected.
    ci_half_width : float
        Half the width of the 95 % interval of the score, or of the corrected score.
    n_free : int
        Degrees of freedom of the standard error.
    """

    bias: float
    ci_half_width: float
    n_free: int = 0


MISSING = JackknifeEstimate(float("nan"), float("nan"))


def jackknife_estimate(score: float, replicates: pd.DataFrame) -> JackknifeEstimate:
    """Return the bias of a score, and the 95 % interval of the score itself.

    Parameters
    ----------
    score : float
        With all conditions and neurons.
    replicates : DataFrame
        Of one measure and model, from `jackknife_replicates`.
    """
    base, mirrored, of_pairs = without_repeats(score, replicates)
    grid = _Grid.of(base, mirrored)
    if grid is None:
        return MISSING
    bias = sum(factor.bias(grid.score) for factor in grid.factors)
    variances = [jackknife_variance(factor.without) for factor in grid.factors]
    n_free = min(len(factor.without) for factor in grid.factors) - 1
    if not math.isnan(of_pairs):
        variances[0] -= counted_twice(variances[0], of_pairs)
        n_free = max(n_free - 1, 1)
    total = _without_interaction(variances, grid)
    return JackknifeEstimate(bias, half_width(total**0.5, n_free), n_free)


def counted_twice(variance: float, of_pairs: float) -> float:
    """Return what is subtracted from the variance of a held-out score that pairs contribute to.

    It is all of their part where nothing else contributes, and little where they contribute little:
    subtracting an estimate that is uncertain itself makes intervals miss more often.
    """
    if variance <= 0:
        return 0.0
    return min(of_pairs * (of_pairs / variance) ** 2, variance / 2)


def without_repeats(score: float, replicates: pd.DataFrame) -> tuple[float, pd.DataFrame, float]:
    """Return replicates with repeated groups as if these were left out, and the part of pairs.

    Repeating one of g groups changes a mean by −(g − 1)/(g + 1) of what leaving it out does.

    Parameters
    ----------
    score : float
    replicates : DataFrame
        From `jackknife_replicates`.

    Returns
    -------
    base : float
        The score that replicates are compared with.
    mirrored : DataFrame
        The replicates themselves, where no group is repeated.
    of_pairs : float
        The variance of the score that comes from pairs of conditions (`_Factor.of_pairs`); NaN
        where no two groups are repeated.
    """
    kinds = replicates.left_out
    whole = replicates.score[kinds == NOTHING]
    base = float(whole.iloc[0]) if len(whole) else score
    repeated = replicates[kinds == REPEATED].set_index("group").score.dropna()
    g = len(repeated)
    if g < 2:
        return base, replicates[kinds != NOTHING], math.nan
    of_neurons = replicates[kinds == NEURONS].set_index("neuron_group").score
    from_base = replicates.neuron_group.map(of_neurons).where(kinds == BOTH_REPEATED, base)
    mirrored = from_base - (g + 1) / (g - 1) * (replicates.score - from_base)
    is_mirrored = kinds.isin([REPEATED, BOTH_REPEATED])
    table = replicates.assign(
        score=replicates.score.where(~is_mirrored, mirrored),
        left_out=kinds.replace({REPEATED: CONDITIONS, BOTH_REPEATED: BOTH}),
    )
    two = replicates[kinds == TWO_REPEATED].dropna(subset=["score"])
    single = two.group.map(repeated) + two.other_group.map(repeated) - 2 * base
    q = (g + 2) * (two.score - base) - (g + 1) * single
    # The scale is that of two groups left out.
    squares = (q * (g + 2) / max(g - 2, 1)).dropna() ** 2
    of_pairs = (g - 1) / (2 * g) * float(squares.mean()) if len(squares) else math.nan
    return base, table[~kinds.isin([NOTHING, TWO_REPEATED])], of_pairs


def corrected_estimate(score: float, replicates: pd.DataFrame) -> JackknifeEstimate:
    """Return the bias of a score, and the 95 % interval of the corrected score, score − bias.

    What the first correction has left of the bias is estimated from the corrected replicates. All
    of this second correction would make the score too variable: the rest of the bias is taken to
    be uniform between nothing and it, so that half of it is subtracted, and its standard deviation
    enters. The variance is that of the corrected score over replicates.

    Parameters
    ----------
    score : float
    replicates : DataFrame
        From `jackknife_replicates(..., pairs=True)`; without pairs nothing is estimated.
    """
    grid = _Grid.of(score, replicates)
    if grid is None or not grid.has_pairs:
        return MISSING
    bias = sum(factor.bias(score) for factor in grid.factors)
    corrected = [
        factor.corrected(other)
        for factor, other in zip(grid.factors, grid.factors[::-1], strict=True)
    ]
    variances = [jackknife_variance(values) for values in corrected]
    remaining = sum(
        (len(values) - 1) * (float(values.mean()) - (score - bias)) for values in corrected
    )
    share = (1 - min(abs(score - bias), 1.0)) ** 2
    variances = [
        max(variance - share * factor.of_pairs(score), variance / 2)
        for variance, factor in zip(variances, grid.factors, strict=True)
    ]
    total = _without_interaction(variances, grid) + remaining**2 / 12
    # The variance of corrected replicates varies more than that of the scores themselves.
    n_free = max(min(map(len, corrected)) - 2, 1)
    return JackknifeEstimate(bias + remaining / 2, half_width(total**0.5, n_free), n_free)


def jackknife_variance(values: np.ndarray) -> float:
    """Return the variance of a score from its replicates without either group."""
    return (len(values) - 1) * float(values.var())


@dataclass(frozen=True)
class _Factor:
    """Scores without groups of conditions, or of neurons.

    Attributes
    ----------
    without : ndarray, shape (n_groups,)
    without_two : ndarray, shape (n_groups, n_groups)
        NaN on the diagonal, and where they are not known.
    across : ndarray, shape (n_groups, n_groups_of_other)
        Without a group of each factor.
    """

    without: np.ndarray
    without_two: np.ndarray
    across: np.ndarray

    def bias(self, score: float) -> float:
        """Return the bias of a score that this factor causes."""
        return (len(self.without) - 1) * (float(self.without.mean()) - score)

    def of_pairs(self, score: float) -> float:
        """Return the variance of a score that comes from pairs, not from single groups.

        Q = gθ − (g − 1)(θ(−i) + θ(−j)) + (g − 2) θ(−i, −j) is 0 for a mean.
        """
        g = len(self.without)
        single = self.without[:, None] + self.without[None, :]
        q = g * score - (g - 1) * single + (g - 2) * self.without_two
        n_pairs = g * (g - 1) / 2
        return n_pairs * float(np.nanmean(q[np.triu_indices(g, 1)] ** 2)) / g**2

    def corrected(self, other: "_Factor") -> np.ndarray:
        """Return the corrected scores without each group."""
        bias = (len(self.without) - 2) * (np.nanmean(self.without_two, axis=1) - self.without)
        if other is not self:
            bias += (len(other.without) - 1) * (np.nanmean(self.across, axis=1) - self.without)
        return np.asarray(self.without - bias)


@dataclass(frozen=True)
class _Grid:
    """The replicates of a score by what they lack: of conditions, and of neurons if several."""

    score: float
    factors: list[_Factor]

    @property
    def has_pairs(self) -> bool:
        """Whether scores without two groups are known for every group."""
        grids = [factor.without_two for factor in self.factors]
        grids += [factor.across for factor in self.factors[1:]]
        return all(bool(np.isfinite(grid).any(axis=1).all()) for grid in grids)

    @staticmethod
    def of(score: float, replicates: pd.DataFrame) -> "_Grid | None":
        """Arrange a table of replicates; None if too few of them are defined."""
        defined = replicates[replicates.score.notna()]
        by_kind = {str(kind): rows for kind, rows in defined.groupby("left_out")}
        if CONDITIONS not in by_kind or len(defined) < LEAST_DEFINED * len(replicates):
            return None
        kinds = {CONDITIONS: "group", NEURONS: "neuron_group"}
        singles = {
            kind: by_kind[kind].set_index(column).score
            for kind, column in kinds.items()
            if kind in by_kind
        }
        if min(map(len, singles.values())) < 2:
            return None
        pairs = {CONDITIONS: TWO_OF_CONDITIONS, NEURONS: TWO_OF_NEURONS}
        both = _square(by_kind.get(BOTH), "group", "neuron_group")
        factors = []
        for kind, single in singles.items():
            two = _square(by_kind.get(pairs[kind]), kinds[kind], "other_group")
            two = two.reindex(single.index, axis=0).reindex(single.index, axis=1)
            across = both if kind == CONDITIONS else both.T
            other = next((each for name, each in singles.items() if name != kind), single)
            across = across.reindex(single.index, axis=0).reindex(other.index, axis=1)
            matrix = two.to_numpy(dtype=float)
            matrix = np.where(np.isnan(matrix), matrix.T, matrix)
            factors.append(_Factor(single.to_numpy(), matrix, across.to_numpy(dtype=float)))
        return _Grid(score, factors)


def _square(rows: pd.DataFrame | None, first: str, second: str) -> pd.DataFrame:
    if rows is None:
        return pd.DataFrame(dtype=float)
    return rows.pivot_table(index=first, columns=second, values="score")


def _without_interaction(variances: list[float], grid: _Grid) -> float:
    """Sum the variances of both factors, with the interaction of conditions and neurons once.

    The interaction of group i and group j shows in ψ = θ(−i, −j) − θ(−i) − θ(−j) + θ. For a mean
    over cells its variance is (g − 1)(h − 1) times the mean of ψ² over the cells.
    """
    interaction = 0.0
    if len(grid.factors) > 1:
        first, second = grid.factors
        psi = first.across - first.without[:, None] - second.without[None, :] + grid.score
        finite = psi[np.isfinite(psi)]
        if len(finite):
            factor = (len(first.without) - 1) * (len(second.without) - 1)
            interaction = factor * float(np.mean(finite**2))
    return max(sum(variances) - interaction, *variances, 0.0)
