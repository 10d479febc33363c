"""Read pickled NumPy arrays without letting the pickle run anything else."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

# Where NumPy 1 and NumPy 2 keep the three names that an array's pickle needs.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"only NumPy arrays are allowed, not {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def load_object_array(path: Path) -> np.ndarray:
    """Load an `.npy` file of Python objects, as `numpy.load(allow_pickle=True)` would.

    Only to be called on a file whose checksum has matched.

    Raises
    ------
    ValueError
        If the file is damaged or holds anything but NumPy arrays and plain Python values.
    """
    try:
        with open(path, "rb") as file:
            npy_format.read_magic(file)
            shape, _, dtype = npy_format.read_array_header_1_0(file)
            if not dtype.hasobject:
                raise ValueError(f"expected an array of objects, got {dtype}")
            return np.asarray(_ArrayUnpickler(file).load(), dtype=object).reshape(shape)
    except (ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
