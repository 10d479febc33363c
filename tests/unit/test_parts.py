"""Replicates from shared products against scores of the data that are left."""

import warnings

import numpy as np
import pytest
import torch

from scorebounds.measures import registry
from scorebounds.measures.parts import Parts
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.samples import flatten, fold_options

# Not unique where canonical correlations repeat, as with few samples.
# DSA is scored on trajectories, and has no replicates (test_dynamics.py).
UNIQUE = [name for name in registry.names() if name not in ("pwcca", "dsa")]


def draw(n_samples=45, n_x=9, n_y=12, n_times=1, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_times, n_samples, 4))
    x, y = (
        shared @ rng.normal(size=(4, width)) + rng.normal(size=(n_times, n_samples, width)) + offset
        for width in (n_x, n_y)
    )
    return Matched(x, y, np.arange(n_samples))


def outlier():
    matched = draw()
    for side in (matched.reference, matched.model):
        side[0, 3] *= 1e4
    return matched


def silent():
    """One neuron of either side responds to a single condition."""
    matched = draw()
    for side, row in ((matched.reference, 5), (matched.model, 6)):
        side[0, :, 2] = np.arange(45) == row
    return matched


WORLDS = {
    "plain": draw(),
    "times": draw(15, 8, 9, n_times=3),
    "wide model": draw(30, 9, 40),
    "wide recording": draw(20, 30, 10),
    "offset": draw(offset=1e6),
    "outlier": outlier(),
    "silent": silent(),
    "few": draw(9, 5, 6),
}


def scores_one_by_one(matched, measure, table, n_groups, seed):
    """Score what each replicate keeps, from the arrays."""
    rng = np.random.default_rng(seed)
    n, p = matched.n_conditions, matched.reference.shape[-1]
    order = rng.permutation(n)
    condition = order % min(n_groups, n) + 1
    neuron = rng.permutation(np.arange(p) % min(n_groups, p)) + 1
    scores = []
    # Held-out scores keep their five folds: of neighbouring conditions, or of every fifth one where
    # conditions have several times. Groups have as many conditions of each fold as of the others.
    fold = np.repeat(np.arange(5), [len(part) for part in np.array_split(np.arange(n), 5)])
    if len(matched.model) > 1:
        fold = np.arange(n)[::-1] % 5
    if measure.cross_validated:
        condition[order[np.argsort(fold[order], kind="stable")]] = np.arange(n) % n_groups + 1
    is_repeated = table.left_out.str.contains("repeated").any()
    for row in table.itertuples():
        is_pair = row.left_out.startswith("two of conditions")
        groups = {row.group, row.other_group if is_pair else 0}
        others = {row.neuron_group, row.other_group if row.left_out == "two of neurons" else 0}
        kept = np.flatnonzero(~np.isin(condition, list(groups)))
        if is_repeated:
            kept = np.repeat(np.arange(n), 1 + np.isin(condition, list(groups)))
        part = Matched(
            matched.reference[:, kept][..., ~np.isin(neuron, list(others))],
            matched.model[:, kept],
            np.arange(len(kept)),
            groups=fold[kept] if measure.cross_validated else None,
        )
        x, y = flatten(part.reference), flatten(part.model)
        try:
            scores.append(measure.score(x, y, **fold_options(part, measure)).item())
        except ValueError:
            scores.append(np.nan)
    return np.array(scores)


# One of each way of using the products.
SOME = ["cka", "cka_debiased", "procrustes_angular", "linreg", "svcca", "rsa_correlation_pearson"]
SOME += ["soft_matching", "mutual_knn_3", "ridge_cv_tuned"]
CASES = [(name, "plain") for name in UNIQUE]
CASES += [(name, world) for name in SOME for world in WORLDS if world != "plain"]


@pytest.mark.parametrize(("name", "world"), CASES)
def test_replicates_equal_scores_of_what_is_left(name, world):
    matched, measure = WORLDS[world], registry.load(name)
    pairs, n_groups = (False, 6) if measure.cross_validated else (True, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = jackknife_replicates(matched, measure, n_groups=n_groups, seed=1, pairs=pairs)
        expected = scores_one_by_one(matched, measure, table, n_groups, 1)
    # An angle has an unbounded slope at 1, where an outlier brings it; without the diagonal, little
    # is left of sums of fourth powers.
    is_loose = world == "outlier" and (measure.angular or name == "cka_debiased")
    tolerance = 1e-7 if is_loose else 1e-10
    np.testing.assert_allclose(table.score, expected, rtol=tolerance, atol=tolerance)
    assert table.score.notna().any() or np.isnan(expected).all()
    # Of nine conditions, half a fold would be repeated.
    is_repeated = measure.cross_validated and matched.n_conditions > 9
    assert table.left_out.str.contains("repeated").any() == is_repeated


@pytest.mark.parametrize("name", ["cka", "linreg", "nbs", "rsa_euclidean_pearson"])
def test_products_that_are_not_kept_are_computed(name, monkeypatch):
    measure, matched = registry.load(name), draw()
    kept = jackknife_replicates(matched, measure, n_groups=4, seed=0, pairs=True)
    monkeypatch.setattr("scorebounds.measures.parts.MOST_KEPT", 0)
    computed = jackknife_replicates(matched, measure, n_groups=4, seed=0, pairs=True)
    np.testing.assert_allclose(kept.score, computed.score, rtol=1e-11)


def test_what_is_constant_without_a_group_is_named():
    x, y = torch.zeros(20, 3, dtype=torch.float64), torch.rand(20, 4, dtype=torch.float64)
    x[:5] = torch.rand(5, 3, dtype=torch.float64)
    parts = Parts(registry.load("cka"), x, y, torch.arange(20) // 5, torch.tensor([0, 1, 1]))
    (fault,) = parts.without([0], [()])
    assert "expected x that varies over samples" in str(fault)
    (score,) = parts.without([1], [()])
    assert score == pytest.approx(
        registry.load("cka")
        .score(x[[*range(5), *range(10, 20)]], y[[*range(5), *range(10, 20)]])
        .item(),
        rel=1e-12,
    )


def test_the_products_are_not_computed_for_each_replicate(monkeypatch):
    """The card of the issue was slow because each of 210 replicates had products of its own."""
    sizes = []
    matmul = torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor, "__matmul__", lambda a, b: sizes.append(a.shape[-1]) or matmul(a, b)
    )
    matched = draw(200, 12, 20)
    table = jackknife_replicates(matched, registry.load("cka"), n_groups=10, seed=0, pairs=True)
    assert len(table) > 200
    assert sum(size >= 150 for size in sizes) == 0
    assert sum(size == 20 for size in sizes) <= 30
