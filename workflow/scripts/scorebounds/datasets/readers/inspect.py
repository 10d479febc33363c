"""What a file holds, what would be read from it, and the entry in config.yaml that says so."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from scorebounds.core.recording import ROW_NAME
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers import custom
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.formats import open_container

N_ARRAYS_SHOWN = 40


def describe_file(path: str | Path, **entry: Any) -> str:
    """Say what arrays a file holds, how it would be read, and the config entry for it.

    Parameters
    ----------
    path : str or Path
    **entry
        What is known already, as in an entry under `custom`.

    Returns
    -------
    str
        A few lines of text: the arrays with their shapes and named axes; what each of them
        becomes, or why the file cannot be read as it is; the entry to write in config.yaml.

    Raises
    ------
    ValueError
        If the file cannot be opened at all.
    """
    path = Path(path)
    lines = [str(path), "", *_arrays(path, entry), ""]
    try:
        array = custom.load(path, **entry)
    except ValueError as error:
        said = str(error).removeprefix(f"{path}: ")
        lines += [f"Cannot be read like this: {said}", "", "Entry to complete in config.yaml:"]
        return "\n".join([*lines, "", *_entry(path, entry), ""])
    lines += ["Would be read as:", *_reading(array), "", "Entry for config.yaml:", ""]
    return "\n".join([*lines, *_entry(path, entry), ""])


def _arrays(path: Path, entry: Mapping[str, Any]) -> list[str]:
    """List the arrays of a file; one that needs a setting to be opened says so when it is read."""
    of_file = ("mask", "align", "window", "bin", "decimal", "array")
    known = {key: value for key, value in entry.items() if key in of_file}
    try:
        with open_container(path, Entry(**known)) as container:
            return ["Arrays:", *_listed(container)]
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file") from error
    except UnusableError as error:
        return [f"No arrays can be listed: {error}"]
    except custom.DAMAGED as error:
        raise ValueError(f"{path}: cannot be read: {' '.join(str(error).split())[:300]}") from error


def _listed(container: Container) -> list[str]:
    lines = []
    for name, shape in list(container.shapes.items())[:N_ARRAYS_SHOWN]:
        sizes = " × ".join(map(str, shape)) or "single value or structure"
        dims = container.dims.get(name, ())
        axes = f", axes {', '.join(dim or '?' for dim in dims)}" if any(dims) else ""
        kind = f", {container.kinds[name]}" if name in container.kinds else ""
        lines.append(f"  {name!r}: {sizes}{axes}{kind}")
    rest = len(container.shapes) - N_ARRAYS_SHOWN
    return [*lines, f"  and {rest} more"] if rest > 0 else lines


def _reading(array: xr.DataArray) -> list[str]:
    sizes = ", ".join(f"{size} {dim}s" for dim, size in array.sizes.items())
    lines = [f"  {sizes}, stored as {array.attrs['precision']}"]
    labels = array.attrs["variables"]
    lines.append(f"  task variables: {', '.join(labels) or 'none'}")
    if ROW_NAME in array.coords:
        shown = ", ".join(repr(str(name)) for name in array[ROW_NAME].values[:3])
        lines.append(f"  names of the rows: {shown}, …")
    else:
        lines.append("  names of the rows: none; models can be matched in order or by labels only")
    return [*lines, *(f"  - {step}" for step in array.attrs["history"].splitlines())]


def _entry(path: Path, entry: Mapping[str, Any]) -> list[str]:
    """Write the entry; values as JSON, which is YAML that every character survives."""
    name = "".join(letter if letter.isalnum() else "-" for letter in path.name.split(".")[0])
    lines = [
        "custom:",
        f"  data-{name.strip('-') or 'mine'}:",
        f"    path: {json.dumps(str(path))}",
    ]
    return [*lines, *(f"    {key}: {json.dumps(value)}" for key, value in entry.items())]
