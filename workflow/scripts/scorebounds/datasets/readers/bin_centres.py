"""The times of the bins of a recording, which an entry or the file itself gives."""

from collections.abc import Sequence

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import BIN_CENTRES, meaning
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.population import Population

# Names of units of time, as files write them.
MS_PER = dict.fromkeys(("", "ms", "msec", "millisecond", "milliseconds"), 1.0)
MS_PER |= dict.fromkeys(("s", "sec", "second", "seconds"), 1000.0)
MS_PER |= dict.fromkeys(("us", "µs", "microsecond", "microseconds"), 0.001)


def given_bin_centres(
    container: Container, population: Population, time: Sequence[float] | str | None
) -> np.ndarray | None:
    """Return the bin centres, a rising number for each time."""
    if time is None:
        return None
    if not population.timed:
        raise UnusableError("`time` is given and no axis of `axes` is time; name it, or leave out")
    values = np.squeeze(container.read(time)) if isinstance(time, str) else np.asarray(time)
    n_times = len(population.activity)
    if not _are_times(values, n_times):
        raise UnusableError(
            f"expected `time` as {n_times} rising numbers, a bin centre each, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return values.astype(np.float64)


def _are_times(values: np.ndarray, n_times: int) -> bool:
    numbers = values.dtype.kind in "fiu" and bool(np.isfinite(values).all())
    return values.shape == (n_times,) and numbers and not (np.diff(values) <= 0).any()


def bin_centres_in_file(
    container: Container, population: Population
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return the times in ms that a file with named axes has, or why they are not used."""
    dims = container.dims.get(container.activity_name or "", ())
    timed = [dim for dim in dims if meaning(dim) == "time"]
    if not timed:
        return None, ()
    for names in ((f"{timed[0]}_start", f"{timed[0]}_end"), (timed[0],), (BIN_CENTRES,)):
        along = [n for n in names if container.dims.get(n) == (timed[0],) or n == timed[0]]
        if len(along) < len(names) or not all(name in container.shapes for name in names):
            continue
        values = np.mean([container.read(name) for name in names], axis=0)
        unit = container.units.get(names[0], "ms").strip().lower()
        if _are_times(values, len(population.activity)) and unit in MS_PER:
            return np.asarray(values, dtype=np.float64) * MS_PER[unit], ()
        fault = f"their unit is {unit!r}" if unit not in MS_PER else "they are no rising numbers"
        return None, (
            f"did not use the times of {', '.join(map(repr, names))}: {fault}; give bin centres in "
            "ms in `time`",
        )
    return None, ()
