"""Jackknife replicates: scores of a model with groups of conditions and neurons left out.

Of held-out scores, groups of conditions are repeated instead. `jackknife` estimates bias and
interval from the replicates. All models of a recording lose the same groups, so that their
difference is known better than either score.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.measures.folds import contiguous_folds, grouped_folds
from scorebounds.measures.parts import Parts
from scorebounds.scorecards.grouping import assign
from scorebounds.scorecards.left_out import LeftOut, left_out_groups, repeated_groups
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.rows import PERMUTED
from scorebounds.scorecards.samples import flatten, fold_options

logger = logging.getLogger(__name__)

REPLICATE_COLUMNS = ["measure", "left_out", "group", "neuron_group", "other_group"]
REPLICATE_COLUMNS += ["score", "grouping"]
# Measures with folds within folds. Those of replicates are made of the folds of all conditions, and
# are others than those of the score.
NESTED = ("ridge_cv_tuned",)
# Mean share of a fold in one group of conditions up to which groups are repeated.
LARGEST_SHARE = 0.4
# Skipped replicates that a warning names.
N_SHOWN = 3
Device = str | torch.device
ScoreParts = Callable[[Sequence[int], Sequence[Sequence[int]]], list[float | ValueError]]


def jackknife_replicates(
    matched: Matched,
    measure: Measure,
    *,
    n_groups: int,
    seed: int,
    grouping: str = "",
    pairs: bool = False,
    device: Device = "cpu",
) -> pd.DataFrame:
    """Score a model without each group of conditions, of the reference's neurons, and of both.

    Cross-validated measures take each group of conditions twice instead, in its fold, unless that
    is most of the fold.

    Parameters
    ----------
    matched : Matched
        With one row per condition.
    measure : Measure
    n_groups : int
        Number of groups of conditions and of neurons; fewer where there are fewer of either.
    seed : int
        Seed of the recording: it alone decides which rows and neurons make a group.
    grouping : str
        What identifies the rows of each condition; models of equal grouping lose the same rows.
    pairs : bool
        Whether every two groups are left out together as well, for the interval of a corrected
        score (`jackknife.corrected_estimate`).
    device : str or torch.device

    Returns
    -------
    DataFrame
        `REPLICATE_COLUMNS`: `left_out` is conditions, neurons, both, two of conditions or two of
        neurons; of cross-validated measures conditions repeated, neurons, conditions repeated and
        neurons, two of conditions repeated, or nothing. A replicate for which the measure is not
        defined has no score, with a warning that names it.
    """
    rng = np.random.default_rng(seed)
    in_order = matched.exchange != PERMUTED
    folds = folds_of_all(matched) if measure.cross_validated else None
    of_condition = 1 + assign(
        matched.n_conditions, n_groups, rng, matched.groups, in_order=in_order, folds=folds
    )
    # Components are no sample of neurons: none of them is left out.
    n_parts = 1 if matched.of_components else n_groups
    of_neuron = assign(matched.reference.shape[-1], n_parts, rng, None) + 1
    is_repeated = folds is not None and _share_of_fold(of_condition, folds) <= LARGEST_SHARE
    if folds is not None:
        # Folds drawn anew in each replicate would add their variance, which the jackknife
        # multiplies, and might separate the copies of a condition.
        matched = replace(matched, groups=folds)
    numbers = int(of_condition.max()), int(of_neuron.max())
    if is_repeated:
        left_out = list(repeated_groups(*numbers, is_nested=measure.name in NESTED))
    else:
        left_out = list(left_out_groups(*numbers, pairs=pairs))
    scores: dict[LeftOut, float] = {}
    skipped: dict[str, str] = {}
    score_parts = _score_parts(
        matched, measure, of_condition, of_neuron, device, is_repeated=is_repeated
    )
    for of_conditions in dict.fromkeys(each.of_conditions for each in left_out):
        # What is computed of the model serves all replicates that keep the same conditions.
        replicates = [each for each in left_out if each.of_conditions == of_conditions]
        found = score_parts(of_conditions, [each.of_neurons for each in replicates])
        for replicate, score in zip(replicates, found, strict=True):
            if isinstance(score, ValueError):
                skipped[str(replicate)] = str(score)
                score = float("nan")
            scores[replicate] = score
    _warn_of(skipped, len(left_out), measure.name)
    rows = [(measure.name, *astuple(each), scores[each], grouping) for each in left_out]
    return pd.DataFrame(rows, columns=REPLICATE_COLUMNS)


def folds_of_all(matched: Matched) -> np.ndarray:
    """Return the fold of each condition, by number."""
    n = matched.n_conditions
    # Every condition has a sample at each time, so that the folds of one time are those of all.
    folds = contiguous_folds(n)
    if matched.groups is not None or len(matched.model) > 1:
        folds = grouped_folds(np.arange(n) if matched.groups is None else matched.groups)
    order = np.arange(n) if folds.order is None else folds.order.numpy()
    of_condition = np.empty(n, dtype=np.int64)
    for number, (start, stop) in enumerate(folds.bounds):
        of_condition[order[start:stop]] = number
    return of_condition


def _share_of_fold(of_condition: np.ndarray, fold: np.ndarray) -> float:
    """Return the largest share of a fold that is in each group of conditions, on average.

    To repeat most of a fold hardly changes what is held out in it, and would miss its variance.
    """
    counts = pd.crosstab(of_condition, fold).to_numpy()
    return float((counts / counts.sum(0)).max(1).mean())


def _score_parts(
    matched: Matched,
    measure: Measure,
    of_condition: np.ndarray,
    of_neuron: np.ndarray,
    device: Device,
    *,
    is_repeated: bool,
) -> ScoreParts:
    """Return how a model is scored without groups of conditions and, in turn, of neurons.

    Groups of conditions are repeated instead if `is_repeated`.
    """
    x, y = (flatten(side).to(device) for side in (matched.reference, matched.model))
    if not measure.cross_validated and x.shape[1] <= x.shape[0]:
        of_sample = torch.from_numpy(of_condition).repeat(len(matched.model)).to(device)
        return Parts(measure, x, y, of_sample, torch.from_numpy(of_neuron).to(device)).without

    def score_parts(
        of_conditions: Sequence[int], of_neurons: Sequence[Sequence[int]]
    ) -> list[float | ValueError]:
        kept = np.flatnonzero(~np.isin(of_condition, of_conditions))
        if is_repeated:
            chosen = np.flatnonzero(np.isin(of_condition, of_conditions))
            kept = np.sort(np.concatenate([kept, chosen, chosen]))
        part = replace(
            matched,
            reference=matched.reference[:, kept],
            model=matched.model[:, kept],
            condition=np.arange(len(kept)),
            groups=None if matched.groups is None else matched.groups[kept],
        )
        neurons = [
            torch.from_numpy(np.flatnonzero(~np.isin(of_neuron, each))) for each in of_neurons
        ]
        return _scores(part, measure, [each.to(device) for each in neurons], device)

    return score_parts


def _scores(
    matched: Matched, measure: Measure, neurons: Sequence[Tensor], device: Device
) -> list[float | ValueError]:
    """Score a model with several choices of neurons, or say why a score is not defined."""
    x, y = (flatten(side).to(device) for side in (matched.reference, matched.model))
    options = fold_options(matched, measure, device)
    try:
        return list(measure.of_neurons(x, y, neurons, **options))
    except ValueError:
        scores: list[float | ValueError] = []
        for chosen in neurons:
            try:
                scores.append(float(measure.score(x[:, chosen], y, **options).item()))
            except ValueError as error:
                scores.append(error)
        return scores


def _warn_of(skipped: dict[str, str], n_replicates: int, measure: str) -> None:
    """Name the replicates that are skipped, and say why the first one is."""
    if skipped:
        names = list(skipped)
        more = [f"and {len(names) - N_SHOWN} more"] if len(names) > N_SHOWN else []
        listed = "; ".join([*names[:N_SHOWN], *more])
        logger.warning(
            "%s: %d of %d jackknife replicates %s skipped, %s: %s",
            measure,
            len(names),
            n_replicates,
            "is" if len(names) == 1 else "are",
            listed,
            skipped[names[0]],
        )
