"""Score cards: chance, intervals and verdicts, against closed forms and known models."""

import itertools
import logging
import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from helpers.workflow import ROOT
from scorebounds.core.intervals import half_width
from scorebounds.core.tables import read_table, write_table
from scorebounds.datasets.made import simulated_pfc
from scorebounds.measures import registry
from scorebounds.scorecards import formatting, jackknife, left_out, replicates, samples, verdicts
from scorebounds.scorecards.bars import ladder
from scorebounds.scorecards.curve import position_on_curve
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.headline import headline, model_statement
from scorebounds.scorecards.implied import allowed_scores
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import corrected_p, distinct_orders, null_scores
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.verdicts import interpret, listed

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
MEASURES = [name for name in CONFIG["measures"] if name != "ridge_cv_tuned"]
THRESHOLDS = pd.DataFrame(columns=["measure", "kind", "target", "variance_ratio", "score_mean"])


def matched_pair(x, y):
    x, y = (a if a.ndim == 3 else a[None] for a in (x, y))
    return Matched(x, y, np.arange(x.shape[1]))


def card_of(matched, names, settings=None, thresholds=THRESHOLDS):
    scores, _ = score_model(matched, names, settings or ResamplingSettings(99, 10, 0))
    return interpret(scores, explained_components(matched), thresholds).set_index("measure")


@pytest.fixture(scope="module")
def pfc():
    """Simulated recording of 30 neurons."""
    shares = CONFIG["simulated-pfc"]["variance_shares"]
    return simulated_pfc.make(np.random.default_rng(0), n_neurons=30, variance_shares=shares).values


def test_the_mean_of_permuted_cka_is_its_closed_form():
    # METHOD, section 9: √(PR(X) PR(Y)) / (n − 1) for the biased estimate, samples permuted.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 12)) * np.arange(1, 13)
    y = rng.normal(size=(60, 7)) * np.arange(1, 8)

    def participation(a):
        values = np.linalg.svd(a - a.mean(0), compute_uv=False) ** 2
        return values.sum() ** 2 / (values**2).sum()

    n = 4000
    cka = registry.load("cka")
    null = null_scores(matched_pair(x, y), [cka], distinct_orders(60, n, 0))["cka"]
    expected = np.sqrt(participation(x) * participation(y)) / 59
    assert abs(null.mean() - expected) < 4 * null.std() / n**0.5
    assert 4 * null.std() / n**0.5 < 0.02 * expected


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_all_orders_but_the_identity_are_taken_where_they_are_few(n):
    orders = {tuple(order) for order in distinct_orders(n, 500, 0).tolist()}
    assert orders == set(itertools.permutations(range(n))) - {tuple(range(n))}


def test_drawn_orders_are_distinct_permutations_and_the_same_for_a_seed():
    orders = distinct_orders(6, 600, 3)
    assert len({tuple(order) for order in orders.tolist()}) == 600
    assert (np.sort(orders, axis=1) == np.arange(6)).all()
    assert not (orders == np.arange(6)).all(axis=1).any()
    np.testing.assert_array_equal(orders[:50], distinct_orders(6, 50, 3))


@pytest.mark.parametrize("n_times", [1, 4])
@pytest.mark.parametrize("name", MEASURES)
def test_null_scores_are_those_of_models_with_permuted_conditions(name, n_times):
    rng = np.random.default_rng(2)
    matched = matched_pair(rng.normal(size=(n_times, 12, 4)), rng.normal(size=(n_times, 12, 3)))
    measure, orders = registry.load(name), distinct_orders(12, 7, 5)
    null = null_scores(matched, [measure], orders)[measure.name]
    x, options = samples.flatten(matched.reference), samples.fold_options(matched, measure)
    for found, order in zip(null, orders, strict=True):
        if "_cv" in name:  # the folds stay with the model's conditions
            shuffled = samples.flatten(matched.reference[:, np.argsort(order)])
            expected = measure.score(shuffled, samples.flatten(matched.model), **options)
        else:
            expected = measure.score(x, samples.flatten(matched.model[:, order]))
        assert found == pytest.approx(expected.item(), abs=1e-9)
    assert np.std(null) > 1e-4


