"""Rows that follow each other in time are shifted, or have no p; conditions are permuted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import scorebounds as sb
from helpers.rates import courses
from helpers.worlds import card_of, matched_pair, unrelated
from scorebounds.analyses.inputs import matched, recording
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.headline import headline, model_statement
from scorebounds.scorecards.methods import methods_paragraph
from scorebounds.scorecards.permutations import distinct_orders
from scorebounds.scorecards.rows import CONDITIONS, PERMUTED, SHIFTED, TIMES, WITHHELD
from scorebounds.scorecards.sequence import drift_of, independent_rows, with_exchange
from scorebounds.scorecards.verdicts import CORRELATED


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize(
    ("correlation", "rows_are", "expected"),
    [
        (0.0, "", PERMUTED),
        (0.0, TIMES, SHIFTED),
        (0.5, "", SHIFTED),
        (0.5, TIMES, SHIFTED),
        (0.5, CONDITIONS, PERMUTED),
        (1.0, "", WITHHELD),
        (1.0, TIMES, WITHHELD),
    ],
)
def test_how_rows_are_exchanged(correlation, rows_are, expected):
    pair = courses(rng(), 80, correlation, rows_are)
    assert with_exchange(pair).exchange == expected
    # The same in every group of rows.
    if not (correlation and rows_are == CONDITIONS):
        grouped = courses(rng(), 160, correlation, rows_are, n_groups=4)
        assert with_exchange(grouped).exchange == expected


def test_rows_of_one_side_only_that_follow_each_other_are_permuted():
    walk = courses(rng(), 80, 1.0, "").reference
    x, y = unrelated(rng(), 80, 12, 8)
    for pair in (matched_pair(walk, y), matched_pair(x, walk)):
        assert with_exchange(pair).exchange == PERMUTED


TREND = np.linspace(-1, 1, 60)[:, None]
SLOW = {
    "trend": TREND,
    "decay": np.exp(-3 * (TREND + 1)),
    "step": np.sign(TREND),
    "to and fro": TREND**2,
}


def with_slow(course, *, also_model=True):
    """Return unrelated data that change slowly, in directions of their own."""
    course = (course - course.mean()) / course.std()
    random = np.random.default_rng(6)
    sides = [s / s.std() for s in unrelated(random, 60, 12, 8)]
    ratio = (0.7, 0.7 * also_model)
    return [
        s + r * course * random.standard_normal(s.shape[1])
        for s, r in zip(sides, ratio, strict=True)
    ]


@pytest.mark.parametrize("course", SLOW)
def test_rows_that_change_slowly_on_both_sides_have_no_p(course):
    x, y = with_slow(SLOW[course])
    for rows_are in ("", TIMES):
        found = with_exchange(replace(matched_pair(x, y), rows_are=rows_are))
        assert found.exchange == WITHHELD
        assert "drift over the rows" in found.order_note
    named = replace(matched_pair(x, y), rows_are=CONDITIONS)
    assert with_exchange(named).exchange == PERMUTED
    one_side = matched_pair(*with_slow(SLOW[course], also_model=False))
    assert with_exchange(one_side).exchange == PERMUTED


def test_the_remedy_for_a_drift_of_times_works():
    pair = [s - TREND * (TREND.T @ s) / (TREND.T @ TREND) for s in with_slow(TREND)]
    found = with_exchange(replace(matched_pair(*pair), rows_are=TIMES))
    assert found.exchange == SHIFTED


def test_constant_and_short_rows_do_not_drift():
    x = with_slow(TREND)[0]
    assert not drift_of(np.ones((60, 3)), [np.arange(60)]).any()
    assert not drift_of(x[:8], [np.arange(8)]).any()


def test_with_an_axis_of_time_conditions_are_permuted():
    walks = rng().standard_normal((4, 60, 9)).cumsum(axis=1)
    assert with_exchange(matched_pair(walks, walks)).exchange == PERMUTED


@pytest.mark.parametrize(
    ("dims", "index", "rows_are"),
    [
        (("sample", "neuron"), None, ""),
        (("trial", "neuron"), None, ""),
        (("condition", "neuron"), None, CONDITIONS),
        (("image", "neuron"), None, CONDITIONS),
        (("time", "neuron"), None, TIMES),
        (("time_bin", "neuron"), None, TIMES),
        (("sample", "neuron"), "im_{}.png", CONDITIONS),
        (("sample", "neuron"), "{}.5", ""),
        (("sample", "neuron"), "2024-01-{:02}T10:00:00", ""),
        (("time", "neuron"), "{}.5", TIMES),
    ],
)
def test_what_rows_are_is_known_from_their_axis_and_names(dims, index, rows_are):
    array = xr.DataArray(np.arange(40.0).reshape(20, 2) ** 2, dims=dims)
    if index is not None:
        array = array.assign_coords({dims[0]: [index.format(n) for n in range(20)]})
    plain = recording(rng().standard_normal((20, 3)), "model")
    assert matched(recording(array, "x"), plain, "order").rows_are == rows_are
    assert matched(plain, recording(array, "y"), "order").rows_are == rows_are


def test_rows_that_are_matched_by_name_or_are_trials_are_conditions():
    table = pd.DataFrame(rng().standard_normal((20, 3)), index=pd.Index(range(100, 120), name="id"))
    pair = recording(table, "x"), recording(table, "y")
    assert matched(*pair, "names").rows_are == CONDITIONS


def test_axes_of_a_file_say_what_rows_are(tmp_path):
    np.save(tmp_path / "a.npy", rng().standard_normal((30, 4)))
    for axis in ("time", "condition", "trial", "sample"):
        assert sb.read(tmp_path / "a.npy", axes=[axis, "neuron"]).attrs["rows"] == axis


def test_circular_shifts_keep_the_order_of_rows():
    shifts = distinct_orders(7, 99, 0, shifts=True)
    assert len(shifts) == 6
    assert ((np.diff(shifts, axis=1) % 7) == 1).all()
    groups = np.repeat([0, 1], [3, 4])
    of_groups = distinct_orders(7, 99, 0, groups, shifts=True)
    assert len({tuple(order) for order in of_groups.tolist()}) == len(of_groups) == 11
    for order in of_groups:
        assert ((np.diff(order[:3]) % 3) == 1).all()
        assert set(order[:3]) == {0, 1, 2}
    long = np.repeat(np.arange(4), 50)
    assert len(distinct_orders(200, 300, 0, long, shifts=True)) == 300


def test_fewer_orders_are_the_first_of_more():
    for n in (5, 7, 30):
        more, fewer = distinct_orders(n, 60, 4), distinct_orders(n, 20, 4)
        np.testing.assert_array_equal(more[:20], fewer)


def test_the_number_of_independent_rows_is_that_of_theory():
    """For two autoregressive sequences it is n (1 − ab)/(1 + ab) (Bartlett 1935)."""
    found = []
    for seed in range(20):
        pair = courses(np.random.default_rng(seed), 400, 0.6, "")
        members = [np.arange(400)]
        found.append(independent_rows(pair.reference[0], pair.model[0], members))
    assert np.mean(found) == pytest.approx(400 * (1 - 0.36) / (1 + 0.36), rel=0.1)


def test_a_card_without_p_says_why_and_the_remedy_works():
    pair = courses(rng(), 80, 1.0, "")
    table = card_of(pair, ["cka", "ridge_cv_100"])
    assert table.verdict.eq(CORRELATED).all()
    numbers = ["p", "p_corrected", "null_mean", "null_low", "score_low", "score_calibrated"]
    assert table[numbers].isna().all(axis=None)
    said = headline(table.reset_index(), "m", "d")
    assert said.startswith("No measure on this card can tell how close m is to d.")
    assert "of 80 rows are independent, too few for a valid p" in said
    assert "name their axes: (condition, neuron)" in said
    components = explained_components(pair)
    assert "not stated, because neighbouring rows are correlated" in model_statement(components)
    x = xr.DataArray(pair.reference[0], dims=("condition", "neuron"))
    card = sb.card(x, pair.model[0], ["cka"], n_permutations=19)
    assert card.table.exchange.eq(PERMUTED).all()
    assert card.table.p.notna().all()
    assert "Neighbouring rows" not in card.headline


def test_a_card_of_shifts_says_so():
    pair = courses(rng(), 80, 0.5, TIMES)
    row = card_of(pair, ["cka"]).loc["cka"]
    assert row.n_permutations == 79
    assert row.is_exhaustive
    assert "79 circular shifts of the rows give" in row.sentence
    assert np.isnan(row.score_low)
    assert "no independent sample" in row.interval_note
    card = sb.card(xr.DataArray(pair.reference[0], dims=("time", "neuron")), pair.model[0], ["cka"])
    assert "circular shifts of the model's rows" in card.methods()
    assert "Confidence intervals" not in card.methods()
    assert "name their axes" not in card.headline
    few = replace(pair, reference=pair.reference[:, :12], model=pair.model[:, :12])
    sentence = card_of(replace(few, condition=np.arange(12)), ["cka"]).sentence["cka"]
    assert "rows are independent, too few" in sentence or "only 11 circular shifts" in sentence


def test_methods_of_a_card_without_p_name_no_permutations():
    sizes = ("n_neurons", "n_reference_neurons", "n_samples", "n_conditions", "n_permutations")
    facts = dict.fromkeys(sizes, 9)
    facts |= {"match": "order", "version": "1", "seed": 0, "n_groups": 10, "exchange": WITHHELD}
    said = methods_paragraph(facts, ["cka"], ceiling=False)
    assert "neither chance nor intervals" in said
    assert "permutation" not in said
