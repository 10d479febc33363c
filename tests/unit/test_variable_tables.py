"""At which score a variable counts as decoded, and the curves behind it."""

import numpy as np
import pandas as pd
import pytest

from scorebounds.decoding.summary import (
    ACCURACY_COLUMNS,
    CURVE_COLUMNS,
    REFERENCE_COLUMNS,
    mean_curves,
    permutation_p,
    seed_thresholds,
    variable_thresholds,
)
from scorebounds.figures.decoding import (
    decoding_figure,
    decoding_times_figure,
    ridge_sweep_figure,
)
from scorebounds.figures.decoding_thresholds import COUNT_TITLE, NEVER, decoding_threshold_figure
from scorebounds.figures.style import measure_looks, use_style
from scorebounds.optimization.summary import THRESHOLD_COLUMNS


def references(**changes):
    row = dict.fromkeys(REFERENCE_COLUMNS, 0.0) | {
        "dataset": "made",
        "target": "choice",
        "chance": 0.5,
        "reference": 0.9,
        "decodable": True,
        "variance_ratio": 0.02,
    }
    return pd.DataFrame([row | changes])


def accuracies(*curves, measure="cka", target="choice"):
    """Make a table of curves, each of (score, accuracy), a seed each."""
    rows = [
        ("made", measure, target, seed, step, score, accuracy)
        for seed, (scores, values) in enumerate(curves)
        for step, (score, accuracy) in enumerate(zip(scores, values, strict=True))
    ]
    return pd.DataFrame(rows, columns=ACCURACY_COLUMNS)


def test_threshold_is_the_score_at_nine_tenths_between_chance_and_reference():
    # 0.5 + 0.9 · (0.9 − 0.5) = 0.86
    first = ([0.1, 0.5, 0.7, 0.9], [0.5, 0.6, 0.88, 0.9])
    second = ([0.1, 0.4, 0.6, 0.9], [0.5, 0.9, 0.7, 0.9])
    table = variable_thresholds(accuracies(first, second), references())
    assert list(table.columns) == THRESHOLD_COLUMNS
    (row,) = table.itertuples()
    assert (row.kind, row.target, row.variance_ratio) == ("variable", "choice", 0.02)
    expected = [0.5 + 0.2 * 0.26 / 0.28, 0.1 + 0.3 * 0.36 / 0.4]
    assert row.score_mean == pytest.approx(np.mean(expected))
    assert (row.score_low, row.score_high) == pytest.approx((min(expected), max(expected)))
    assert row.score_all == pytest.approx(max(expected))
    assert (row.n_seeds, row.n_reached) == (2, 2)


def test_a_variable_that_is_never_decoded_has_no_threshold():
    up = ([0.1, 0.9], [0.5, 0.9])
    flat = ([0.1, 0.5, 0.99], [0.5, 0.55, 0.85])
    (row,) = variable_thresholds(accuracies(up, flat), references()).itertuples()
    assert (row.n_seeds, row.n_reached) == (2, 1)
    assert row.score_mean == pytest.approx(0.1 + 0.8 * 0.9)
    (row,) = variable_thresholds(accuracies(flat), references()).itertuples()
    assert row.n_reached == 0
    assert np.isnan(row.score_mean)
    single = ([0.1], [0.5])
    (row,) = variable_thresholds(accuracies(single), references()).itertuples()
    assert row.n_reached == 0


def test_a_variable_at_chance_in_the_reference_has_no_threshold():
    up = ([0.1, 0.9], [0.5, 0.9])
    at_chance = references(reference=0.51, decodable=False)
    (row,) = variable_thresholds(accuracies(up, up), at_chance).itertuples()
    assert (row.n_seeds, row.n_reached) == (2, 0)
    assert np.isnan(row.score_mean)


def test_thresholds_and_curves_of_a_distance():
    one = ([9.0, 4.0, 1.0], [0.5, 0.7, 0.9])
    other = ([8.0, 5.0, 0.5], [0.5, 0.6, 0.9])
    table = accuracies(one, other, measure="procrustes_distance")
    (row,) = variable_thresholds(table, references()).itertuples()
    expected = [4 - 3 * 0.16 / 0.2, 5 - 4.5 * 0.26 / 0.3]
    assert row.score_mean == pytest.approx(np.mean(expected))
    curves = mean_curves(table)
    assert curves.score.tolist() == sorted(curves.score, reverse=True)
    assert (curves.score.max(), curves.score.min()) == (8.0, 1.0)
    assert curves.accuracy_mean.iloc[0] == pytest.approx((0.54 + 0.5) / 2)


def test_curves_are_means_on_scores_that_all_passed():
    one = ([0.1, 0.9], [0.5, 0.9])
    other = ([0.2, 0.7], [0.5, 0.6])
    curves = mean_curves(accuracies(one, other))
    assert list(curves.columns) == CURVE_COLUMNS
    assert (curves.score.min(), curves.score.max()) == (0.2, 0.7)
    assert curves.accuracy_mean.iloc[-1] == pytest.approx((0.8 + 0.6) / 2)
    assert (curves.n_seeds == 2).all()
    assert (curves.accuracy_low < curves.accuracy_mean).all()
    apart = mean_curves(accuracies(([0.1, 0.2], [0.5, 0.6]), ([0.3, 0.4], [0.5, 0.6])))
    assert list(apart.columns) == CURVE_COLUMNS
    assert apart.empty


