"""Samples from which task variables are decoded, and their folds."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from scorebounds.core.random import derived_seed

logger = logging.getLogger(__name__)

# Values of the attribute `decode_over` of a prepared file: what the samples of a decoder are.
CONDITIONS, TIMES = "conditions", "times"


@dataclass(frozen=True)
class Design:
    """What is decoded from a dataset.

    Attributes
    ----------
    samples : ndarray of int, shape (n_decoders, n)
        Rows of the flattened activity that each decoder is given, one decoder per time.
    units : ndarray of int, shape (n,)
        Samples with the same number have the same label under any relabelling: the times of a
        condition, where times are the samples.
    classes : mapping of str to ndarray of int, shape (n,)
        Class of each sample, from 0, by variable.
    folds : mapping of str to ndarray of int, shape (n,)
        Fold in which each sample is held out; variables that can share their folds do.
    blocks : mapping of str to ndarray of int, shape (n,)
        Samples within which labels may be exchanged to estimate chance: all of them, those of a
        group, or those of a block of time.
    over : str
        `conditions` or `times`.
    stratified : bool
        Whether folds were drawn so that they hold equally many samples of each class.
    """

    samples: np.ndarray
    units: np.ndarray
    classes: Mapping[str, np.ndarray]
    folds: Mapping[str, np.ndarray]
    blocks: Mapping[str, np.ndarray]
    over: str
    stratified: bool

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
    """Define how the variables of a recording are decoded.

    Activity (time, condition, neuron) has one decoder per time, with whole conditions (trials) in
    folds that are stratified by class. Where the attribute `groups` names a label (runs, sessions,
    subjects), the folds hold out whole groups instead. Where the prepared file says so, or where no
    class has two conditions, the times are samples of one decoder and the folds are contiguous
    blocks of time.

    Parameters
    ----------
    array : DataArray, dims (sample, neuron) or (time, condition, neuron)
        With a label per sample or condition for each name in its attribute `variables`. Its
        attribute `decode_from` is the first time to decode from. Labels in `found` or
        `averaged_by`, which the user did not name as variables, are skipped with a warning if they
        cannot be decoded.
    n_folds : int
    seed : int
        Stratified folds are drawn once per dataset.

    Raises
    ------
    ValueError
        If another variable has one class, or one too small for the folds.
    """
    dataset = array.attrs["dataset"]
    groups = array.attrs.get("groups") or None
    names = [name for name in array.attrs["variables"] if name != groups]
    labels = {
        name: np.unique(array[name].values, return_inverse=True)
        for name in names
        if _has_classes(array, name)
    }
    classes = {name: codes for name, (_, codes) in labels.items()}
    in_time = array.ndim == 3
    n = array.shape[-2]
    rows = np.arange(array.size // array.shape[-1]).reshape(-1, n)[_times(array)]
    lonely = bool(classes) and all(np.bincount(codes).max() == 1 for codes in classes.values())
    over = array.attrs.get("decode_over", TIMES if in_time and lonely else CONDITIONS)
    if over == TIMES:
        return _over_times(dataset, rows, classes, n_folds)
    if groups is not None:
        return _over_groups(array, rows, classes, groups, n_folds)
    classes = _large_enough(array, classes, n_folds)
    rng = np.random.default_rng(derived_seed(seed, "folds", dataset))
    return Design(
        samples=rows,
        units=np.arange(n),
        classes=classes,
        folds=_stratified_by_all(rng, classes, n_folds),
        blocks=dict.fromkeys(classes, np.zeros(n, dtype=np.int64)),
        over=CONDITIONS,
        stratified=True,
    )


def _has_classes(array: xr.DataArray, variable: str) -> bool:
    """Return whether a variable has two classes; refuse or skip it if not."""
    values = np.unique(array[variable].values)
    if len(values) < 2:
        _refuse_or_skip(array, variable, f"expected at least two classes, got only {values[0]!s}")
    return len(values) >= 2


def _refuse_or_skip(array: xr.DataArray, variable: str, fault: str) -> None:
    """Raise for a variable that cannot be decoded, or warn if the user did not name it.

    Averaging by a label leaves few conditions of each class.
    """
    sentence = f"{array.attrs['dataset']}, variable {variable!r}: {fault}"
    if variable in array.attrs.get("averaged_by", []):
        logger.warning("%s; it is not decoded: keep single trials to decode it", sentence)
    elif variable in array.attrs.get("found", []):
        logger.warning("%s; it is not decoded", sentence)
    else:
        raise ValueError(
            f"{sentence}; to decode other variables only, name them under `labels` of the "
            "dataset, and [] for none"
        )


def _large_enough(
    array: xr.DataArray, classes: Mapping[str, np.ndarray], n_folds: int
) -> dict[str, np.ndarray]:
    """Return the variables whose classes all have a sample for each fold."""
    usable = {}
    for variable, codes in classes.items():
        counts = np.bincount(codes)
        if counts.min() >= n_folds:
            usable[variable] = codes
            continue
        label = np.unique(array[variable].values)[counts.argmin()]
        fault = (
            f"expected at least {n_folds} {array.dims[-2]}s of each class, one for each fold, got "
            f"{counts.min()} of {label!s}"
        )
        _refuse_or_skip(array, variable, fault)
    return usable


def _over_groups(
    array: xr.DataArray,
    rows: np.ndarray,
    classes: Mapping[str, np.ndarray],
    groups: str,
    n_folds: int,
) -> Design:
    """Hold out whole groups, as scikit-learn's GroupKFold."""
    names, group = np.unique(array[groups].values, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"{array.attrs['dataset']}, groups: expected at least two values of {groups!r}, so "
            f"that one can be held out, got only {names[0]!s}"
        )
    folds = group_folds(group, min(n_folds, len(names)))
    usable = {}
    for variable, codes in classes.items():
        missing = [
            fold
            for fold in np.unique(folds)
            if len(np.unique(codes[folds != fold])) < codes.max() + 1
        ]
        constant = all(len(np.unique(codes[group == number])) == 1 for number in range(len(names)))
        if constant:
            fault = f"its class is the same throughout each {groups!r}"
            _refuse_or_skip(array, variable, f"expected classes that vary within groups; {fault}")
        elif missing:
            fault = f"some class is only in the values of {groups!r} that a fold holds out"
            _refuse_or_skip(array, variable, f"expected every class outside each fold; {fault}")
        else:
            usable[variable] = codes
    return Design(
        samples=rows,
        units=np.arange(len(group)),
        classes=usable,
        folds=dict.fromkeys(usable, folds),
        blocks=dict.fromkeys(usable, group),
        over=CONDITIONS,
        stratified=False,
    )


def group_folds(group: np.ndarray, n_folds: int) -> np.ndarray:
    """Distribute groups over folds, the largest first, each to the fold with the fewest samples.

    Parameters
    ----------
    group : ndarray of int, shape (n,)
        Number of the group of each sample, from 0.
    n_folds : int
        At most the number of groups.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    sizes = np.bincount(group)
    load = np.zeros(n_folds, dtype=np.int64)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for number in np.argsort(-sizes, kind="stable"):
        fold_of[number] = load.argmin()
        load[fold_of[number]] += sizes[number]
    folds: np.ndarray = fold_of[group]
    return folds


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
        samples=rows.reshape(1, -1),
        units=np.tile(np.arange(n_conditions), n_times),
        classes={variable: np.tile(codes, n_times) for variable, codes in classes.items()},
        folds=dict.fromkeys(classes, block),
        blocks=dict.fromkeys(classes, block),
        over=TIMES,
        stratified=False,
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
    """Distribute the samples of each class over the folds in random order.

    Returns
    -------
    ndarray of int, shape (n,)
        The numbers of samples of a class, and of all samples, differ by at most one between folds.
    """
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % n_folds
    return folds


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
