"""Scores at which components and variables are captured, for an array in memory."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from scorebounds.analyses.progress import progress_shown
from scorebounds.analyses.result import Result, require_matplotlib
from scorebounds.analyses.threads import threads_for
from scorebounds.core.recording import samples_by_neurons
from scorebounds.decoding.decoder import Decoder
from scorebounds.decoding.design import design
from scorebounds.decoding.reference import accuracy_table, reference_tables
from scorebounds.decoding.summary import variable_thresholds
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.summary import summarize_trajectories
from scorebounds.optimization.trajectories import to_dataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

# Sections `optimize` and `decoding` of config.yaml; a test holds them together.
OPTIMIZE: Mapping[str, Any] = {"learning_rate": 0.1, "stop_score": 0.99, "max_steps": 5000}
N_CHECKPOINTS = 20
DECODING: Mapping[str, Any] = {"n_folds": 5, "n_permutations": 40}
DECODER: Mapping[str, Any] = {"c": 1.0, "standardize": True}
NOTHING_PUBLISHED = pd.DataFrame(
    columns=["dataset", "measure", "quantity", "target", "published", "reproduced"]
)


@dataclass(frozen=True)
class Thresholds(Result):
    """The scores at which synthetic data capture the content of a recording.

    Attributes
    ----------
    table : DataFrame
        Columns dataset, measure, kind (pc or variable), target, variance_ratio, score_mean,
        score_low, score_high, n_seeds, n_reached.
    capture : DataFrame
        The R² of each component along the score.
    """

    capture: pd.DataFrame

    @property
    def title(self) -> str:
        """Name of the recording."""
        return f"Scores at which the content of {self.table.dataset.iloc[0]} is captured"

    def plot(self) -> "Figure":
        """Draw the score at which each principal component is captured."""
        require_matplotlib()
        from scorebounds.figures.captures import threshold_figure
        from scorebounds.figures.style import standalone

        return standalone(threshold_figure, self.table, NOTHING_PUBLISHED)


def find_thresholds(
    recording: xr.DataArray,
    measures: Sequence[str],
    *,
    has_labels: bool,
    n_seeds: int,
    seed: int,
) -> Thresholds:
    """Optimise synthetic data towards each measure and observe what they capture on the way.

    Parameters
    ----------
    recording : DataArray
        With its labels as coordinates.
    measures : sequence of str
        Ids of measures with a gradient.
    has_labels : bool
        Whether there are variables to decode.
    n_seeds, seed : int
    """
    shape = samples_by_neurons(recording).shape
    with progress_shown(), threads_for(shape, shape):
        return _find(recording, measures, has_labels=has_labels, n_seeds=n_seeds, seed=seed)


def _find(
    recording: xr.DataArray,
    measures: Sequence[str],
    *,
    has_labels: bool,
    n_seeds: int,
    seed: int,
) -> Thresholds:
    name = recording.attrs["dataset"]
    plan = reference = None
    if has_labels:
        logger.info("decoding the labels of the recording")
        plan = design(recording, n_folds=DECODING["n_folds"], seed=seed)
        reference, _ = reference_tables(
            recording,
            plan,
            Decoder(**DECODER),
            n_permutations=DECODING["n_permutations"],
            seed=seed,
        )
    tables, captures = [], []
    for number, measure in enumerate(measures, 1):
        logger.info("optimising towards %s, %d of %d", measure, number, len(measures))
        stored = _optimized(recording, measure, n_seeds=n_seeds, seed=seed, keep=has_labels)
        summary = summarize_trajectories(stored)
        tables.append(summary["thresholds"])
        captures.append(summary["capture"])
        if plan is not None and reference is not None:
            accuracies = accuracy_table(stored, plan, Decoder(**DECODER))
            tables.append(variable_thresholds(accuracies, reference))
    table = pd.concat(tables, ignore_index=True).assign(dataset=name)
    return Thresholds(table, pd.concat(captures, ignore_index=True))


def _optimized(
    recording: xr.DataArray, measure: str, *, n_seeds: int, seed: int, keep: bool
) -> xr.Dataset:
    name = recording.attrs["dataset"]
    x = torch.from_numpy(np.ascontiguousarray(samples_by_neurons(recording)))
    starts = starting_points((x.shape[0], x.shape[1]), seed, (name, measure), n_seeds)
    chosen = registry.load(measure)
    trajectories, components = optimize(
        x, chosen, starts, n_checkpoints=N_CHECKPOINTS if keep else 0, **OPTIMIZE
    )
    direction = 1 if chosen.higher_is_closer else -1
    attrs = {"dataset": name, "measure": measure, "direction": direction, "seed": seed}
    attrs["reduced"] = recording.attrs.get("reduced", "")
    return to_dataset(trajectories, components.variance_ratio.cpu().numpy(), {**attrs, **OPTIMIZE})