def test_the_corrected_p_is_the_rank_of_the_largest_standardised_score():
    rng = np.random.default_rng(3)
    nulls = {name: rng.normal(size=60) for name in "abc"}
    signed = {"a": (3.0, nulls["a"]), "b": (1.0, nulls["b"]), "c": (-0.5, nulls["c"][:40])}
    found = corrected_p(signed)
    values = np.array([[score, *null[:40]] for score, null in signed.values()])
    z = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
    for row, name in enumerate("abc"):
        assert found[name] == pytest.approx(np.mean(z.max(0) >= z[row, 0] - 1e-12))
    assert found["a"] <= found["b"] <= found["c"]
    assert corrected_p({"a": (9.0, nulls["a"])}) == {"a": pytest.approx(1 / 61)}


def test_the_corrected_p_is_not_below_that_of_all_permutations():
    """With fewer permutations for one measure, p of another may be smaller by chance."""
    rng = np.random.default_rng(0)
    null = np.r_[rng.standard_normal(39), rng.standard_normal(161) + 1.5]
    score = float(null[:39].max()) + 0.1
    corrected = corrected_p({"many": (score, null), "few": (0.0, rng.standard_normal(39))})
    own = (np.sum(null >= score) + 1) / 201
    assert own > 0.05
    assert corrected["many"] == pytest.approx(own)


def test_the_recording_itself_is_perfect_by_every_measure_that_has_a_perfect_score(pfc):
    card = card_of(matched_pair(pfc, pfc), MEASURES)
    for name, row in card.iterrows():
        fitted_with_penalty = "ridge" in name
        assert row.verdict == (verdicts.BETTER if fitted_with_penalty else verdicts.PERFECT), name
        assert row.p == 1 / 100
    # No score is above the perfect one, so that the interval ends there.
    assert (card.score_high.dropna() <= 1).all()


def test_a_score_at_its_own_self_score_is_not_called_perfect():
    """Ridge regression shrinks both alike: a noisy half of the neurons reaches the self-score."""
    rng = np.random.default_rng(0)
    x = 0.02 * rng.poisson(2, size=(200, 30)).astype(float)
    standard = (x - x.mean(0)) / x.std(0)
    y = 3 * standard[:, :15] + 3 * rng.normal(size=(200, 15))
    card = card_of(matched_pair(x, y), ["ridge_cv_100", "cka"])
    assert not card.verdict.eq(verdicts.PERFECT).any()


def test_a_model_as_wide_as_there_are_samples_is_uninformative_by_regression():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 12)), rng.normal(size=(40, 60))
    card = card_of(matched_pair(x, y), ["linreg", "cca", "cka"])
    for name in ("linreg", "cca"):
        row = card.loc[name]
        assert row.verdict == verdicts.UNINFORMATIVE
        assert "40 distinct samples, 60 units: any model of this width scores 1.000" in row.sentence
        assert np.isnan([row.p, row.p_corrected, row.score_low, row.score_calibrated]).all()
    assert card.verdict["cka"] == verdicts.CHANCE
    assert card.sentence["cka"].startswith("Not distinguishable from chance")


def test_held_out_r2_below_zero_is_worse_than_the_mean_even_where_p_is_small():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 6))
    y = np.hstack([x[:, :1] + 0.3 * rng.normal(size=(30, 1)), rng.normal(size=(30, 18))])
    row = card_of(matched_pair(x, y), ["linreg_cv"]).loc["linreg_cv"]
    assert row.score < 0
    assert row.verdict == verdicts.WORSE_THAN_MEAN
    assert "Worse than predicting the mean" in row.sentence


def test_no_verdict_where_too_few_orders_exist_for_a_small_p():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 3, 6))
    row = card_of(matched_pair(x, x), ["cka"]).loc["cka"]
    assert row.n_permutations == 5
    assert row.smallest_p == pytest.approx(1 / 6)
    assert row.verdict == verdicts.UNDECIDED
    assert "only 5 other orders, so that p cannot be below 0.17" in row.sentence


