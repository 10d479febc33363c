"""Score a model and compare it with chance, the noise ceiling and other samples."""

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.intervals import CONFIDENCE
from scorebounds.measures import registry
from scorebounds.measures.base import Measure
from scorebounds.measures.pair import Pair, Reference
from scorebounds.optimization.capture import captured_variance, principal_components
from scorebounds.scorecards.jackknife import CONDITIONS, NEURONS, REPLICATE_COLUMNS, ci_half_width
from scorebounds.scorecards.matching import Matched

logger = logging.getLogger(__name__)

# Scores that differ by less are equal: a shuffle that changes nothing must not lose by rounding.
TIE = 1e-9
COLUMNS = [
    *("measure", "score", "score_low", "score_high", "self_score", "own_score"),
    *("null_mean", "null_sd", "null_low", "null_high", "p", "n_permutations"),
    *("ceiling_low", "ceiling_high", "higher_is_closer"),
    *("n_samples", "n_conditions", "n_neurons", "note"),
]
Halves = tuple[np.ndarray, np.ndarray]
Device = str | torch.device


@dataclass(frozen=True)
class ResamplingSettings:
    """Numbers of shuffles and jackknife groups, and the seed.

    Attributes
    ----------
    n_permutations : int
        Shuffles of the model's conditions.
    n_groups : int
        Parts of the conditions, and of the neurons, each of which the jackknife leaves out once.
    seed : int
    n_permutations_of : mapping of str to int
        Shuffles for the measures that have a number of their own.
    """

    n_permutations: int
    n_groups: int
    seed: int
    n_permutations_of: Mapping[str, int] = field(default_factory=dict)

    def for_measure(self, measure: str) -> "ResamplingSettings":
        """Return the settings for one measure."""
        own = self.n_permutations_of.get(measure, self.n_permutations)
        return replace(self, n_permutations=own)


