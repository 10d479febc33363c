"""Ranges in fewer samples: they have the scores of all, and lead to the same ends."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.measures import draw
from helpers.ranges import SETTINGS
from scorebounds.core.measure_table import ENTRIES
from scorebounds.measures import registry
from scorebounds.measures.folds import fold_bounds
from scorebounds.ranges import fewer
from scorebounds.ranges.fewer import FewerSamples, number_of_fewer
from scorebounds.ranges.guides import ENDS, guides_of_other_pairs
from scorebounds.ranges.problem import AGREEMENT, PairProblem
from scorebounds.ranges.region import pair_range

SEARCHED = [entry for entry in ENTRIES if entry.has_gradient and not entry.off_scale]
RIDGE = ("ridge_cv_1", "procrustes_angular")
EFFORT = {"n_grid": 5, "n_starts": 2, "n_rounds": 4, "n_steps": 8, "n_passes": 1}


def correlated(n, width):
    """Return X and Y of some common signal, with means and of unequal columns."""
    x = draw(n, width) * torch.arange(1, width + 1) + 2
    return x, draw(n, width, seed=1) + 0.3 * x + 1


@pytest.mark.parametrize("entry", SEARCHED, ids=lambda entry: entry.id)
def test_exactly_the_measures_of_products_have_their_scores_in_fewer_samples(entry):
    x, y = correlated(200, 4)
    measure = registry.load(entry.names[0])
    few = FewerSamples(x, fold_bounds(200), 0)
    assert len(few.x) == 45
    expected = measure.score(x, y).item()
    missed = abs(measure.score(few.x, few.reduce(y)).item() - expected)
    assert (missed < 1e-12) == entry.of_products
    assert missed < 1e-12 or missed > 1e-6


@pytest.mark.parametrize(("n", "tolerance"), [(2_000, 1e-12), (2_003, 1e-5)])
@pytest.mark.parametrize("name", ["ridge_cv_100", "linreg_cv", "procrustes_angular"])
def test_data_of_fewer_samples_have_their_scores_in_all(name, n, tolerance):
    x, y = correlated(n, 20)
    few = FewerSamples(x, fold_bounds(n), 0)
    assert few.is_exact == (n == 2_000)
    assert torch.allclose(few.expand(few.x), x, atol=1e-12)
    measure, reduced = registry.load(name), few.reduce(y) + draw(205, 20, seed=2)
    of_all = measure.score(x, few.expand(reduced)).item()
    assert measure.score(few.x, reduced).item() == pytest.approx(of_all, abs=tolerance)
    assert 0.01 < of_all < 0.99


def test_samples_stay_where_few_would_be_spared():
    assert number_of_fewer(20_000, 300, 5) == 3_005
    assert number_of_fewer(20_001, 300, 5) == 3_005
    assert number_of_fewer(6_000, 300, 5) == 6_000
    assert number_of_fewer(203, 4, 5) == 203
    assert number_of_fewer(203, 4, 1) == 9
    assert number_of_fewer(50, 20_000, 1) == 50


def search(n, names, sign, share, monkeypatch):
    """Return one end at some values of a, found in fewer samples or in all."""
    monkeypatch.setattr(fewer, "LARGEST_SHARE", share)
    x, _ = correlated(n, 4)
    problem = PairProblem(x, names, "long", 0, {**SETTINGS, "full": EFFORT})
    assert (len(problem.x) < n) == (share > 0)
    return problem.attained(names, np.linspace(0.2, 0.9, 4), sign, {})[0]


REDUCED = ("cka", "procrustes_angular")


# Searches of the lower end of the second pair do not agree with each other.
@pytest.mark.parametrize(
    ("names", "sign"),
    [(RIDGE, -1), (RIDGE, 1), (("linreg_symmetric", "cka"), 1), (REDUCED, -1), (REDUCED, 1)],
)
@pytest.mark.parametrize("n", [200, 2_003])
def test_fewer_samples_lead_to_the_ends_of_all(n, names, sign, monkeypatch):
    few, whole = (search(n, names, sign, share, monkeypatch) for share in (0.5, 0))
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(few, whole, atol=AGREEMENT)


@pytest.mark.parametrize("names", [RIDGE, REDUCED, ("linreg", "cka")])
def test_joint_optimisation_starts_at_the_same_scores_and_ends_near_the_same(names, monkeypatch):
    x, _ = correlated(200, 4)
    found = []
    for share in (0.5, 0):
        monkeypatch.setattr(fewer, "LARGEST_SHARE", share)
        problem = PairProblem(x, names, "long", 0, SETTINGS)
        assert (len(problem.x) < 200) == (share > 0)
        found.append(problem.joint_optimisation(np.linspace(0, 1, 5))[0].scores)
    for few, whole in zip(*found, strict=True):
        # Ridge regression sees the size of Y, and that of a start is that of its entries.
        if names != RIDGE:
            np.testing.assert_allclose(few[0], whole[0], atol=1e-5)
        np.testing.assert_allclose(few[-1], whole[-1], atol=0.1)


@pytest.mark.parametrize("x_moves", ["fixed", "free"])
def test_what_is_reached_in_fewer_samples_is_at_its_goal_in_all(x_moves):
    x, _ = correlated(2_003, 4)
    settings = {**SETTINGS, "full": EFFORT, "joint": {**SETTINGS["joint"], "x": x_moves}}
    problem = PairProblem(x, RIDGE, "long", 0, settings)
    grid = np.linspace(0, 1, 5)
    _, reached = problem.joint_optimisation(grid)
    assert reached
    for (index, _), (x_there, y) in reached.items():
        assert (x_there is problem.x) == (x_moves == "fixed")
        sides = [problem._fewer.expand(side) for side in (x_there, y)]
        assert len(sides[0]) == 2_003
        assert registry.load(RIDGE[0]).score(*sides).item() == pytest.approx(grid[index], abs=2e-6)
        expected = registry.load(RIDGE[1]).score(*sides).item()
        assert problem.score_b((x_there, y)) == pytest.approx(expected, abs=1e-12)


def test_the_range_of_many_samples_has_every_table():
    x, _ = correlated(200, 4)
    found = pair_range(x, RIDGE, "long", seed=0, settings={**SETTINGS, "full": EFFORT})
    region = found.region
    assert region.attained_lower.notna().sum() >= 3
    assert not (region.attained_lower > region.joint_lower + 1e-6).any()
    assert not (region.attained_upper < region.joint_upper - 1e-6).any()
    assert set(found.guides.verdict) == {"independent"}


def test_other_pairs_have_the_same_ends_in_fewer_samples(monkeypatch):
    x, _ = correlated(60, 4)
    known = pd.DataFrame(columns=["given", "implied", *ENDS])

    def low(share):
        monkeypatch.setattr(fewer, "LARGEST_SHARE", share)
        names = ["cka", "nbs", "linreg"]
        return guides_of_other_pairs(x, known, names, "long", seed=0, settings=SETTINGS)

    few, whole = low(0.5), low(0)
    assert len(few) == 6
    np.testing.assert_allclose(few[ENDS], whole[ENDS], atol=1e-6)
