"""Replacing and dropping one principal component: theory, simulation, published end points."""

import math
import weakref

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from helpers.measures import draw
from scorebounds.core.recording import samples_by_neurons
from scorebounds.datasets import loaders
from scorebounds.figures.perturbation import SMALLEST_SHARE, overlap_figure
from scorebounds.measures import registry
from scorebounds.measures.closed_form import centre
from scorebounds.measures.components import principal_components
from scorebounds.optimization.perturbation import (
    COLUMNS,
    MEASURES,
    NoDirectionError,
    dropped_score,
    overlapping_score,
    perturb_components,
    perturbed_scores,
    random_directions,
    replaced_score,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def with_component(components, x, index, direction):
    """Return X with a component replaced, written from the definition."""
    u, s, vt = torch.linalg.svd(centre(x), full_matrices=False)
    if direction is None:
        s = s.clone()
        s[index] = 0
    else:
        u = u.clone()
        u[:, index] = direction
    return u * s @ vt


@pytest.mark.parametrize("shape", [(40, 6), (30, 12)])
def test_scores_are_those_of_the_measures_on_whole_matrices(shape):
    x = draw(*shape) * torch.arange(1, shape[1] + 1) + 5
    components = principal_components(x)
    directions = random_directions(components, generator())
    simulated = perturbed_scores(components, MEASURES, directions)
    dropped = perturbed_scores(components, MEASURES, None)
    for name in MEASURES:
        score_of = registry.load(name).against(x)
        for index in range(shape[1]):
            replaced = with_component(components, x, index, directions[:, index])
            assert simulated[name][index].item() == pytest.approx(score_of(replaced).item(), 1e-9)
            left = with_component(components, x, index, None)
            assert dropped[name][index].item() == pytest.approx(score_of(left).item(), 1e-9)


def test_any_directions_score_as_the_measures_on_whole_matrices():
    """Also directions that are not orthogonal to the components."""
    x = draw(30, 5) * torch.arange(1, 6)
    components = principal_components(x)
    directions = centre(draw(30, 5, seed=3))
    directions = directions / directions.norm(dim=0)
    found = perturbed_scores(components, MEASURES, directions)
    for name in MEASURES:
        score_of = registry.load(name).against(x)
        for index in range(5):
            expected = score_of(with_component(components, x, index, directions[:, index])).item()
            assert found[name][index].item() == pytest.approx(expected, 1e-9)


def test_directions_are_orthogonal_to_all_components():
    x = draw(30, 8)
    components = principal_components(x)
    directions = random_directions(components, generator())
    assert directions.mean(0).abs().max() < 1e-12
    torch.testing.assert_close(directions.norm(dim=0), torch.ones(8, dtype=torch.float64))
    assert (components.scores.mT @ directions).abs().max() < 1e-10
    assert torch.equal(directions, random_directions(components, generator()))
    assert not torch.equal(directions, random_directions(components, generator(1)))


def test_directions_with_an_overlap_raise_scores_by_the_stated_amount():
    x = draw(20, 6) * torch.arange(1, 7)
    components = principal_components(x)
    left = components.scores / components.eigenvalues.sqrt()
    new = random_directions(components, generator())[:, 0]
    overlap = 0.3
    direction = overlap * left[:, 0] + math.sqrt(1 - overlap**2) * new
    y = with_component(components, x, 0, direction)
    share = components.variance_ratio[0].item()
    of_squares = (components.eigenvalues[0] ** 2 / components.eigenvalues.square().sum()).item()
    cka, nbs = (registry.load(name).score(x, y).item() for name in ("cka", "nbs"))
    assert cka == pytest.approx(1 - (1 - overlap**2) * of_squares, abs=1e-9)
    assert nbs == pytest.approx(1 - (1 - overlap) * share, abs=1e-9)


@pytest.mark.parametrize("width", [11, 12, 20])
def test_data_that_fill_all_dimensions_are_refused(width):
    components = principal_components(draw(12, width))
    with pytest.raises(NoDirectionError, match="at most 10 principal components in 12 samples"):
        random_directions(components, generator())


def test_one_direction_left_is_used_for_every_component():
    components = principal_components(draw(12, 10))
    table = perturb_components(draw(12, 10), "made", MEASURES, [0])
    assert len(components.eigenvalues) == 10
    assert (table.simulated_mean - table.theory).abs().max() < 1e-9


def test_theory_holds_for_equal_eigenvalues_and_single_components():
    x = torch.linalg.qr(centre(draw(30, 5))).Q
    table = perturb_components(x, "equal", ["cka", "nbs"], [0, 1])
    assert table.theory.to_numpy() == pytest.approx(0.8)
    assert table.simulated_mean.to_numpy() == pytest.approx(0.8)
    single = perturb_components(draw(30, 1), "single", ["cka", "nbs"], [0])
    assert list(single.columns) == COLUMNS
    assert single.theory.abs().max() < 1e-12
    assert single.simulated_mean.abs().max() < 1e-8
    assert single.dropped.isna().all()


def test_expected_scores_with_an_overlap_are_those_of_closed_forms():
    eigenvalues = torch.tensor([5.0, 3.0, 1.0, 0.5], dtype=torch.float64)
    for n_samples in (6, 9, 40, 5000):
        n_dims = n_samples - 4
        share = eigenvalues / eigenvalues.sum()
        squares = eigenvalues.square() / eigenvalues.square().sum()
        expected = 1 - (1 - 1 / n_dims) * squares
        found = overlapping_score("cka", eigenvalues, n_samples)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
        # The mean of |c| for a coordinate of a random unit vector.
        mean = math.exp(math.lgamma(n_dims / 2) - math.lgamma((n_dims + 1) / 2)) / math.pi**0.5
        found = overlapping_score("nbs", eigenvalues, n_samples)
        torch.testing.assert_close(found, 1 - (1 - mean) * share, rtol=0, atol=1e-12)


def test_simulated_directions_that_may_overlap_give_the_expected_scores():
    """The directions of the paper: orthogonal to the other components only."""
    components = principal_components(draw(14, 6) * torch.arange(1, 7))
    left = components.scores / components.eigenvalues.sqrt()
    draws = []
    for seed in range(400):
        directions = random_directions(components, generator(seed), overlapping=True)
        draws.append(perturbed_scores(components, MEASURES, directions))
    overlaps = left.mT @ directions
    outside = overlaps - torch.diag(overlaps.diagonal())
    assert outside.abs().max() < 1e-12
    assert overlaps.diagonal().abs().min() > 1e-4
    for name in MEASURES:
        scores = torch.stack([drawn[name] for drawn in draws])
        error = scores.std(0) / len(draws) ** 0.5
        expected = overlapping_score(name, components.eigenvalues, 14)
        # Four standard errors: 24 comparisons.
        assert ((scores.mean(0) - expected).abs() < 4 * error + 1e-12).all(), name
        assert (expected >= replaced_score(name, components.eigenvalues)).all()


def test_overlap_figure_shows_what_simulation_and_expectation_add_to_the_theory():
    table = perturb_components(draw(14, 6) * torch.arange(1, 7), "made", ["cka", "nbs"], range(4))
    table = table.assign(variance_ratio=table.variance_ratio.where(table.target < 6, 1e-4))
    figure, shown = overlap_figure(table)
    assert set(shown.target) == set(range(1, 6))
    assert (shown.variance_ratio >= SMALLEST_SHARE).all()
    (axis,) = [axis for axis in figure.axes if axis.get_visible()]
    drawn = [np.sort(np.asarray(line.get_ydata(), float)) for line in axis.lines]
    for _, rows in shown.groupby("measure"):
        for column in ("overlap_theory", "overlap_mean"):
            expected = np.sort(rows[column] - rows.theory)
            assert any(np.array_equal(values, expected) for values in drawn)
    (bars, *_) = (bar for bar in axis.containers if bar.has_yerr)
    rows = shown[shown.measure == "cka"].sort_values("variance_ratio")
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()]).T
    assert ends[0] == pytest.approx((rows.overlap_low - rows.theory).to_numpy())
    assert ends[1] == pytest.approx((rows.overlap_high - rows.theory).to_numpy())
    empty, shown = overlap_figure(table.assign(variance_ratio=1e-5))
    assert "no component" in " ".join(text.get_text() for text in empty.findobj(Text))
    assert shown.empty