def test_trials_of_a_condition_are_averaged_and_split_into_disjoint_halves():
    rng = np.random.default_rng(4)
    condition = np.array([1, 0, 1, 0, 1, 0, 0])
    matched = Matched(rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 2, 4)), condition)
    averaged, halves = samples.average_trials(matched, 0)
    for number in (0, 1):
        expected = matched.reference[:, condition == number].mean(1)
        np.testing.assert_allclose(averaged.reference[:, number], expected)
        weights = [count // 2 for count in [np.count_nonzero(condition == number)]]
        n, first_size = np.count_nonzero(condition == number), weights[0]
        for first, second in halves:
            whole = first[:, number] * first_size + second[:, number] * (n - first_size)
            np.testing.assert_allclose(whole / n, expected)
    assert len({first.tobytes() for first, _ in halves}) > 1
    single = Matched(matched.reference[:, :3], matched.model, condition[:3])
    assert samples.average_trials(single, 0)[1] == []


def test_a_fixed_penalty_does_not_make_the_score_depend_on_the_models_unit():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 10))
    y = x[:, :5] + rng.normal(size=(60, 5))
    scores = [
        card_of(matched_pair(x, unit * y), ["ridge_cv_100"]).score["ridge_cv_100"]
        for unit in (0.001, 1, 1000)
    ]
    assert scores == pytest.approx([scores[0]] * 3)


def test_a_unit_that_is_silent_in_one_replicate_costs_that_replicate_only(caplog):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(40, 8))
    y = np.hstack([x[:, :3] + rng.normal(size=(40, 3)), np.zeros((40, 1))])
    y[7, 3] = 5.0  # the unit responds to one condition
    with caplog.at_level(logging.WARNING):
        row = card_of(matched_pair(x, y), ["soft_matching"]).loc["soft_matching"]
    assert np.isfinite(row.score)
    skipped = [record.message for record in caplog.records if "replicate" in record.message]
    (message,) = skipped
    number = 1 + left_out.N_DIAGONALS
    assert f"soft_matching: {number} of " in message
    expected = r"replicates are skipped, without group \d+ of the conditions; without group \d"
    assert re.search(expected, message)


def test_the_models_share_is_about_held_out_conditions():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(120, 40)) * np.sqrt(1 / np.arange(1, 41))
    noise = explained_components(matched_pair(x, rng.normal(size=(120, 100))))
    assert abs(noise.total_r2.iloc[0]) < 0.03
    assert "does not explain held-out conditions" in model_statement(noise)
    copy = explained_components(matched_pair(x, x))
    assert copy.total_r2.iloc[0] > 0.999
    assert copy.total_p.iloc[0] == pytest.approx(1 / 20)
    assert "more than with any of 19 permutations of the conditions" in model_statement(copy)
    half = explained_components(matched_pair(x, x[:, :1]))
    assert half.total_r2.iloc[0] == pytest.approx(x[:, 0].var() / x.var(0).sum(), abs=0.06)


