"""Score a model and compare it with chance, the noise ceiling and other samples."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from scorebounds.measures import registry
from scorebounds.measures.base import Measure, SaturatedScoreWarning
from scorebounds.measures.precision import rank_cutoff, source_precision
from scorebounds.scorecards.ceilings import BELOW_CHANCE, Ceiling, noise_ceiling, splits_of
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.jackknife import CONDITIONS
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import (
    NullScores,
    compare_with_chance,
    corrected_p,
    is_exhaustive,
)
from scorebounds.scorecards.replicates import REPLICATE_COLUMNS, jackknife_replicates
from scorebounds.scorecards.rows import PERMUTED, SHIFTED, WITHHELD
from scorebounds.scorecards.samples import (
    Halves,
    average_trials,
    flatten,
    fold_options,
    grouping_of,
    has_fixed_penalty,
    scale_for_penalty,
    usable_halves,
)
from scorebounds.scorecards.score_intervals import is_corrected, score_interval
from scorebounds.scorecards.sequence import with_exchange
from scorebounds.scorecards.subjects import SubjectCeiling, subject_ceiling

__all__ = ["COLUMNS", "ResamplingSettings", "explained_components", "score_model"]

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
COLUMNS += ["n_trials", "exchange", "interval_note", "match_note", "order_note", "note"]
Device = str | torch.device
# What permutations do not tell if rows may not be exchanged; whether they change a score, they do.
NOT_KNOWN = ("null_mean", "null_sd", "null_low", "null_high", "p")
# Relative difference from the recording up to which a model is a copy of it; that of rounding to
# single precision is smaller.
ROUNDING = 1e-6


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
    averaged, splits = average_trials(matched, settings.seed)
    averaged = with_exchange(averaged)
    measures = [registry.load(name) for name in names]
    card = _Card(averaged, measures, settings, device, usable_halves(matched, splits, halves))
    n_times = averaged.model.shape[0]
    sizes = {
        "n_samples": n_times * averaged.n_conditions,
        "n_conditions": averaged.n_conditions,
        "n_neurons": averaged.model.shape[-1],
        "n_dimensions": card.width,
        "n_reference_neurons": averaged.reference.shape[-1],
        "n_trials": len(matched.condition),
        "n_subjects": math.nan if averaged.subjects is None else len(np.unique(averaged.subjects)),
        "match_note": "; ".join(matched.notes),
        "exchange": averaged.exchange,
        "order_note": averaged.order_note,
    }
    grouping, in_order = grouping_of(matched), averaged.exchange != PERMUTED
    rows: list[dict[str, Any]] = []
    replicates: list[pd.DataFrame] = []
    nulls: dict[str, tuple[float, np.ndarray]] = {}
    for number, measure in enumerate(measures, 1):
        name = measure.name
        logger.info("scoring with %s, %d of %d", name, number, len(names))
        row = {**_facts(measure), **sizes}
        try:
            with warnings.catch_warnings():
                # A saturated score is found by its permutations, and the card says so.
                warnings.simplefilter("ignore", SaturatedScoreWarning)
                scored, null = card.score(measure)
                corrected = is_corrected(measure, scored, n_times) and not in_order
                left_out = _no_replicates()
                if not measure.of_trajectories:
                    left_out = card.replicates(measure, grouping, pairs=corrected)
        except ValueError as error:
            logger.warning("no score with %s: %s", name, error)
            rows.append({**row, "note": str(error)})
            continue
        row["is_perfect"] = _is_perfect(scored, left_out, measure)
        interval = score_interval(scored, left_out, measure, n_times, averaged.exchange)
        rows.append({**row, **scored, **interval})
        if len(left_out):
            replicates.append(left_out)
        if not math.isnan(scored["p"]):
            sign = 1 if measure.higher_is_closer else -1
            nulls[name] = (sign * scored["score"], sign * null)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_corrected"] = table.measure.map(corrected_p(nulls)).astype(float)
    parts = pd.concat(replicates) if replicates else _no_replicates()
    return table, parts


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
    parts = replicates.score[replicates.left_out == CONDITIONS].dropna()
    return all(abs(value - perfect) <= limit for value in (scored["score"], *parts))


def _perfect(measure: Measure) -> float:
    """Return the score of a perfect match, NaN where no data attain it."""
    return measure.perfect if measure.perfect is not None and measure.attains_perfect else math.nan


class _Card:
    """One model and one reference, scored with one measure after the other."""

    def __init__(
        self,
        averaged: Matched,
        measures: Sequence[Measure],
        settings: ResamplingSettings,
        device: Device,
        halves: Sequence[Halves],
    ):
        self.matched, self.settings, self.device = averaged, settings, device
        self.splits, self.ceiling_neurons = splits_of(averaged.reference, halves)
        of_measures = {
            each: (self.matched_for(each), settings.for_measure(each.name).n_permutations)
            for each in measures
        }
        self.nulls = NullScores(of_measures, settings.seed, device)

    @cached_property
    def width(self) -> int:
        """Number of independent units of the model, rounding of its file not counted."""
        model = flatten(self.matched.model)
        values = torch.linalg.svdvals(model - model.mean(0))
        rounding = values[0] * max(model.shape) * torch.finfo(model.dtype).eps
        of_file = rank_cutoff(model, source_precision(model))
        return int((values > torch.maximum(rounding, of_file)).sum())

    @cached_property
    def standardised(self) -> Matched:
        """The data with the model's unit standardised."""
        return replace(self.matched, model=scale_for_penalty(self.matched.model))

    def matched_for(self, measure: Measure) -> Matched:
        """Return the data, with the model's unit standardised where a fixed penalty needs it."""
        if not has_fixed_penalty(measure):
            return self.matched
        return self.standardised

    def score(self, measure: Measure) -> tuple[dict[str, Any], np.ndarray]:
        """Return the numbers of one row, and the null scores."""
        matched = self.matched_for(measure)
        x, y = (flatten(side).to(self.device) for side in (matched.reference, matched.model))
        score_of = measure.against(x, **fold_options(matched, measure, self.device))
        score, self_score = score_of(y).item(), score_of(x).item()
        null = self.nulls.of(measure)
        chance = compare_with_chance(score, null, higher_is_closer=measure.higher_is_closer)
        if matched.exchange == WITHHELD:
            chance |= dict.fromkeys(NOT_KNOWN, math.nan)
        ceiling, ceiling_score = self.ceiling(measure, score, chance)
        of_subjects = self.ceiling_of_subjects(measure, chance)
        row = {
            "score": score,
            "score_calibrated": calibrated(score, chance["null_mean"], measure.perfect),
            "self_score": self_score,
            "own_score": self_score,  # earlier name of the column
            **chance,
            "is_exhaustive": is_exhaustive(
                matched.n_conditions,
                len(null),
                matched.groups,
                shifts=matched.exchange == SHIFTED,
            ),
            "ceiling": ceiling.value,
            "ceiling_low": ceiling.low,
            "ceiling_high": ceiling.high,
            "ceiling_score": ceiling_score,
            "ceiling_note": ceiling.note,
            "subject_ceiling": of_subjects.value,
            "subject_ceiling_low": of_subjects.low,
            "subject_ceiling_high": of_subjects.high,
            "subject_ceiling_score": of_subjects.model_score,
            "subject_ceiling_note": of_subjects.note,
        }
        return row, null

    def ceiling(
        self, measure: Measure, score: float, chance: Mapping[str, float | bool]
    ) -> tuple[Ceiling, float]:
        """Return the ceiling, and the score over the neurons that it is of."""
        if math.isnan(chance["p"]):
            return Ceiling(), math.nan
        ceiling = noise_ceiling(
            self.splits,
            measure,
            width=self.width,
            n_groups=self.settings.n_groups,
            seed=self.settings.seed,
        )
        if math.isnan(ceiling.value):
            return ceiling, math.nan
        if ceiling.value <= chance["null_high"]:
            return Ceiling(note=BELOW_CHANCE), math.nan
        if self.ceiling_neurons.all():
            return ceiling, score
        matched = self.matched_for(measure)
        part = replace(matched, reference=matched.reference[..., self.ceiling_neurons])
        x, y = (flatten(side).to(self.device) for side in (part.reference, part.model))
        return ceiling, measure.score(x, y, **fold_options(part, measure, self.device)).item()

    def ceiling_of_subjects(
        self, measure: Measure, chance: Mapping[str, float | bool]
    ) -> SubjectCeiling:
        """Return the inter-subject ceiling."""
        if not chance["is_informative"]:
            return SubjectCeiling()
        matched, seed = self.matched_for(measure), self.settings.seed
        return subject_ceiling(matched, measure, seed=seed, device=self.device)

    def replicates(self, measure: Measure, grouping: str, *, pairs: bool) -> pd.DataFrame:
        """Return the jackknife replicates."""
        return jackknife_replicates(
            self.matched_for(measure),
            measure,
            n_groups=self.settings.n_groups,
            seed=self.settings.seed,
            grouping=grouping,
            pairs=pairs,
            device=self.device,
        )


def calibrated(score: float, null_mean: float, perfect: float | None) -> float:
    """Return (score − chance) / (perfect − chance): 0 at chance, 1 at a perfect score.

    Gröger et al. 2026. NaN for a measure without a perfect score.
    """
    if perfect is None or math.isnan(perfect) or math.isclose(perfect, null_mean):
        return math.nan
    return (score - null_mean) / (perfect - null_mean)
