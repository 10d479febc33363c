"""Which format a file has, by the ending of its name."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import h5py

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.matlab_hdf5 import is_by_matlab
from scorebounds.datasets.readers import (
    folder_files,
    hdf5_files,
    matlab_files,
    netcdf_files,
    nifti_files,
    numpy_files,
    nwb_files,
    tensor_files,
    text_files,
    zarr_files,
)
from scorebounds.datasets.readers.containers import Container, require_content
from scorebounds.datasets.readers.entry import Entry


@contextlib.contextmanager
def _open_hdf5(path: Path, entry: Entry) -> Iterator[Container]:
    """Open HDF5; the program that wrote it, not its name, decides on the order of the axes."""
    is_mat = path.suffix.lower() == ".mat"
    by_matlab = is_by_matlab(path) if h5py.is_hdf5(path) else is_mat
    notes: tuple[str, ...] = ()
    if by_matlab != is_mat:
        notes = (
            "MATLAB wrote the file, so that axes are in MATLAB's order"
            if by_matlab
            else "MATLAB did not write the file, so that axes are in the order of HDF5",
        )
    opener = matlab_files if by_matlab else hdf5_files
    with opener.open_file(path, entry) as container:
        yield replace(container, notes=(*container.notes, *notes))


# What opens a file of each ending. Packages that not everybody has are imported when needed.
OPENERS: dict[str, Callable[[Path, Entry], AbstractContextManager[Container]]] = {
    ".npz": numpy_files.open_file,
    ".npy": numpy_files.open_file,
    ".csv": text_files.open_file,
    ".csv.gz": text_files.open_file,
    ".tsv": text_files.open_file,
    ".tsv.gz": text_files.open_file,
    ".txt": text_files.open_file,
    ".parquet": text_files.open_file,
    ".feather": text_files.open_file,
    ".mat": _open_hdf5,
    ".nc": netcdf_files.open_file,
    ".h5": _open_hdf5,
    ".hdf5": _open_hdf5,
    ".zarr": zarr_files.open_file,
    ".safetensors": tensor_files.open_file,
    ".pt": tensor_files.open_file,
    ".pth": tensor_files.open_file,
    ".nwb": nwb_files.open_file,
    ".nii": nifti_files.open_file,
    ".nii.gz": nifti_files.open_file,
}
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill")


def ending(path: Path) -> str:
    """Return the ending that tells the format, in lower case: `.npz`, `.csv.gz`."""
    name = path.name.lower()
    found = [known for known in OPENERS if name.endswith(known)]
    return max(found, key=len) if found else path.suffix.lower()


@contextlib.contextmanager
def open_container(path: Path, entry: Entry | None = None) -> Iterator[Container]:
    """Open a file of arrays, whose format its name tells.

    Parameters
    ----------
    path : Path
    entry : Entry, optional
        What the user says of it.

    Raises
    ------
    UnusableError
        If the format is not known, or the file is not what its name says.
    """
    kind = ending(path)
    if kind in _PICKLES:
        raise UnusableError(
            "a pickle can run any program when it is opened and is not read; save the array with "
            "numpy.save or numpy.savez"
        )
    if path.is_dir() and kind != ".zarr":
        with folder_files.open_folder(path, entry or Entry(), OPENERS) as container:
            yield container
        return
    if kind not in OPENERS:
        raise UnusableError(
            f"expected a file that ends in one of {', '.join(OPENERS)}, got {kind or 'no ending'!r}"
        )
    require_content(path)
    with OPENERS[kind](path, entry or Entry()) as container:
        yield container
