"""Compare scores with chance: permutations of a model's conditions, p values, their correction.

All measures of a card, and all models of a recording, share the same permutations: a measure with
fewer of them has the first ones. The correction over measures is the single-step maximum statistic
of Westfall and Young (1993).
"""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from scorebounds.core.intervals import CONFIDENCE
from scorebounds.measures.base import Measure, share_products
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.rows import SHIFTED
from scorebounds.scorecards.samples import flatten, fold_options, has_fixed_penalty

# Scores that differ by less are equal: a shuffle that changes nothing must not lose by rounding.
TIE = 1e-9
# Number of orders up to which all of them are listed and shuffled.
MOST_LISTED = 10_000
Device = str | torch.device


def orders_of(matched: Matched, n_orders: int, seed: int) -> np.ndarray:
    """Draw the orders by which the chance of a model's scores is estimated (`distinct_orders`)."""
    shifts = matched.exchange == SHIFTED
    return distinct_orders(matched.n_conditions, n_orders, seed, matched.groups, shifts=shifts)


def distinct_orders(
    n_conditions: int,
    n_orders: int,
    seed: int,
    groups: np.ndarray | None = None,
    *,
    shifts: bool = False,
) -> np.ndarray:
    """Draw different orders of the conditions, none of them the identity.

    Parameters
    ----------
    n_conditions : int
    n_orders : int
        Number to draw; where no more exist, all of them are returned.
    seed : int
        Fewer orders are the first of more of them.
    groups : ndarray of int, shape (n_conditions,), optional
        Conditions are exchanged within groups only.
    shifts : bool
        Circular shifts only, instead of all permutations.

    Returns
    -------
    ndarray of int, shape (at most n_orders, n_conditions)
    """
    members = _members(n_conditions, groups)
    rng = np.random.default_rng(seed)
    if _log_number(members, shifts=shifts) < math.log(MOST_LISTED):
        listed = _all_orders(members, shifts=shifts)[1:]  # the first is the identity
        chosen = rng.permutation(len(listed))[:n_orders]
        return np.array([listed[each] for each in chosen], np.int64).reshape(-1, n_conditions)
    places = np.concatenate(members)
    identity = tuple(range(n_conditions))
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < n_orders:
        parts = [
            np.roll(each, rng.integers(len(each))) if shifts else rng.permutation(each)
            for each in members
        ]
        order = _at(places, np.concatenate(parts))
        if order != identity:
            drawn[order] = None
    return np.array(list(drawn), dtype=np.int64)


def is_exhaustive(
    n_conditions: int, n_orders: int, groups: np.ndarray | None = None, *, shifts: bool = False
) -> bool:
    """Return whether no more than `n_orders` orders other than the identity exist."""
    members = _members(n_conditions, groups)
    return _log_number(members, shifts=shifts) < math.log(n_orders + 1) + TIE


def _members(n_conditions: int, groups: np.ndarray | None) -> list[np.ndarray]:
    of_condition = np.zeros(n_conditions) if groups is None else groups
    return [np.flatnonzero(of_condition == group) for group in np.unique(of_condition)]


def _log_number(members: Sequence[np.ndarray], *, shifts: bool) -> float:
    """Return the logarithm of the number of orders, the identity included."""
    return sum(math.log(len(each)) if shifts else math.lgamma(len(each) + 1) for each in members)


def _all_orders(members: Sequence[np.ndarray], *, shifts: bool) -> list[tuple[int, ...]]:
    choices = [_orders_of_group(each, shifts=shifts) for each in members]
    places = np.concatenate(members)
    return [_at(places, np.concatenate(parts)) for parts in itertools.product(*choices)]


def _orders_of_group(members: np.ndarray, *, shifts: bool) -> list[np.ndarray]:
    if shifts:
        return [np.roll(members, by) for by in range(len(members))]
    return [np.array(order) for order in itertools.permutations(members)]


def _at(places: np.ndarray, values: np.ndarray) -> tuple[int, ...]:
    order = np.empty(len(places), dtype=np.int64)
    order[places] = values
    return tuple(order.tolist())


def null_scores(
    matched: Matched, measures: Sequence[Measure], orders: np.ndarray, device: Device = "cpu"
) -> dict[str, np.ndarray]:
    """Score the model with its conditions permuted.

    Whole conditions are exchanged, so that a time course which all of them share stays: it is no
    evidence of what a model knows about the conditions. Without an axis of time, samples are.

    Parameters
    ----------
    matched : Matched
        With one row per condition (`average_trials`).
    measures : sequence of Measure
        Those that `share_products`.
    orders : ndarray of int, shape (n_orders, n_conditions)
    device : str or torch.device

    Returns
    -------
    dict of str to ndarray, shape (n_orders,)
        Of each measure.
    """
    if not len(orders):
        return {measure.name: np.empty(0) for measure in measures}
    x, y = (flatten(side).to(device) for side in (matched.reference, matched.model))
    rows = (_permuted_rows(matched, order) for order in orders)
    first, *others = measures
    scores = first.reordered_with(others, x, y, rows, **fold_options(matched, first, device))
    return {name: values.cpu().numpy() for name, values in scores.items()}


