"""HDF5 that would read other files of the machine is refused."""

from pathlib import Path
from typing import Any

import h5py

from scorebounds.datasets.errors import UnusableError


def require_self_contained(path: Path) -> None:
    """Raise UnusableError for HDF5 that takes data from other files, or that is cut short."""
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            require_own_data(file, "")


def require_own_data(item: Any, place: str) -> None:
    """Raise UnusableError for an object, or one in this group, that takes data from other files."""
    pending, seen = [(place, item)], set()
    while pending:
        prefix, found = pending.pop()
        if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
            raise UnusableError(
                f"{prefix!r} keeps its values in other files, which are not opened; copy the data "
                "into one file"
            )
        if not isinstance(found, h5py.Group) or found.id in seen:
            continue
        seen.add(found.id)
        for name in found:
            link = found.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise UnusableError(
                    f"'{prefix}/{name}' is a link into another file, {link.filename!r}, which is "
                    "not followed; copy the data into one file"
                )
            if isinstance(link, h5py.HardLink):
                pending.append((f"{prefix}/{name}", found.get(name)))


def follow(file: h5py.File, reference: h5py.Reference) -> Any:
    """Return what a reference points at, which no link need lead to."""
    item = file[reference]
    require_own_data(item, "the target of a reference")
    return item
