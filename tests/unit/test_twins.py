"""Gaussian twins, and thresholds of a dataset compared with theirs."""

import numpy as np
import pandas as pd
import pytest

from scorebounds.core.recording import recording
from scorebounds.datasets.twins import gaussian_twin
from scorebounds.figures.twins import twin_figure
from scorebounds.optimization.twins import compare_with_twins, distances, summarize_twins

NEVER = np.nan


def drawn(seed, *shape):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) * rng.uniform(0.1, 3, shape[-1]) + 5


@pytest.mark.parametrize("shape", [(4, 9, 6), (30, 6), (8, 20)])
def test_twin_has_the_means_and_covariances_of_the_neurons_and_no_labels(shape):
    labels = {"side": np.arange(shape[-2]) % 2}
    array = recording(drawn(0, *shape), labels, units="Hz").assign_attrs(reduced="to 6 components")
    twin = gaussian_twin(np.random.default_rng(1), array, "data")
    flat = array.values.reshape(-1, shape[-1])
    assert twin.dims == ("sample", "neuron")
    assert twin.shape == flat.shape
    assert np.allclose(twin.values.mean(0), flat.mean(0))
    assert np.allclose(np.cov(twin.values.T), np.cov(flat.T))
    assert not np.allclose(twin.values, flat, atol=0.1)
    assert twin.attrs["variables"] == []
    assert twin.attrs["units"] == "Hz"
    assert twin.attrs["reduced"] == "to 6 components"
    other = gaussian_twin(np.random.default_rng(2), array, "data")
    assert not np.allclose(twin.values, other.values, atol=0.1)


def seeds(dataset, *scores, measure="cka", direction=1):
    """Return the thresholds of components 1, 2, … of a dataset in each seed."""
    return pd.DataFrame(
        [
            (dataset, measure, "pc", target, seed, score, direction)
            for seed, of_seed in enumerate(scores)
            for target, score in enumerate(of_seed, 1)
        ],
        columns=["dataset", "measure", "kind", "target", "seed", "score", "direction"],
    )


def thresholds(dataset, *medians, measure="cka"):
    return pd.DataFrame(
        {
            "dataset": dataset,
            "measure": measure,
            "target": np.arange(1, len(medians) + 1),
            "variance_ratio": 0.5 / np.arange(1, len(medians) + 1),
            "score_median": medians,
            "score_low": np.array(medians) - 0.01,
            "score_high": np.array(medians) + 0.01,
            "n_seeds": 3,
        }
    )


def runs(dataset, *updates, measure="cka"):
    return pd.DataFrame({"dataset": dataset, "measure": measure, "n_updates": updates})


def compared():
    own = seeds("data", (0.5, 0.8), (0.5, 0.8), (0.5, 0.8))
    data = {"seeds": own, "runs": runs("data", 10, 12)}
    draws = [
        seeds("t1", (0.3, 0.7), (0.4, 0.7), (0.5, 0.7)),
        seeds("t2", (0.5, 0.9), (0.5, NEVER), (0.5, NEVER)),
        seeds("t3", (0.6, 0.6), (0.6, 0.6), (0.7, 0.6)),
    ]
    updates = pd.concat([runs("t1", 8), runs("t2", 9), runs("t3", 10)])
    twins = {"seeds": pd.concat(draws), "runs": updates}
    table = compare_with_twins(thresholds("data", 0.5, 0.8), own, twins["seeds"])
    return table, summarize_twins(table, data, twins)


def test_twin_has_the_median_over_draws_of_the_median_over_seeds():
    table, _ = compared()
    # Medians of the draws: 0.4, 0.5, 0.6; of the second component 0.7, never, 0.6.
    assert table.twin_median.tolist() == pytest.approx([0.5, 0.7])
    assert table.twin_low.tolist() == pytest.approx([0.4, 0.6])
    assert table.twin_high[0] == pytest.approx(0.6)
    assert np.isnan(table.twin_high[1])
    assert set(table.n_draws) == {3}


def test_summary_is_over_components_that_all_captured():
    _, summary = compared()
    (row,) = summary.to_dict("records")
    # Only the first component: 0.5 among 0.4, 0.5, 0.6, whose median is 0.5.
    assert row["n_compared"] == 1
    assert row["difference"] == pytest.approx(0)
    assert row["largest_of_twins"] == pytest.approx(0.1)
    assert row["p"] == 1
    assert (row["updates"], row["twin_updates"]) == (11, 9)


def test_never_is_beyond_all_distances():
    falling = {"measure": "procrustes_distance", "direction": -1}
    twin, data = seeds("t", (NEVER,), (0.2,), (0.3,), **falling), seeds("d", (0.1,), **falling)
    ours = thresholds("d", 0.1, measure="procrustes_distance")
    assert compare_with_twins(ours, data, twin).twin_median[0] == pytest.approx(0.2)


def test_a_dataset_unlike_its_twins_has_the_smallest_p():
    twins = np.random.default_rng(0).normal(0.5, 0.01, (5, 20))
    like, unlike = np.full((1, 20), 0.5), np.full((1, 20), 0.6)
    difference, size, largest, p = distances(np.concatenate([unlike, twins]))
    assert difference == pytest.approx(size)
    assert size == pytest.approx(0.1, abs=0.01)
    assert largest < size
    assert p == pytest.approx(1 / 6)
    assert distances(np.concatenate([like, twins]))[3] > 1 / 6


def test_figure_shows_dataset_and_twins():
    figure, shown = twin_figure(*compared())
    axis = figure.axes[0]
    assert len(shown) == 2
    curves = [line.get_ydata().tolist() for line in axis.lines]
    assert [0.5, 0.8] in curves
    assert any(np.allclose(curve, [0.5, 0.7]) for curve in curves)
    assert "p = 1.00" in axis.texts[-1].get_text()


def test_figure_without_thresholds_says_so():
    table, summary = compared()
    figure, _ = twin_figure(table.head(0), summary.head(0))
    assert "no thresholds" in figure.texts[0].get_text()
