"""Datasets: `load(name, …)` makes or reads the recording of that name.

The module of a dataset has its name, with `_` for `-`. One that is read defines `load(files)`, one
that the software makes, in `made/`, defines `make(rng)`; settings are keyword arguments of either.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.random import derived_seed
from scorebounds.core.recording import without_constant_neurons

SURROGATE = "surrogate-"
_PACKAGE = "scorebounds.datasets"


def load(
    name: str, files: list[Path], *, seed: int, settings: Mapping[str, Any], custom: bool
) -> xr.DataArray:
    """Make or read a dataset.

    Parameters
    ----------
    name : str
    files : list of Path
        The raw files; empty for a dataset that is made.
    seed : int
        For those that are drawn at random.
    settings : mapping
        Keyword arguments of its loader.
    custom : bool
        Whether it is the user's own file.

    Returns
    -------
    DataArray, dims (sample, neuron) or (time, condition, neuron)

    Raises
    ------
    ValueError
        If the dataset has no module, or its module lacks the function.
    """
    rng = np.random.default_rng(derived_seed(seed, "dataset", name))
    if custom:
        made: xr.DataArray = _function("readers.custom", "load", name)(files[0], **settings)
        return made
    if name.startswith(SURROGATE):
        surrogate: xr.DataArray = _function("surrogates", "load", name)(
            name.removeprefix(SURROGATE), files, rng
        )
        return surrogate
    module = name.replace("-", "_")
    if not files:
        generated: xr.DataArray = _function(f"made.{module}", "make", name)(rng, **settings)
        return generated
    return without_constant_neurons(_function(module, "load", name)(files, **settings))


def _function(module: str, function: str, dataset: str) -> Any:
    """Import the function of a loader; raise ValueError naming the step that is missing."""
    path = f"workflow/scripts/scorebounds/datasets/{module.replace('.', '/')}.py"
    try:
        imported = import_module(f"{_PACKAGE}.{module}")
    except ModuleNotFoundError as error:
        if error.name != f"{_PACKAGE}.{module}":
            raise
        raise ValueError(
            f"dataset {dataset!r} has no loader: write {path} with the function {function}"
        ) from error
    if not hasattr(imported, function):
        raise ValueError(f"dataset {dataset!r}: expected {path} to define {function}")
    return getattr(imported, function)
