"""Bring a reference and a model to the same times."""

import numpy as np
import xarray as xr

from scorebounds.core.averages import mean_as_stored, values_to_score
from scorebounds.scorecards.unequal import if_trials

ORDER, BROADCAST, AVERAGE = "order", "broadcast", "average"
_IN_MS = {"ms": 1.0, "s": 1000.0, "us": 0.001}


def align_times(
    reference: xr.DataArray, model: xr.DataArray, how: str | None, sides: str
) -> tuple[np.ndarray, np.ndarray, bool, tuple[str, ...]]:
    """Bring both to the same times; (time, row, neuron) each."""
    x, y = _by_time(reference), _by_time(model)
    if how == AVERAGE:
        said = "averaged over time: " + " and ".join(
            side for side, array in (("the recording", x), ("the model", y)) if len(array) > 1
        )
        x, y = (mean_as_stored(array, 0)[None] for array in (x, y))
        return x, y, "time" in reference.dims, (said,)
    if how == BROADCAST and "time" not in model.dims and "time" in reference.dims:
        y = np.broadcast_to(y, (len(x), *y.shape[1:]))
        return x, y, False, (f"the model has no times; it was repeated at {len(x)} times",)
    if len(x) != len(y):
        remedy = (
            "; say in `match` whether to repeat it at each of them (time: broadcast) or to average "
            f"the recording over time (time: average){if_trials(reference, model)}"
            if "time" not in model.dims
            else "; record the model at the reference's times, or average both over time "
            f"(match: {{time: average}}){if_trials(reference, model)}"
        )
        raise ValueError(
            f"{sides}: expected {_times(reference)}, as the reference has, got "
            f"{_times(model)}{remedy}"
        )
    if how != ORDER:
        _require_same_times(reference, model, sides)
    return x, y, False, ()


def _by_time(array: xr.DataArray) -> np.ndarray:
    values = values_to_score(array)
    return values if "time" in array.dims else values[None]


def _times(array: xr.DataArray) -> str:
    return f"{array.sizes['time']} times" if "time" in array.dims else "samples without times"


def _require_same_times(reference: xr.DataArray, model: xr.DataArray, sides: str) -> None:
    """Refuse times of both that differ by more than half a bin."""
    if "time" not in reference.coords or "time" not in model.coords:
        return
    x, y = (
        array.time.values * _IN_MS.get(array.time.attrs.get("units", "ms"), np.nan)
        for array in (reference, model)
    )
    half_bin = np.median(np.diff(x)) / 2 if len(x) > 1 else 0.5
    away = np.abs(x - y)
    if (away > half_bin * (1 + 1e-9)).any():
        raise ValueError(
            f"{sides}: expected the times of the reference, {x[0]:g} to {x[-1]:g} ms, got "
            f"{y[0]:g} to {y[-1]:g} ms; record the model at the reference's times, or compare them "
            "in order (match: {time: order}) if they are counted from different events"
        )
