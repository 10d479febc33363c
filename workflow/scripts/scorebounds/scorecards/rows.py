"""What the rows of a recording are: conditions, times, or not known."""

import re
from collections.abc import Sequence

import xarray as xr

from scorebounds.core.recording import ROW_NAME
from scorebounds.datasets.readers.axes import meaning

CONDITIONS, TIMES = "condition", "time"
# How rows may be exchanged to estimate chance (`sequence.with_exchange`).
PERMUTED, SHIFTED, WITHHELD = "permutations", "circular shifts", "none"
_NUMBER_OR_TIME = re.compile(r"[\d\s.,:TZ/+-]+")


def what_rows_are(
    reference: xr.DataArray, model: xr.DataArray, labels: Sequence[str], *, by_name: bool
) -> str:
    """Say what rows are by the axes and the names of both, and by how they are matched.

    Parameters
    ----------
    reference, model : DataArray
        The attribute `rows` of either names its axis of rows.
    labels : sequence of str
        By which rows are matched.
    by_name : bool
        Whether rows are matched by name.

    Returns
    -------
    str
        `condition`, `time`, or empty where it is unknown.
    """
    stated = {str(side.attrs.get("rows", "")) for side in (reference, model)}
    if TIMES in stated or any(meaning(label) == TIMES for label in labels):
        return TIMES
    named = any(_has_words_as_names(side) for side in (reference, model))
    return CONDITIONS if by_name or labels or named or CONDITIONS in stated else ""


def _has_words_as_names(array: xr.DataArray) -> bool:
    """Return whether rows have names, other than numbers or times."""
    if ROW_NAME not in array.coords:
        return False
    return not any(_NUMBER_OR_TIME.fullmatch(str(name)) for name in array[ROW_NAME].values)


def rows_called(exchange: str) -> str:
    """Return what a card calls rows that are exchanged in this way."""
    return "conditions" if exchange == PERMUTED else "rows"


def chance_called(exchange: str) -> str:
    """Return what the null scores of a card are scores with."""
    return "circularly shifted rows" if exchange == SHIFTED else "permuted conditions"
