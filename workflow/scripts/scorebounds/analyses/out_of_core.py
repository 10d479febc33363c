"""Scores of arrays that are too large for memory: which can be computed in blocks, and when."""

import math
from typing import Any

import numpy as np
import pandas as pd
import psutil
import torch
import xarray as xr

from scorebounds.analyses.models import held_out_groups
from scorebounds.core.measure_table import entry_of
from scorebounds.core.recording import ROW_NAME, SAMPLE_DIMS
from scorebounds.datasets.arrays import in_order, names_of, require_same_order
from scorebounds.measures import registry
from scorebounds.measures.base import ORTHOGONAL, Measure, invariance
from scorebounds.measures.blocks import Side, Stored
from scorebounds.measures.blockwise import RIDGE_CV, Blocks, compare_in_blocks, compare_wide
from scorebounds.measures.folds import Folds, contiguous_folds, grouped_folds

# Measures that need products of neurons and vectors of samples only, or R of [X Y] = QR.
OF_PRODUCTS = {
    "cka",
    "cka_angular",
    "cka_debiased",
    "ensd",
    "hsic",
    "linreg",
    "nbs",
    "procrustes_angular",
    RIDGE_CV,
    "ridge_<λ>",
    "rsa_euclidean_cosine",
    "rsa_euclidean_pearson",
    "rsa_euclidean_whitened_pearson",
}
OF_TRIANGULAR_FACTOR = {
    "cca",
    "cca_r2",
    "linreg_reverse",
    "linreg_symmetric",
    "procrustes_distance",
    "procrustes_normalised",
    "pwcca",
    "svcca",
    "svcca_<share>",
    "svcca_r2",
    "svcca_r2_<share>",
}
# A score in memory holds about so many copies of each side in double precision at once.
COPIES_IN_MEMORY = 4
# Without a limit, a score in memory may use this share of the memory that is free.
SHARE_OF_FREE = 0.5
BLOCK_BYTES = 64e6
_DOUBLE = 8


def score_in_blocks(
    x: Any, y: Any, name: str, groups: Any, memory_limit: float | None
) -> float | None:
    """Score arrays block by block, or return None where they are to be scored in memory.

    Parameters
    ----------
    x, y : array_like
    name : str
        Id or alias of the measure.
    groups : array_like, optional
        As in `api.score`.
    memory_limit : float, optional
        In GB.

    Raises
    ------
    ValueError
        If the score does not fit into memory and cannot be computed in blocks, or not in blocks of
        this size, or as `Measure.score`.
    """
    if memory_limit is not None and not memory_limit > 0:
        raise ValueError(f"expected a memory_limit above 0 GB, got {memory_limit!r}")
    if not (_is_stored(x) and _is_stored(y)):
        return None
    first, second = _stored(x, "x"), _stored(y, "y")
    free = psutil.virtual_memory().available
    limit = SHARE_OF_FREE * free if memory_limit is None else memory_limit * 1e9
    in_memory = COPIES_IN_MEMORY * _DOUBLE * sum(math.prod(side.shape) for side in (first, second))
    is_dask = first.is_dask or second.is_dask
    if in_memory <= limit and not is_dask:
        return None
    measure = registry.load(name)
    wide = any(side.shape[1] > side.shape[0] for side in (first, second))
    reason = _why_not(measure, (first, second))
    if reason:
        if in_memory <= (free if memory_limit is None else limit):
            return None
        raise ValueError(
            f"{measure.name} of {first.shape[0]} samples of {first.shape[1]} and "
            f"{second.shape[1]} neurons needs about {in_memory / 1e9:.3g} GB in memory, "
            f"{_limit_in_words(memory_limit, free)}, and it cannot be computed in blocks: "
            f"{reason}; take fewer samples or another measure"
        )
    _require_same_samples(x, y, first, second)
    needed = _working_memory(measure, (first, second), wide=wide)
    if needed > limit:
        raise ValueError(
            f"{measure.name} of {first.shape[1]} and {second.shape[1]} neurons in blocks needs "
            f"about {needed / 1e9:.3g} GB, {_limit_in_words(memory_limit, limit)}; take fewer "
            f"{'samples' if wide else 'neurons'} or allow more memory"
        )
    return _score(measure, (first, second), groups, min(BLOCK_BYTES, limit / 4), wide=wide)


