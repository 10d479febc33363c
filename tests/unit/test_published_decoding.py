"""Published decoding curves: read, thresholds by our rule, compared with ours, drawn."""

import numpy as np
import pandas as pd
import pytest

from scorebounds.decoding.published import (
    ANOTHER_DRAW,
    NO_DATA,
    NO_REFERENCE,
    compare_decoding,
    decoding_agreement,
    published_curves,
    read_published_curves,
)
from scorebounds.figures.decoding import decoding_figure
from scorebounds.figures.decoding_thresholds import decoding_threshold_figure

SCORES = np.linspace(0, 1, 11)


def write_published(folder, labels, measures=("cka", "procrustes-angular-score"), reference=0.9):
    """Write runs whose accuracy of each label rises linearly from 0 to its own end."""
    folder.mkdir(parents=True)
    tables = []
    for measure in measures:
        score = np.concatenate([SCORES[:1], SCORES])
        table = pd.DataFrame({"score": score, "measure": measure, "dataset": folder.name})
        for label, end in labels.items():
            table[f"decode.{label}"] = score * end
        of_labels = [f"decode.{label}" for label in labels]
        table["decoding_accuracy"] = table[of_labels].mean(axis=1) / reference
        tables.append(table)
    pd.concat(tables).to_csv(folder / "scores_vs_decoding_acc.csv")
    return folder


@pytest.fixture
def ultrametric(tmp_path):
    return write_published(tmp_path / "ultrametric", {"category": 1.0})


def thresholds(score, dataset="ultrametric", target="category"):
    row = {"dataset": dataset, "measure": "cka", "kind": "variable", "target": target}
    ends = {"score_median": score, "score_low": score - 0.1, "score_high": score + 0.1}
    return pd.DataFrame([row | ends | {"n_seeds": 5, "n_reached": 5}])


def test_curves_have_our_names_and_start_once(ultrametric):
    curves = read_published_curves(ultrametric)
    assert set(curves.measure) == {"cka", "procrustes_angular"}
    assert (curves.groupby("measure").size() == len(SCORES)).all()
    assert np.allclose(curves.reference, 0.9)
    assert np.allclose(curves.accuracy, curves.score)


def test_threshold_is_the_crossing_of_our_level(ultrametric):
    curves = published_curves([ultrametric], {"ultrametric": "ultrametric"})
    found = compare_decoding(curves, thresholds(0.85)).set_index("measure")
    # 0.1 + 0.9 (0.9 − 0.1) = 0.82, on a line through the origin.
    assert found.published_score["cka"] == pytest.approx(0.82)
    assert found.difference["cka"] == pytest.approx(0.03)
    assert np.isnan(found.reproduced["procrustes_angular"])
    assert set(found.note) == {ANOTHER_DRAW}
    agreement = decoding_agreement(found.reset_index())
    assert agreement.measure.tolist() == ["cka"]
    assert agreement.within.tolist() == [True]
    far = decoding_agreement(compare_decoding(curves, thresholds(0.95)))
    assert far.within.tolist() == [False]


def test_accuracy_on_the_recording_is_known_for_the_last_variable_only(tmp_path):
    folder = write_published(tmp_path / "Mante2013", {"gt_choice": 1.0, "context": 0.8})
    found = compare_decoding(published_curves([folder], {}), thresholds(0.5))
    found = found[found.measure == "cka"].set_index("target")
    assert np.isnan(found.published_score["choice"])
    assert found.note["choice"] == f"{NO_DATA}; {NO_REFERENCE}"
    # The level is 0.5 + 0.9 (0.9 − 0.5) = 0.86, above the highest accuracy.
    assert np.isnan(found.published_score["context"])
    assert found.note["context"] == NO_DATA
    assert decoding_agreement(found.reset_index()).empty


def test_file_without_variables_is_refused(tmp_path):
    folder = tmp_path / "Mante2013"
    folder.mkdir()
    pd.DataFrame({"score": [0.1], "measure": "cka"}).to_csv(folder / "scores_vs_decoding_acc.csv")
    with pytest.raises(ValueError, match=r"expected columns that start with 'decode\.'"):
        read_published_curves(folder)


def test_figures_show_published_curves_in_our_panel_or_in_their_own(ultrametric, tmp_path):
    other = write_published(tmp_path / "MajajHong2015", {"category": 1.0})
    published = published_curves([ultrametric, other], {"ultrametric": "ultrametric"})
    levels = {"chance": 0.1, "reference": 0.95, "decodable": True}
    references = pd.DataFrame([{"dataset": "ultrametric", "target": "category"} | levels])
    curves = pd.DataFrame({"score": SCORES, "accuracy_mean": SCORES}).assign(
        dataset="ultrametric",
        measure="cka",
        target="category",
        accuracy_low=SCORES,
        accuracy_high=SCORES,
        n_seeds=5,
    )
    found = thresholds(0.8)
    figure, shown = decoding_figure(curves, references, found, ["cka"], published)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["ultrametric\ncategory", "MajajHong2015\ncategory (published)"]
    lines = [line for line in figure.axes[1].lines if len(line.get_xdata()) == len(SCORES)]
    assert len(lines) == 1
    assert set(shown.dataset) == {
        "ultrametric",
        "ultrametric (published)",
        "MajajHong2015 (published)",
    }
    comparison = compare_decoding(published, found)
    seeds = found.assign(score=found.score_median)
    figure, shown = decoding_threshold_figure(found, seeds, references, ["cka"], comparison)
    (axis,) = figure.axes
    crosses = sorted(
        (line.get_ydata()[0], line.get_xdata()[0])
        for line in axis.lines
        if line.get_marker() == "x"
    )
    assert [row for row, _ in crosses] == [0, 1]
    assert crosses[0][1] == pytest.approx(0.82)
    assert len(shown) == 3