def test_interval_of_an_accuracy_stays_between_0_and_1():
    curves = mean_curves(accuracies(([0.1, 0.9], [0.1, 1.0]), ([0.1, 0.9], [0.0, 0.9])))
    assert curves.accuracy_high.iloc[-1] == 1
    assert curves.accuracy_low.iloc[0] == 0
    assert curves.accuracy_low.iloc[-1] < curves.accuracy_mean.iloc[-1] < 1


def test_nothing_decoded_gives_tables_without_rows():
    none = pd.DataFrame(columns=ACCURACY_COLUMNS)
    empty = pd.DataFrame(columns=REFERENCE_COLUMNS)
    assert list(variable_thresholds(none, empty)) == THRESHOLD_COLUMNS
    assert list(mean_curves(none)) == CURVE_COLUMNS


def test_p_counts_the_observed_accuracy_among_the_shuffled():
    null = np.linspace(0.4, 0.6, 20)
    assert permutation_p(0.7, null) == pytest.approx(1 / 21)
    assert permutation_p(0.6, null) == pytest.approx(2 / 21)
    assert permutation_p(0.1, null) == 1


def said(figure):
    texts = [text for axis in figure.axes for text in axis.texts]
    titles = [axis.get_title() for axis in figure.axes]
    return " ".join([*titles, *(text.get_text() for text in [*texts, *figure.texts])])


def test_figures_say_what_is_missing():
    use_style()
    up = ([0.1, 0.9], [0.5, 0.9])
    table = accuracies(up, up)
    curves = mean_curves(table)
    none = curves[:0]
    at_chance = references(decodable=False)
    found = variable_thresholds(table, at_chance)
    seeds = seed_thresholds(table, at_chance)
    missing = "not decodable"
    assert missing in said(decoding_figure(curves, at_chance, found, ["cka"])[0])
    assert missing in said(decoding_threshold_figure(found, seeds, at_chance, ["cka"])[0])
    assert "no dataset has labels" in said(
        decoding_figure(none, references()[:0], found[:0], ["cka"])[0]
    )
    assert "no dataset has labels" in said(
        decoding_threshold_figure(found[:0], seeds, references()[:0], ["cka"])[0]
    )
    assert "no dataset of the sweep" in said(
        ridge_sweep_figure(none, references()[:0], ["made"], [1])[0]
    )


def test_a_figure_marks_thresholds_where_they_are():
    use_style()
    up = ([0.1, 0.9], [0.5, 0.9])
    table = accuracies(up, up)
    found = variable_thresholds(table, references())
    seeds = seed_thresholds(table, references())
    figure, _ = decoding_figure(mean_curves(table), references(), found, ["cka"])
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata().tolist() for line in marks] == [[pytest.approx(0.82)]]
    figure, _ = decoding_threshold_figure(found, seeds, references(), ["cka"])
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in marks] == [pytest.approx(0.82)]


def test_symbols_tell_whether_all_seeds_decode_a_variable():
    use_style()
    up, flat = ([0.1, 0.9], [0.5, 0.9]), ([0.1, 0.9], [0.5, 0.6])
    for curves, face, text in (
        ((up, up, up), measure_looks(["cka"])["cka"][1], set()),
        ((up, up, flat), "white", {"2 of 3", COUNT_TITLE}),
        ((flat, flat, up), "white", {"1 of 3", COUNT_TITLE}),
        ((flat, flat, flat), "white", set()),
    ):
        table = accuracies(*curves)
        found = variable_thresholds(table, references())
        seeds = seed_thresholds(table, references())
        figure, _ = decoding_threshold_figure(found, seeds, references(), ["cka"])
        (mark,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert mark.get_markerfacecolor() == face
        decoded = sum(curve is up for curve in curves) >= 2
        assert mark.get_xdata()[0] == pytest.approx(0.82 if decoded else NEVER)
        assert {text.get_text() for text in figure.axes[0].texts} == text


def test_accuracy_over_time_is_drawn_per_dataset():
    use_style()
    times = pd.DataFrame(
        {
            "dataset": "made",
            "target": ["choice"] * 3,
            "time": [0.0, 50.0, 100.0],
            "time_units": "ms",
            "chance": 0.5,
            "accuracy": [0.5, 0.9, 0.2],
            "null_low": 0.4,
            "null_high": 0.6,
        }
    )
    figure, shown = decoding_times_figure(times)
    assert shown.accuracy.tolist() == [0.5, 0.9, 0.2]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.5, 0.9, 0.2]
    assert figure.axes[0].get_xlabel() == "time (ms)"
    assert "no recording with times" in said(decoding_times_figure(times[:0])[0])
