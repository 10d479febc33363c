"""What a model explains of a recording's components on held-out conditions.

Ridge regression predicts the components from the model. Each of five folds of conditions is held
out in turn; its penalty is the one that best predicts the fold before and the fold after it, from
the three remaining folds. The same is done with permuted conditions, which gives chance.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from scorebounds.measures.components import principal_components
from scorebounds.ranges.linked_bounds import samples_of
from scorebounds.scorecards.ceilings import MIN_CONDITIONS, has_signal, splits_of
from scorebounds.scorecards.grouping import assign
from scorebounds.scorecards.halves import HalvesOfTrials
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import orders_of
from scorebounds.scorecards.repeats import with_equal_rows
from scorebounds.scorecards.rows import PERMUTED, WITHHELD
from scorebounds.scorecards.samples import (
    Halves,
    average_trials,
    flatten,
    of_moderate_size,
    usable_halves,
)
from scorebounds.scorecards.sequence import with_exchange
from scorebounds.scorecards.shared import shares_of_cka

N_FOLDS = 5
# For a penalty that is chosen within the training conditions.
LEAST_FOLDS = 3
# Penalties to choose from, in units of the mean squared singular value of the training data.
PENALTIES = 10.0 ** np.arange(-4.0, 5.0)
# The fewest with which p can be 0.05.
N_PERMUTATIONS = 19
COMPONENT_COLUMNS = ["target", "variance_ratio", "share_of_cka", "r2", "r2_chance"]
COMPONENT_COLUMNS += [
    "total_r2",
    "total_r2_chance",
    "total_p",
    "total_smallest_p",
    "total_explainable",
    "exchange",
    "unevenness",
]


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
        Per component: `target` (its number), `variance_ratio`, `share_of_cka` (`shares_of_cka`),
        held-out `r2`, and `r2_chance`, the mean with permuted conditions. The same in all rows:
        `unevenness` of the norms of the reference's rows (`linked_bounds.Samples`), `total_r2`, the
        share of the variance that the model explains, `total_r2_chance`, `total_p` and
        `total_smallest_p`, the smallest possible one, from permutations, `total_explainable`, the
        share that is not trial noise, where halves of trials agree, and `exchange`, how conditions
        were exchanged for it. Scores are missing with fewer than three
        conditions, or groups of them, and if rows may not be exchanged.
    """
    matched = with_equal_rows(matched)
    averaged, splits = average_trials(matched, seed)
    averaged = with_exchange(averaged)
    averaged = replace(
        averaged,
        reference=of_moderate_size(averaged.reference),
        model=of_moderate_size(averaged.model),
    )
    reference = flatten(averaged.reference)
    components = principal_components(reference.to(device))
    ratios = components.variance_ratio.cpu().numpy()
    table = pd.DataFrame({"target": np.arange(1, len(ratios) + 1), "variance_ratio": ratios})
    table["share_of_cka"] = shares_of_cka(components, flatten(averaged.model).to(device))
    table["unevenness"] = samples_of(reference.numpy()).unevenness
    usable, neurons = splits_of(averaged.reference, usable_halves(matched, splits, halves))
    table["total_explainable"] = _explainable(usable, seed) if neurons.all() else np.nan
    table["exchange"] = averaged.exchange
    n = averaged.n_conditions
    n_held_out = n if averaged.groups is None else len(np.unique(averaged.groups))
    orders = orders_of(averaged, N_PERMUTATIONS, seed)
    if n_held_out < LEAST_FOLDS or not len(orders) or averaged.exchange == WITHHELD:
        return table.reindex(columns=COMPONENT_COLUMNS)
    in_order = averaged.exchange != PERMUTED
    prediction = HeldOutRidge(averaged.model, seed, averaged.groups, in_order=in_order)
    x = components.scores.cpu().numpy().reshape(-1, n, len(ratios))
    r2 = prediction.r2(x)
    # Exchanging the conditions of x instead of those of y leaves the folds of y as they are.
    null = np.array([prediction.r2(x[:, np.argsort(order)]) for order in orders])
    total, null_total = r2 @ ratios, null @ ratios
    table["r2"], table["r2_chance"] = r2, null.mean(axis=0)
    table["total_r2"], table["total_r2_chance"] = total, null_total.mean()
    table["total_p"] = ((null_total >= total - 1e-12).sum() + 1) / (len(null) + 1)
    table["total_smallest_p"] = 1 / (len(null) + 1)
    return table.reindex(columns=COMPONENT_COLUMNS)


