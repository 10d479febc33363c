"""Which samples a task variable is decoded from, and how they are split into folds."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from scorebounds.core.random import derived_seed

logger = logging.getLogger(__name__)

# How a prepared file says, in its attribute `decode_over`, what the samples of a decoder are.
CONDITIONS, TIMES = "conditions", "times"


@dataclass(frozen=True)
class Design:
    """What is decoded from a dataset.

    Attributes
    ----------
    samples : ndarray of int, shape (n_decoders, n)
        Rows of the flattened activity that each decoder is given, one decoder per time.
    units : ndarray of int, shape (n,)
        Samples of a fold with the same number have the same label under any relabelling: the
        times of a condition, where times are the samples.
    classes : mapping of str to ndarray of int, shape (n,)
        Class of each sample, from 0, by variable.
    folds : mapping of str to ndarray of int, shape (n,)
        Fold in which each sample is held out; variables that can share their folds do.
    over : str
        `conditions` or `times`.
    """

    samples: np.ndarray
    units: np.ndarray
    classes: Mapping[str, np.ndarray]
    folds: Mapping[str, np.ndarray]
    over: str

    def chance(self, variable: str) -> float:
        """Return the share of the largest class."""
        return float(np.bincount(self.classes[variable]).max() / len(self.units))

    def select(self, activity: np.ndarray) -> np.ndarray:
        """Pick what the decoders are given from (..., n_samples, n_neurons).

        Returns
        -------
        ndarray, shape (..., n_decoders, n, n_neurons)
        """
        return activity[..., self.samples, :]


def design(array: xr.DataArray, *, n_folds: int, seed: int) -> Design:
    """Say how the variables of a recording are decoded.

    Activity (time, condition, neuron) has one decoder per time, with whole conditions (trials) in
    folds that are stratified by class. Where the prepared file says so, or where no class has two
    conditions, the times are samples of one decoder and the folds are contiguous blocks of time.

    Parameters
    ----------
    array : DataArray, dims (sample, neuron) or (time, condition, neuron)
        With a label per sample or condition for each name in its attribute `variables`. Its
        attribute `decode_from` is the first time to decode from.
    n_folds : int
    seed : int
        Stratified folds are drawn once per dataset.

    Raises
    ------
    ValueError
        If a variable has one class, or one too small for the folds.
    """
    dataset = array.attrs["dataset"]
    classes = {}
    for variable in array.attrs["variables"]:
        values, codes = np.unique(array[variable].values, return_inverse=True)
        if len(values) < 2:
            raise ValueError(
                f"{dataset}, variable {variable!r}: expected at least two classes, got only "
                f"{values[0]!s}"
            )
        classes[variable] = codes
    in_time = array.ndim == 3
    n = array.shape[-2]
    rows = np.arange(array.size // array.shape[-1]).reshape(-1, n)[_times(array)]
    lonely = all(np.bincount(codes).max() == 1 for codes in classes.values())
    over = array.attrs.get("decode_over", TIMES if in_time and lonely else CONDITIONS)
    if over == TIMES:
        return _over_times(dataset, rows, classes, n_folds)
    classes = _large_enough(array, classes, n_folds)
    rng = np.random.default_rng(derived_seed(seed, "folds", dataset))
    return Design(
        rows, np.arange(n), classes, _stratified_by_all(rng, classes, n_folds), CONDITIONS
    )


def _large_enough(
    array: xr.DataArray, classes: Mapping[str, np.ndarray], n_folds: int
) -> dict[str, np.ndarray]:
    """Refuse classes that are too small for the folds, and leave out what trials are averaged by.

    Averaging by a label leaves few conditions of each class, which is no fault of the user's.
    """
    kept = {}
    for variable, codes in classes.items():
        counts = np.bincount(codes)
        if counts.min() >= n_folds:
            kept[variable] = codes
            continue
        label = np.unique(array[variable].values)[counts.argmin()]
        sentence = (
            f"{array.attrs['dataset']}, variable {variable!r}: expected at least {n_folds} "
            f"{array.dims[-2]}s of each class, one for each fold, got {counts.min()} of {label!s}"
        )
        if variable not in array.attrs.get("averaged_by", ()):
            raise ValueError(
                f"{sentence}; to decode other variables only, name them under `labels` of the "
                "dataset, and [] for none"
            )
        logger.warning("%s; it is not decoded: keep single trials to decode it", sentence)
    return kept


def _times(array: xr.DataArray) -> np.ndarray:
    first = array.attrs.get("decode_from")
    if first is None:
        return np.arange(array.size // (array.shape[-1] * array.shape[-2]))
    return np.flatnonzero(array.time.values >= first)


def _over_times(
    dataset: str, rows: np.ndarray, classes: Mapping[str, np.ndarray], n_folds: int
) -> Design:
    n_times, n_conditions = rows.shape
    if n_times < n_folds:
        raise ValueError(
            f"{dataset}: expected at least {n_folds} times, one for each fold, to decode "
            f"{', '.join(classes)}, which has one condition in a class, got {n_times}"
        )
    block = np.repeat(np.arange(n_times) * n_folds // n_times, n_conditions)
    return Design(
        rows.reshape(1, -1),
        np.tile(np.arange(n_conditions), n_times),
        {variable: np.tile(codes, n_times) for variable, codes in classes.items()},
        dict.fromkeys(classes, block),
        TIMES,
    )


def _stratified_by_all(
    rng: np.random.Generator, classes: Mapping[str, np.ndarray], n_folds: int
) -> dict[str, np.ndarray]:
    """Draw folds, the same for all variables where each combination has enough samples."""
    if not classes:
        return {}
    _, joint = np.unique(np.stack(list(classes.values())), axis=1, return_inverse=True)
    if np.bincount(joint.ravel()).min() >= n_folds:
        return dict.fromkeys(classes, stratified_folds(rng, joint.ravel(), n_folds))
    return {variable: stratified_folds(rng, codes, n_folds) for variable, codes in classes.items()}


def stratified_folds(rng: np.random.Generator, codes: np.ndarray, n_folds: int) -> np.ndarray:
    """Deal the samples of each class out to the folds in random order.

    Returns
    -------
    ndarray of int, shape (n,)
        Folds hold equally many samples of a class, and in all, but for one.
    """
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % n_folds
    return folds


def relabelled(
    rng: np.random.Generator, codes: np.ndarray, folds: np.ndarray, units: np.ndarray
) -> np.ndarray:
    """Shuffle labels among the units of each fold, so that the folds stay stratified."""
    shuffled = np.empty_like(codes)
    for fold in np.unique(folds):
        held = np.flatnonzero(folds == fold)
        _, first, of_sample = np.unique(units[held], return_index=True, return_inverse=True)
        shuffled[held] = rng.permutation(codes[held][first])[of_sample]
    return shuffled


def variance_share(activity: np.ndarray, codes: np.ndarray) -> float:
    """Return the share of the variance that lies between the class means.

    Parameters
    ----------
    activity : ndarray, shape (n_decoders, n, n_neurons)
        The variance is that over samples and decoders (times).
    codes : ndarray of int, shape (n,)

    Returns
    -------
    float
        In [0, 1]: means at each time, their distance from the mean over all classes at this time;
        the whole is the variance over times as well. Random labels have about
        (n_classes − 1) / (n − 1) of what varies between samples.
    """
    weights = np.eye(codes.max() + 1)[codes]
    means = np.einsum("nk,tnp->tkp", weights / weights.sum(0), activity)
    between = ((means[:, codes] - activity.mean(1, keepdims=True)) ** 2).sum()
    total = ((activity - activity.mean((0, 1))) ** 2).sum()
    return float(between / total)