def _score(
    measure: Measure,
    stored: tuple[Stored, Stored],
    groups: Any,
    block_bytes: float,
    *,
    wide: bool,
) -> float:
    n_samples = stored[0].shape[0]
    rows = max(1, int(block_bytes / (_DOUBLE * sum(side.shape[1] for side in stored))))
    held_out = held_out_groups(stored[0].n_times, n_samples // stored[0].n_times, groups)
    if not measure.cross_validated:
        folds = Folds([])
    else:
        folds = contiguous_folds(n_samples) if held_out is None else grouped_folds(held_out)
    sides = Side(stored[0], rows), Side(stored[1], rows)
    if wide:
        columns = max(1, int(block_bytes / (_DOUBLE * n_samples)))
        return compare_wide(measure, sides, folds, columns)
    centrings = (
        sides[0].centring(scaled=measure.is_scaled("x")),
        sides[1].centring(scaled=measure.is_scaled("y")),
    )
    return compare_in_blocks(measure, Blocks(sides, centrings, folds, rows))


def _is_stored(values: Any) -> bool:
    """Return whether an array can be read in parts; others are scored in memory."""
    if isinstance(values, pd.DataFrame | np.ma.MaskedArray | list | tuple):
        return False
    if isinstance(values, torch.Tensor):
        return values.layout == torch.strided and values.is_cpu and values.dtype != torch.bfloat16
    has_parts = hasattr(values, "shape") and hasattr(values, "__getitem__")
    return has_parts and np.dtype(values.dtype).kind in "fiub" and len(values.shape) in SAMPLE_DIMS


def _stored(values: Any, name: str) -> Stored:
    if isinstance(values, xr.DataArray):
        ordered = in_order(values, name)
        return Stored(ordered if ordered.chunks is None else ordered.data, name)
    return Stored(values.detach().numpy() if isinstance(values, torch.Tensor) else values, name)


def _why_not(measure: Measure, sides: tuple[Stored, Stored]) -> str:
    """Return why a measure cannot be computed in blocks, or nothing if it can."""
    wide = [name for name, side in zip("xy", sides, strict=True) if side.shape[1] > side.shape[0]]
    for name in wide:
        if not {ORTHOGONAL, invariance(ORTHOGONAL, applies_to=name)} & measure.invariances:
            return f"{name} has more neurons than samples, and rotating them changes the score"
    if wide or entry_of(measure.name).id in OF_PRODUCTS | OF_TRIANGULAR_FACTOR:
        return ""
    return "it needs more of the samples than products of neurons"


def _require_same_samples(x: Any, y: Any, first: Stored, second: Stored) -> None:
    if (first.shape[0], first.n_times) != (second.shape[0], second.n_times):
        raise ValueError(
            "expected x and y with the same samples, got shapes "
            f"{tuple(first.array.shape)} and {tuple(second.array.shape)}"
        )
    if isinstance(x, xr.DataArray) and isinstance(y, xr.DataArray):
        require_same_order(_names_only(x, "x"), _names_only(y, "y"))


def _names_only(array: xr.DataArray, name: str) -> xr.DataArray:
    ordered = in_order(array, name)
    row = ordered.dims[-2]
    names = names_of(ordered, row)
    coords = {} if names is None else {ROW_NAME: (row, names)}
    return xr.DataArray(np.empty(ordered.sizes[row]), dims=[row], coords=coords)


def _working_memory(measure: Measure, sides: tuple[Stored, Stored], *, wide: bool) -> float:
    """Return the bytes of the matrices that blocks are added to, with what is made of them."""
    n_samples = sides[0].shape[0]
    p, q = (side.shape[1] for side in sides)
    if wide:
        return _DOUBLE * 8 * n_samples**2
    entry = entry_of(measure.name).id
    if entry in OF_TRIANGULAR_FACTOR:
        return _DOUBLE * (4 * (p + q) ** 2 + 2 * n_samples)
    copies = 12 if entry == RIDGE_CV else 2
    return _DOUBLE * (copies * (p * q + q * q) + 2 * p * p + 2 * n_samples)


def _limit_in_words(memory_limit: float | None, allowed: float) -> str:
    if memory_limit is None:
        return f"and {allowed / 1e9:.3g} GB may be used"
    return f"above the memory_limit of {memory_limit:g} GB"