@pytest.mark.parametrize("width", [7, 70])
def test_the_models_share_is_that_of_scikit_learn(width):
    from sklearn.linear_model import Ridge

    from scorebounds.scorecards.explained import PENALTIES, HeldOutRidge

    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(3, 20, 2)), rng.normal(size=(3, 20, width))
    x[..., 0] += 2 * y[..., 0]
    flat_x, flat_y = x.reshape(60, 2), y.reshape(60, width)

    def squared_errors(number, train, test):
        values = np.linalg.svd(flat_y[train] - flat_y[train].mean(0), compute_uv=False)
        unit = np.mean(values[values > 1e-9] ** 2)
        ridge = Ridge(alpha=PENALTIES[number] * unit).fit(flat_y[train], flat_x[train])
        return ((flat_x[test] - ridge.predict(flat_y[test])) ** 2).sum(0)

    prediction = HeldOutRidge(y, 0)
    folds = [part.test for part in prediction.outer.values()]
    chosen = prediction.best_penalties(flat_x)
    for number, part in prediction.outer.items():
        # Whole conditions are held out.
        assert not set(part.fit.train % 20) & set(part.test % 20)
        for penalty in (0, 4, 8):
            expected = squared_errors(penalty, part.fit.train, part.test)
            np.testing.assert_allclose(part.squared_errors(flat_x, penalty)[0], expected)
        of_penalty = []
        for penalty in range(len(PENALTIES)):
            summed = 0
            for neighbour in ((number - 1) % 5, (number + 1) % 5):
                rest = np.setdiff1d(part.fit.train, folds[neighbour])
                summed += squared_errors(penalty, rest, folds[neighbour]).sum()
            of_penalty.append(summed)
        assert chosen[number] == np.argmin(of_penalty)


@pytest.mark.parametrize("width", [2, 30, 45])
def test_no_model_is_outside_of_what_its_scores_allow(pfc, width):
    rng = np.random.default_rng(width)
    mixed = pfc @ rng.normal(size=(30, width))
    model = mixed + mixed.std() * rng.normal(size=mixed.shape)
    names = ["cka", "nbs", "linreg", "procrustes_angular", "cka_angular"]
    names += ["rsa_euclidean_pearson", "cka_debiased", "svcca", "ridge_1"]
    matched = matched_pair(pfc, model)
    scores, _ = score_model(matched, names, ResamplingSettings(19, 5, 0))
    allowed = allowed_scores(scores, explained_components(matched), [])
    assert (allowed.bound == "exact").sum() == 8
    assert not (allowed.implied_score < allowed.outer_low - 1e-6).any()
    assert not (allowed.implied_score > allowed.outer_high + 1e-6).any()
    pairs = set(zip(allowed.given, allowed.implied, strict=True))
    assert {("ridge_1", "linreg"), ("linreg", "ridge_1")} & pairs
    assert ("svcca", "cka") not in pairs


def test_certified_ranges_are_on_the_card_where_ranges_were_searched():
    spectrum = 0.6 ** np.arange(8)
    components = pd.DataFrame({"variance_ratio": spectrum / spectrum.sum()})
    region = pd.DataFrame({"a": "cka", "b": "nbs", "a_value": [0.0, 1.0]}).assign(
        attained_lower=[0.0, 1.0], attained_upper=[0.0, 1.0]
    )
    scores = pd.DataFrame({"measure": ["cka", "nbs"], "score": [0.6, 0.8]})
    scores = scores.assign(n_neurons=8, n_samples=60)
    (quick, _), (tight, _) = (
        allowed_scores(scores, components, regions).to_dict("records") for regions in ([], [region])
    )
    assert (quick["bound"], tight["bound"]) == ("proven", "certified")
    assert quick["outer_high"] - tight["outer_high"] > 0.03
    assert tight["attained_high"] <= tight["outer_high"] < tight["attained_high"] + 0.0025
    assert tight["attained_low"] >= tight["outer_low"] > tight["attained_low"] - 0.0025


def test_a_model_with_more_units_than_samples_has_the_bounds_of_its_rank():
    ratios = 0.7 ** np.arange(20)
    components = pd.DataFrame({"variance_ratio": ratios / ratios.sum(), "r2": 1.0})
    scores = pd.DataFrame({"measure": ["cka", "nbs"], "score": [0.9, 0.8], "n_samples": 72})
    wide, narrow = (
        allowed_scores(scores.assign(n_neurons=n), components, []).outer_low for n in (20_000, 71)
    )
    pd.testing.assert_series_equal(wide, narrow)
    assert wide[0] > 0.35


