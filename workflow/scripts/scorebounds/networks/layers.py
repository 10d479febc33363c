"""Correspondence between layers of networks that differ only in their seed (Kornblith et al. 2019).

Tables of scores between layers, and how often the most similar layer is the corresponding one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width

SCORE_COLUMNS = ["measure", "networks", "network", "layer", "other_network", "other_layer", "score"]
# Scores closer than this are a tie, so that rounding does not decide which layer is most similar.
TIE = 1e-9

# Share of layers found between ten networks of ten layers on CIFAR-10, in per cent.
# Kornblith et al. 2019, table 2.
PUBLISHED_CIFAR10 = {
    "cca": 1.4,
    "cca_r2": 10.6,
    "svcca": 9.9,
    "svcca_r2": 15.1,
    "pwcca": 11.1,
    "linreg": 45.4,
    "hsic": 22.2,
    "cka": 99.3,
    "cka_rbf_0.2": 80.6,
    "cka_rbf_0.4": 99.1,
    "cka_rbf_0.8": 99.3,
}


def scores_table(scores: np.ndarray, measure: str, networks: str) -> pd.DataFrame:
    """Put scores between all layers of all networks into a tidy table, counted from 1.

    Parameters
    ----------
    scores : ndarray, shape (n_networks, n_layers, n_networks, n_layers)
    measure, networks : str
        `networks` is `trained` or `untrained`.
    """
    index = np.indices(scores.shape).reshape(4, -1) + 1
    columns = dict(zip(SCORE_COLUMNS[2:6], index, strict=True))
    table = pd.DataFrame({"measure": measure, "networks": networks, **columns})
    return table.assign(score=scores.ravel())[SCORE_COLUMNS]


def match_accuracy(scores: np.ndarray, *, higher_is_closer: bool) -> np.ndarray:
    """Return for each layer whether its most similar layer elsewhere is the corresponding one.

    Parameters
    ----------
    scores : ndarray, shape (n_networks, n_layers, n_networks, n_layers)
    higher_is_closer : bool

    Returns
    -------
    ndarray, shape (n_networks, n_networks, n_layers)
        1 or 0; 1/k where k layers tie for the most similar and the corresponding one is among
        them. NaN between a network and itself.
    """
    closeness = (scores if higher_is_closer else -scores).transpose(0, 2, 1, 3)
    best = closeness.max(-1, keepdims=True)
    tied = closeness >= best - TIE * np.maximum(1, np.abs(best))
    share = np.diagonal(tied, axis1=2, axis2=3) / tied.sum(-1)
    itself = np.eye(len(scores), dtype=bool)
    return np.where(itself[:, :, None], np.nan, share)


def accuracy_with_interval(shares: np.ndarray) -> tuple[float, float, float]:
    """Return the share of layers found over all pairs of networks, with its 95 % interval.

    Parameters
    ----------
    shares : ndarray, shape (n_networks, n_networks, n_layers)
        From `match_accuracy`.

    Returns
    -------
    tuple of float
        Mean, and the interval by the jackknife over networks, because pairs that share a
        network are not independent; clipped to [0, 1]. NaN with fewer than three networks.
        Arvesen 1969, Jackknifing U-statistics, doi:10.1214/aoms/1177697287.
    """
    n = len(shares)
    mean = float(np.nanmean(shares))
    if n < 3:
        return mean, np.nan, np.nan
    without = [
        np.nanmean(np.delete(np.delete(shares, left_out, 0), left_out, 1)) for left_out in range(n)
    ]
    pseudo = n * mean - (n - 1) * np.array(without)
    half = half_width(pseudo.std(ddof=1) / n**0.5, n - 1)
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def summarize_layers(scores: pd.DataFrame, *, higher_is_closer: bool) -> pd.DataFrame:
    """Return the share of layers matched correctly, a row per measure and kind of network.

    Parameters
    ----------
    scores : DataFrame
        Of one measure, from `scores_table`.
    higher_is_closer : bool

    Returns
    -------
    DataFrame
        Columns measure, networks, accuracy, low, high, chance, n_networks, n_layers,
        published_cifar10; NaN where nothing was published.
    """
    rows = []
    for (measure, networks), table in scores.groupby(["measure", "networks"], sort=False):
        n_networks, n_layers = int(table.network.max()), int(table.layer.max())
        cube = table.score.to_numpy().reshape(n_networks, n_layers, n_networks, n_layers)
        shares = match_accuracy(cube, higher_is_closer=higher_is_closer)
        row = (measure, networks, *accuracy_with_interval(shares), 1 / n_layers)
        published = PUBLISHED_CIFAR10.get(str(measure), np.nan) / 100
        rows.append((*row, n_networks, n_layers, published if networks == "trained" else np.nan))
    columns = ["measure", "networks", "accuracy", "low", "high", "chance"]
    return pd.DataFrame(rows, columns=[*columns, "n_networks", "n_layers", "published_cifar10"])


def closeness_maps(scores: pd.DataFrame, *, higher_is_closer: bool) -> pd.DataFrame:
    """Average the scores of layers of trained networks, between networks and within one.

    Parameters
    ----------
    scores : DataFrame
        Of one measure, from `scores_table`.
    higher_is_closer : bool

    Returns
    -------
    DataFrame
        Columns measure, where, layer, other_layer, score, closeness: 1 for the closest layers of a
        map, 0 for the farthest.
    """
    trained = scores[scores.networks == "trained"]
    same = trained.network == trained.other_network
    maps = []
    for where, rows in (("between networks", trained[~same]), ("within a network", trained[same])):
        mean = rows.groupby(["measure", "layer", "other_layer"], sort=False).score.mean()
        table = mean.reset_index()
        signed_score = table.score if higher_is_closer else -table.score
        # TIE avoids a division by zero where all scores are equal.
        score_range = max(signed_score.max() - signed_score.min(), TIE)
        closeness = 1 - (signed_score.max() - signed_score) / score_range
        maps.append(table.assign(where=where, closeness=closeness))
    return pd.concat(maps)


def drop_constant(activations: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Drop the units that are constant over images; return the others and the number dropped."""
    kept = [layer[:, np.ptp(layer, axis=0) > 0] for layer in activations]
    n_silent = sum(
        layer.shape[1] - left.shape[1] for layer, left in zip(activations, kept, strict=True)
    )
    return kept, n_silent