class NullScores:
    """The null scores of the measures of a card; those that share products are made together.

    Parameters
    ----------
    measures : mapping of Measure to (Matched, int)
        With the data and the number of permutations of each.
    seed : int
    device : str or torch.device
    """

    def __init__(
        self, measures: Mapping[Measure, tuple[Matched, int]], seed: int, device: Device = "cpu"
    ):
        self.measures, self.seed, self.device = measures, seed, device
        self._known: dict[str, np.ndarray] = {}

    def of(self, measure: Measure) -> np.ndarray:
        """Return the null scores of one measure."""
        if measure.name not in self._known:
            matched, n_orders = self.measures[measure]
            if measure.of_trajectories:
                # Conditions are not paired, so that their order changes nothing.
                n_orders = 0
            orders = orders_of(matched, n_orders, self.seed)
            others = [
                other
                for other, (_, number) in self.measures.items()
                if other != measure
                and share_products(measure, other)
                and number == n_orders
                and has_fixed_penalty(other) == has_fixed_penalty(measure)
            ]
            try:
                self._known |= null_scores(matched, [measure, *others], orders, self.device)
            except ValueError:
                # One of them is not defined for these data, which need not be this one.
                self._known |= null_scores(matched, [measure], orders, self.device)
        return self._known[measure.name]


def _permuted_rows(matched: Matched, order: np.ndarray) -> Tensor:
    """Return for each sample the one that takes its place, at the same time."""
    n_times, n_conditions, _ = matched.model.shape
    return torch.from_numpy((np.arange(n_times)[:, None] * n_conditions + order).ravel())


def compare_with_chance(
    score: float, null: np.ndarray, *, higher_is_closer: bool
) -> dict[str, float | bool]:
    """Compare a score with scores of permuted conditions.

    Returns
    -------
    dict
        `null_mean`, `null_sd`; `null_low` and `null_high`, beyond which 5 % of them lie on either
        side; `p` = (b + 1)/(m + 1), b of the m being at least as close (Phipson and Smyth 2010);
        `smallest_p` = 1/(m + 1); `is_informative`, whether any permutation changes the score. p is
        missing where none does.
    """
    if len(null) == 0:
        missing = dict.fromkeys(("null_mean", "null_sd", "null_low", "null_high", "p"), math.nan)
        return {**missing, "smallest_p": 1.0, "n_permutations": 0, "is_informative": False}
    tie = TIE * max(1.0, abs(score))
    as_close = null >= score - tie if higher_is_closer else null <= score + tie
    is_informative = bool(np.abs(null - score).max() > 100 * tie)
    return {
        "null_mean": float(null.mean()),
        "null_sd": float(null.std(ddof=1)) if len(null) > 1 else math.nan,
        "null_low": float(np.quantile(null, 1 - CONFIDENCE)),
        "null_high": float(np.quantile(null, CONFIDENCE)),
        "p": float((as_close.sum() + 1) / (len(null) + 1)) if is_informative else math.nan,
        "smallest_p": 1 / (len(null) + 1),
        "n_permutations": len(null),
        "is_informative": is_informative,
    }


def corrected_p(signed: Mapping[str, tuple[float, np.ndarray]]) -> dict[str, float]:
    """Correct p over the measures of a card by the maximum statistic of shared permutations.

    Scores are standardised by mean and standard deviation over all orders, the observed one
    included, which keeps the orders exchangeable. The number of permutations is that of the
    measure with the fewest. Measures with so few that their own p cannot decide take no part,
    unless none has more: with them no measure could be found better than chance.

    Parameters
    ----------
    signed : mapping of str to (float, ndarray)
        Of each measure, score and null scores, such that higher is closer.

    Returns
    -------
    dict of str to float
        Probability that unrelated data would reach the measure's standardised score with any of
        the measures that take part; not below the measure's own p.
    """
    enough = 1 / (1 - CONFIDENCE) - 1 - TIE
    deciding = {name: pair for name, pair in signed.items() if len(pair[1]) >= enough}
    signed = deciding or signed
    if not signed:
        return {}
    n_orders = min(len(null) for _, null in signed.values())
    values = np.array([[score, *null[:n_orders]] for score, null in signed.values()])
    deviation = values.std(axis=1, keepdims=True)
    standardised = (values - values.mean(axis=1, keepdims=True)) / deviation
    largest = standardised.max(axis=0)
    reached = largest[None, :] >= standardised[:, :1] - TIE
    corrected = dict(zip(signed, reached.mean(axis=1).tolist(), strict=True))
    # A measure's own p is from more permutations, if others have fewer.
    own = {
        name: float(compare_with_chance(score, null, higher_is_closer=True)["p"])
        for name, (score, null) in signed.items()
    }
    return {name: max(p, own[name]) for name, p in corrected.items()}
