"""NIfTI images: the voxels of a mask are the neurons, the volumes the samples."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    Container,
    missing_package,
    require_content,
    require_memory,
)
from scorebounds.datasets.readers.entry import Entry


@contextlib.contextmanager
def open_file(path: Path, entry: Entry) -> Iterator[Container]:
    """Open an image (x, y, z, volume) and its mask (x, y, z)."""
    try:
        import nibabel
    except ImportError as error:
        raise missing_package("nibabel", path) from error
    mask_path = _path_of_mask(entry)

    def opened(image: Path) -> Any:
        try:
            return nibabel.load(image)
        except nibabel.filebasedimages.ImageFileError as error:
            raise UnusableError(f"{image.name} cannot be read as NIfTI: {error}") from error

    image, mask = opened(path), opened(mask_path)
    if len(image.shape) != 4 or image.shape[:3] != mask.shape[:3] or len(mask.shape) != 3:
        raise UnusableError(
            f"expected an image (x, y, z, volume) and a mask (x, y, z) on the same grid, got "
            f"shapes {image.shape} and {mask.shape}"
        )
    if not np.allclose(image.affine, mask.affine, atol=1e-3):
        raise UnusableError(
            "expected image and mask in the same space, got different affine matrices; resample "
            "the mask"
        )
    require_memory(mask_path.name, mask.shape)
    inside = np.asarray(mask.dataobj) != 0
    n_voxels = int(inside.sum())
    if not n_voxels:
        raise UnusableError(f"expected voxels in the mask {entry.mask}, got none that is not 0")

    def read(_: str) -> np.ndarray:
        require_memory(path.name, image.shape)
        values: np.ndarray = np.asarray(image.dataobj)[inside].T
        return values

    yield Container(
        {DEFAULT_ARRAY: (image.shape[3], n_voxels)},
        read,
        {DEFAULT_ARRAY: ("sample", "voxel")},
        notes=(f"took the {n_voxels} voxels of the mask {mask_path.name}",),
    )


def _path_of_mask(entry: Entry) -> Path:
    if entry.mask is None:
        raise UnusableError(
            "expected `mask`, the path of a NIfTI image that is not 0 in the voxels to read, "
            "got none"
        )
    try:
        require_content(Path(entry.mask))
    except UnusableError as error:
        raise UnusableError(f"its mask {entry.mask}: {error}") from error
    return Path(entry.mask)
