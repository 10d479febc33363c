"""The score ladder shows what a score guarantees, chance, ceilings, variables and models."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scorebounds.figures.ladder import ladder_figure
from scorebounds.figures.style import use_style


@pytest.fixture(autouse=True)
def style():
    use_style()
    yield
    plt.close("all")


def cards(**changes):
    row = {
        "dataset": "made",
        "model": "net",
        "measure": "cka",
        "score": 0.4,
        "score_low": 0.3,
        "score_high": 0.5,
        "null_low": 0.01,
        "null_high": 0.05,
        "p": 0.01,
        "ceiling_low": 0.8,
        "ceiling_high": 0.9,
    }
    return pd.DataFrame([row | changes])


def thresholds(measure="cka"):
    columns = ["measure", "kind", "target", "variance_ratio", "score_all"]
    rows = [
        (measure, "pc", 2, 0.3, 0.7),
        (measure, "pc", 1, 0.6, 0.2),
        (measure, "pc", 3, 0.1, np.nan),
        (measure, "variable", "choice", 0.1, 0.75),
        (measure, "variable", "colour", 0.1, np.nan),
    ]
    return pd.DataFrame(rows, columns=columns)


def texts(figure):
    labels = [text.get_text() for axis in figure.axes for text in axis.texts]
    labels += [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    return labels + [text.get_text() for legend in figure.legends for text in legend.texts]


def test_shares_add_up_over_components_that_all_seeds_captured():
    _, shown = ladder_figure(cards(), thresholds())
    steps = shown[shown.element == "captured"]
    assert steps.score.tolist() == [-np.inf, 0.2, 0.7]
    assert steps.value.tolist() == pytest.approx([0, 0.6, 0.9])
    (variable,) = shown[shown.element == "variable"].itertuples()
    assert (variable.name, variable.score) == ("choice", 0.75)


def test_shade_of_the_bar_is_the_share_captured_up_to_that_score():
    figure, _ = ladder_figure(cards(), thresholds())
    (mesh,) = figure.axes[0].collections
    assert mesh.get_coordinates()[0, :, 0].tolist() == pytest.approx([0, 0.2, 0.7, 1])
    assert mesh.get_array().ravel().tolist() == pytest.approx([0, 0.6, 0.9])


def test_model_chance_and_ceiling_are_where_they_are():
    figure, shown = ladder_figure(cards(), thresholds())
    assert shown.element.tolist()[:3] == ["model", "chance", "ceiling"]
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [0.4]
    said = " ".join(texts(figure))
    for word in (
        "CKA",
        "net, corrected 95 % interval",
        "0.40, corrected [0.30, 0.50]  p = 0.01",
        "choice",
        "noise ceiling",
        "chance",
    ):
        assert word in said
    assert "colour" not in said


def test_a_model_at_chance_has_an_open_symbol():
    figure, _ = ladder_figure(cards(p=0.4), thresholds())
    (point,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert point.get_markerfacecolor() == "white"
    assert "open: not distinguishable from chance, or uninformative" in texts(figure)


def test_a_model_that_scores_one_because_of_its_width_has_an_open_symbol():
    figure, shown = ladder_figure(cards(score=1.0, p=np.nan, is_informative=False))
    (point,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert point.get_markerfacecolor() == "white"
    assert shown.element.tolist()[0] == "uninformative"


def test_corrected_p_decides_where_there_is_one():
    _, shown = ladder_figure(cards(p=0.01, p_corrected=0.2))
    assert shown.value.tolist()[0] == 0.2


def test_card_alone_suffices():
    table = pd.DataFrame({"measure": ["cka", "soft_matching"], "score": [0.4, np.nan]})
    figure, shown = ladder_figure(table)
    assert shown.measure.tolist() == ["cka"]
    assert "no optimised data, or capture undefined" not in texts(figure)
    assert not any(patch.get_hatch() for patch in figure.axes[0].patches)
    assert "chance (5–95 % of shuffles)" not in texts(figure)
    assert "noise ceiling" not in texts(figure)


def test_bars_of_measures_that_were_not_optimised_are_hatched():
    both = pd.concat([cards(), cards(measure="soft_matching")])
    figure, _ = ladder_figure(both, thresholds())
    assert "no optimised data, or capture undefined" in texts(figure)
    assert sum(bool(patch.get_hatch()) for patch in figure.axes[0].patches) == 1


def test_axis_starts_at_zero_where_only_chance_is_below():
    figure, _ = ladder_figure(cards(null_low=-0.3), thresholds())
    assert figure.axes[0].get_xlim()[0] == pytest.approx(-0.01)
    arrows = [line for line in figure.axes[0].lines if line.get_marker() == "<"]
    assert len(arrows) == 1
    figure, _ = ladder_figure(cards(score_low=-0.2), thresholds())
    assert figure.axes[0].get_xlim()[0] == pytest.approx(-0.21)


def test_measures_without_a_common_scale_are_left_out():
    figure, shown = ladder_figure(cards(measure="hsic", score=90.0))
    assert shown.empty
    assert "no measure has a scale that runs up to 1" in [t.get_text() for t in figure.texts]


def test_very_low_scores_are_arrows_at_the_left_end():
    figure, _ = ladder_figure(cards(score=-6.0, score_low=-7.0, score_high=-5.0))
    (arrow,) = [line for line in figure.axes[0].lines if line.get_marker() == "<"]
    assert arrow.get_xdata()[0] == -0.5
    assert figure.axes[0].get_xlim()[0] < -0.5


def test_labels_of_close_variables_do_not_overlap():
    table = thresholds()
    close = [
        ("cka", "variable", f"variable{number}", 0.1, 0.9 + 0.01 * number) for number in range(4)
    ]
    table = pd.concat([table, pd.DataFrame(close, columns=table.columns)])
    figure, _ = ladder_figure(cards(), table)
    figure.canvas.draw()
    labels = [text for text in figure.axes[0].texts if text.get_text().startswith("variable")]
    boxes = sorted((text.get_window_extent() for text in labels), key=lambda box: box.x0)
    assert len(boxes) == 4
    for left, right in itertools.pairwise(boxes):
        assert left.x1 <= right.x0 + 0.5


def test_several_models_have_a_look_each():
    both = pd.concat([cards(), cards(model="other", score=0.6)])
    figure, shown = ladder_figure(both, thresholds())
    assert {"net, corrected 95 % interval", "other, corrected 95 % interval"} <= set(texts(figure))
    markers = {line.get_marker() for line in figure.axes[0].lines if line.get_marker() in "os"}
    assert markers == {"o", "s"}
    assert (shown.element == "model").sum() == 2