def test_published_points_lie_where_a_direction_with_overlap_is_expected(mirror):
    """FreemanZiemba2013, first PC: NBS 0.825 in the paper's simulation and 0.807 in its theory."""
    files = sorted(mirror.glob("cloos2025-published/FreemanZiemba2013/*.csv"))
    array = loaders.load("surrogate-FreemanZiemba2013", files, seed=0, settings={}, custom=False)
    x = torch.from_numpy(samples_by_neurons(array))
    eigenvalues = principal_components(x).eigenvalues
    assert replaced_score("nbs", eigenvalues)[0].item() == pytest.approx(0.807, abs=0.001)
    assert overlapping_score("nbs", eigenvalues, len(x))[0].item() == pytest.approx(0.825, abs=1e-3)


def test_published_end_points_agree_with_each_other():
    """Mante2013, first PC replaced: cka .36, nbs .79, angular .58 (figure 6 of Cloos et al. 2025).

    nbs says that it has 21 % of the variance; its angle then has to be the published one. cka says
    that it has 64 % of Σλ², that is, a participation ratio of 14.5.
    """
    assert 1 - math.acos(0.79) / (math.pi / 2) == pytest.approx(0.58, abs=0.005)
    rest = torch.full((30,), 0.79 / 30, dtype=torch.float64)
    spectrum = torch.cat([torch.tensor([0.21], dtype=torch.float64), rest])
    assert replaced_score("nbs", spectrum)[0].item() == pytest.approx(0.79)
    angular = replaced_score("procrustes_angular", spectrum)[0].item()
    assert angular == pytest.approx(0.58, abs=0.005)
    # Σλ² from the published cka, whatever the rest of the spectrum is.
    squares = 0.21**2 / (1 - 0.36)
    assert 1 / squares == pytest.approx(14.5, abs=0.1)  # participation ratio


