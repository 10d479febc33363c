"""The numbers of one measure on a score card: score, chance, ceilings and replicates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from scorebounds.measures.base import Measure
from scorebounds.measures.precision import rank_cutoff, source_precision
from scorebounds.measures.sampled import shared_among_neurons
from scorebounds.scorecards.ceilings import BELOW_CHANCE, Ceiling, noise_ceiling, splits_of
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import NullScores, compare_with_chance, is_exhaustive
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.rows import SHIFTED, WITHHELD
from scorebounds.scorecards.samples import (
    Halves,
    flatten,
    fold_options,
    has_fixed_penalty,
    scale_for_penalty,
)
from scorebounds.scorecards.subjects import SubjectCeiling, subject_ceiling

Device = str | torch.device
# What permutations do not tell if rows may not be exchanged; whether they change a score, they do.
NOT_KNOWN = ("null_mean", "null_sd", "null_low", "null_high", "p")


class Scorer:
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

    @property
    def shared_among_neurons(self) -> float:
        """Share of the recording's structure that its neurons have in common; NaN of components."""
        if self.matched.of_components:
            return math.nan
        return shared_among_neurons(flatten(self.matched.reference).to(self.device))

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
