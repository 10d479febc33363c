"""The inter-subject ceiling: how well the data of other subjects match those of one subject.

Each subject's neurons are the recording in turn, and the neurons of all others are the model.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from scorebounds.core.measure_table import entry_of
from scorebounds.measures.base import Measure
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import TIE, Device, null_scores, orders_of
from scorebounds.scorecards.rows import WITHHELD
from scorebounds.scorecards.samples import (
    flatten,
    fold_options,
    has_fixed_penalty,
    scale_for_penalty,
)

# Permutations of the conditions of the other subjects: the fewest with which p can be 0.05.
N_PERMUTATIONS = 19
FITTED = (
    "fitted scores rise with the number of units, and the other subjects do not have as many as "
    "the model"
)
CORRELATED = "neighbouring rows are correlated, so that it cannot be compared with chance"
NO_AGREEMENT = "the subjects do not agree better than chance"
WORSE_THAN_MEAN = "the other subjects predict a subject no better than the mean"
TOO_FEW_ORDERS = "there are too few permutations of the conditions to compare it with chance"


@dataclass(frozen=True)
class SubjectCeiling:
    """Scores of single subjects; NaN where `note` says why, or without subjects.

    Attributes
    ----------
    value : float
        Mean over subjects of the score of the other subjects' neurons with the subject's.
    low, high : float
        Smallest and largest of these scores.
    model_score : float
        Mean over subjects of the score of the model with the subject's neurons.
    note : str
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    model_score: float = math.nan
    note: str = ""


def subject_ceiling(
    matched: Matched, measure: Measure, *, seed: int, device: Device = "cpu"
) -> SubjectCeiling:
    """Score each subject with the others, and with the model.

    Parameters
    ----------
    matched : Matched
        With one row per condition, and the subject of each neuron.
    measure : Measure
    seed : int
        Of the permutations by which the agreement is compared with chance.
    device : str or torch.device
    """
    if matched.subjects is None or measure.of_trajectories:
        return SubjectCeiling()
    if entry_of(measure.name).saturates or _is_fitted(measure):
        return SubjectCeiling(note=FITTED)
    if matched.exchange == WITHHELD:
        return SubjectCeiling(note=CORRELATED)
    orders = orders_of(matched, N_PERMUTATIONS, seed)
    if len(orders) < N_PERMUTATIONS:
        return SubjectCeiling(note=TOO_FEW_ORDERS)
    members = [matched.subjects == subject for subject in np.unique(matched.subjects)]
    pairs = [_one_subject(matched, measure, each) for each in members]
    try:
        scores = np.array([_score(pair, measure, device) for pair in pairs])
        nulls = [null_scores(pair, [measure], orders, device)[measure.name] for pair in pairs]
        of_model = [_score(replace(pair, model=matched.model), measure, device) for pair in pairs]
    except ValueError as error:
        return SubjectCeiling(note=f"not defined for single subjects: {error}")
    value, null = float(scores.mean()), np.mean(nulls, axis=0)
    as_close = null >= value - TIE if measure.higher_is_closer else null <= value + TIE
    if as_close.any():
        return SubjectCeiling(note=NO_AGREEMENT)
    if measure.bounds[0] == -math.inf and measure.cross_validated and value <= 0:
        return SubjectCeiling(note=WORSE_THAN_MEAN)
    low, high = float(scores.min()), float(scores.max())
    return SubjectCeiling(value, low, high, float(np.mean(of_model)))


def _is_fitted(measure: Measure) -> bool:
    """Return whether a penalised regression is scored on the samples that it is fitted to."""
    return has_fixed_penalty(measure) and not measure.cross_validated


def _one_subject(matched: Matched, measure: Measure, of_subject: np.ndarray) -> Matched:
    """Return one subject's neurons as the recording, and those of the others as the model."""
    others = matched.reference[..., ~of_subject]
    return replace(
        matched,
        reference=matched.reference[..., of_subject],
        model=scale_for_penalty(others) if has_fixed_penalty(measure) else others,
        subjects=None,
    )


def _score(pair: Matched, measure: Measure, device: Device) -> float:
    x, y = (flatten(side).to(device) for side in (pair.reference, pair.model))
    return float(measure.score(x, y, **fold_options(pair, measure, device)).item())
