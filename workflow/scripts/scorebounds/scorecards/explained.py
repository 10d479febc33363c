"""What a model explains of a recording's components on held-out conditions.

Ridge regression predicts the components from the model; whole conditions are held out, and the
penalty is chosen within the training conditions. The same is done with permuted conditions, which
gives chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from scorebounds.optimization.capture import principal_components
from scorebounds.scorecards.ceilings import splits_of
from scorebounds.scorecards.matching import Matched
from scorebounds.scorecards.permutations import distinct_orders
from scorebounds.scorecards.samples import Halves, average_trials, flatten, usable_halves

N_FOLDS = 5
# Penalties to choose from, in units of the mean squared singular value of the training data.
PENALTIES = 10.0 ** np.arange(-4.0, 5.0)
N_PERMUTATIONS = 39
COMPONENT_COLUMNS = ["target", "variance_ratio", "r2", "r2_chance"]
COMPONENT_COLUMNS += ["total_r2", "total_r2_chance", "total_p", "total_explainable"]


def explained_components(
    matched: Matched,
    device: str | torch.device = "cpu",
    halves: Halves | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Predict the components of the reference from the model on held-out conditions.

    Parameters
    ----------
    matched : Matched
    device : str or torch.device
        Where the components are computed.
    halves : tuple of ndarray, optional
        Averages of the reference over either half of its trials.
    seed : int
        Of the folds, the permutations and the split of trials.

    Returns
    -------
    DataFrame
        Per component: `target` (its number), `variance_ratio`, held-out `r2`, and `r2_chance`, the
        mean with permuted conditions. The same in all rows: `total_r2`, the share of the variance
        that the model explains, `total_r2_chance` and `total_p`, from permutations, and
        `total_explainable`, the share that is not trial noise, where halves of trials tell. Scores
        are missing with fewer than three conditions.
    """
    averaged, splits = average_trials(matched, seed)
    components = principal_components(flatten(averaged.reference).to(device))
    ratios = components.variance_ratio.cpu().numpy()
    table = pd.DataFrame({"target": np.arange(1, len(ratios) + 1), "variance_ratio": ratios})
    usable, neurons = splits_of(averaged.reference, usable_halves(matched, splits, halves))
    explainable = np.mean([split.signal / split.total for split in usable]) if usable else np.nan
    table["total_explainable"] = explainable if neurons.all() else np.nan
    n = averaged.n_conditions
    if n < 3:
        return table.reindex(columns=COMPONENT_COLUMNS)
    prediction = HeldOutRidge(averaged.model, seed)
    x = components.scores.cpu().numpy().reshape(-1, n, len(ratios))
    r2 = prediction.r2(x)
    orders = distinct_orders(n, N_PERMUTATIONS, seed)
    # Exchanging the conditions of x instead of those of y leaves the folds of y as they are.
    null = np.array([prediction.r2(x[:, np.argsort(order)]) for order in orders])
    total, null_total = r2 @ ratios, null @ ratios
    table["r2"], table["r2_chance"] = r2, null.mean(axis=0)
    table["total_r2"], table["total_r2_chance"] = total, null_total.mean()
    table["total_p"] = ((null_total >= total - 1e-12).sum() + 1) / (len(null) + 1)
    return table.reindex(columns=COMPONENT_COLUMNS)


@dataclass(frozen=True)
class _Split:
    """Ridge regression from the training rows of y, for every penalty of the grid.

    Attributes
    ----------
    train, test : ndarray of int
        Rows.
    left : ndarray, shape (n_train, rank)
        Left singular vectors of centred training rows.
    filtered : ndarray, shape (n_penalties, n_test, rank)
        What maps the projection on `left` to predictions of the test rows.
    """

    train: np.ndarray
    test: np.ndarray
    left: np.ndarray
    filtered: np.ndarray

    def squared_errors(self, x: np.ndarray, penalties: Sequence[int]) -> np.ndarray:
        """Return the squared error of each column of x on test rows, (n_penalties, n_columns)."""
        mean = x[self.train].mean(axis=0)
        projected = self.left.T @ (x[self.train] - mean)
        residual = x[self.test] - mean - self.filtered[list(penalties)] @ projected
        errors: np.ndarray = np.einsum("kij,kij->kj", residual, residual)
        return errors

    def total(self, x: np.ndarray) -> np.ndarray:
        """Return the sum of squares of each column of x on test rows, about the training mean."""
        squares: np.ndarray = (x[self.test] - x[self.train].mean(axis=0)) ** 2
        return np.asarray(squares.sum(axis=0))


class HeldOutRidge:
    """Predictions from one model, prepared for any number of recordings of the same conditions.

    Parameters
    ----------
    model : ndarray, shape (n_times, n_conditions, n_y)
    seed : int
        Assigns the conditions to folds.
    """

    def __init__(self, model: np.ndarray, seed: int):
        n_times, n_conditions, width = model.shape
        fold = np.random.default_rng(seed).permutation(np.arange(n_conditions) % N_FOLDS)
        y = model.reshape(-1, width)
        of_row = np.tile(fold, n_times)
        folds = sorted(set(fold.tolist()))
        self.outer: list[tuple[_Split, list[_Split]]] = []
        for held_out in folds:
            train = np.flatnonzero(of_row != held_out)
            inner = [
                _split(y, train[of_row[train] != other], train[of_row[train] == other])
                for other in folds
                if other != held_out
            ]
            self.outer.append((_split(y, train, np.flatnonzero(of_row == held_out)), inner))

    def r2(self, x: np.ndarray) -> np.ndarray:
        """Return the held-out R² of each column of x, shape (n_times, n_conditions, n_columns)."""
        flat = x.reshape(-1, x.shape[-1])
        error, total = np.zeros(flat.shape[1]), np.zeros(flat.shape[1])
        for split, inner in self.outer:
            error += split.squared_errors(flat, [_best_penalty(flat, inner)])[0]
            total += split.total(flat)
        return 1 - error / np.where(total > 0, total, np.inf)


def _best_penalty(x: np.ndarray, inner: Sequence[_Split]) -> int:
    every = range(len(PENALTIES))
    errors = np.sum([split.squared_errors(x, every).sum(axis=1) for split in inner], axis=0)
    return int(np.argmin(errors))


def _split(y: np.ndarray, train: np.ndarray, test: np.ndarray) -> _Split:
    mean = y[train].mean(axis=0)
    left, values, right = np.linalg.svd(y[train] - mean, full_matrices=False)
    kept = values > values[0] * max(len(train), y.shape[1]) * np.finfo(float).eps
    left, values, right = left[:, kept], values[kept], right[kept]
    projected = (y[test] - mean) @ right.T
    penalties = PENALTIES[:, None] * np.mean(values**2)
    shrinkage = values / (values**2 + penalties)
    return _Split(train, test, left, projected * shrinkage[:, None, :])
