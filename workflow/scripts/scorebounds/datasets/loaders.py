"""Datasets: `load(name, …)` makes or reads the recording of that name."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.random import derived_seed
from scorebounds.core.recording import without_constant_neurons

SURROGATE = "surrogate-"
# Module and function of each loader, imported late: each has its own file format's library.
_EMBEDDED = {
    "ultrametric": "ultrametric",
    "simulated-pfc": "simulated_pfc",
    "two-fans": "two_fans",
}
_RECORDED = {
    "dyer2017": ("dyer2017", "load"),
    "freemanziemba2013": ("brainscore", "load_freemanziemba2013"),
    "hatsopoulos2007": ("hatsopoulos2007", "load_trials"),
    "hatsopoulos2007-averages": ("hatsopoulos2007", "load_averages"),
    "majajhong2015": ("brainscore", "load_majajhong2015"),
    "mante2013": ("mante2013", "load_archive"),
    "mante2013-subset": ("mante2013", "load"),
    "siegel2015": ("siegel2015", "load"),
    "zhang2011": ("zhang2011", "load"),
}


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
    """
    rng = np.random.default_rng(derived_seed(seed, "dataset", name))
    if custom:
        return _module("readers.custom").load(files[0], **settings)
    if name in _EMBEDDED:
        return getattr(_module("embedded"), _EMBEDDED[name])(rng, **settings)
    if name.startswith(SURROGATE):
        return _module("surrogates").load(name.removeprefix(SURROGATE), files, rng)
    module, function = _RECORDED[name]
    return without_constant_neurons(getattr(_module(module), function)(files, **settings))


def _module(name: str) -> Any:
    return import_module(f"scorebounds.datasets.{name}")
