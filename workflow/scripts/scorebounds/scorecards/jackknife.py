"""Intervals of scores over conditions and neurons by the delete-a-group jackknife.

Groups of conditions and groups of the recording's neurons are left out in turn. Both variances
contain the interaction of conditions and neurons; it is estimated from groups of both left out
together and subtracted once (Schütt et al. 2023). The mean of the replicates gives the bias that
comes from few conditions and few neurons. A bootstrap would draw samples twice, which raises every
measure of similarity. All models of a recording lose the same groups, so that their difference is
known better than either score.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from scorebounds.core.intervals import half_width
from scorebounds.measures.base import Measure
from scorebounds.scorecards.matching import Matched
from scorebounds.scorecards.samples import flatten, fold_options

logger = logging.getLogger(__name__)

CONDITIONS, NEURONS, BOTH = "conditions", "neurons", "both"
REPLICATE_COLUMNS = ["measure", "left_out", "group", "neuron_group", "score", "grouping"]
# Diagonals of the grid of groups of conditions × groups of neurons that are left out together.
N_DIAGONALS = 2
# Standard deviation of corrected CKA and RSA over that of their raw scores' jackknife estimate, in
# simulations with 72 conditions and 19 or 100 neurons (docs/models.md).
WIDENING = 1.2
# Share of the replicates that have to be defined.
LEAST_DEFINED = 0.7
Device = str | torch.device


@dataclass(frozen=True)
class JackknifeEstimate:
    """What the replicates say about a score.

    Attributes
    ----------
    bias : float
        Of the score, because the conditions and neurons are few; score − bias is corrected.
    ci_half_width : float
        Half the width of the 95 % interval of the score.
    ci_half_width_corrected : float
        The same of score − bias. The correction adds variance of its own: the interaction is
        counted for either factor, and the sum widened by `WIDENING`. All are NaN without
        replicates.
    """

    bias: float
    ci_half_width: float
    ci_half_width_corrected: float


def jackknife_replicates(
    matched: Matched,
    measure: Measure,
    *,
    n_groups: int,
    seed: int,
    grouping: str = "",
    device: Device = "cpu",
) -> pd.DataFrame:
    """Score a model without each group of conditions, of the reference's neurons, and of both.

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
    device : str or torch.device

    Returns
    -------
    DataFrame
        `REPLICATE_COLUMNS`: `left_out` is conditions, neurons or both. A replicate for which the
        measure is not defined has no score, with a warning that names it.
    """
    rng = np.random.default_rng(seed)
    x, y = matched.reference, matched.model
    sizes = (matched.n_conditions, x.shape[-1])
    counts = [min(n_groups, size) for size in sizes]
    of_condition, of_neuron = (
        rng.permutation(np.arange(size) % count) for size, count in zip(sizes, counts, strict=True)
    )
    left_out = list(_groups_left_out(*counts))
    scores: dict[tuple[str, int, int], float] = {}
    for group in dict.fromkeys(each[1] for each in left_out):
        # What is computed of the model serves all replicates that keep the same conditions.
        kept = of_condition != group - 1
        replicates = [each for each in left_out if each[1] == group]
        parts = [
            Matched(
                x[:, kept][..., of_neuron != neuron_group - 1],
                y[:, kept],
                np.arange(np.count_nonzero(kept)),
            )
            for _, _, neuron_group in replicates
        ]
        names = [f"{kind} {number or neurons}" for kind, number, neurons in replicates]
        scores |= zip(replicates, _scores(parts, measure, names, device), strict=True)
    rows = [(measure.name, *each, scores[each], grouping) for each in left_out]
    return pd.DataFrame(rows, columns=REPLICATE_COLUMNS)


def _scores(
    parts: list[Matched], measure: Measure, left_out: list[str], device: Device
) -> list[float]:
    """Score parts that have the model in common; one by one where a part cannot be scored."""
    xs = [flatten(part.reference).to(device) for part in parts]
    y = flatten(parts[0].model).to(device)
    try:
        scores = measure.between(xs, [y], **fold_options(parts[0], device))[:, 0]
    except ValueError:
        return [
            _score_or_nan(part, measure, name, device)
            for part, name in zip(parts, left_out, strict=True)
        ]
    found: list[float] = scores.tolist()
    return found


def _groups_left_out(n_conditions: int, n_neurons: int) -> Iterator[tuple[str, int, int]]:
    """Yield kind, group of conditions and group of neurons, numbered from 1; 0 is none."""
    if n_conditions > 1:
        for group in range(1, n_conditions + 1):
            yield CONDITIONS, group, 0
    if n_neurons > 1:
        for group in range(1, n_neurons + 1):
            yield NEURONS, 0, group
    if n_conditions > 1 and n_neurons > 1:
        for shift in range(min(N_DIAGONALS, n_neurons)):
            for group in range(n_conditions):
                yield BOTH, group + 1, (group + shift) % n_neurons + 1


def _score_or_nan(part: Matched, measure: Measure, left_out: str, device: Device) -> float:
    x, y = (flatten(side).to(device) for side in (part.reference, part.model))
    try:
        return float(measure.score(x, y, **fold_options(part, device)).item())
    except ValueError as error:
        logger.warning(
            "%s: the jackknife replicate without group %s is skipped: %s",
            measure.name,
            left_out,
            error,
        )
        return float("nan")


def jackknife_estimate(score: float, replicates: pd.DataFrame) -> JackknifeEstimate:
    """Return bias and 95 % interval of a score.

    Parameters
    ----------
    score : float
        With all conditions and neurons.
    replicates : DataFrame
        Of one measure and model, from `jackknife_replicates`.
    """
    missing = JackknifeEstimate(*[float("nan")] * 3)
    defined = replicates[replicates.score.notna()]
    groups = {str(kind): rows for kind, rows in defined.groupby("left_out")}
    if CONDITIONS not in groups or len(defined) < LEAST_DEFINED * len(replicates):
        return missing
    bias, variances, n_free = 0.0, [], []
    for kind in (CONDITIONS, NEURONS):
        if kind not in groups:
            continue
        values = groups[kind].score.to_numpy()
        bias += (len(values) - 1) * (float(values.mean()) - score)
        variances.append((len(values) - 1) * float(values.var()))
        n_free.append(len(values) - 1)
    if min(n_free) < 1:
        return missing
    total = max(sum(variances) - _interaction_variance(score, groups), *variances, 0.0)
    return JackknifeEstimate(
        bias,
        half_width(total**0.5, min(n_free)),
        WIDENING * half_width(sum(variances) ** 0.5, min(n_free)),
    )


def _interaction_variance(score: float, groups: dict[str, pd.DataFrame]) -> float:
    """Estimate the share of conditions × neurons in the variance of a score.

    The interaction of group i and group j shows in ψ = θ(−i, −j) − θ(−i) − θ(−j) + θ. For a mean
    over cells its variance is (g − 1)(h − 1) times the mean of ψ² over the cells.
    """
    if BOTH not in groups or NEURONS not in groups:
        return 0.0
    without_conditions = groups[CONDITIONS].set_index("group").score
    without_neurons = groups[NEURONS].set_index("neuron_group").score
    cells = groups[BOTH]
    psi = (
        cells.score.to_numpy()
        - without_conditions.reindex(cells.group).to_numpy()
        - without_neurons.reindex(cells.neuron_group).to_numpy()
        + score
    )
    factor = (len(without_conditions) - 1) * (len(without_neurons) - 1)
    finite = psi[np.isfinite(psi)]
    return factor * float(np.mean(finite**2)) if len(finite) else 0.0