def test_attained_ranges_are_those_of_the_nearest_score_that_was_searched():
    region = pd.DataFrame(
        {
            "a": "cka",
            "b": "ridge_cv_100",
            "a_value": [0.0, 0.5, 1.0],
            "attained_lower": [0.0, 0.2, 0.8],
            "attained_upper": [0.4, 1.0, 1.0],
        }
    )
    scores = pd.DataFrame(
        {
            "measure": ["cka", "ridge_cv_100"],
            "score": [0.8, 0.6],
            "n_neurons": 3,
            "n_samples": 20,
        }
    )
    components = pd.DataFrame({"variance_ratio": [0.6, 0.4], "r2": [1.0, 0.0]})
    (row,) = allowed_scores(scores, components, [region]).to_dict("records")
    assert (row["given"], row["implied"]) == ("cka", "ridge_cv_100")
    assert [row["attained_low"], row["attained_high"], row["attained_at"]] == [0.8, 1.0, 1.0]
    assert np.isnan(row["outer_low"])


def test_attained_nbs_is_that_of_the_score_itself():
    region = pd.DataFrame({"a": "cka", "b": "procrustes_angular", "a_value": [0.0, 1.0]}).assign(
        attained_lower=[0.0, 1.0], attained_upper=[0.0, 1.0]
    )
    ratios = 0.6 ** np.arange(6)
    components = pd.DataFrame({"variance_ratio": ratios / ratios.sum(), "r2": 1.0})
    scores = pd.DataFrame({"measure": ["cka", "procrustes_angular"], "score": [0.87, 0.7]})
    wide, narrow = (
        allowed_scores(scores.assign(n_neurons=6, n_samples=n), components, [region]).iloc[0]
        for n in (40, 8)
    )
    assert wide.attained_at == 0.87
    assert wide.outer_low <= wide.attained_low < wide.outer_low + 0.1
    assert 0.8 < wide.attained_high <= wide.outer_high
    # One direction outside X is too few.
    assert [narrow.attained_at, narrow.attained_low] == [1.0, 1.0]


def test_verdict_of_an_undefined_score_is_not_defined():
    rng = np.random.default_rng(11)
    matched = matched_pair(rng.normal(size=(30, 5)), rng.normal(size=(30, 1)))
    card = card_of(matched, ["rsa_correlation_pearson", "cka"])
    assert card.verdict["rsa_correlation_pearson"] == verdicts.UNDEFINED
    assert "need at least 2 neurons" in card.sentence["rsa_correlation_pearson"]
    assert np.isfinite(card.score["cka"])


def thresholds_of(measure, **columns):
    n = len(columns["score_mean"])
    kinds = {"kind": ["pc"] * n, "target": [str(number + 1) for number in range(n)]}
    return pd.DataFrame({"measure": measure, **kinds, "variance_ratio": 1 / n, **columns})


def test_a_position_by_a_distance_counts_downwards():
    thresholds = thresholds_of("procrustes_distance", score_mean=[5.0, 2.0])
    for score, captured in ((6.0, 0), (3.0, 1), (1.0, 2)):
        found = position_on_curve(score, thresholds, higher_is_closer=False)
        assert found["pcs_at_score"] == captured


def test_target_that_some_seeds_never_capture_is_not_captured():
    thresholds = thresholds_of("cka", score_mean=[0.2, 0.3, np.nan], n_seeds=5, n_reached=[5, 1, 0])
    assert position_on_curve(0.9, thresholds, higher_is_closer=True)["pcs_at_score"] == 1
    later = thresholds.assign(score_all=[0.4, np.nan, np.nan])
    assert position_on_curve(0.3, later, higher_is_closer=True)["pcs_at_score"] == 0
    assert position_on_curve(0.5, later, higher_is_closer=True)["pcs_at_score"] == 1


def test_nothing_is_said_of_capture_with_as_many_neurons_as_samples():
    rng = np.random.default_rng(12)
    x = rng.normal(size=(20, 30))
    thresholds = thresholds_of("cka", score_mean=[0.2, 0.3])
    row = card_of(matched_pair(x, x[:, :20]), ["cka"], thresholds=thresholds).loc["cka"]
    assert np.isnan(row.n_pcs)
    assert "as many neurons as samples" in row.position_note
    assert "PCs" not in row.sentence


