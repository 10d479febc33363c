"""Score a model and compare it with chance, the noise ceiling and other samples."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import entry_of
from scorebounds.measures import registry
from scorebounds.measures.base import Measure, SaturatedScoreWarning
from scorebounds.scorecards.jackknife import CONDITIONS, REPEATED
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import corrected_p
from scorebounds.scorecards.repeats import equal_rows, with_equal_rows
from scorebounds.scorecards.replicates import REPLICATE_COLUMNS
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.rows import PERMUTED
from scorebounds.scorecards.samples import (
    Halves,
    average_trials,
    flatten,
    grouping_of,
    usable_halves,
)
from scorebounds.scorecards.score_intervals import is_corrected, score_interval
from scorebounds.scorecards.scorer import Device, Scorer
from scorebounds.scorecards.sequence import with_exchange

logger = logging.getLogger(__name__)

COLUMNS = ["measure", "score", "score_low", "score_high", "score_corrected", "score_calibrated"]
COLUMNS += ["self_score", "own_score", "null_mean", "null_sd", "null_low", "null_high"]
COLUMNS += ["p", "p_corrected", "smallest_p", "n_permutations", "is_exhaustive"]
COLUMNS += ["is_informative", "is_perfect"]
COLUMNS += ["ceiling", "ceiling_low", "ceiling_high", "ceiling_score", "ceiling_note"]
COLUMNS += ["subject_ceiling", "subject_ceiling_low", "subject_ceiling_high"]
COLUMNS += ["subject_ceiling_score", "subject_ceiling_note", "n_subjects"]
COLUMNS += ["higher_is_closer", "perfect", "is_held_out_r2"]
COLUMNS += ["n_samples", "n_conditions", "n_neurons", "n_dimensions", "n_reference_neurons"]
COLUMNS += ["shared_among_neurons", "n_trials", "exchange"]
COLUMNS += ["interval_note", "match_note", "order_note", "note"]
# Relative difference from the recording up to which a model is a copy of it; that of rounding to
# single precision is smaller.
ROUNDING = 1e-6


def score_model(
    matched: Matched,
    names: Sequence[str],
    settings: ResamplingSettings,
    halves: Halves | None = None,
    device: Device = "cpu",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a model with every measure, with chance, noise ceiling and interval.

    Rows of the reference that share a condition are averaged (`samples.average_trials`). With an
    axis of time, cross-validated measures hold out whole conditions.

    Parameters
    ----------
    matched : Matched
    names : sequence of str
        Measures.
    settings : ResamplingSettings
    halves : tuple of ndarray, optional
        Averages of the reference over either half of its trials, where it holds averages.
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
    given, matched = matched, with_equal_rows(matched)
    for note in matched.notes[len(given.notes) :]:
        logger.warning("%s", note)
    averaged, splits = average_trials(matched, settings.seed)
    averaged = with_exchange(averaged)
    measures = [registry.load(name) for name in names]
    scorer = Scorer(averaged, measures, settings, device, usable_halves(matched, splits, halves))
    facts = _facts_of_data(matched, scorer)
    n_distinct = int(equal_rows(flatten(averaged.model)[None].numpy()).max()) + 1
    grouping = grouping_of(matched)
    rows: list[dict[str, Any]] = []
    replicates: list[pd.DataFrame] = []
    nulls: dict[str, tuple[float, np.ndarray]] = {}
    for number, measure in enumerate(measures, 1):
        name = measure.name
        logger.info("scoring with %s, %d of %d", name, number, len(names))
        row = {**_facts(measure), **facts}
        try:
            scored, null, left_out = _score(scorer, measure, grouping)
        except ValueError as error:
            logger.warning("no score with %s: %s", name, error)
            rows.append({**row, "note": str(error)})
            continue
        # Rows that are equal on both sides leave a regression or CCA fewer to fit.
        saturates = entry_of(name).saturates and scorer.width >= n_distinct - 1
        row["is_perfect"] = not saturates and _is_perfect(scored, left_out, measure)
        n_times, exchange = averaged.model.shape[0], averaged.exchange
        row |= scored
        rows.append({**row, **score_interval(row, left_out, measure, n_times, exchange)})
        if len(left_out):
            replicates.append(left_out)
        if not math.isnan(scored["p"]):
            sign = 1 if measure.higher_is_closer else -1
            nulls[name] = (sign * scored["score"], sign * null)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_corrected"] = table.measure.map(corrected_p(nulls)).astype(float)
    return table, pd.concat(replicates) if replicates else _no_replicates()


def _score(
    scorer: Scorer, measure: Measure, grouping: str
) -> tuple[dict[str, Any], np.ndarray, pd.DataFrame]:
    """Return the numbers of a measure, its null scores and its replicates."""
    averaged = scorer.matched
    with warnings.catch_warnings():
        # A saturated score is found by its permutations, and the card says so.
        warnings.simplefilter("ignore", SaturatedScoreWarning)
        scored, null = scorer.score(measure)
        if measure.of_trajectories:
            return scored, null, _no_replicates()
        is_permuted = averaged.exchange == PERMUTED
        corrected = is_permuted and is_corrected(measure, scored, averaged.model.shape[0])
        return scored, null, scorer.replicates(measure, grouping, pairs=corrected)


def _facts_of_data(matched: Matched, scorer: Scorer) -> dict[str, Any]:
    """Return what all rows of a card have in common."""
    averaged = scorer.matched
    return {
        "n_samples": averaged.model.shape[0] * averaged.n_conditions,
        "n_conditions": averaged.n_conditions,
        "n_neurons": averaged.model.shape[-1],
        "has_groups": _has_groups(averaged),
        "n_dimensions": scorer.width,
        "n_reference_neurons": averaged.reference.shape[-1],
        "shared_among_neurons": scorer.shared_among_neurons,
        "n_trials": len(matched.condition),
        "n_subjects": math.nan if averaged.subjects is None else len(np.unique(averaged.subjects)),
        "match_note": "; ".join(matched.notes),
        "exchange": averaged.exchange,
        "order_note": averaged.order_note,
    }


def _has_groups(matched: Matched) -> bool:
    """Return whether several conditions are held out together."""
    return matched.groups is not None and len(np.unique(matched.groups)) < matched.n_conditions


def _no_replicates() -> pd.DataFrame:
    return pd.DataFrame(columns=REPLICATE_COLUMNS)


def _facts(measure: Measure) -> dict[str, Any]:
    return {
        "measure": measure.name,
        "higher_is_closer": measure.higher_is_closer,
        "perfect": _perfect(measure),
        "is_held_out_r2": measure.bounds[0] == -math.inf,
        "is_exhaustive": False,
        "is_informative": False,
        "is_perfect": False,
        "ceiling_note": "",
        "subject_ceiling_note": "",
        "interval_note": "",
        "note": "",
    }


def _is_perfect(scored: Mapping[str, Any], replicates: pd.DataFrame, measure: Measure) -> bool:
    """Return whether a score is that of a copy: perfect with and without groups of conditions.

    One outlying condition can bring CKA, NBS and regression to 1, up to rounding. A difference ε
    changes angles and distances by about ε of the way from perfect to chance, and other scores by
    about its square.
    """
    perfect, null_mean = _perfect(measure), scored["null_mean"]
    way = 1.0 if math.isnan(null_mean) else abs(perfect - null_mean)
    is_linear = measure.angular or not measure.higher_is_closer
    limit = way * (ROUNDING if is_linear else ROUNDING**2)
    parts = replicates.score[replicates.left_out.isin([CONDITIONS, REPEATED])].dropna()
    return all(abs(value - perfect) <= limit for value in (scored["score"], *parts))


def _perfect(measure: Measure) -> float:
    """Return the score of a perfect match, NaN where no data attain it."""
    return measure.perfect if measure.perfect is not None and measure.attains_perfect else math.nan