def _explainable(splits: Sequence[HalvesOfTrials], seed: int) -> float:
    """Return the share of the variance that is not trial noise, NaN if halves do not agree."""
    n_conditions = splits[0].whole.shape[1] if splits else 0
    if n_conditions < MIN_CONDITIONS or not has_signal(splits[0], seed):
        return float("nan")
    return float(np.clip(np.mean([split.signal / split.total for split in splits]), 0, 1))


class RidgeFit:
    """Ridge regression from one set of training rows of y, for every penalty of the grid.

    With training rows Y and their Gram matrix VΛVᵀ, the prediction of test rows T is
    TV (Λ + λI)⁻¹ (YV)ᵀX; with fewer rows than units the same from YYᵀ. Rows are centred by the
    training mean.

    Parameters
    ----------
    y : ndarray, shape (n_rows, n_y)
    train : ndarray of int
        Rows.
    """

    def __init__(self, y: np.ndarray, train: np.ndarray):
        self.train = train
        self.mean = y[train].mean(axis=0)
        rows = y[train] - self.mean
        is_wide = rows.shape[1] > rows.shape[0]
        values, vectors = np.linalg.eigh(rows @ rows.T if is_wide else rows.T @ rows)
        kept = values > values[-1] * max(rows.shape) * np.finfo(float).eps
        values, vectors = values[kept], vectors[:, kept]
        # What test rows, centred, are multiplied by, and (transposed) the training rows of x.
        self.of_test = rows.T @ vectors if is_wide else vectors
        self.of_train = vectors if is_wide else rows @ vectors
        unit = values.sum() / max(len(values), 1)
        self.shrinkage = 1 / (values + PENALTIES[:, None] * unit)

    def projected(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the training mean of each column of x, and its products with the directions."""
        mean = x[self.train].mean(axis=0)
        return mean, self.of_train.T @ (x[self.train] - mean)


class HeldOut:
    """Test rows of y, predicted from one fit.

    Parameters
    ----------
    fit : RidgeFit
    y : ndarray, shape (n_rows, n_y)
    test : ndarray of int
        Rows.
    """

    def __init__(self, fit: RidgeFit, y: np.ndarray, test: np.ndarray):
        self.fit, self.test = fit, test
        self.directions = (y[test] - fit.mean) @ fit.of_test
        self.overlap = self.directions.T @ self.directions
        self._maps: dict[int, np.ndarray] = {}

    def squared_errors(self, x: np.ndarray, penalty: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the squared error of each column of x, and its sum of squares about the mean."""
        mean, predicted = self._predict(x, penalty)
        target = x[self.test] - mean
        return ((target - predicted) ** 2).sum(axis=0), (target**2).sum(axis=0)

    def _predict(self, x: np.ndarray, penalty: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the training mean of each column of x, and the prediction of the test rows."""
        shrinkage = self.fit.shrinkage[penalty]
        n_train, rank = self.fit.of_train.shape
        if len(self.test) * n_train > rank * (len(self.test) + n_train):
            mean, projected = self.fit.projected(x)
            return mean, self.directions @ (shrinkage[:, None] * projected)
        # The map from training rows to test rows serves all x.
        if penalty not in self._maps:
            self._maps[penalty] = (self.directions * shrinkage) @ self.fit.of_train.T
        mean = x[self.fit.train].mean(axis=0)
        return mean, self._maps[penalty] @ (x[self.fit.train] - mean)

    def summed_errors(
        self, x: np.ndarray, mean: np.ndarray, projected: np.ndarray, products: np.ndarray
    ) -> np.ndarray:
        """Return the squared error summed over the columns of x, for every penalty.

        Parameters
        ----------
        x : ndarray, shape (n_rows, n_columns)
        mean, projected : ndarray
            From `RidgeFit.projected`.
        products : ndarray
            `projected` times its transpose.
        """
        # ‖R − T D P‖² = ‖R‖² − 2 tr(Tᵀ R Pᵀ D) + tr(D TᵀT D P Pᵀ) with D diagonal.
        target = x[self.test] - mean
        shrinkage = self.fit.shrinkage
        agreement = np.einsum("ij,ij->i", self.directions.T @ target, projected)
        spread = ((shrinkage @ (self.overlap * products)) * shrinkage).sum(axis=1)
        errors: np.ndarray = (target**2).sum() - 2 * shrinkage @ agreement + spread
        return errors


class HeldOutRidge:
    """Predictions from one model, prepared for any number of recordings of the same conditions.

    Parameters
    ----------
    model : ndarray, shape (n_times, n_conditions, n_y)
    seed : int
        Assigns the conditions to folds.
    groups : ndarray of int, shape (n_conditions,), optional
        Groups of conditions that stay in one fold.
    in_order : bool
        Whether a fold is a sequence of conditions.
    """

    def __init__(
        self,
        model: np.ndarray,
        seed: int,
        groups: np.ndarray | None = None,
        *,
        in_order: bool = False,
    ):
        n_times, n_conditions, width = model.shape
        rng = np.random.default_rng(seed)
        fold = assign(n_conditions, N_FOLDS, rng, groups, in_order=in_order)
        y = model.reshape(-1, width)
        of_row = np.tile(fold, n_times)
        rows = {number: np.flatnonzero(of_row == number) for number in sorted(set(fold.tolist()))}

        def fit_without(*numbers: int) -> RidgeFit:
            return RidgeFit(y, np.flatnonzero(~np.isin(of_row, numbers)))

        self.outer = {
            number: HeldOut(fit_without(number), y, test) for number, test in rows.items()
        }
        # A fit without two folds predicts either one while the other is held out for the score.
        # With pairs of neighbours only, each fold has two such fits instead of four.
        self.inner: dict[tuple[int, int], tuple[HeldOut, HeldOut]] = {}
        for first in rows:
            pair = first, (first + 1) % len(rows)
            fit = fit_without(*pair)
            self.inner[pair] = HeldOut(fit, y, rows[pair[0]]), HeldOut(fit, y, rows[pair[1]])

    def best_penalties(self, x: np.ndarray) -> dict[int, int]:
        """Return for each fold the penalty that predicts its neighbours best."""
        errors = {number: np.zeros(len(PENALTIES)) for number in self.outer}
        for (first, second), (of_first, of_second) in self.inner.items():
            mean, projected = of_first.fit.projected(x)
            products = projected @ projected.T
            errors[first] += of_second.summed_errors(x, mean, projected, products)
            errors[second] += of_first.summed_errors(x, mean, projected, products)
        return {number: int(np.argmin(summed)) for number, summed in errors.items()}

    def r2(self, x: np.ndarray) -> np.ndarray:
        """Return the held-out R² of each column of x, shape (n_times, n_conditions, n_columns)."""
        flat = x.reshape(-1, x.shape[-1])
        penalties = self.best_penalties(flat)
        parts = [
            part.squared_errors(flat, penalties[number]) for number, part in self.outer.items()
        ]
        error, total = np.sum(parts, axis=0)
        r2: np.ndarray = 1 - error / np.where(total > 0, total, np.inf)
        return r2