def test_fewer_permutations_are_drawn_where_the_settings_say_so():
    rng = np.random.default_rng(13)
    matched = matched_pair(rng.normal(size=(30, 5)), rng.normal(size=(30, 4)))
    card = card_of(matched, ["cka", "nbs"], ResamplingSettings(40, 5, 0, {"nbs": 20}))
    assert card.n_permutations.tolist() == [40, 20]


def test_the_headline_counts_the_measures_and_names_the_exceptions(tmp_path):
    rng = np.random.default_rng(14)
    x = rng.normal(size=(60, 20)) * np.sqrt(1 / np.arange(1, 21))
    names = ["cka", "nbs", "linreg", "mutual_knn_10"]
    thresholds = pd.concat(
        [
            thresholds_of("cka", score_mean=[0.2, 0.5, 0.99]),
            pd.DataFrame(
                {
                    "measure": "cka",
                    "kind": "variable",
                    "target": ["choice"],
                    "variance_ratio": [0.1],
                    "score_mean": [0.999],
                }
            ),
        ],
        ignore_index=True,
    )
    good = card_of(
        matched_pair(x, x[:, :10] + 0.1 * rng.normal(size=(60, 10))), names, thresholds=thresholds
    ).reset_index()
    said = headline(good, "resnet", "mydata")
    assert said.startswith("resnet is closer to mydata than chance by all 4 measures")
    assert "capture 2 of 3 components of mydata; “choice” is not decodable from all of them" in said
    none = card_of(matched_pair(x, rng.normal(size=(60, 10))), names).reset_index()
    assert headline(none, "noise", "mydata") == (
        "noise is not distinguishable from chance by any of 4 measures (p corrected for their "
        "number). No measure on this card shows that noise is like mydata."
    )
    mixed = good.assign(verdict=[verdicts.BETTER] * 3 + [verdicts.CHANCE])
    said = headline(mixed, "m", "d")
    assert "by 3 of 4 measures (p corrected for their number), not by mutual k-NN (10)" in said
    few = good.assign(verdict=[verdicts.BETTER] + [verdicts.CHANCE] * 3)
    assert "by 1 of 4 measures (p corrected for their number), only by CKA." in headline(
        few, "m", "d"
    )
    some = good.assign(verdict=[verdicts.BETTER] * 3 + [verdicts.UNINFORMATIVE])
    assert headline(some, "m", "d").endswith("No verdict by mutual k-NN (10) (uninformative).")
    assert headline(none, "model", "recording").startswith("The model is not distinguishable")
    write_table(tmp_path / "none.csv", none)
    assert headline(read_table(tmp_path / "none.csv"), "m", "d") == headline(none, "m", "d")


def test_the_headline_says_how_far_scores_are_from_chance_to_the_ceiling():
    rng = np.random.default_rng(18)
    x = rng.normal(size=(60, 10))
    card = card_of(matched_pair(x, x[:, :6] + rng.normal(size=(60, 6))), ["cka", "nbs", "linreg"])
    near = {"score": [0.5, 0.7, 0.9], "null_mean": [0.1, 0.2, 0.3], "ceiling": [0.9, 0.95, np.nan]}
    card = card.reset_index().assign(verdict=verdicts.BETTER, **near)
    card["ceiling_score"], card["ceiling_low"] = card.score, card.ceiling - 0.1
    # (0.5 − 0.1)/(0.9 − 0.1) = 50% and (0.7 − 0.2)/(0.95 − 0.2) = 67%, to 5%.
    said = "It is below the noise ceiling by CKA and NBS, about 50 to 65% of the way from chance"
    assert said in headline(card, "m", "d")
    # Over other neurons, chance is another.
    card["ceiling_score"] = card.score + 0.1
    assert "of the way" not in headline(card, "m", "d")
    # Within its interval, a score is neither below the ceiling nor at it.
    card["ceiling_low"] = card.score
    assert "ceiling" not in headline(card, "m", "d")


