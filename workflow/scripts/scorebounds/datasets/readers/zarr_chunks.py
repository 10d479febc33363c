"""The files of a Zarr store in a folder: which are refused, and which chunks are missing."""

import bisect
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import require_content

_CHUNK = re.compile(r"(?:c[./])?(\d+(?:[./]\d+)*)|c")


def files_of_store(store: Path) -> list[str]:
    """List the files of a store, sorted, by path.

    Raises
    ------
    UnusableError
        If one is a link that leads nowhere, out of the store or to a folder, or is no file.
    """
    found, pending = [], [store]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                name = Path(entry.path).relative_to(store).as_posix()
                if entry.is_symlink():
                    _require_own_file(Path(entry.path), name, store)
                elif entry.is_dir():
                    pending.append(Path(entry.path))
                    continue
                elif not entry.is_file():
                    raise UnusableError(f"{name}: expected a file, got a device or a pipe")
                found.append(name)
    return sorted(found)


def _require_own_file(link: Path, name: str, store: Path) -> None:
    if not link.exists():
        try:
            require_content(link)
        except UnusableError as error:
            raise UnusableError(f"{name}: {error}") from error
    if not link.is_file() or not link.resolve().is_relative_to(store.resolve()):
        raise UnusableError(
            f"{name}: expected a file of the store, got a link to {str(link.readlink())!r}, which "
            "is not followed; copy the store with the files that its links lead to (`cp -rL`)"
        )


def missing_chunks(name: str, array: Any, files: Sequence[str]) -> str | None:
    """Say how many chunks of an array are not among the files of its store, or return None."""
    sizes = array.shards or array.chunks
    grid = [math.ceil(n / size) for n, size in zip(array.shape, sizes, strict=True)]
    prefix = f"{array.path}/" if array.path else ""
    first = bisect.bisect_left(files, prefix)
    stored = 0
    for file in files[first:]:
        if not file.startswith(prefix):
            break
        stored += _is_chunk(file.removeprefix(prefix), grid)
    n_chunks = math.prod(grid)
    if stored >= n_chunks:
        return None
    fill_value = 0 if array.fill_value is None else array.fill_value
    return (
        f"{name!r} lacks {n_chunks - stored} of its {n_chunks} chunks, and their values were taken "
        f"as its fill value, {fill_value}; fetch the store again unless it was written without them"
    )


def _is_chunk(key: str, grid: Sequence[int]) -> bool:
    found = _CHUNK.fullmatch(key)
    if found is None:
        return False
    if not grid:
        return key in ("c", "0")
    places = [int(place) for place in re.split("[./]", found[1] or "") if place]
    return len(places) == len(grid) and all(p < n for p, n in zip(places, grid, strict=True))
