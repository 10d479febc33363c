"""Jackknife replicates: scores of a model with groups of conditions and neurons left out.

`jackknife` estimates bias and interval from them. All models of a recording lose the same groups,
so that their difference is known better than either score.
"""

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from scorebounds.measures.base import Measure
from scorebounds.scorecards.jackknife import BOTH, CONDITIONS, NEURONS
from scorebounds.scorecards.matching import Matched
from scorebounds.scorecards.samples import flatten, fold_options

logger = logging.getLogger(__name__)

REPLICATE_COLUMNS = ["measure", "left_out", "group", "neuron_group", "score", "grouping"]
# Diagonals of the grid of groups of conditions × groups of neurons that are left out together.
N_DIAGONALS = 2
Device = str | torch.device


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