def test_the_headline_counts_every_measure_that_has_a_ceiling():
    """Also those by which the model is not better than chance; of held-out scores it is a limit."""
    rng = np.random.default_rng(24)
    x = rng.normal(size=(60, 10))
    names = ["cka", "linreg", "ridge_cv_100"]
    card = card_of(matched_pair(x, x[:, :6] + rng.normal(size=(60, 6))), names).reset_index()
    card = card.assign(score=[0.9, 0.3, 0.3], ceiling=0.9, ceiling_low=0.8, ceiling_high=1.0)
    card["ceiling_score"], card["null_mean"] = card.score, 0.1
    card["verdict"] = [verdicts.AT_CEILING, verdicts.CHANCE, verdicts.BETTER]
    said = "It reaches the noise ceiling by CKA and is below it by linear regression, about 25%"
    assert said in headline(card, "m", "d")
    held_out = card.assign(verdict=[verdicts.CHANCE, verdicts.CHANCE, verdicts.BETTER])
    assert "ceiling" not in headline(held_out.assign(ceiling_low=[0.9, 0.3, 0.8]), "m", "d")
    every = card.assign(verdict=[verdicts.PERFECT, verdicts.ABOVE_CEILING, verdicts.AT_CEILING])
    assert "It reaches the noise ceiling by every measure that has one" in headline(every, "m", "d")


def test_a_copy_of_noisy_averages_is_above_the_noise_ceiling():
    rng = np.random.default_rng(25)
    truth = rng.normal(size=(72, 5)) @ rng.normal(size=(5, 20))
    halves = [truth[None] + 3 * rng.normal(size=(1, 72, 20)) for _ in range(2)]
    whole = sum(halves) / 2
    noisy = matched_pair(whole, whole[0] + 0.1 * rng.normal(size=truth.shape))
    names = ["cka", "linreg", "rsa_correlation_pearson"]
    scores, _ = score_model(noisy, names, ResamplingSettings(39, 5, 0), tuple(halves))
    card = interpret(scores, explained_components(noisy), THRESHOLDS).set_index("measure")
    assert card.verdict[:2].eq(verdicts.ABOVE_CEILING).all()
    assert card.sentence[:2].str.startswith("Above the noise ceiling: ").all()
    assert card.sentence[:2].str.contains("The model has trial noise in common with").all()
    said = "the noise ceiling, usually estimated too high (by up to 0.06), is"
    too_high = card.sentence.str.contains(said, regex=False)
    assert too_high.tolist() == [False, False, True]


def test_only_a_saturated_score_is_that_of_any_model_of_the_width():
    """Permuting the conditions of a model with one unit per condition changes nothing, either."""
    rng = np.random.default_rng(26)
    names = ["cka", "nbs", "linreg", "ridge_cv_100"]
    card = card_of(matched_pair(rng.normal(size=(30, 12)), np.eye(30)), names)
    assert card.verdict.eq(verdicts.UNINFORMATIVE).all()
    assert "any model of this width scores 1.000" in card.sentence["linreg"]
    for name in ("cka", "nbs", "ridge_cv_100"):
        assert card.sentence[name].endswith("; no permutation of the conditions changes the score.")


def test_scores_have_the_digits_that_their_interval_supports():
    row = {"score_low": 0.59, "score_high": 0.86, "null_low": 0.1, "null_high": 0.1001}
    row |= {"score": 0.9836, "null_mean": 0.9}
    assert formatting.decimals(row) == 2
    assert formatting.decimals(row | {"null_mean": 0.9815}) == 3
    assert formatting.decimals(row | {"score_low": np.nan}) == 3
    assert [formatting.number(value, 2) for value in (0.695, -0.001, -0.5, 0.9994, 1.0)] == [
        "0.69",
        "0.00",
        "−0.50",
        "0.999",
        "1.00",
    ]


