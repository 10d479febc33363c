"""Figures of scores and of ranges print and draw the numbers of their tables."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scorebounds.figures.range_matrix import matrix_figure
from scorebounds.figures.ranges import attained_curves, range_figure
from scorebounds.figures.scores import score_figure, write_briefly
from scorebounds.figures.style import dataset_label, use_style, write_score


@pytest.fixture(autouse=True)
def style():
    use_style()
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("score", "long", "short"),
    [
        (0.9, "0.90", ".90"),
        (90.20, "90.20", "90.20"),
        (9180.30, "9180.30", "9180.30"),
        (-0.16, "−0.16", "−.16"),
        (-10.5, "−10.50", "−10.50"),
        (1.0, "1.00", "1.00"),
        (0.999, "1.00", "1.00"),
        (np.nan, "–", "–"),
    ],
)
def test_numbers_are_written_as_they_are(score, long, short):
    assert write_score(score) == long
    assert write_briefly(score) == short


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_scores_are_averaged_over_datasets_with_their_range():
    rows = [
        (dataset, "cka", "nbs", seed, score + 0.02 * seed)
        for dataset, score in (("one", 0.4), ("two", 0.8))
        for seed in (0, 1)
    ]
    rows += [("one", "cka", "hsic", 0, 90.2), ("one", "cka", "soft_matching", 0, np.nan)]
    columns = ["dataset", "optimized", "measure", "seed", "score"]
    figure, shown = score_figure(pd.DataFrame(rows, columns=columns))
    assert shown.set_index(["dataset", "measure"]).score["one", "nbs"] == pytest.approx(0.41)
    main, *small = [axis for axis in figure.axes if axis.images and axis.get_visible()]
    assert "0.61\n.41–.81" in texts(main)
    assert "–" in texts(main)
    labels = [label.get_text() for label in main.get_xticklabels()]
    assert labels == ["NBS", "soft matching"]
    assert [axis.get_title() for axis in small] == ["one", "two"]


def guides():
    columns = ["dataset", "given", "implied", "level", "low", "high", "outer_low", "outer_high"]
    rows = [
        ("one", "cka", "nbs", 0.9, 0.5, 0.8, 0.4, 0.9),
        ("one", "nbs", "cka", 0.9, 0.7, 1.0, np.nan, np.nan),
        ("two", "cka", "nbs", 0.9, -0.2, 0.6, 0.1, np.nan),
    ]
    return pd.DataFrame(rows, columns=columns)


def test_compatible_scores_are_bars_and_unknown_pairs_question_marks():
    figure, shown = matrix_figure(guides(), 0.9)
    assert len(shown) == 3
    one, two = figure.axes
    assert [label.get_text() for label in one.get_yticklabels()] == ["CKA → NBS", "NBS → CKA"]
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in one.patches]
    assert spans == [(0.5, pytest.approx(0.8)), (0.7, pytest.approx(1.0))]
    assert marks(two) == ["$?$"]
    assert marks(one) == []
    assert two.get_xlim()[0] < -0.2


def test_proven_ends_below_all_attained_ones_are_drawn():
    table = guides().assign(certified_low=[-0.6, np.nan, -0.4])
    table["outer_low"] = [-0.7, np.nan, -0.4]
    one, two = matrix_figure(table, 0.9)[0].axes
    for axis, end in ((one, -0.6), (two, -0.4)):
        assert end in [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "|"]
        assert axis.get_xlim()[0] < -0.6


def test_pairs_of_which_the_first_score_was_not_attained_differ_from_those_not_searched():
    table = guides()
    table.loc[(table.dataset == "one") & (table.given == "nbs"), ["low", "high"]] = np.nan
    one, two = matrix_figure(table, 0.9)[0].axes
    assert marks(one) == ["x"]
    assert marks(two) == ["$?$"]


def marks(axis):
    return [line.get_marker() for line in axis.lines if line.get_marker() in ("$?$", "x")]


def test_joint_optimisation_is_drawn_as_points_and_the_title_says_what_is_compatible():
    values = np.linspace(0, 1, 3)
    ranges = pd.DataFrame(
        {
            "dataset": "one",
            "a": "cka",
            "b": "nbs",
            "a_value": values,
            "attained_lower": values / 2,
            "attained_upper": np.sqrt(values),
            "certified_lower": values / 3,
            "certified_upper": 1.0,
            "outer_lower": values / 3,
            "outer_upper": 1.0,
        }
    )
    visited = pd.DataFrame(
        {
            "a": "cka",
            "b": "nbs",
            "target": [0, 0, 1, 1],
            "step": [0, 10, 0, 10],
            "a_value": [0.1, 0.2, 0.1, 0.9],
            "b_value": [0.1, 0.3, 0.1, 0.8],
        }
    )
    both = guides()[guides().dataset == "one"]
    figure, _ = range_figure(ranges, both, visited, 0.9)
    (axis,) = figure.axes
    assert (
        axis.get_title()
        == "x at least 0.9: y from 0.50 to 0.80\ny at least 0.9: x from 0.70 to 1.00"
    )
    (points,) = [line for line in axis.lines if line.get_marker() == "."]
    (ends,) = [line for line in axis.lines if line.get_marker() == "^"]
    assert points.get_linestyle() == ends.get_linestyle() == "None"
    assert ends.get_xdata().tolist() == [0.2, 0.9]
    assert len(points.get_xdata()) == 4


def test_attained_curves_never_cross_a_bound_between_the_values_that_were_searched():
    ranges = pd.DataFrame(
        {"a_value": [0, 0.5, 1], "attained_lower": [0, 0.6, 1], "attained_upper": [0, 0.8, 1]}
    )
    values = np.linspace(0, 1, 101)
    bounds = pd.DataFrame(
        {
            "a_value": values,
            "certified_lower": 0.6 * np.sqrt(values / 0.5) * (values <= 0.5),
            "certified_upper": np.where(values < 0.5, 1.2 * values, 1),
        }
    )
    curves = attained_curves(ranges, bounds)
    assert (curves.lower >= bounds.certified_lower).all()
    assert (curves.upper <= bounds.certified_upper).all()
    assert curves.lower[75] == 0.8
    unknown = bounds.assign(certified_lower=np.nan, certified_upper=np.nan)
    assert attained_curves(ranges, unknown).upper[75] == 0.9


@pytest.mark.parametrize("n_pairs", [1, 2, 4, 6])
def test_the_legend_of_ranges_lies_within_the_figure(n_pairs):
    names = ["cka", "nbs", "linreg", "procrustes_angular", "cka_angular", "svcca"]
    values = np.linspace(0, 1, 3)
    region = {"dataset": "one", "a_value": values, "outer_lower": 0.0, "outer_upper": 1.0}
    for end, score in (("lower", values / 2), ("upper", np.sqrt(values))):
        region |= {f"attained_{end}": score, f"certified_{end}": score}
    pairs = list(itertools.combinations(names, 2))[:n_pairs]
    ranges = pd.concat([pd.DataFrame({"a": a, "b": b, **region}) for a, b in pairs])
    implied = [{"given": a, "implied": b, "low": 0.1, "high": 1} for a, b in pairs]
    implied += [{"given": b, "implied": a, "low": 0.1, "high": 1} for a, b in pairs]
    none = pd.DataFrame(columns=["a", "b", "target", "step", "a_value", "b_value"])
    figure, _ = range_figure(ranges, pd.DataFrame(implied), none, 0.9)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


@pytest.mark.parametrize("n_panels", [2, 5, 7, 9])
def test_titles_of_the_matrix_do_not_overlap_with_long_names_of_datasets(n_panels):
    names = ["hatsopoulos2007-averages", "surrogate-FreemanZiemba2013", "a_long_name_of_own_data"]
    names += ["withoutanybreakwithinitsname", "mante2013-subset", "simulated-pfc", "ultrametric"]
    names = [*names, "another-dataset", "surrogate-Hatsopoulos2007"][:n_panels]
    tables = [guides()[guides().dataset == "one"].assign(dataset=name) for name in names]
    figure, _ = matrix_figure(pd.concat(tables), 0.9)
    figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in figure.axes]
    for left, right in itertools.pairwise(titles):
        assert left.x1 < right.x0
    for axis, name in zip(figure.axes, names, strict=True):
        assert axis.get_title().replace("\n", "").startswith(dataset_label(name)[:9])
