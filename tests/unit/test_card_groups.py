"""Groups of conditions on score cards: runs, sessions or films that are held out whole."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import scorebounds as sb
from helpers.worlds import (
    NO_COMPONENTS,
    NO_THRESHOLDS,
    card_of,
    matched_pair,
    most_by_chance,
    population,
)
from scorebounds.core.recording import recording
from scorebounds.scorecards.grouping import assign, with_groups
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.permutations import distinct_orders
from scorebounds.scorecards.repeats import with_equal_rows
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.rows import CONDITIONS
from scorebounds.scorecards.verdicts import interpret

RUNS = np.repeat(np.arange(6), 8)


def runs_that_drift(rng):
    """Recording and model have each run's offset in common, and nothing else."""
    drift = rng.normal(size=(6, 4))[RUNS]
    x, y = (5 * drift @ rng.normal(size=(4, width)) for width in (12, 6))
    return x + rng.normal(size=x.shape), y + rng.normal(size=y.shape)


def labelled(x, **labels):
    return recording(x, labels).assign_attrs(dataset="mydata", rows="condition")


def test_a_drift_between_runs_is_no_similarity_where_runs_are_groups():
    rng = np.random.default_rng(0)
    x, y = runs_that_drift(rng)
    names = ["cka", "ridge_cv_tuned"]
    without = sb.card(labelled(x), y, names, n_permutations=39).table.set_index("measure")
    card = sb.card(labelled(x, run=RUNS), y, names, groups="run", n_permutations=39)
    with_runs = card.table.set_index("measure")
    assert (without.verdict == "better than chance").all()
    assert (with_runs.verdict != "better than chance").all()
    assert with_runs.score["cka"] == pytest.approx(without.score["cka"])
    assert with_runs.score["ridge_cv_tuned"] == pytest.approx(
        sb.score(x, y, "ridge_cv_tuned", groups=RUNS)
    )
    assert "the 6 values of 'run' are held out whole" in card.table.match_note[0]
    explained = [
        sb.card(labelled(x, run=RUNS), y, ["cka"], groups=groups, n_permutations=19).components
        for groups in (None, "run")
    ]
    assert explained[0].total_p[0] <= 0.05 < explained[1].total_p[0]
    given = sb.card(x, y, ["ridge_cv_tuned"], groups=RUNS, n_permutations=19).table
    assert given.score[0] == with_runs.score["ridge_cv_tuned"]


def test_conditions_are_permuted_within_groups():
    orders = distinct_orders(48, 30, 0, RUNS)
    assert len(np.unique(orders, axis=0)) == 30
    assert (RUNS[orders] == RUNS).all()
    # Interleaved groups of two: 2 × 2 × 2 orders, less the identity.
    few = distinct_orders(6, 99, 0, np.array([0, 1, 2, 0, 1, 2]))
    assert len(few) == 2**3 - 1
    assert (np.array([0, 1, 2, 0, 1, 2])[few] == [0, 1, 2, 0, 1, 2]).all()
    assert len(distinct_orders(4, 99, 0)) == math.factorial(4) - 1
    assert len(distinct_orders(4, 99, 0, np.arange(4))) == 0


def test_the_jackknife_leaves_out_whole_groups():
    part = assign(48, 10, np.random.default_rng(0), RUNS)
    assert sorted(set(part)) == list(range(6))
    assert all(len(set(part[run == RUNS])) == 1 for run in range(6))
    several = assign(48, 3, np.random.default_rng(0), RUNS)
    assert np.bincount(several).tolist() == [16, 16, 16]


def test_each_condition_has_a_group_of_its_own_only_where_p_cannot_be_small():
    rng = np.random.default_rng(1)
    x, y = population(rng, 12, 5), population(rng, 12, 3)
    row = sb.card(x, y, ["cka"], groups=np.arange(12)).table.iloc[0]
    assert row.verdict == "too few conditions to decide"
    assert "12 conditions have no other order within their groups" in row.sentence
    runs = np.repeat(np.arange(4), 3)
    few = sb.card(x, y, ["cka"], groups=runs, n_permutations=10).table.iloc[0]
    assert few.verdict == "too few permutations to decide"
    assert "at least 19 are needed" in few.sentence
    all_of_them = sb.card(x[:6], y[:6], ["cka"], groups=[0, 0, 0, 1, 1, 1]).table.iloc[0]
    assert all_of_them.n_permutations == 6 * 6 - 1
    assert all_of_them.is_exhaustive