def test_leaving_a_component_out_lowers_a_score_less_than_replacing_it():
    eigenvalues = torch.tensor([5.0, 3.0, 1.0, 0.1], dtype=torch.float64)
    for name in MEASURES:
        dropped, replaced = dropped_score(name, eigenvalues), replaced_score(name, eigenvalues)
        assert (dropped > replaced).all()
        assert (replaced.diff() > 0).all()


def test_directions_of_one_draw_are_in_memory_at_a_time(monkeypatch):
    made, alive = [], []

    def recorded(*arguments, **settings):
        alive.append(sum(directions() is not None for directions in made))
        drawn = random_directions(*arguments, **settings)
        made.append(weakref.ref(drawn))
        return drawn

    monkeypatch.setattr("scorebounds.optimization.perturbation.random_directions", recorded)
    perturb_components(draw(40, 6), "a", ["cka"], range(4))
    assert alive == [0] * 8


def test_draws_do_not_depend_on_each_other():
    x = draw(40, 6)
    alone = [perturb_components(x, "a", MEASURES, [seed]) for seed in range(3)]
    together = perturb_components(x, "a", MEASURES, range(3))
    for column in ("simulated_mean", "overlap_mean"):
        mean = sum(table[column] for table in alone) / 3
        np.testing.assert_allclose(together[column], mean, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("mante2013-subset", "mante2013-subset/*.mat"),
        ("hatsopoulos2007-averages", "hatsopoulos2007-averages/*.npy"),
        ("dyer2017", "dyer2017/chewie_demo.mat"),
        ("surrogate-FreemanZiemba2013", "cloos2025-published/FreemanZiemba2013/*.csv"),
        ("surrogate-MajajHong2015", "cloos2025-published/MajajHong2015/*.csv"),
    ],
)
def test_simulation_agrees_with_theory_on_recordings(mirror, name, pattern):
    files = sorted(mirror.glob(pattern))
    array = loaders.load(name, files, seed=0, settings={}, custom=False)
    x = torch.from_numpy(samples_by_neurons(array))
    table = perturb_components(x, name, ["cka", "nbs", "procrustes_angular"], [0])
    assert (table.simulated_mean - table.theory).abs().max() < 0.02
    assert (table.dropped - table.dropped_theory).abs().max() < 0.02
    first = table[table.target == 1].set_index("measure")
    assert first.simulated_mean["cka"] < first.simulated_mean["nbs"]
    last = table[table.target == table.target.max()]
    assert np.allclose(last.simulated_mean[last.measure != "procrustes_angular"], 1, atol=0.02)
