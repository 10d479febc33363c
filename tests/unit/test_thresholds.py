"""Crossings, intervals, tables and the comparison with published numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scorebounds.core.intervals import mean_with_interval, median_with_interval
from scorebounds.optimization.published import agreement, compare_all, read_published, steps_to
from scorebounds.optimization.summary import (
    THRESHOLD_COLUMNS,
    summarize_trajectories,
    threshold_table,
)
from scorebounds.optimization.thresholds import capture_thresholds, curve_over_score, first_crossing
from scorebounds.optimization.trajectories import Trajectory, to_dataset


def test_threshold_is_the_first_of_several_crossings():
    score = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    curve = np.array([0.0, 0.6, 0.2, 0.9, 1.0])
    (threshold,) = first_crossing(score, curve[:, None], np.array([0.5]))
    assert threshold == pytest.approx(0.1 * 0.5 / 0.6)


def test_a_curve_that_never_crosses_has_no_threshold():
    score = np.linspace(0, 1, 4)
    curves = np.array([[0.0, 0.1, 0.2, 0.3], [0.0, 0.2, 0.5, 0.6]]).T
    low, high = first_crossing(score, curves, np.array([0.5, 0.5]))
    assert np.isnan(low)
    assert high == pytest.approx(2 / 3)


def test_capture_is_halfway_from_the_start_to_one():
    score = np.linspace(0, 1, 101)
    captured = np.stack([0.2 + 0.8 * score, score**2], axis=1)
    assert capture_thresholds(score, captured) == pytest.approx([0.5, np.sqrt(0.5)], abs=1e-4)
    # At R² = score and R² = score², a level of 0.9 of the way from 0 is reached later.
    later = capture_thresholds(score, captured, 0.9)
    assert later == pytest.approx([0.9, np.sqrt(0.9)], abs=1e-4)
    assert np.isnan(capture_thresholds(score[:1], captured[:1])).all()


def test_interval_of_a_mean_is_that_of_students_t():
    values = [0.1, 0.4, 0.2, np.nan, 0.5]
    mean, low, high = mean_with_interval(values)
    finite = np.array([0.1, 0.4, 0.2, 0.5])
    expected = stats.ttest_1samp(finite, 0).confidence_interval(0.95)
    assert mean == pytest.approx(0.3)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert mean_with_interval([0.3, np.nan])[0] == 0.3
    assert np.isnan(mean_with_interval([0.3])[1:]).all()
    assert np.isnan(mean_with_interval([np.nan])).all()


def test_curves_are_interpolated_at_the_first_step_that_reaches_each_score():
    score = np.array([0.0, 0.5, 0.4, 1.0])
    value = np.array([[0.0], [1.0], [7.0], [2.0]])
    read = curve_over_score(score, value, np.array([-0.1, 0.25, 0.5, 0.75]))
    assert np.isnan(read[0, 0])
    assert read[1:, 0] == pytest.approx([0.5, 1.0, 1.5])


def two_seeds():
    trajectories = []
    for last in (0.9, 0.3):
        trajectory = Trajectory(n_components=2, stop_reason="reached")
        for score, captured in ((0.0, [0.0, 0.0]), (0.5, [0.5, 0.1]), (0.99, [1.0, last])):
            trajectory.record(score, np.array(captured))
        trajectories.append(trajectory)
    names = {"dataset": "surrogate-data", "measure": "cka", "direction": 1}
    return to_dataset(trajectories, np.array([0.8, 0.2]), names)


def test_tables_summarise_thresholds_runs_and_curves():
    tables = summarize_trajectories(two_seeds())
    thresholds = tables["thresholds"]
    assert list(thresholds.columns) == [
        "dataset",
        "measure",
        "kind",
        "target",
        "variance_ratio",
        "score_mean",
        "score_low",
        "score_high",
        "n_seeds",
        "n_reached",
        "score_median",
        "score_all",
        "note",
    ]
    assert thresholds.n_reached.tolist() == [2, 1]
    assert thresholds.n_seeds.tolist() == [2, 2]
    assert thresholds.score_mean.tolist() == pytest.approx([0.5, 0.5 + 0.49 * 0.5], abs=1e-6)
    # Seed 1 never captures the second component: no median, no score by which all seeds have.
    assert thresholds.score_all.tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert thresholds.score_median.tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert tables["seeds"].score.tolist() == pytest.approx(
        [0.5, 0.5, 0.5 + 0.49 * 0.5, np.nan], nan_ok=True
    )
    assert tables["runs"].n_captured.tolist() == [2, 1]
    assert tables["runs"].n_updates.tolist() == [2, 2]
    assert len(tables["trajectories"]) == 6
    capture = tables["capture"]
    last = capture[capture.score == capture.score.max()]
    assert last.r2.tolist() == pytest.approx([1.0, 0.6])


def write_published(folder, thresholds, scores):
    folder.mkdir()
    pd.DataFrame(
        {
            "scores_at_threshold": thresholds,
            "pc_explained_variance": [0.8, 0.2],
            "measure": "cka",
            "dataset": folder.name,
        }
    ).to_csv(folder / "scores_at_threshold.csv")
    pd.DataFrame({"score": scores, "measure": "cka"}).to_csv(folder / "scores_vs_decoding_acc.csv")


def test_published_and_reproduced_numbers_are_compared(tmp_path):
    write_published(tmp_path / "data", [0.48, np.nan], [0.01, 0.01, 0.3, 0.7, 0.991])
    tables = summarize_trajectories(two_seeds())
    published = {"surrogate-data": read_published(tmp_path / "data")}
    table = compare_all(
        published, *(tables[name] for name in ("thresholds", "runs", "trajectories"))
    )
    assert list(table.columns) == [
        "dataset",
        "measure",
        "quantity",
        "target",
        "published",
        "reproduced",
        "low",
        "high",
        "difference",
    ]
    by_quantity = table.set_index("quantity")
    # Rows 1 and 2 are the same score: three updates led to the last.
    assert by_quantity.loc["steps_to_0.99", "published"] == 3
    assert by_quantity.loc["steps_to_0.99", "reproduced"] == 2
    assert by_quantity.loc["n_captured", "difference"] == pytest.approx(0.5)
    first, second = by_quantity.loc["pc_threshold", "difference"]
    assert first == pytest.approx(0.02)
    assert np.isnan(second)
    judged = agreement(table).set_index("quantity")
    assert judged["within"].tolist() == [True, False, False]
    assert judged["value"].tolist() == pytest.approx([0.02, -1 / 3, 0.25])
    assert judged["n_compared"].tolist() == [1, 1, 1]


def test_a_recording_of_another_size_is_not_compared(tmp_path, caplog):
    write_published(tmp_path / "data", [0.48, np.nan], [0.01, 0.01, 0.3, 0.7, 0.991])
    tables = summarize_trajectories(two_seeds())
    published = {"surrogate-data": read_published(tmp_path / "data")}
    published["surrogate-data"]["cka"]["thresholds"] = np.zeros(3)
    table = compare_all(
        published, *(tables[name] for name in ("thresholds", "runs", "trajectories"))
    )
    assert len(table) == 0
    assert "the published run, which had 3 neurons; here are 2" in caplog.text


def test_steps_are_counted_only_where_every_seed_arrived(tmp_path):
    write_published(tmp_path / "data", [0.48, np.nan], [0.01, 0.01, 0.3, 0.7, 0.991])
    tables = summarize_trajectories(two_seeds())
    trajectories = tables["trajectories"]
    assert steps_to(0.5, trajectories).tolist() == [1, 1]
    late = trajectories[(trajectories.seed == 0) | (trajectories.step < 2)]
    assert steps_to(0.99, late)[0] == 2
    assert np.isnan(steps_to(0.99, late)[1])
    published = {"surrogate-data": read_published(tmp_path / "data")}
    table = compare_all(published, tables["thresholds"], tables["runs"], late)
    assert table.set_index("quantity").isna().loc["steps_to_0.99", "reproduced"]
    judged = agreement(table).set_index("quantity")
    assert not judged.loc["steps_difference", "within"]


def test_components_explained_from_the_start_have_no_threshold():
    score = np.array([0.1, 0.5, 0.9])
    captured = np.array([[1 - 2e-7], [1 - 1e-7], [1.0]])
    assert np.isnan(capture_thresholds(score, captured)).all()


def test_capture_is_undefined_where_random_data_explain_every_component(caplog):
    trajectories = []
    for _ in range(2):
        trajectory = Trajectory(n_components=2, stop_reason="reached")
        for score in (0.1, 0.99):
            trajectory.record(score, np.array([1.0, 1 - 1e-6]))
        trajectories.append(trajectory)
    names = {"dataset": "wide", "measure": "cka", "direction": 1}
    tables = summarize_trajectories(to_dataset(trajectories, np.array([0.8, 0.2]), names))
    for name in ("seeds", "capture"):
        assert len(tables[name]) == 0
    assert list(tables["thresholds"]) == THRESHOLD_COLUMNS
    assert (tables["thresholds"].n_reached == 0).all()
    assert tables["thresholds"].score_mean.isna().all()
    assert tables["thresholds"].note.str.startswith("capture is undefined").all()
    assert tables["runs"].n_captured.isna().all()
    assert len(tables["trajectories"]) == 4
    assert "wide, cka: there are no thresholds of components: capture is und" in caplog.text


def summary(thresholds, **options):
    values = np.array(thresholds)[:, None]
    (row,) = threshold_table("d", "m", "pc", [1], [0.5], values, **options).itertuples()
    return row


def test_target_is_captured_from_the_highest_threshold_of_the_seeds_on():
    row = summary([0.5, 0.7, 0.6, 0.9, 0.8])
    assert (row.n_reached, row.n_seeds) == (5, 5)
    assert row.score_all == 0.9
    assert (row.score_low, row.score_median, row.score_high) == pytest.approx((0.5, 0.7, 0.9))
    assert row.score_mean == pytest.approx(0.7)


def test_seeds_that_never_capture_a_target_raise_its_median_and_take_its_upper_end():
    row = summary([0.5, np.nan, 0.6, np.nan, 0.8])
    assert (row.n_reached, row.n_seeds) == (3, 5)
    assert row.score_median == 0.8
    assert row.score_low == 0.5
    assert np.isnan(row.score_high)
    assert np.isnan(row.score_all)
    assert row.score_mean == pytest.approx(1.9 / 3)
    assert np.isnan(summary([0.5, np.nan, 0.6, np.nan, np.nan]).score_median)


def test_thresholds_of_a_distance_are_the_other_way_round():
    row = summary([5.0, np.nan, 4.0], direction=-1)
    assert row.score_median == 4.0
    assert np.isnan(row.score_low)
    assert row.score_high == 5.0
    assert summary([5.0, 3.0, 4.0], direction=-1).score_all == 3.0


@pytest.mark.parametrize("n", [2, 5, 8, 20])
def test_interval_of_the_median_covers_as_often_as_it_says(n):
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):
        _, low, high = median_with_interval(rng.standard_exponential(n))
        covered.append(low <= np.log(2) <= high)
    inside = [1 - 2 * stats.binom.cdf(k, n, 0.5) for k in range(n // 2)]
    expected = min([share for share in inside if share >= 0.95], default=inside[0])
    assert np.mean(covered) == pytest.approx(expected, abs=0.025)


def test_interval_of_the_median_stays_within_the_values():
    median, low, high = median_with_interval([0.99, 0.98, 0.42, 0.97, 0.99])
    assert (median, low, high) == (0.98, 0.42, 0.99)
    assert median_with_interval([0.2, np.inf]) == (np.inf, 0.2, np.inf)
    assert np.isnan(median_with_interval([0.3])[1:]).all()
    assert np.isnan(median_with_interval([])).all()


def test_curves_end_where_the_first_run_stopped():
    stored = two_seeds()
    stored["score"][1, 2] = np.nan
    for order in ([0, 1], [1, 0]):
        capture = summarize_trajectories(stored.isel(seed=order))["capture"]
        assert capture.r2.notna().all()
        assert capture.score.max() == 0.5
    stored["n_updates"][:] = 0
    capture = summarize_trajectories(stored)["capture"]
    assert len(capture) == 0
    assert "r2" in capture


def test_published_scores_that_do_not_start_twice_are_refused(tmp_path):
    write_published(tmp_path / "data", [0.48, np.nan], [0.01, 0.2, 0.3, 0.991])
    with pytest.raises(ValueError, match="start with the same score twice"):
        read_published(tmp_path / "data")