def test_groups_of_an_entry_are_those_of_the_recording():
    rng = np.random.default_rng(2)
    x, y = labelled(population(rng, 48, 5), run=RUNS), labelled(population(rng, 48, 3))
    by_recording = with_groups(
        match(x.assign_attrs(groups="run"), y), x.assign_attrs(groups="run"), y
    )
    by_model = with_groups(match(x, y), x, y.assign_attrs(groups="run"))
    assert by_recording.groups.tolist() == by_model.groups.tolist() == RUNS.tolist()
    assert with_groups(match(x, y), x, y).groups is None


def test_groups_go_with_the_rows_that_are_matched():
    """Rows in another order, and trials of one condition."""
    x = xr.DataArray(np.zeros((6, 2)), dims=("sample", "neuron"))
    x = x.assign_coords(run=("sample", list("aabbcc"))).assign_attrs(dataset="x")
    rows = np.array([5, 4, 1, 0])
    matched = Matched(x.values[None, rows], np.zeros((1, 2, 1)), np.array([1, 1, 0, 0]), rows)
    assert with_groups(matched, x, x, "run").groups.tolist() == [0, 1]
    mixed = Matched(x.values[None], np.zeros((1, 3, 1)), np.array([0, 1, 2, 0, 1, 2]))
    found = with_groups(mixed, x, x, "run")
    assert found.groups is None
    assert "whole conditions are held out instead" in found.notes[0]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("session", "labels are: run"),
        (np.arange(5), r"each of the 48 samples of the recording, got shape \(5,\)"),
        (np.zeros(48), "at least two values of 'groups' to hold out in turn, got 1"),
    ],
)
def test_groups_that_cannot_be_used_are_refused(groups, said):
    rng = np.random.default_rng(3)
    x = labelled(population(rng, 48, 5), run=RUNS)
    with pytest.raises(ValueError, match=said):
        sb.card(x, population(rng, 48, 3), ["cka"], groups=groups)


def test_models_of_other_groups_get_no_interval_of_their_difference():
    from scorebounds.scorecards.samples import grouping_of

    pair = matched_pair(np.zeros((48, 2)), np.zeros((48, 2)))
    grouped = Matched(pair.reference, pair.model, pair.condition, groups=RUNS)
    assert grouping_of(pair) != grouping_of(grouped)


def test_the_width_of_a_model_does_not_count_the_rounding_of_its_file():
    """The ceiling of linear regression grows with the width of the model."""
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(60, 5))
    trials = np.repeat(truth @ rng.normal(size=(5, 12)), 4, axis=0)
    trials += 3 * rng.normal(size=trials.shape)
    model = truth @ rng.normal(size=(5, 40))
    condition = np.repeat(np.arange(60), 4)
    ceilings = [
        card_of(matched_pair(trials, values, condition), ["linreg"]).ceiling["linreg"]
        for values in (model, model.astype("float32").astype(float))
    ]
    assert ceilings[0] == pytest.approx(ceilings[1], abs=1e-6)
    assert ceilings[0] < 0.9


def test_a_measure_with_too_few_permutations_takes_no_verdict_from_the_others():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 8))
    settings = ResamplingSettings(39, 5, 0, {"ridge_cv_tuned": 10})
    pair = replace(matched_pair(x, x + 0.2 * rng.normal(size=x.shape)), rows_are=CONDITIONS)
    table = score_model(pair, ["cka", "ridge_cv_tuned"], settings)[0]
    card = interpret(table, NO_COMPONENTS, NO_THRESHOLDS).set_index("measure")
    assert card.verdict["cka"] == "better than chance"
    assert card.p_corrected["cka"] == pytest.approx(1 / 40)
    assert "p = 0.025, the smallest possible" in card.sentence["cka"]
    assert card.verdict["ridge_cv_tuned"] == "too few permutations to decide"
    assert (
        "with 10 permutations p cannot be below 0.091; at least 19 are needed"
        in (card.sentence["ridge_cv_tuned"])
    )


