"""Intervals of corrected scores: the jackknife with every two groups left out."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.coverage import MEASURES, World, truth
from helpers.worlds import card_of, matched_pair
from scorebounds.core.angular import to_angular
from scorebounds.measures import registry
from scorebounds.measures.folds import contiguous_folds, grouped_folds
from scorebounds.scorecards import jackknife, left_out, replicates
from scorebounds.scorecards.score_intervals import (
    kept_by_corrections,
    score_interval,
    uneven_ends,
)


def test_the_corrected_jackknife_of_a_squared_mean_is_unbiased_and_knows_its_variance():
    """θ = mean²: the correction is −s²/n, of which a correction in each replicate has 1/n²."""
    rng = np.random.default_rng(16)
    n, mean = 60, 0.4

    class SquaredMean:
        name = "squared mean"
        cross_validated = False
        of_trajectories = False

        @staticmethod
        def of_neurons(x, y, neurons):
            return [x[:, chosen].mean().item() ** 2 for chosen in neurons]

    corrected, variances = [], []
    for draw in range(200):
        # Replicates of more neurons than samples are scored one by one.
        x = np.repeat(mean + rng.normal(size=(n, 1)), n + 1, axis=1)
        matched = replace(matched_pair(x, x), of_components=True)
        scored = replicates.jackknife_replicates(
            matched, SquaredMean(), n_groups=10, seed=draw, pairs=True
        )
        found = jackknife.corrected_estimate(float(x.mean() ** 2), scored)
        groups = 10 * 9 / 2
        assert (scored.left_out == jackknife.TWO_OF_CONDITIONS).sum() == groups
        corrected.append(x.mean() ** 2 - found.bias)
        variances.append((found.ci_half_width / 2.306) ** 2)
    standard_error = np.std(corrected) / len(corrected) ** 0.5
    assert np.mean(corrected) == pytest.approx(mean**2, abs=3 * standard_error)
    assert np.mean(variances) == pytest.approx(np.var(corrected), rel=0.25)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (jackknife.BOTH, "without group 3 of the conditions and without group 2 of the neurons"),
        (jackknife.BOTH_REPEATED, "with group 3 of the conditions twice and without group 2 of"),
        (jackknife.TWO_REPEATED, "with groups 3 and 4 of the conditions twice"),
        (jackknife.NOTHING, "with all"),
    ],
)
def test_a_replicate_is_named_by_what_it_lacks_or_repeats(kind, said):
    groups = {
        jackknife.TWO_REPEATED: {"group": 3, "other_group": 4},
        jackknife.NOTHING: {},
    }.get(kind, {"group": 3, "neuron_group": 2})
    assert str(left_out.LeftOut(kind, **groups)).startswith(said)


@pytest.mark.parametrize(("mean", "least", "most"), [(0.0, 0.8, 2.5), (1.0, 0.8, 1.2)])
def test_repeated_pairs_lower_the_variance_of_a_held_out_score_that_consists_of_pairs(
    mean, least, most
):
    """θ = the mean of products of different folds' means: pairs only, if the mean is 0."""
    rng = np.random.default_rng(21)

    class ProductOfFolds:
        name = "product of folds"
        cross_validated = True
        of_trajectories = False

        @staticmethod
        def of_neurons(x, y, neurons, groups):
            means = np.array([x[groups == fold, 0].mean().item() for fold in np.unique(groups)])
            total = means.sum() ** 2 - (means**2).sum()
            return [total / (len(means) * (len(means) - 1))] * len(neurons)

    scores, variances, old = [], [], []
    for draw in range(150):
        x = mean + rng.normal(size=(60, 1))
        matched = matched_pair(x, x)
        scored = replicates.jackknife_replicates(matched, ProductOfFolds(), n_groups=10, seed=draw)
        fold = torch.from_numpy(replicates.folds_of_all(matched))
        (score,) = ProductOfFolds.of_neurons(torch.from_numpy(x), None, [0], fold)
        scores.append(score)
        found = jackknife.jackknife_estimate(score, scored)
        assert found.n_free == 8
        variances.append((found.ci_half_width / 2.306) ** 2)
        single = scored[scored.left_out != jackknife.TWO_REPEATED]
        old.append((jackknife.jackknife_estimate(score, single).ci_half_width / 2.262) ** 2)
    assert least < np.mean(variances) / np.var(scores) < most
    if not mean:
        assert np.mean(variances) < 0.9 * np.mean(old), (
            np.mean(variances),
            np.mean(old),
            np.var(scores),
        )


