"""Several models and one recording: a table of scores, and paired comparisons."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from scorebounds.analyses.card import N_GROUPS
from scorebounds.analyses.result import Result, require_matplotlib
from scorebounds.core.random import derived_seed
from scorebounds.measures import registry
from scorebounds.scorecards.inference import jackknife_replicates
from scorebounds.scorecards.jackknife import compare
from scorebounds.scorecards.matching import Matched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
        Columns measure, model, other, score, other_score, difference, difference_low,
        difference_high, closer.
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
    """Score a matched model with one measure."""
    return score_pair(matched.reference, matched.model[:, matched.condition], name)


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
    n_times, n_rows = x.shape[:2]
    if groups is None:
        if n_times == 1:
            return measure.score(first, second).item()
        groups = np.arange(n_rows)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    if codes.shape != (n_rows,):
        raise ValueError(
            f"expected groups with a value for each of the {n_rows} rows, got shape {codes.shape}"
        )
    held_out = torch.from_numpy(np.tile(codes, n_times))
    return measure.score(first, second, groups=held_out).item()


def compare_models(
    matched: Mapping[str, Matched], measures: Sequence[str], *, recording: str, seed: int = 0
) -> Comparison:
    """Compare every two models by the jackknife, in which all of them lose the same rows."""
    stream = derived_seed(seed, "scorecards", recording)
    scores: list[dict[str, Any]] = []
    replicates = []
    for model, pair in matched.items():
        for name in measures:
            measure = registry.load(name)
            row = {"model": model, "measure": name, "higher_is_closer": measure.higher_is_closer}
            scores.append({**row, "score": score_matched(pair, name)})
            left_out = jackknife_replicates(pair, measure, n_groups=N_GROUPS, seed=stream)
            replicates.append(left_out.assign(model=model))
    return Comparison(compare(pd.DataFrame(scores), pd.concat(replicates)), recording)
