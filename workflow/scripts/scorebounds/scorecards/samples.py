"""Prepare matched activity for scoring: averages over trials, halves of trials, folds, scale."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scorebounds.core.averages import is_single, mean_as_stored
from scorebounds.measures.base import Measure
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.rows import CONDITIONS

Halves = tuple[np.ndarray, np.ndarray]
# Random splits of the trials into halves, over which noise ceilings are averaged.
N_SPLITS = 10
# Sizes of values whose squares, and sums of them, are far from the limits of double precision.
SMALLEST, LARGEST = 1e-60, 1e60


def flatten(activity: np.ndarray) -> Tensor:
    """Return (n_times, n_rows, n_neurons) as samples × neurons."""
    return torch.from_numpy(np.ascontiguousarray(activity).reshape(-1, activity.shape[-1]))


def fold_groups(matched: Matched, measure: Measure) -> Tensor | None:
    """Return the group of each sample, or its condition where several samples share one, else None.

    A trajectory is the condition in any case.

    Cross-validated measures hold out whole conditions: samples of one condition at other times
    are alike, and would give away the held-out ones.
    """
    n_times, n_conditions, _ = matched.model.shape
    if matched.groups is not None and not measure.of_trajectories:
        return torch.from_numpy(matched.groups).repeat(n_times)
    return None if n_times == 1 else torch.arange(n_conditions).repeat(n_times)


def fold_options(
    matched: Matched, measure: Measure, device: str | torch.device = "cpu"
) -> dict[str, Tensor]:
    """Return the keyword arguments by which a measure holds out whole conditions."""
    groups = fold_groups(matched, measure)
    return {} if groups is None else {"groups": groups.to(device)}


def grouping_of(matched: Matched) -> str:
    """Return a digest of which rows of the reference take part, and of their conditions."""
    content = matched.condition.astype("<i8").tobytes()
    if matched.rows is not None:
        content += matched.rows.astype("<i8").tobytes()
    if matched.is_averaged:
        content += b"averaged over time"
    if matched.groups is not None:
        content += matched.groups.astype("<i8").tobytes()
    return f"{zlib.crc32(content):08x}"


def of_moderate_size(activity: np.ndarray) -> np.ndarray:
    """Scale activity by a power of two where its squares would overflow or vanish."""
    largest = np.abs(activity).max()
    if largest == 0 or SMALLEST < largest < LARGEST:
        return activity
    scaled: np.ndarray = np.ldexp(activity, -int(np.frexp(largest)[1]))
    return scaled


def average_trials(matched: Matched, seed: int) -> tuple[Matched, list[Halves]]:
    """Average the rows of each condition, and over either half of them.

    A model has one row per condition and cannot follow what differs between its trials. Averages
    give every condition the same weight, and keep rows of one condition out of pairs of samples
    and out of training and test set at once.

    Parameters
    ----------
    matched : Matched
    seed : int
        Decides which trials make a half.

    Returns
    -------
    averaged : Matched
        One row per condition; `matched` itself where it has no repeats.
    halves : list of tuple of ndarray, shapes (n_times, n_conditions, n_x)
        Random splits; none where a condition has a single row.
    """
    x, condition = matched.reference, matched.condition
    rows = [np.flatnonzero(condition == number) for number in range(matched.n_conditions)]
    if all(len(of_condition) == 1 for of_condition in rows):
        order = np.concatenate(rows)
        return _one_row_each(matched, x[:, order], matched.rows_are), []
    single = is_single(x)
    averages = np.stack([mean_as_stored(x[:, each], 1, single=single) for each in rows], axis=1)
    averaged = _one_row_each(matched, averages, CONDITIONS)
    if min(map(len, rows)) < 2:
        return averaged, []
    rng = np.random.default_rng(seed)
    return averaged, [_split(x, rows, rng) for _ in range(N_SPLITS)]


def _one_row_each(matched: Matched, reference: np.ndarray, rows_are: str) -> Matched:
    number = np.arange(matched.n_conditions)
    return Matched(
        reference,
        matched.model,
        number,
        groups=matched.groups,
        of_components=matched.of_components,
        subjects=matched.subjects,
        rows_are=rows_are,
    )


def usable_halves(
    matched: Matched, splits: Sequence[Halves], halves: Halves | None
) -> Sequence[Halves]:
    """Return the halves of trials: from repeated rows, or else those stored with averages."""
    if halves is None or len(matched.condition) > matched.n_conditions:
        return splits
    order = np.argsort(matched.condition, kind="stable")  # as `average_trials` brings them
    shape = matched.reference.shape
    return [(halves[0].reshape(shape)[:, order], halves[1].reshape(shape)[:, order])]


def _split(x: np.ndarray, rows: Sequence[np.ndarray], rng: np.random.Generator) -> Halves:
    single = is_single(x)
    halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for of_condition in rows:
        shuffled = rng.permutation(of_condition)
        middle = len(shuffled) // 2
        for half, part in zip(halves, (shuffled[:middle], shuffled[middle:]), strict=True):
            half.append(mean_as_stored(x[:, part], 1, single=single))
    first, second = (np.stack(half, axis=1) for half in halves)
    return first, second


def scale_for_penalty(model: np.ndarray) -> np.ndarray:
    """Bring a model to a mean squared norm of one per unit, as a fixed penalty presupposes."""
    centred = model - model.mean(axis=(0, 1))
    scaled: np.ndarray = model / np.sqrt(np.mean(centred**2))
    return scaled


def has_fixed_penalty(measure: Measure) -> bool:
    """Return whether a score depends on the model's unit through a penalty."""
    return "isotropic_scaling_x" in measure.invariances and not measure.invariances & {
        "isotropic_scaling",
        "isotropic_scaling_y",
    }
