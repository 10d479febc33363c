"""Names of axes, as the tools of the field write them, and what they mean here."""

import re
from collections.abc import Sequence

from scorebounds.datasets.errors import UnusableError

ROW_AXES = ("sample", "condition", "trial")
AXES = (*ROW_AXES, "time", "neuron")
# Axes of a network's feature maps, which together are its neurons.
FEATURE_AXES = ("channel", "height", "width", "depth", "token")
# Array of bin centres, where the axis of time has no values of its own.
BIN_CENTRES = "bin_centres"
DEFAULT_AXES = {2: ("sample", "neuron"), 3: ("time", "condition", "neuron")}

_SYNONYMS = {
    "neuron": (
        "neuron",
        "neuroid",
        "unit",
        "channel",
        "cell",
        "voxel",
        "feature",
        "electrode",
        "site",
        "roi",
        "sensor",
        "vertex",
        "vertice",
    ),
    "time": (
        "time",
        "time_bin",
        "timebin",
        "bin",
        "timepoint",
        "time_point",
        "timestep",
        "time_step",
        "t",
        "frame",
    ),
    "sample": ("sample", "observation", "presentation", "row"),
    "condition": ("condition", "stimulus", "stimuli", "stim", "image", "cond", "item", "sentence"),
    "trial": ("trial", "repeat", "repetition", "rep"),
}
_MEANING = {name: axis for axis, names in _SYNONYMS.items() for name in names}
# Names that a library gave, because the file has none.
UNNAMED = re.compile(r"(phony_)?dim_?\d+|axis_?\d+|")


def meaning(name: str) -> str | None:
    """Return the axis that a name stands for, or None if it is unknown.

    >>> meaning("Neuroids"), meaning("time_bin"), meaning("stimulus_path"), meaning("q")
    ('neuron', 'time', 'condition', None)
    """
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    plain = re.sub(r"^(n|num)_|_(id|ids|idx|index|axis|dim|path|name)$", "", plain)
    return _MEANING.get(plain) or _MEANING.get(plain.removesuffix("s"))


def axes_in_file(dims: Sequence[str], name: str) -> tuple[str, ...] | None:
    """Return the axes that the names in a file mean, or None if the axes have no names.

    Parameters
    ----------
    dims : sequence of str
        Names of the axes of an array, in the file's order.
    name : str
        Of the array, for messages.

    Raises
    ------
    UnusableError
        If a name is unknown, or two names mean the same axis.
    """
    if all(UNNAMED.fullmatch(dim) for dim in dims):
        return None
    axes = [meaning(dim) for dim in dims]
    unknown = [dim for dim, axis in zip(dims, axes, strict=True) if axis is None]
    known = [axis for axis in axes if axis is not None]
    if unknown or len(set(known)) < len(known):
        fault = f"{unknown[0]!r} is unknown" if unknown else "two of these mean the same"
        raise UnusableError(
            f"the axes of {name!r} are named {', '.join(map(repr, dims))} in the file, and {fault};"
            f" say in `axes`, in this order, what each of them is: {', '.join(AXES)}"
        )
    return tuple(known)


def known_axes(
    shape: Sequence[int], axes: Sequence[str] | None, name: str, pool: str | None = None
) -> tuple[str, ...]:
    """Return what each axis is; by position where nothing else is known.

    Parameters
    ----------
    shape : sequence of int
    axes : sequence of str, or None
    name : str
        Of the array, for messages.
    pool : str, optional
        `flatten`, `mean` or `max`: how feature maps become neurons.

    Raises
    ------
    UnusableError
        If the axes do not fit the shape, or cannot be brought to (sample, neuron) or
        (time, condition, neuron).
    """
    if axes is None:
        if pool is not None:
            return _feature_axes(shape, name, pool)
        if len(shape) not in DEFAULT_AXES:
            remedy = (
                "for the feature maps of a network (sample, channel, height, width), choose in "
                "`pool` how they become neurons: flatten, mean or max; otherwise name `axes`"
                if len(shape) > 3
                else "name its `axes` in config.yaml"
            )
            raise UnusableError(
                f"expected {name!r} as (sample, neuron) or (time, condition, neuron), "
                f"got shape {tuple(shape)}; {remedy}"
            )
        return DEFAULT_AXES[len(shape)]
    if len(axes) != len(shape):
        raise UnusableError(
            f"expected {name!r} with the axes {', '.join(axes)}, got shape {tuple(shape)}"
        )
    features = set(axes) & set(FEATURE_AXES)
    if features and pool is None:
        raise UnusableError(
            f"expected `pool` to say how the axes {', '.join(axes)} of {name!r} become neurons: "
            "flatten, mean or max (over all of them but channel)"
        )
    if ("neuron" in axes) == bool(features) or len(axes) < 2:
        raise UnusableError(
            "expected `axes` to name neuron, and sample or trial, condition, time, "
            f"got {', '.join(axes)}"
        )
    if {"sample"} < set(axes) & set(ROW_AXES):
        raise UnusableError(
            "expected `axes` to name neuron, and sample or trial, condition, time, "
            f"got {', '.join(axes)}: of sample on the one hand, and trial and condition on the "
            "other, only one can be meant"
        )
    return tuple(axes)


def _feature_axes(shape: Sequence[int], name: str, pool: str) -> tuple[str, ...]:
    """Return the axes of feature maps without names: samples first."""
    axes = ("sample", *FEATURE_AXES)[: len(shape)]
    channels_first = len(shape) == 4 and shape[1] != shape[2] == shape[3]
    if len(shape) < 2 or (pool != "flatten" and not channels_first):
        raise UnusableError(
            f"cannot tell which axis of {name!r}, of shape {tuple(shape)}, is that of the "
            "channels; name `axes`, as [sample, channel, height, width] or [sample, token, channel]"
        )
    return axes


def names_of_times(dims: Sequence[str]) -> set[str]:
    """Return the names of arrays that hold the times of an array with these axes."""
    timed = {dim for dim in dims if meaning(dim) == "time"}
    return {f"{dim}{part}" for dim in timed for part in ("", "_start", "_end")} | (
        {BIN_CENTRES} if timed else set()
    )
