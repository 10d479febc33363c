"""Figures fit a journal's page: width, size of letters, captions, and glyphs of labels."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from scorebounds.figures.captures import (
    agreement_figure,
    capture_figure,
    threshold_figure,
    trajectory_figure,
)
from scorebounds.figures.layers import correspondence_figure, layer_maps_figure, unrelated_figure
from scorebounds.figures.perturbation import overlap_figure, perturbation_figure
from scorebounds.figures.scorecards import scorecard_figure
from scorebounds.figures.style import (
    PAPER_MEASURES,
    RC,
    add_letters,
    measure_dashes,
    measure_looks,
    save,
    use_style,
)
from scorebounds.figures.task_networks import task_networks_figure

DATASETS = ["ultrametric", "simulated-pfc", "surrogate-MajajHong2015", "dyer2017"]
PAGE = (7.21, 9.7)  # inches: 183 mm × 247 mm
SMALLEST = 6  # points


@pytest.fixture(autouse=True)
def style():
    use_style()
    yield
    plt.close("all")


def crossed(**columns):
    """Return a table with a row for each combination of the values."""
    index = pd.MultiIndex.from_product(columns.values(), names=list(columns))
    return index.to_frame(index=False)


def thresholds():
    table = crossed(dataset=DATASETS, measure=[*PAPER_MEASURES, "svcca"], target=range(1, 8))
    score = 0.1 * table.target
    never = table.target == 7
    return table.assign(
        kind="pc",
        variance_ratio=0.5**table.target,
        score_median=score.mask(never),
        score_low=(score - 0.05).mask(never),
        score_high=(score + 0.05).mask(never),
        n_seeds=5,
        n_reached=np.where(never, 0, np.where(table.target == 6, 4, 5)),
    )


def published():
    table = crossed(dataset=DATASETS[2:3], measure=PAPER_MEASURES, target=range(1, 8))
    return table.assign(
        quantity="pc_threshold", published=0.1 * table.target, reproduced=0.11 * table.target
    )


def agreement():
    table = crossed(dataset=DATASETS[2:3], measure=PAPER_MEASURES)
    within = table.measure != "cka"
    return table.assign(quantity="threshold_difference", value=0.03, within=within)


def trajectories():
    table = crossed(dataset=DATASETS, measure=PAPER_MEASURES, seed=range(2), step=range(5))
    return table.assign(score=0.2 * table.step)


def capture():
    table = crossed(dataset=["made"], measure=PAPER_MEASURES, score=[0.0, 0.5, 1.0], target=[1, 2])
    return table.assign(r2=table.score, variance_ratio=0.5**table.target)


def perturbation():
    table = crossed(dataset=DATASETS, measure=["cka", "nbs"], target=range(1, 6))
    share = 0.5**table.target
    return table.assign(
        variance_ratio=share,
        theory=1 - share,
        overlap_theory=1 - share,
        overlap_mean=1 - share,
        overlap_low=0.99 - share,
        overlap_high=1.01 - share,
        dropped_theory=1 - share / 2,
    )


def cards():
    table = crossed(dataset=["made"], model=["one", "other"], measure=PAPER_MEASURES)
    return table.assign(
        score=0.5,
        score_low=-0.8,
        score_high=0.6,
        null_low=0.0,
        null_high=0.1,
        ceiling_low=0.7,
        ceiling_high=0.7,
    )


def layers():
    table = crossed(measure=["cka", "cca"], networks=["trained", "untrained"])
    shown = {"accuracy": 0.5, "low": 0.4, "high": 0.6, "p_below_best": 0.2, "chance": 0.1}
    return table.assign(**shown, published_cifar10=0.9)


def maps():
    where = ["between networks", "within a network"]
    table = crossed(measure=["cka", "cca", "hsic"], where=where, layer=[1, 2], other_layer=[1, 2])
    return table.assign(score=12.5 * table.layer, closeness=table.layer - 1.0)


def unrelated():
    table = crossed(measure=["cka", "linreg"], n_samples=[30, 90, 500])
    return table.assign(n_neurons=100, score_mean=0.5, score_low=0.4, score_high=0.6)


def learning():
    table = crossed(model=["rnn-context", "rnn-reaching"], step=[0, 50, 100])
    return table.assign(accuracy=0.5 + table.step / 250)


def psychometric():
    choices = crossed(
        model=["rnn-context", "rnn-context-untrained"],
        context=["motion", "colour"],
        evidence=["motion", "colour"],
        coherence=[-0.5, 0.5],
    )
    choices = choices.assign(share_preferred=0.5 + choices.coherence / 2)
    reaches = crossed(model=["rnn-reaching", "rnn-reaching-untrained"], angle=[0.0, 90.0])
    radians = np.deg2rad(reaches.angle)
    reaches = reaches.assign(end_x=0.9 * np.cos(radians), end_y=0.9 * np.sin(radians))
    return pd.concat([choices, reaches], ignore_index=True)


FIGURES = {
    "thresholds": lambda: threshold_figure(thresholds(), published()),
    "trajectories": lambda: trajectory_figure(trajectories()),
    "capture": lambda: capture_figure(capture()),
    "agreement": lambda: agreement_figure(published(), agreement()),
    "perturbation": lambda: perturbation_figure(perturbation()),
    "perturbation_overlap": lambda: overlap_figure(perturbation()),
    "scorecards": lambda: scorecard_figure(cards()),
    "layers": lambda: correspondence_figure(layers()),
    "layer_maps": lambda: layer_maps_figure(maps()),
    "unrelated": lambda: unrelated_figure(unrelated()),
    "task_networks": lambda: task_networks_figure(learning(), psychometric(), 0.85),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_fits_a_page_with_letters_of_six_points_or_more(name):
    figure, shown = FIGURES[name]()
    assert len(shown)
    width, height = figure.get_size_inches()
    assert width <= PAGE[0]
    assert height <= PAGE[1]
    figure.canvas.draw()
    written = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert written
    assert min(text.get_fontsize() for text in written) >= SMALLEST


def test_measures_differ_in_colour_marker_and_dash():
    looks, dashes = measure_looks(PAPER_MEASURES), measure_dashes(PAPER_MEASURES)
    for part in (1, 2):
        assert len({look[part] for look in looks.values()}) == len(PAPER_MEASURES)
    assert len({str(dash) for dash in dashes.values()}) == len(PAPER_MEASURES)


def test_thresholds_show_the_measures_of_the_paper_and_what_was_never_captured():
    figure, shown = FIGURES["thresholds"]()
    assert set(shown.measure) == {*PAPER_MEASURES, "svcca"}
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend[len(PAPER_MEASURES) :] == [
        "never captured",
        "captured in some seeds",
        "published",
    ]
    limits = {(axis.get_xlim(), axis.get_ylim()) for axis in figure.axes if axis.get_visible()}
    assert len(limits) == 1
    never = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert [line.get_xdata().tolist() for line in never] == [[0.5**7]] * len(PAPER_MEASURES)


def test_scores_below_the_axis_are_arrows_at_its_end():
    figure, _ = scorecard_figure(cards().assign(score=-6.0))
    (axis,) = figure.axes
    arrows = [line for line in axis.lines if line.get_marker() == "<"]
    assert len(arrows) == 2 * len(PAPER_MEASURES)
    assert axis.get_xlim()[0] == pytest.approx(-0.53)


def test_components_at_a_random_start_are_a_dotted_line():
    figure, _ = capture_figure(capture().assign(r2=0.4))
    (line,) = figure.axes[0].lines
    assert line.get_ydata() == pytest.approx([0.4, 0.4])
    assert line.get_linestyle() == ":"


def test_panels_have_letters_in_order():
    figure, axes = plt.subplots(1, 28)
    add_letters(axes)
    letters = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert [letters[0], letters[25], letters[26], letters[27]] == ["a", "z", "aa", "ab"]


def test_caption_is_inside_the_files(tmp_path):
    figure, table = plt.figure(), pd.DataFrame({"score": [0.25]})
    paths = {kind: str(tmp_path / f"made.{kind}") for kind in ("pdf", "png", "csv")}
    save(figure, table, **paths, caption="What is shown?")
    assert b"(What is shown?)" in (tmp_path / "made.pdf").read_bytes()
    with Image.open(paths["png"]) as image:
        assert image.text["Description"] == "What is shown?"
        assert image.info["dpi"][0] == pytest.approx(RC["savefig.dpi"], abs=0.1)
    assert (tmp_path / "made.csv").read_text() == "score\n0.25\n"


def test_labels_without_glyphs_are_named_in_one_warning(tmp_path, caplog):
    figure = plt.figure()
    figure.text(0.5, 0.5, "刺激 stimulus 刺")
    paths = {kind: str(tmp_path / f"made.{kind}") for kind in ("pdf", "png", "csv")}
    save(figure, pd.DataFrame(), **paths)
    (record,) = caplog.records
    assert "made.pdf: the font has no glyph for '刺', '激'" in record.getMessage()


def test_task_networks_are_drawn_with_their_accuracies_choices_and_reaches():
    figure, shown = FIGURES["task_networks"]()
    assert len(shown) == len(learning()) + len(psychometric())
    curves, trained, untrained, reaches = figure.axes
    assert curves.lines[0].get_ydata().tolist() == pytest.approx([50, 70, 90])
    for axis in (trained, untrained):
        assert len(axis.lines) == 4
        for line in axis.lines:
            assert line.get_xdata().tolist() == [-50, 50]
            assert line.get_ydata().tolist() == [25, 75]
    targets, *ends = reaches.lines
    assert targets.get_xdata() == pytest.approx([1, 0])
    for line in ends:
        assert line.get_xdata() == pytest.approx([0.9, 0])
        assert line.get_ydata() == pytest.approx([0, 0.9])