def score_model(
    matched: Matched,
    names: Sequence[str],
    settings: ResamplingSettings,
    halves: Halves | None = None,
    device: Device = "cpu",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a model with every measure, with chance, noise ceiling and interval.

    Parameters
    ----------
    matched : Matched
    names : sequence of str
        Measures.
    settings : ResamplingSettings
    halves : tuple of ndarray, optional
        Averages of the reference over either half of its trials.
    device : str or torch.device
        Where to compute.

    Returns
    -------
    scores : DataFrame
        A row per measure, see `COLUMNS`. Where a measure is not defined for the data the numbers
        are missing and `note` says why.
    replicates : DataFrame
        `jackknife_replicates` of every measure.
    """
    n_times, n_conditions, n_neurons = matched.model.shape
    n_samples = n_times * len(matched.condition)
    sizes = {"n_samples": n_samples, "n_conditions": n_conditions, "n_neurons": n_neurons}
    rows, replicates = [], []
    for number, name in enumerate(names, 1):
        logger.info("scoring with %s, %d of %d", name, number, len(names))
        measure = registry.load(name)
        row = {"measure": name, "higher_is_closer": measure.higher_is_closer, "note": "", **sizes}
        try:
            left_out = jackknife_replicates(
                matched, measure, n_groups=settings.n_groups, seed=settings.seed, device=device
            )
            scored = _score_one(matched, measure, settings.for_measure(name), halves, device)
            rows.append({**row, **scored, **_interval(scored["score"], left_out, measure)})
            replicates.append(left_out)
        except ValueError as error:
            logger.warning("no score with %s: %s", name, error)
            rows.append({**row, "note": str(error)})
    parts = pd.concat(replicates) if replicates else pd.DataFrame(columns=REPLICATE_COLUMNS)
    return pd.DataFrame(rows, columns=COLUMNS), parts


def _score_one(
    matched: Matched,
    measure: Measure,
    settings: ResamplingSettings,
    halves: Halves | None,
    device: Device,
) -> dict[str, float]:
    x = _flat(matched.reference).to(device)
    score_of = measure.against(x)
    score = score_of(_flat(matched.model[:, matched.condition]).to(device)).item()
    self_score = score_of(x).item()
    null = null_scores(matched, measure, settings, device)
    return {
        "score": score,
        "self_score": self_score,
        "own_score": self_score,  # earlier name of the column
        **compare_with_chance(score, null, higher_is_closer=measure.higher_is_closer),
        **noise_ceiling(matched, measure, halves, device),
    }


def _interval(score: float, replicates: pd.DataFrame, measure: Measure) -> dict[str, float]:
    half, (least, most) = ci_half_width(replicates), measure.bounds
    return {"score_low": max(score - half, least), "score_high": min(score + half, most)}


def jackknife_replicates(
    matched: Matched, measure: Measure, *, n_groups: int, seed: int, device: Device = "cpu"
) -> pd.DataFrame:
    """Score a model without each group of conditions, and of neurons of the reference, in turn.

    Parameters
    ----------
    matched : Matched
    measure : Measure
    n_groups : int
        Of either; fewer where there are fewer conditions or neurons.
    seed : int
        Of the recording: it alone decides which rows and neurons make a group.
    device : str or torch.device
        Where to compute.

    Returns
    -------
    DataFrame
        `REPLICATE_COLUMNS`: left_out is conditions or neurons, grouping is equal for models that
        lose the same rows. Nothing is left out of which there are not two.
    """
    rng = np.random.default_rng(seed)
    x, y, condition = matched.reference, matched.model, matched.condition
    grouping = f"{zlib.crc32(condition.astype('<i8').tobytes()):08x}"
    rows = []
    for left_out, of, number in (
        (CONDITIONS, matched.n_conditions, condition),
        (NEURONS, x.shape[-1], np.arange(x.shape[-1])),
    ):
        n = min(n_groups, of)
        group = rng.permutation(np.arange(of) % n)[number]
        for index in range(n) if n > 1 else ():
            stays = group != index
            parts = (
                (x[:, stays], y[:, condition[stays]])
                if left_out == CONDITIONS
                else (x[..., stays], y[:, condition])
            )
            score = measure.score(*(_flat(part).to(device) for part in parts)).item()
            rows.append((measure.name, left_out, index + 1, score, grouping))
    return pd.DataFrame(rows, columns=REPLICATE_COLUMNS)


def null_scores(
    matched: Matched, measure: Measure, settings: ResamplingSettings, device: Device = "cpu"
) -> np.ndarray:
    """Score the model with its conditions shuffled.

    Whole conditions are exchanged, so that a time course which all of them share stays: it is no
    evidence of what a model knows about the conditions. Without an axis of time, samples are.

    Returns
    -------
    ndarray, shape (n_permutations,)
    """
    rng = np.random.default_rng(settings.seed)
    orders = (rng.permutation(matched.n_conditions) for _ in range(settings.n_permutations))
    x = _flat(matched.reference).to(device)
    if matched.is_balanced:
        y = _flat(matched.model[:, matched.condition]).to(device)
        rows = (_shuffled_rows(matched, order).to(device) for order in orders)
        return measure.reordered(x, y, rows).cpu().numpy()
    # With more rows of some conditions than of others, a shuffled model has another variance.
    score_of = measure.against(x)
    shuffled = (matched.model[:, order[matched.condition]] for order in orders)
    return np.array([score_of(_flat(copy).to(device)).item() for copy in shuffled])


def _shuffled_rows(matched: Matched, order: np.ndarray) -> Tensor:
    """Return for each sample one of the condition that takes its place, at the same time."""
    _, first = np.unique(matched.condition, return_index=True)
    row, n_rows = first[order[matched.condition]], len(matched.condition)
    n_times = matched.model.shape[0]
    return torch.from_numpy((np.arange(n_times)[:, None] * n_rows + row).ravel())


def _flat(activity: np.ndarray) -> Tensor:
    """Return (n_times, n_rows, n_neurons) as samples × neurons."""
    return torch.from_numpy(np.ascontiguousarray(activity).reshape(-1, activity.shape[-1]))


def compare_with_chance(
    score: float, null: np.ndarray, *, higher_is_closer: bool
) -> dict[str, float]:
    """Compare a score with scores of shuffled conditions.

    Returns
    -------
    dict
        `null_mean`, `null_sd`; `null_low` and `null_high`, beyond which 5 % of them lie on either
        side; `p` = (b + 1)/(m + 1), b of the m being at least as close (Phipson and Smyth 2010).
    """
    tie = TIE * max(1.0, abs(score))
    as_close = null >= score - tie if higher_is_closer else null <= score + tie
    return {
        "null_mean": float(null.mean()),
        "null_sd": float(null.std(ddof=1)) if len(null) > 1 else float("nan"),
        "null_low": float(np.quantile(null, 1 - CONFIDENCE)),
        "null_high": float(np.quantile(null, CONFIDENCE)),
        "p": float((as_close.sum() + 1) / (len(null) + 1)),
        "n_permutations": len(null),
    }


def noise_ceiling(
    matched: Matched, measure: Measure, halves: Halves | None, device: Device = "cpu"
) -> dict[str, float]:
    """Return between which scores a model would lie that knows every condition's true mean.

    With single trials in the reference: a trial scored with the average over the other trials of
    its condition, and over all of them (Nili et al. 2014). With averages over either half of the
    trials: one half scored with the other, and with the whole, which is the reference; over the
    neurons that have both halves.

    Returns
    -------
    dict
        `ceiling_low`, `ceiling_high`; NaN where there are no trials.
    """
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    if matched.has_trials:
        of_others, of_all = _condition_means(matched)
        pairs = [(matched.reference, of_others), (matched.reference, of_all)]
    elif halves is not None:
        first, second = (np.reshape(half, matched.reference.shape) for half in halves)
        whole = np.isfinite(first + second).all(axis=(0, 1))
        if whole.any():
            first, second = first[..., whole], second[..., whole]
            pairs = [(first, second), (matched.reference[..., whole], first)]
    scores = [measure.score(_flat(x).to(device), _flat(y).to(device)).item() for x, y in pairs] or [
        float("nan")
    ]
    return {"ceiling_low": min(scores), "ceiling_high": max(scores)}


def _condition_means(matched: Matched) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the mean of its condition's other rows, and of all of them."""
    x, condition = matched.reference, matched.condition
    count = np.bincount(condition)
    total = np.stack([x[:, condition == number].sum(1) for number in range(len(count))], axis=1)
    whole = total[:, condition]
    n_trials = count[condition][:, None]
    return (whole - x) / (n_trials - 1), whole / n_trials


def explained_components(matched: Matched, device: Device = "cpu") -> pd.DataFrame:
    """Tell how much of each PC of the reference the model itself explains, by least squares.

    Returns
    -------
    DataFrame
        Columns target (number of the PC), variance_ratio, r2; r2 is missing where the model has
        as many neurons as samples allow, for it would be 1 whatever the model.
    """
    components = principal_components(_flat(matched.reference).to(device))
    y = _flat(matched.model[:, matched.condition]).to(device)
    ratios = components.variance_ratio.cpu().numpy()
    if y.shape[-1] >= len(y) - 1:
        r2 = np.full(len(ratios), np.nan)
    else:
        pair = Pair(Reference(components.scores), y)
        r2 = captured_variance(pair, components).cpu().numpy()
    return pd.DataFrame(
        {"target": np.arange(1, len(ratios) + 1), "variance_ratio": ratios, "r2": r2}
    )
