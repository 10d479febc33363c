"""Scores of optimised datasets by all measures, not only the one optimised."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd
from torch import Tensor

from scorebounds.measures import registry

logger = logging.getLogger(__name__)


def score_with_all(
    x: Tensor,
    synthetic: Mapping[str, Tensor],
    names: Sequence[str],
    trajectories: Tensor | None = None,
) -> pd.DataFrame:
    """Score each synthetic dataset with each measure.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        The reference.
    synthetic : mapping of str to Tensor, shape (n_seeds, n_samples, n_y)
        By the measure that each was optimised towards.
    names : sequence of str
        Measures to score with.
    trajectories : Tensor of int, shape (n_samples,), optional
        The condition of each sample of a recording over time, for measures of trajectories.

    Returns
    -------
    DataFrame
        Columns optimized, measure, seed, score, note. Where a measure is not defined for the data
        the score is missing and the note says why.
    """
    rows: list[tuple[str, str, int, float, str]] = []
    for number, name in enumerate(names, 1):
        logger.info("scoring with %s, %d of %d", name, number, len(names))
        measure, refused = registry.load(name), list[str]()
        groups = trajectories if measure.of_trajectories else None
        for optimized, y in synthetic.items():
            try:
                scores, note = measure.score(x, y, groups=groups).tolist(), ""
            except ValueError as error:
                scores, note = [float("nan")] * len(y), str(error)
                refused.append(note)
            rows += [(optimized, name, seed, score, note) for seed, score in enumerate(scores)]
        if refused:
            logger.warning(
                "no score with %s for %d of %d synthetic datasets, for example: %s",
                name,
                len(refused),
                len(synthetic),
                refused[0],
            )
    return pd.DataFrame(rows, columns=["optimized", "measure", "seed", "score", "note"])
