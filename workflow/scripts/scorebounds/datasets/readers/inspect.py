"""What a file holds, what would be read from it, and its entry in config.yaml."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from scorebounds.core.memory import is_out_of_memory
from scorebounds.core.recording import ROW_NAME
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers import custom
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.formats import open_container

N_ARRAYS_SHOWN = 40


def inspect_file(path: str | Path, **entry: Any) -> dict[str, Any]:
    """Return what arrays a file holds, how it would be read, and the config entry for it.

    Parameters
    ----------
    path : str or Path
    **entry
        What is known already, as in an entry under `custom`.

    Returns
    -------
    dict
        Of values that JSON has. `file`; `arrays`, each with name, shape, axes (null where the file
        does not name them) and kind (numbers, text, objects or null); `unlisted`, why no arrays can
        be listed, or null; `reading`, with axes and their sizes, dtype, labels, row_names and
        steps, or null where the file cannot be read as it is; `problem`, why not, or null; `entry`,
        for config.yaml.

    Raises
    ------
    ValueError
        If the file cannot be opened at all.
    """
    path = Path(path)
    arrays, unlisted = _arrays(path, entry)
    content = {"file": str(path), "arrays": arrays, "unlisted": unlisted}
    name = "".join(letter if letter.isalnum() else "-" for letter in path.name.split(".")[0])
    written = {"custom": {f"data-{name.strip('-') or 'mine'}": {"path": str(path), **entry}}}
    try:
        array = custom.load(path, **entry)
    except ValueError as error:
        problem = str(error).removeprefix(f"{path}: ")
        return {**content, "reading": None, "problem": problem, "entry": written}
    return {**content, "reading": _reading(array), "problem": None, "entry": written}


def describe(content: Mapping[str, Any]) -> str:
    """Write what `inspect_file` returns as a few lines of text."""
    lines = [content["file"], "", *_listed(content), ""]
    if content["reading"] is None:
        lines += [f"Cannot be read like this: {content['problem']}", ""]
        lines.append("Entry to complete in config.yaml:")
    else:
        lines += ["Would be read as:", *_read_as(content["reading"]), "", "Entry for config.yaml:"]
    return "\n".join([*lines, "", *_entry(content["entry"]), ""])


def _arrays(path: Path, entry: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """List the arrays of a file; one that needs a setting raises its error when it is read."""
    of_file = ("mask", "align", "window", "bin", "decimal", "array")
    known = {key: value for key, value in entry.items() if key in of_file}
    try:
        with open_container(path, Entry(**known)) as container:
            return [_array(container, name) for name in container.shapes], None
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file") from error
    except UnusableError as error:
        return [], str(error)
    except custom.DAMAGED as error:
        if is_out_of_memory(error):
            raise
        raise ValueError(f"{path}: cannot be read: {' '.join(str(error).split())[:300]}") from error


def _array(container: Container, name: str) -> dict[str, Any]:
    dims = container.dims.get(name, ())
    return {
        "name": name,
        "shape": [int(size) for size in container.shapes[name]],
        "axes": [dim or None for dim in dims] if any(dims) else None,
        "kind": container.kinds.get(name),
    }


def _reading(array: xr.DataArray) -> dict[str, Any]:
    named = ROW_NAME in array.coords
    return {
        "axes": {str(dim): size for dim, size in array.sizes.items()},
        "dtype": array.attrs["precision"],
        "labels": list(array.attrs["variables"]),
        "row_names": [str(name) for name in array[ROW_NAME].values] if named else None,
        "steps": array.attrs["history"].splitlines(),
    }


def _listed(content: Mapping[str, Any]) -> list[str]:
    if content["unlisted"] is not None:
        return [f"No arrays can be listed: {content['unlisted']}"]
    shapes = {tuple(array["shape"]) for array in content["arrays"]}
    if len(content["arrays"]) > 2 and [len(shape) for shape in shapes] == [1]:
        return [_columns(content["arrays"])]
    lines = ["Arrays:"]
    for array in content["arrays"][:N_ARRAYS_SHOWN]:
        sizes = " × ".join(map(str, array["shape"])) or "single value or structure"
        axes = f", axes {', '.join(dim or '?' for dim in array['axes'])}" if array["axes"] else ""
        kind = f", {array['kind']}" if array["kind"] else ""
        lines.append(f"  {array['name']!r}: {sizes}{axes}{kind}")
    rest = len(content["arrays"]) - N_ARRAYS_SHOWN
    return [*lines, f"  and {rest} more"] if rest > 0 else lines


def _columns(arrays: Sequence[Mapping[str, Any]]) -> str:
    """Describe the columns of a table in one line."""
    names = [repr(array["name"]) if array["name"] else "one without a name" for array in arrays]
    counts = Counter(array["kind"] or "numbers" for array in arrays)
    shown = ", ".join([*names[:3], "…", names[-1]] if names[4:] else names)
    kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(counts.items()))
    return f"Columns: {kinds}, with {arrays[0]['shape'][0]} rows: {shown}"


def _read_as(reading: Mapping[str, Any]) -> list[str]:
    sizes = ", ".join(f"{size} {dim}s" for dim, size in reading["axes"].items())
    lines = [f"  {sizes}, stored as {reading['dtype']}"]
    lines.append(f"  task variables: {', '.join(reading['labels']) or 'none'}")
    if reading["row_names"] is None:
        lines.append("  names of the rows: none; models can be matched in order or by labels only")
    else:
        shown = ", ".join(map(repr, reading["row_names"][:3]))
        lines.append(f"  names of the rows: {shown}, …")
    return [*lines, *(f"  - {step}" for step in reading["steps"])]


def _entry(written: Mapping[str, Any]) -> list[str]:
    """Write the entry; values as JSON, which is YAML that every character survives."""
    ((name, entry),) = written["custom"].items()
    values = [f"    {key}: {json.dumps(value)}" for key, value in entry.items()]
    return ["custom:", f"  {name}:", *values]