@pytest.mark.parametrize("is_sorted", [True, False])
def test_rows_in_which_the_model_is_equal_are_trials_of_a_condition(is_sorted):
    rng = np.random.default_rng(8)
    condition = np.tile(np.arange(20), 4)
    condition = np.sort(condition) if is_sorted else condition
    x = rng.standard_normal((20, 10))[condition] + rng.standard_normal((80, 10))
    y = rng.standard_normal((20, 6))
    plain = sb.card(x, y[condition], ["cka", "linreg"], n_permutations=39)
    row = plain.table.iloc[0]
    assert (row.n_conditions, row.n_trials) == (20, 80)
    assert "20 different rows among 80" in row.match_note
    named = card_of(matched_pair(x, y, condition), ["cka", "linreg"], n_permutations=39)
    assert plain.table.score.tolist() == pytest.approx(named.score.tolist())
    # The remedy for conditions that the model does not tell apart.
    apart = sb.card(xr.DataArray(x, dims=("condition", "neuron")), y[condition], ["cka"])
    assert apart.table.n_conditions.eq(80).all()


def test_rows_in_which_the_model_is_silent_are_no_trials():
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((30, 8)), rng.standard_normal((30, 5))
    y[:10] = 0
    assert sb.card(x, y, ["cka"], n_permutations=19).table.n_conditions.eq(30).all()


def test_a_few_equal_rows_are_trials(caplog):
    """Five repeated stimuli among 40 make unrelated models of many units better than chance."""
    n_better = 0
    for draw in range(12):
        rng = np.random.default_rng(draw)
        image = rng.permutation(np.r_[np.arange(35), np.arange(5)])
        x = rng.standard_normal((35, 15))[image] + rng.standard_normal((40, 15))
        y = rng.standard_normal((35, 60))[image]
        table = sb.card(x, y, ["cka", "linreg"], n_permutations=19).table
        n_better += table.verdict.isin(["better than chance", "perfect"]).any()
    assert table.n_conditions.eq(35).all()
    assert n_better <= most_by_chance(12, 0.05)
    assert "35 different rows among 40" in caplog.text


def test_repeats_in_several_groups_are_trials_of_a_condition():
    """The same stimuli in every run, and an unrelated model."""
    n_better = 0
    for draw in range(12):
        rng = np.random.default_rng(draw)
        image = np.concatenate([rng.permutation(15) for _ in range(4)])
        x = rng.standard_normal((15, 12))[image] + rng.standard_normal((60, 12))
        y = rng.standard_normal((15, 8))[image]
        run = np.repeat(np.arange(4), 15)
        table = sb.card(x, y, ["cka", "linreg"], groups=run, n_permutations=19).table
        n_better += (table.verdict == "better than chance").any()
    assert n_better <= most_by_chance(12, 0.05)
    assert table.n_conditions.eq(15).all()
    assert "whole conditions are held out instead" in table.match_note[0]


def test_repeats_within_groups_keep_the_groups():
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((40, 8)), np.repeat(rng.standard_normal((20, 5)), 2, axis=0)
    matched = replace(matched_pair(x, y), groups=np.arange(40) // 4)
    averaged = with_equal_rows(matched)
    assert averaged.groups.tolist() == (np.arange(20) // 2).tolist()


def test_a_fit_of_as_many_units_as_different_rows_is_not_perfect():
    """Pairs of rows are equal in both sides, as of two networks that saw an image twice."""
    rng = np.random.default_rng(5)
    image = rng.permutation(np.r_[np.arange(35), np.arange(5)])
    x, y = (rng.standard_normal((35, width))[image] for width in (15, 60))
    named = xr.DataArray(x, dims=("condition", "neuron"))
    for recorded in (x, named):
        table = sb.card(recorded, y, ["linreg"], n_permutations=39).table
        assert table.verdict.item() != "perfect"


@pytest.mark.parametrize("measure", ["ridge_cv_tuned", "linreg_cv"])
def test_scores_hold_out_rows_together_in_which_the_model_is_equal(measure):
    rng = np.random.default_rng(3)
    image = np.tile(np.arange(20), 3)
    x = rng.standard_normal((20, 10))[image] + 0.3 * rng.standard_normal((60, 10))
    y = rng.standard_normal((20, 6))[image]
    expected = sb.score(x, y, measure, groups=image)
    assert sb.score(x, y, measure) == pytest.approx(expected)
    assert sb.scores(x, y, [measure]).score.item() == pytest.approx(expected)
    apart = sb.score(xr.DataArray(x, dims=("condition", "neuron")), y, measure)
    assert apart > expected + 0.1
