"""What a user says of a file: an entry under `custom` or `models` in config.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """How a file is to be read.

    Attributes
    ----------
    array : str or None
        Name, or path (`data.rates`, `group/rates`), of the array of activity.
    axes : sequence of str, or None
        What each of its axes is.
    pool : str or None
        How feature maps become neurons: `flatten`, `mean` or `max`.
    labels : sequence of str, str, or None
        Names of arrays in the file, or the path of a table; None for those that are found.
    names : str or None
        Name of the array, or column of the table of labels, that names the rows.
    columns : mapping of str to str
        What columns are: neuron, label, name or ignore. In an array, by number.
    time : sequence of float, str, or None
        Bin centres in ms, or the name of the array that has them.
    decimal : str or None
        The decimal mark of a text table, where the file does not show it.
    mask : str or None
        Path of the NIfTI mask whose voxels are the neurons.
    align : str or None
        In NWB, the column of trial times that windows are placed at.
    window : sequence of two float, or None
        From and to, in ms relative to these times.
    bin : float or None
        Width of a bin in ms.
    groups : str
        A label of which nothing is decoded unless `labels` names it, or "".
    subjects : sequence, str, or None
        The subject of each neuron, or the name of the array that has them.
    """

    array: str | None = None
    axes: Sequence[str] | None = None
    pool: str | None = None
    labels: Sequence[str] | str | None = None
    names: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    time: Sequence[float] | str | None = None
    decimal: str | None = None
    mask: str | None = None
    align: str | None = None
    window: Sequence[float] | None = None
    bin: float | None = None
    groups: str = ""
    subjects: Sequence[object] | str | None = None

    def columns_of_names(self) -> list[str]:
        """List the columns that hold names, if the user names them."""
        given = [name for name, role in self.columns.items() if role == "name"]
        return given if self.names is None else [*given, self.names]
