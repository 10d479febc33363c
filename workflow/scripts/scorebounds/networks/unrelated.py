"""Scores of unrelated data as a function of the number of samples."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.measures.base import Measure

logger = logging.getLogger(__name__)

N_SIZES = 9
FEWEST_SAMPLES = 30


def unrelated_scores(x: Tensor, measures: Sequence[Measure], seeds: Sequence[int]) -> pd.DataFrame:
    """Score the first samples of `x`, for growing numbers, with Gaussian data of the same width.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
    measures : sequence of Measure
    seeds : sequence of int
        One draw of the unrelated data each.

    Returns
    -------
    DataFrame
        Columns measure, n_samples, n_neurons, score_mean, score_low, score_high: mean, smallest and
        largest over the draws.
    """
    sizes = np.unique(np.geomspace(FEWEST_SAMPLES, len(x), N_SIZES).round().astype(int))
    draws = [
        torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(seed)).to(x)
        for seed in seeds
    ]
    rows = []
    for size in sizes:
        logger.info("unrelated data of %d samples", size)
        # A unit that is constant over these samples has no variance to compare.
        shown = x[:size]
        shown = shown[:, shown.amax(0) > shown.amin(0)]
        others = [draw[:size, : shown.shape[1]] for draw in draws]
        for measure in measures:
            scores = measure.between([shown], others)[0].cpu().numpy()
            summary = (scores.mean(), scores.min(), scores.max())
            rows.append((measure.name, int(size), shown.shape[1], *summary))
    columns = ["measure", "n_samples", "n_neurons", "score_mean", "score_low", "score_high"]
    return pd.DataFrame(rows, columns=columns)