@pytest.mark.parametrize("n_times", [1, 3])
@pytest.mark.parametrize("runs", [None, np.arange(24) // 4])
def test_replicates_of_held_out_scores_have_the_folds_of_the_score(n_times, runs):
    """Folds drawn anew would add their variance, nine times."""
    rng = np.random.default_rng(18)
    x = np.broadcast_to(np.arange(24.0)[:, None], (n_times, 24, 6))
    matched = replace(matched_pair(x, rng.normal(size=(n_times, 24, 4))), groups=runs)
    found = {}

    class Spy:
        name = "spy"
        cross_validated = True
        of_trajectories = False

        @staticmethod
        def of_neurons(x, y, neurons, groups):
            for condition, fold in zip(x[:, 0].tolist(), groups.tolist(), strict=True):
                found.setdefault(condition, set()).add(fold)
            return [0.0] * len(neurons)

    replicates.jackknife_replicates(matched, Spy(), n_groups=5, seed=1)
    assert all(len(folds) == 1 for folds in found.values())
    assert sorted(found) == list(range(24))
    groups = np.arange(24) if runs is None else runs
    alone = n_times == 1 and runs is None
    expected = contiguous_folds(24) if alone else grouped_folds(groups)
    order = np.arange(24) if alone else expected.order.numpy()
    for start, stop in expected.bounds:
        assert len(set.union(*(found[condition] for condition in order[start:stop]))) == 1


def test_the_interval_of_an_angular_score_is_that_of_its_cosine():
    rng = np.random.default_rng(17)
    x = rng.normal(size=(50, 20)) @ rng.normal(size=(20, 20))
    y = x + 3 * rng.normal(size=x.shape)
    card = card_of(matched_pair(x, y), ["cka", "cka_angular"])
    for end in ("score_low", "score_corrected", "score_high"):
        assert np.isfinite(card[end]["cka"])
        assert card[end]["cka_angular"] == pytest.approx(float(to_angular(card[end]["cka"])))


def test_the_interval_holds_all_scores_that_are_compatible_with_the_estimate():
    grid = np.linspace(-1, 2, 30_001)
    for centre, half in itertools.product((-0.05, 0.0, 0.1, 0.5, 0.95), (0.01, 0.1, 0.4)):
        at, known = np.clip(grid, 0, 1), np.clip(centre, 0, 1)
        variance = (at + 0.1) * (2 - at) / ((known + 0.1) * (2 - known))
        compatible = grid[(centre - grid) ** 2 <= half**2 * variance]
        ends = uneven_ends(centre, half)
        # Above 1, where no score is, the variance is constant in the grid only.
        low = min(compatible[0], centre - half) if centre <= half else compatible[0]
        expected = [low, compatible[-1]]
        assert np.minimum(ends, 1) == pytest.approx(np.minimum(expected, 1), abs=2e-4)
    low, high = uneven_ends(0.3, 0.1)
    assert 0.3 - low < 0.1 < high - 0.3


def test_three_conditions_have_no_interval_and_a_reason():
    rng = np.random.default_rng(19)
    row = card_of(matched_pair(rng.normal(size=(3, 5)), rng.normal(size=(3, 2))), ["cka"]).iloc[0]
    assert np.isnan(row.score_low)
    assert row.interval_note == "there are too few conditions or neurons for the jackknife"


def test_a_regression_that_fits_all_that_the_jackknife_leaves_has_no_interval():
    """Of 20 conditions the groups leave 18, which 17 units fit; 16 units do not."""
    rng = np.random.default_rng(23)
    x = rng.normal(size=(20, 30))
    for width, has_interval in ((17, False), (16, True)):
        row = card_of(matched_pair(x, rng.normal(size=(20, width))), ["linreg"]).loc["linreg"]
        assert row.is_informative
        assert np.isfinite(row.score_low) == has_interval
        assert ("fits them all" in row.interval_note) != has_interval
    copy = card_of(matched_pair(x[:, :17], x[:, :17]), ["linreg"]).loc["linreg"]
    assert [copy.score_low, copy.score_high] == pytest.approx([1, 1])


@pytest.mark.parametrize("measure", ["cka", "cka_debiased"])
def test_an_interval_of_nearly_all_scores_is_not_given_and_the_note_says_why(measure):
    """Spike counts of neurons with log-normal rates, of which the most active dominate."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(60, 5))
    rates = np.exp(1.2 * rng.normal(size=30) + 1 + 0.2 * z @ rng.normal(size=(5, 30)))
    counts = rng.poisson(rates).astype(float)
    model = z @ rng.normal(size=(5, 20))
    row = card_of(matched_pair(counts, model), [measure]).iloc[0]
    assert row.verdict == "better than chance"
    assert np.isnan([row.score_low, row.score_high, row.score_corrected]).all()
    assert "a few hold most of the variance" in row.interval_note
    # As the notes say: square roots, or averages over more trials and more neurons.
    roots = card_of(matched_pair(np.sqrt(counts), model), [measure]).iloc[0]
    assert 0 < roots.score_low < roots.score_high
    assert roots.interval_note == ""
    rates = np.exp(1.2 * rng.normal(size=200) + 1 + 0.2 * z @ rng.normal(size=(5, 200)))
    trials = rng.poisson(rates, (10, 60, 200))
    averages = card_of(matched_pair(np.sqrt(trials).mean(0), model), [measure]).iloc[0]
    assert np.isfinite([averages.score_low, averages.score_high]).all()
    assert averages.interval_note == ""


@pytest.mark.parametrize(
    "measure", ["cka", "cka_angular", "cka_debiased", "rsa_correlation_pearson"]
)
def test_few_noisy_neurons_have_no_interval_and_more_neurons_have(measure):
    """Four fifths of the variance is noise: intervals covered the population in 20 % of draws."""
    world = World(n=72, n_neurons=19, noise=2.0, shared=0.6)
    rng = np.random.default_rng(0)
    populations = world.populations(rng)
    x, y = world.draw(rng, populations, 72, slice(0, 300))
    few = card_of(matched_pair(x[:, :19], y), [measure]).iloc[0]
    assert np.isnan([few.score_low, few.score_high, few.score_corrected]).all()
    assert "more neurons" in few.interval_note
    many = card_of(matched_pair(x, y), [measure]).iloc[0]
    assert np.isfinite([many.score_low, many.score_high]).all()


def test_cka_of_few_conditions_and_many_units_has_no_interval_and_debiased_cka_has():
    """The CKA of two such datasets that are unrelated is 0.6; corrected, it is 0.3."""
    rng = np.random.default_rng(31)
    x = rng.normal(size=(21, 12)) @ rng.normal(size=(12, 130)) + rng.normal(size=(21, 130))
    card = card_of(
        matched_pair(x, rng.normal(size=(21, 100))), ["cka", "cka_angular", "cka_debiased"]
    )
    for name in ("cka", "cka_angular"):
        row = card.loc[name]
        assert np.isnan([row.score_low, row.score_high, row.score_corrected]).all()
        assert "debiased CKA has no such bias" in row.interval_note
    assert card.score_low["cka_debiased"] <= 0 <= card.score_high["cka_debiased"]
    more = rng.normal(size=(210, 12)) @ rng.normal(size=(12, 130))
    row = card_of(matched_pair(more, rng.normal(size=(210, 100))), ["cka"]).loc["cka"]
    assert np.isfinite(row.score_low)


@pytest.mark.parametrize(("width", "has_interval"), [(20, True), (26, False)])
def test_regression_with_hardly_more_training_conditions_than_units_has_no_interval(
    width, has_interval
):
    rng = np.random.default_rng(8)
    z = rng.normal(size=(40, width))
    x = z @ rng.normal(size=(width, 30)) + rng.normal(size=(40, 30))
    card = card_of(matched_pair(x, z), ["linreg_cv", "ridge_cv_100"], n_permutations=19)
    assert np.isfinite(card.score_low["linreg_cv"]) == has_interval
    assert ("hardly more than the units" in card.interval_note["linreg_cv"]) != has_interval
    assert np.isfinite(card.score_low["ridge_cv_100"])


def lowered_by_few_neurons(own, n_groups):
    """Return √(1 / (1 + c/p)) and its replicates, whatever the conditions."""

    def score(n_without):
        return (1 / (1 + own * n_groups / (n_groups - n_without))) ** 0.5

    groups, conditions = range(n_groups), range(10)
    lacking = [(jackknife.CONDITIONS, i, None, None, 0) for i in conditions]
    lacking += [(jackknife.NEURONS, None, j, None, 1) for j in groups]
    lacking += [(jackknife.BOTH, i, j, None, 1) for i in conditions for j in groups]
    pairs = itertools.combinations(conditions, 2)
    lacking += [(jackknife.TWO_OF_CONDITIONS, i, None, j, 0) for i, j in pairs]
    pairs = itertools.combinations(groups, 2)
    lacking += [(jackknife.TWO_OF_NEURONS, None, i, j, 2) for i, j in pairs]
    columns = ["left_out", "group", "neuron_group", "other_group", "score"]
    return score(0), pd.DataFrame([(*each, score(n)) for *each, n in lacking], columns=columns)


@pytest.mark.parametrize("groups", [None, np.arange(60) // 4])
def test_held_out_correlations_have_no_interval_where_groups_are_held_out(groups):
    rng = np.random.default_rng(12)
    z = rng.normal(size=(60, 8))
    matched = matched_pair(z @ rng.normal(size=(8, 20)) + rng.normal(size=(60, 20)), z)
    matched = replace(matched, groups=groups)
    card = card_of(matched, ["ridge_cv_pearson_100", "ridge_cv_100"], n_permutations=19)
    has_interval = card.score_low.notna()
    assert has_interval["ridge_cv_100"]
    assert has_interval["ridge_cv_pearson_100"] == (groups is None)
    said = "too narrow in simulations" in card.interval_note["ridge_cv_pearson_100"]
    assert said == (groups is not None)


@pytest.mark.parametrize("n_groups", [3, 7, 10])
@pytest.mark.parametrize("own", [0.0, 0.3, 1.0, 4.0])
def test_what_the_corrections_keep_is_what_they_make_of_a_score_lowered_by_few_neurons(
    n_groups, own
):
    score, table = lowered_by_few_neurons(own, n_groups)
    left = score - jackknife.corrected_estimate(score, table).bias
    assert kept_by_corrections(1 / (1 + own), n_groups) == pytest.approx(left, abs=1e-12)
    assert left == pytest.approx(1) if own == 0 else score < left < 1.1


@pytest.mark.parametrize("own", [0.0, 1.0, 3.0])
def test_the_step_for_what_neurons_have_in_common_is_uncertain_by_its_size(own):
    score, table = lowered_by_few_neurons(own, 10)
    scored = {"score": 0.6 * score, "is_informative": True, "null_mean": 0.0}
    scored["shared_among_neurons"] = 1 / (1 + own)
    table["score"] *= 0.6
    found = score_interval(scored, table, registry.load("cka_debiased"), 1)
    assert found["score_corrected"] == pytest.approx(0.6, abs=1e-9)
    own_half = jackknife.corrected_estimate(scored["score"], table).ci_half_width
    kept = kept_by_corrections(1 / (1 + own), 10)
    # Student's t with 8 degrees of freedom.
    step = 0.6 * (1 - kept) * 2.306
    ends = uneven_ends(0.6, np.hypot(own_half / kept, step))
    assert (found["score_low"], found["score_high"]) == pytest.approx(ends, abs=1e-4)
    assert step == pytest.approx(0, abs=1e-9) if own == 0 else step > 0.05


@pytest.mark.parametrize("measure", ["cka", "cka_debiased", "rsa_correlation_pearson"])
def test_scores_of_ten_neurons_are_corrected_for_what_the_jackknife_leaves(measure):
    world = World(n=150, n_neurons=10, shared=0.6)
    rng = np.random.default_rng(2)
    populations = world.populations(rng)
    known = truth(world, rng, populations, 2000)[MEASURES.index(measure)]
    found = []
    for _ in range(12):
        neurons = rng.choice(2000, 10, replace=False)
        card = card_of(matched_pair(*world.draw(rng, populations, 150, neurons)), [measure])
        found.append(card.iloc[0])
    corrected = np.array([row.score_corrected for row in found])
    error = np.nanstd(corrected) / len(corrected) ** 0.5
    assert np.nanmean(corrected) == pytest.approx(known, abs=3 * error)
    # The score itself is a third lower.
    assert error < 0.04
    assert np.mean([row.score for row in found]) < 0.75 * known


def test_one_neuron_has_no_interval():
    """It does not tell how much neurons differ; without it, none of 14 intervals was right."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((60, 3))
    x = z @ rng.standard_normal((3, 1)) + 0.3 * rng.standard_normal((60, 1))
    table = card_of(matched_pair(x, z), ["cka", "cka_debiased", "linreg", "ridge_cv_100"], 0, 39)
    assert table.score_low.isna().all()
    assert table.interval_note.str.contains("one neuron").all()
