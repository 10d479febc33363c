"""Several models and one recording: a table of scores, and paired comparisons."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from scorebounds.analyses.card import N_GROUPS, N_PERMUTATIONS_OF
from scorebounds.analyses.result import Result, require_matplotlib
from scorebounds.analyses.threads import threads_for
from scorebounds.core.random import derived_seed
from scorebounds.measures import registry
from scorebounds.scorecards.comparisons import compare
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.repeats import equal_rows
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.samples import average_trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Permutations of the conditions that give the chance level of each model.
N_PERMUTATIONS = 200
# Share of the rows that are equal to another from which on scores take them for repeats.
MOST = 0.5
SCORE_COLUMNS = ["model", "measure", "score", "note"]
Scorer = Callable[[Matched], float]


class ScoreTable(pd.DataFrame):
    """Scores of several models, or layers of one model: columns model, measure, score, note."""

    @property
    def _constructor(self) -> type["ScoreTable"]:
        return ScoreTable

    def plot(self) -> "Figure":  # type: ignore[override]
        """Draw the scores of each measure over the models, in the order of the table."""
        require_matplotlib()
        from scorebounds.figures.profile import draw_profile
        from scorebounds.figures.style import standalone

        return standalone(draw_profile, pd.DataFrame(self))


@dataclass(frozen=True)
class Comparison(Result):
    """Differences between the scores of every two models.

    Attributes
    ----------
    table : DataFrame
        See `scorecards.comparisons.compare`.
    recording : str
    """

    recording: str

    @property
    def title(self) -> str:
        """Name of the recording."""
        return f"Models compared on {self.recording}"

    def plot(self) -> "Figure":
        """Draw the difference of every two models, a panel per measure."""
        require_matplotlib()
        from scorebounds.figures.profile import draw_differences
        from scorebounds.figures.style import standalone

        return standalone(draw_differences, self.table)


def score_models(matched: Mapping[str, Matched], measures: Sequence[str]) -> ScoreTable:
    """Score every model with every measure.

    Returns
    -------
    ScoreTable
        Where a measure is not defined for a model the score is missing and the note says why.
    """
    rows = [
        (model, measure, *_score(pair, measure))
        for model, pair in matched.items()
        for measure in measures
    ]
    return ScoreTable(rows, columns=SCORE_COLUMNS)


def _score(pair: Matched, name: str) -> tuple[float, str]:
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            score = score_matched(pair, name)
    except ValueError as error:
        return float("nan"), str(error)
    return score, "; ".join(dict.fromkeys(str(warning.message) for warning in caught))


def score_matched(matched: Matched, name: str) -> float:
    """Score a matched model with one measure; rows of one condition are averaged, as on cards."""
    averaged, _ = average_trials(matched, seed=0)
    return score_pair(averaged.reference, averaged.model, name, held_out_together(averaged, name))


def held_out_together(matched: Matched, name: str) -> np.ndarray | None:
    """Return the group of each row for a measure, or its condition where the model repeats rows.

    Rows in which a model is equal are repeats of a stimulus if most rows have such another, unless
    they are known to be conditions or times. A few may be equal by chance, as of binary features.
    """
    is_held_out = registry.load(name).cross_validated
    if not is_held_out or matched.groups is not None or matched.rows_are:
        return matched.groups
    condition = equal_rows(matched.model)
    counts = np.bincount(condition)
    is_repeated = len(counts) > 1 and np.mean(counts[condition] > 1) > MOST
    return condition if is_repeated else None


def _as_samples(activity: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(activity).reshape(-1, activity.shape[-1])


def score_pair(x: np.ndarray, y: np.ndarray, name: str, groups: Any = None) -> float:
    """Score activity of shape (n_times, n_rows, n_neurons) with one measure.

    Parameters
    ----------
    x, y : ndarray, shape (n_times, n_rows, n_neurons)
    name : str
    groups : array_like, shape (n_rows,), optional
        The condition of each row. Not given: with several times, the row itself, so that all times
        of a condition are held out together.
    """
    measure = registry.load(name)
    first, second = (torch.from_numpy(_as_samples(side)) for side in (x, y))
    # With times, trajectories are those of conditions, whatever is held out together.
    if measure.of_trajectories and x.shape[0] > 1:
        groups = None
    held_out = held_out_groups(x.shape[0], x.shape[1], groups)
    with threads_for(first.shape, second.shape):
        return measure.score(first, second, groups=held_out).item()


def held_out_groups(n_times: int, n_rows: int, groups: Any) -> torch.Tensor | None:
    """Return the group of each sample as in `score_pair`, None where each sample is its own."""
    if groups is None:
        if n_times == 1:
            return None
        groups = np.arange(n_rows)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    if codes.shape != (n_rows,):
        raise ValueError(
            f"expected groups with a value for each of the {n_rows} rows, got shape {codes.shape}"
        )
    return torch.from_numpy(np.tile(codes, n_times))


def compare_models(
    matched: Mapping[str, Matched], measures: Sequence[str], *, recording: str, seed: int = 0
) -> Comparison:
    """Compare every two models by their null-calibrated scores, as in the workflow."""
    settings = ResamplingSettings(
        n_permutations=N_PERMUTATIONS,
        n_groups=N_GROUPS,
        seed=derived_seed(seed, "scorecards", recording),
        n_permutations_of=N_PERMUTATIONS_OF,
    )
    tables = {}
    for model, pair in matched.items():
        with threads_for(pair.reference.shape, pair.model.shape):
            tables[model] = score_model(pair, measures, settings)
    scores = pd.concat([table.assign(model=model) for model, (table, _) in tables.items()])
    replicates = pd.concat([table.assign(model=model) for model, (_, table) in tables.items()])
    return Comparison(compare(scores, replicates), recording)
