"""Correspondence between layers of networks that differ only in their seed (Kornblith et al. 2019).

Tables of scores between layers, and how often the most similar layer is the corresponding one.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width

PLACE_COLUMNS = ["network", "layer", "other_network", "other_layer"]
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


def scores_table(
    scores: np.ndarray, measure: str, networks: str, *, higher_is_closer: bool
) -> pd.DataFrame:
    """Put scores between all layers of all networks into a tidy table, counted from 1.

    Parameters
    ----------
    scores : ndarray, shape (n_networks, n_layers, n_networks, n_layers)
    measure, networks : str
        `networks` is `trained` or `untrained`.
    higher_is_closer : bool

    Returns
    -------
    DataFrame
        Columns measure, higher_is_closer, networks, network, layer, other_network, other_layer,
        score; the second layer is the one from which an asymmetric measure predicts the first.
    """
    index = np.indices(scores.shape).reshape(4, -1) + 1
    places = dict(zip(PLACE_COLUMNS, index, strict=True))
    table = pd.DataFrame(
        {"measure": measure, "higher_is_closer": higher_is_closer, "networks": networks, **places}
    )
    return table.assign(score=scores.ravel())


def symmetrised(scores: np.ndarray) -> np.ndarray:
    """Average the scores of each pair of layers over both directions.

    Parameters
    ----------
    scores : ndarray, shape (n_networks, n_layers, n_networks, n_layers)
        Of a measure whose score depends on which of the two is predicted.

    Returns
    -------
    ndarray, shape (n_networks, n_layers, n_networks, n_layers)
        (S + Sᵀ) / 2; Kornblith et al. 2019, caption of table 2.
    """
    mean: np.ndarray = (scores + scores.transpose(2, 3, 0, 1)) / 2
    return mean


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


def jackknifed(shares: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the share of layers found over all pairs of networks, and its pseudo-values.

    Parameters
    ----------
    shares : ndarray, shape (n_networks, n_networks, n_layers)
        From `match_accuracy`.

    Returns
    -------
    tuple of float and ndarray, shape (n_networks,)
        Mean, and the pseudo-values of the jackknife over networks, because pairs that share a
        network are not independent. Arvesen 1969, Jackknifing U-statistics,
        doi:10.1214/aoms/1177697287.
    """
    n = len(shares)
    mean = float(np.nanmean(shares))
    if n < 3:
        return mean, np.full(n, np.nan)
    replicates = [
        np.nanmean(np.delete(np.delete(shares, left_out, 0), left_out, 1)) for left_out in range(n)
    ]
    return mean, n * mean - (n - 1) * np.array(replicates)


def interval(mean: float, pseudo: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a share of layers, clipped to [0, 1].

    Parameters
    ----------
    mean : float
    pseudo : ndarray
        From `jackknifed`; the interval is NaN with fewer than three networks.
    """
    half = half_width(standard_error(pseudo), len(pseudo) - 1)
    low, high = np.clip([mean - half, mean + half], 0, 1)
    return float(low), float(high)


def standard_error(pseudo: np.ndarray) -> float:
    """Return the standard error of the mean of pseudo-values."""
    return float(pseudo.std(ddof=1) / len(pseudo) ** 0.5)


def summarize_layers(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the share of layers matched correctly, a row per measure and kind of network.

    Scores of asymmetric measures are averaged over both directions first.

    Parameters
    ----------
    scores : DataFrame
        From `scores_table`.

    Returns
    -------
    DataFrame
        Columns measure, networks, accuracy, low, high, p_below_best, accuracy_one_direction,
        chance, n_networks, n_layers, published_cifar10. `p_below_best` is that of a one-sided
        jackknife z-test of the difference from the measure with the highest accuracy, not corrected
        for the number of measures. `accuracy_one_direction` is without the average over directions.
        NaN where nothing was published, and where fewer than three networks allow no interval.
    """
    rows = []
    pseudo_values = {}
    for name, table in scores.groupby(["measure", "networks"], sort=False):
        measure, networks = map(str, name)
        n_networks, n_layers = int(table.network.max()), int(table.layer.max())
        cube = table.score.to_numpy().reshape(n_networks, n_layers, n_networks, n_layers)
        up = bool(table.higher_is_closer.iloc[0])
        accuracy, pseudo = jackknifed(match_accuracy(symmetrised(cube), higher_is_closer=up))
        pseudo_values[measure, networks] = pseudo
        low, high = interval(accuracy, pseudo)
        published = PUBLISHED_CIFAR10.get(measure, np.nan) / 100
        rows.append(
            {
                "measure": measure,
                "networks": networks,
                "accuracy": accuracy,
                "low": low,
                "high": high,
                "accuracy_one_direction": np.nanmean(match_accuracy(cube, higher_is_closer=up)),
                "chance": 1 / n_layers,
                "n_networks": n_networks,
                "n_layers": n_layers,
                "published_cifar10": published if networks == "trained" else np.nan,
            }
        )
    summary = pd.DataFrame(rows)
    best = summary.loc[summary.groupby("networks").accuracy.idxmax()]
    best_of = dict(zip(best.networks, best.measure, strict=True))
    p_values = [
        p_below(pseudo_values[best_of[networks], networks], pseudo_values[measure, networks])
        for measure, networks in zip(summary.measure, summary.networks, strict=True)
    ]
    summary.insert(5, "p_below_best", p_values)
    return summary


def p_below(best: np.ndarray, other: np.ndarray) -> float:
    """Return the one-sided p of a jackknife z-test that `other` has the lower mean.

    Parameters
    ----------
    best, other : ndarray
        Pseudo-values of two measures on the same networks; NaN gives NaN.
    """
    difference = best - other
    error = standard_error(difference)
    if error == 0:
        return 0.0 if difference.mean() > 0 else 1.0
    z = difference.mean() / error
    return float("nan") if np.isnan(z) else float(NormalDist().cdf(-z))


def closeness_maps(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the scores of layers of trained networks, between networks and within one.

    Scores are of one direction: each map has the layer that is predicted along its rows.

    Parameters
    ----------
    scores : DataFrame
        From `scores_table`.

    Returns
    -------
    DataFrame
        Columns measure, where, layer, other_layer, score, closeness: 1 for the closest layers of a
        map, 0 for the farthest.
    """
    trained = scores[scores.networks == "trained"]
    same = trained.network == trained.other_network
    of_map = ["measure", "higher_is_closer", "layer", "other_layer"]
    maps = []
    for _, of_measure in trained.groupby("measure", sort=False):
        between = of_measure[~same.loc[of_measure.index]]
        within = of_measure[same.loc[of_measure.index]]
        for where, rows in (("between networks", between), ("within a network", within)):
            table = rows.groupby(of_map, sort=False).score.mean().reset_index()
            signed = table.score.where(table.higher_is_closer, -table.score)
            # TIE avoids a division by zero where all scores are equal.
            closeness = 1 - (signed.max() - signed) / max(signed.max() - signed.min(), TIE)
            maps.append(table.assign(where=where, closeness=closeness))
    columns = ["measure", "where", "layer", "other_layer", "score", "closeness"]
    return pd.concat(maps, ignore_index=True)[columns]


def drop_constant(activations: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Drop the units that are constant over images; return the others and the number dropped."""
    kept = [layer[:, np.ptp(layer, axis=0) > 0] for layer in activations]
    n_silent = sum(
        layer.shape[1] - left.shape[1] for layer, left in zip(activations, kept, strict=True)
    )
    return kept, n_silent