def test_the_ladder_shows_the_share_that_all_seeds_have_captured():
    rng = np.random.default_rng(19)
    x = rng.normal(size=(60, 8))
    thresholds = thresholds_of("cka", score_mean=[0.2, 0.5, np.nan])
    choice = {"measure": "cka", "kind": "variable", "target": ["choice", "colour"]}
    variables = pd.DataFrame({**choice, "variance_ratio": 0.1, "score_mean": [0.8, np.nan]})
    thresholds = pd.concat([thresholds, variables], ignore_index=True)
    card = card_of(matched_pair(x, x[:, :4]), ["cka", "nbs"], thresholds=thresholds).reset_index()
    shown = ladder(card.assign(score_low=np.nan, null_low=0.05, null_high=0.1), thresholds)
    cka, nbs = shown["bars"]
    assert [(part["at"], part["share"]) for part in cka["captured"]] == [
        (0.0, 0.0),
        (20.0, pytest.approx(1 / 3, abs=1e-3)),
        (50.0, pytest.approx(2 / 3, abs=1e-3)),
    ]
    assert [(part["name"], part["at"]) for part in cka["decoded"]] == [("choice", 80.0)]
    assert cka["missing"] == ["colour"]
    assert cka["chance"] == {"at": 5.0, "width": 5.0}
    assert nbs["captured"] == []
    assert {"captured", "decoded", "unknown", "chance"} <= shown["elements"]
    assert "ceiling" not in shown["elements"]


@pytest.mark.parametrize("is_held_out", [False, True])
def test_the_jackknife_of_a_mean_over_cells_has_the_variance_of_its_factors(is_held_out):
    """θ = mean of a_i + b_j + c_ij: variances of rows and columns, the cells' share once."""
    rng = np.random.default_rng(15)
    # Replicates of more neurons than samples are scored one by one.
    n_rows, n_columns = 60, 40 if is_held_out else 70

    class MeanOfCells:
        name = "mean"
        cross_validated = is_held_out
        of_trajectories = False

        @staticmethod
        def of_neurons(x, y, neurons, groups=None):
            return [x[:, chosen].mean().item() for chosen in neurons]

    estimates, errors, biases = [], [], []
    for draw in range(60):
        rows, columns = rng.normal(size=(n_rows, 1)), rng.normal(size=(1, n_columns))
        x = rows + columns + 6 * rng.normal(size=(n_rows, n_columns))
        matched = matched_pair(x, x)
        scored = replicates.jackknife_replicates(matched, MeanOfCells(), n_groups=10, seed=draw)
        found = jackknife.jackknife_estimate(float(x.mean()), scored)
        estimates.append(x.mean())
        errors.append(found.ci_half_width / half_width(1, found.n_free))
        biases.append(found.bias)
    truth = math.sqrt(1 / n_rows + 1 / n_columns + 36 / (n_rows * n_columns))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(truth, rel=0.15)
    assert np.abs(biases).max() < 1e-9


def test_replicates_leave_out_conditions_neurons_and_both():
    rng = np.random.default_rng(16)
    matched = matched_pair(rng.normal(size=(2, 12, 6)), rng.normal(size=(2, 12, 3)))
    table = replicates.jackknife_replicates(matched, registry.load("cka"), n_groups=4, seed=0)
    assert table.left_out.value_counts().to_dict() == {"both": 8, "conditions": 4, "neurons": 4}
    group = np.random.default_rng(0).permutation(np.arange(12) % 4)
    kept = group != 0
    expected = registry.load("cka").score(
        *(
            torch.from_numpy(side[:, kept].reshape(-1, side.shape[-1]).copy())
            for side in (matched.reference, matched.model)
        )
    )
    assert table.score[0] == pytest.approx(expected.item())


def test_names_that_contain_a_comma_are_listed_with_semicolons():
    rsa = "RSA, correlation, Pearson"
    assert listed(["CKA", "NBS", "SVCCA"]) == "CKA, NBS and SVCCA"
    assert listed(["CKA", rsa]) == f"CKA and {rsa}"
    assert listed(["CKA", rsa, "1 more"]) == f"CKA; {rsa}; and 1 more"
    assert listed([rsa]) == rsa
