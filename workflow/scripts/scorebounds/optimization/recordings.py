"""Synthetic data optimised towards one recording from every seed, as a dataset to be written."""

from typing import Any

import torch
import xarray as xr
from torch import Tensor

from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.trajectories import Trajectory, to_dataset

PRECISIONS = {"double": torch.float64, "single": torch.float32}


def optimize_recording(
    x: Tensor,
    recording: xr.DataArray,
    measure: str,
    *,
    seed: int,
    n_seeds: int,
    n_checkpoints: int,
    n_at_once: int | None = None,
    precision: str = "double",
    **settings: Any,
) -> xr.Dataset:
    """Optimise random data towards a recording.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_neurons)
        The samples of the recording, on the device to compute on.
    recording : DataArray
        Its attributes `dataset`, `variables` and `reduced` are used.
    measure : str
        Id of a measure that has a gradient.
    seed : int
        Root of the random streams that the `n_seeds` starting points are drawn from.
    n_checkpoints : int
        How many checkpoints are kept of each trajectory. They are for decoding: without labels
        none is kept.
    n_at_once : int, optional
        How many seeds are optimised as one batch, all of them by default: memory grows with it,
        and results depend on it by rounding only, which grows over the steps.
    precision : str
        ``double`` or ``single``: of the scores and the gradients. Measures that are not defined
        otherwise, and what is captured, are computed in double precision in any case.
    **settings
        Those of `optimize`.

    Returns
    -------
    Dataset
        See `trajectories.to_dataset`.
    """
    dataset = recording.attrs["dataset"]
    starts = starting_points((x.shape[0], x.shape[1]), seed, (dataset, measure), n_seeds)
    chosen = registry.load(measure)
    kept = n_checkpoints if recording.attrs["variables"] else 0
    trajectories: list[Trajectory] = []
    try:
        for batch in starts.to(x.device, PRECISIONS[precision]).split(n_at_once or n_seeds):
            more, components = optimize(x, chosen, batch, n_checkpoints=kept, **settings)
            trajectories += more
    except ValueError as error:
        raise ValueError(f"{dataset}, {measure}: {error}") from error
    direction = 1 if chosen.higher_is_closer else -1
    attrs = {"dataset": dataset, "measure": measure, "direction": direction, "seed": seed}
    attrs |= settings | {"precision": precision, "reduced": recording.attrs.get("reduced", "")}
    return to_dataset(trajectories, components.variance_ratio.cpu().numpy(), attrs)
