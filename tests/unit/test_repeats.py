"""Rows that repeat a stimulus are trials of one condition, however that is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import scorebounds as sb
from helpers.worlds import matched_pair
from scorebounds.core.recording import recording
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.repeats import with_equal_rows
from scorebounds.scorecards.rows import CONDITIONS

N, REPEATS = 20, 3
CONDITION = np.tile(np.arange(N), REPEATS)
NAMES = [f"image {number}" for number in CONDITION]


def pair(rng):
    x, y = rng.normal(size=(N, 12)), rng.normal(size=(N, 4))
    rows = x[CONDITION] + rng.normal(size=(N * REPEATS, 12))
    return rows, y[CONDITION] + 0.01 * rng.normal(size=(N * REPEATS, 4))


def labelled(values, name):
    return xr.DataArray(
        values, dims=("presentation", "unit"), coords={name: ("presentation", NAMES)}
    )


@pytest.mark.parametrize(
    "named",
    [
        lambda x, y: (pd.DataFrame(x, index=NAMES), pd.DataFrame(y, index=NAMES)),
        lambda x, y: (pd.DataFrame(x, index=CONDITION), pd.DataFrame(y, index=CONDITION)),
        lambda x, y: (pd.DataFrame(x, index=NAMES), y),
        lambda x, y: (x, pd.DataFrame(y, index=NAMES)),
        lambda x, y: (labelled(x, "stimulus"), labelled(y, "stimulus")),
        lambda x, y: (labelled(x, "image_id"), y),
        lambda x, y: (labelled(x, "presentation"), labelled(y, "presentation")),
    ],
)
def test_rows_of_one_name_are_averaged_on_both_sides(named):
    x, y = pair(np.random.default_rng(0))
    both = named(x, y)
    averages = [side.reshape(REPEATS, N, -1).mean(0) for side in (x, y)]
    card = sb.card(*both, measures=["cka"], n_permutations=19)
    row = card.table.iloc[0]
    assert row.score == pytest.approx(sb.score(*averages, "cka"))
    assert (row.n_conditions, row.n_trials) == (N, N * REPEATS)
    assert "60 rows have 20 names; those of equal name are averaged" in row.match_note
    assert sb.score(*both, "cka") == pytest.approx(row.score)
    assert sb.score(*both, "ridge_cv_100") == pytest.approx(sb.score(*averages, "ridge_cv_100"))


def test_a_score_with_groups_is_that_of_the_rows():
    """Runs are held out as asked, also where each of them has all stimuli."""
    x, y = pair(np.random.default_rng(5))
    run = np.repeat(np.arange(REPEATS), N)
    named = pd.DataFrame(x, index=NAMES), pd.DataFrame(y, index=NAMES)
    expected = sb.score(x, y, "ridge_cv_100", groups=run)
    assert sb.score(*named, "ridge_cv_100", groups=run) == pytest.approx(expected)


def test_classes_and_times_are_no_names():
    x, y = pair(np.random.default_rng(1))
    times = np.tile(np.arange(N) / 10, REPEATS)
    framed = sb.card(pd.DataFrame(x, index=times), y, measures=["cka"], n_permutations=19)
    assert framed.table.n_conditions.iloc[0] == N * REPEATS
    by_class = sb.card(labelled(x, "category"), y, measures=["cka"], n_permutations=19)
    assert by_class.table.n_conditions.iloc[0] == N * REPEATS


def test_repeated_conditions_at_several_times_are_averaged():
    rng = np.random.default_rng(2)
    sides = [rng.normal(size=(3, N * REPEATS, width)) for width in (5, 4)]
    first, second = (
        recording(side, names=np.array(NAMES)).assign_attrs(dataset="d") for side in sides
    )
    matched = match(first, second)
    assert matched.model.shape == (3, N, 4)
    np.testing.assert_allclose(
        matched.model, sides[1].reshape(3, REPEATS, N, 4).mean(1), atol=1e-12
    )
    np.testing.assert_array_equal(matched.condition, CONDITION)


def test_activity_that_differs_by_rounding_is_equal():
    """A network gives a stimulus other activity, by rounding, in another batch."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=(N, 30))[CONDITION] + 3
    rounded = y * (1 + 1e-7 * rng.normal(size=y.shape))
    matched = with_equal_rows(matched_pair(rng.normal(size=(N * REPEATS, 5)), rounded))
    assert matched.n_conditions == N
    np.testing.assert_array_equal(matched.condition, CONDITION)
    apart = y + 1e-3 * rng.normal(size=y.shape)
    assert with_equal_rows(matched_pair(y, apart)).n_conditions == N * REPEATS


def test_equal_rows_that_are_known_as_conditions_have_a_note():
    rng = np.random.default_rng(4)
    y = rng.normal(size=(N, 3))[CONDITION]
    named = matched_pair(rng.normal(size=(N * REPEATS, 5)), y)
    matched = with_equal_rows(replace(named, rows_are=CONDITIONS))
    assert matched.n_conditions == N * REPEATS
    assert "20 different rows among 60, and each row counts as a condition" in matched.notes[-1]


def test_rows_of_equal_name_are_not_called_averaged_where_groups_are_given(caplog):
    x = np.random.default_rng(0).normal(size=(40, 6))
    names = [f"img{number}" for number in range(20)] * 2
    sides = [pd.DataFrame(x[:, :n]).set_axis(names).add_prefix("n") for n in (6, 3)]
    score = sb.score(*sides, "ridge_cv_100", groups=names)
    assert score == sb.score(x, x[:, :3], "ridge_cv_100", groups=names)
    assert "averaged" not in caplog.text
