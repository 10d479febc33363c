"""Ranges of one score given another, for an array in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from scorebounds.analyses.progress import progress_shown
from scorebounds.analyses.result import Result, require_matplotlib
from scorebounds.analyses.threads import threads_for
from scorebounds.core.measure_table import measure_label
from scorebounds.ranges.region import pair_range

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The section `ranges` of config.yaml; a test holds the two together.
SETTINGS: Mapping[str, Any] = {
    "reference_level": 0.9,
    "certificate": {"tolerance": 0.002, "n_values": 101},
    "joint": {"x": "fixed", "n_targets": 40, "max_steps": 60, "learning_rate": 0.1},
    "n_kept": 30,
    "reduced": {"n_grid": 11, "n_starts": 6, "n_rounds": 8, "n_steps": 15, "n_passes": 1},
    "full": {"n_grid": 11, "n_starts": 2, "n_rounds": 4, "n_steps": 8, "n_passes": 1},
}


@dataclass(frozen=True)
class PairOfRanges(Result):
    """The scores of one measure that are possible for each score of another.

    Attributes
    ----------
    table : DataFrame
        A row per value of measure a (`a_value`): the smallest and largest score of b that was
        attained (`attained_lower`, `attained_upper`) and the proven bounds (`outer_lower`,
        `outer_upper`).
    guides : DataFrame
        Which scores of b are compatible with a score of a of at least 0.9, and the reverse.
    trajectories : DataFrame
        The optimisation trajectories in the plane of both scores.
    recording : str
    """

    guides: pd.DataFrame
    trajectories: pd.DataFrame
    recording: str

    @property
    def title(self) -> str:
        """Names of the measures and of the recording."""
        first = self.table.iloc[0]
        measures = f"{measure_label(first.b)} given {measure_label(first.a)}"
        return f"Possible scores of {measures} on {self.recording}"

    def plot(self) -> "Figure":
        """Draw the region of possible pairs of scores."""
        require_matplotlib()
        from scorebounds.figures.ranges import range_figure
        from scorebounds.figures.style import standalone

        tables = self.table, self.guides, self.trajectories
        return standalone(range_figure, *tables, SETTINGS["reference_level"])


def find_ranges(x: np.ndarray, pair: tuple[str, str], recording: str, seed: int) -> PairOfRanges:
    """Search the range of each measure of a pair; minutes for some hundred samples.

    Parameters
    ----------
    x : ndarray, shape (n_samples, n_neurons)
    pair : tuple of str
        Ids of measures a and b.
    recording : str
        Name, for the title and the random streams.
    seed : int
    """
    with progress_shown(), threads_for(x.shape, x.shape):
        found = pair_range(torch.from_numpy(x), pair, recording, seed=seed, settings=SETTINGS)
    return PairOfRanges(found.region, found.guides, found.trajectories, recording)
