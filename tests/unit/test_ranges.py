"""Allowable ranges: three methods inside each other, and against brute force."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.measures import draw
from helpers.ranges import SETTINGS, ranges, with_spectrum
from scorebounds.figures.ranges import drawn_bounds
from scorebounds.measures import registry
from scorebounds.ranges import joint
from scorebounds.ranges.attained import NEAR_GOAL
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.constructed import constructed_paths
from scorebounds.ranges.full import draw_noise, full_paths
from scorebounds.ranges.joint import border_targets
from scorebounds.ranges.joint_free import FreeX
from scorebounds.ranges.problem import PairProblem
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import reach_upper
from scorebounds.ranges.reduced import ReducedSpace
from scorebounds.ranges.region import pair_range
from scorebounds.ranges.verdicts import verdict


def with_free_x(**settings):
    return {**SETTINGS, **settings, "joint": {**SETTINGS["joint"], "x": "free"}}


@pytest.fixture(scope="module")
def of_cka():
    return ranges(with_spectrum([0.5, 0.3, 0.15, 0.05]), "cka", "nbs")


def assert_inside_each_other(region):
    lower, upper = region.attained_lower, region.attained_upper
    assert not (region.joint_lower < lower - 1e-6).any()
    assert not (region.joint_upper > upper + 1e-6).any()
    assert not (lower < region.outer_lower - 1e-6).any()
    assert not (upper > region.outer_upper + 1e-6).any()


def test_wide_data_have_the_ranges_of_their_rotation_to_fewer_columns():
    wide = draw(8, 500, seed=1)
    u, s, _ = torch.linalg.svd(wide - wide.mean(0), full_matrices=False)
    few = {**SETTINGS["reduced"], "n_grid": 3, "n_passes": 0}
    narrow = (u * s)[:, :7]
    of_wide, of_narrow = (
        pair_range(x, ("cka", "nbs"), "wide", seed=0, settings={**SETTINGS, "reduced": few}).region
        for x in (wide, narrow)
    )
    for end in ("attained_lower", "attained_upper", "certified_lower", "certified_upper"):
        np.testing.assert_allclose(of_wide[end], of_narrow[end], atol=2e-3)
    scores = [registry.load("nbs").score(x, wide[:, ::2]).item() for x in (wide, narrow)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)


@pytest.mark.parametrize(
    "pair", [("ridge_cv_100", "procrustes_angular"), ("rsa_euclidean_pearson", "cka")]
)
def test_what_is_reached_in_fewer_columns_has_its_scores_with_wide_data(pair):
    wide = draw(30, 90, seed=1) + 2
    problem = PairProblem(wide, pair, "wide", 0, SETTINGS)
    assert problem.x.shape == (30, 29)
    goals = np.linspace(0, 1, 6)
    _, reached = problem.joint_optimisation(goals)
    assert len(reached) >= 2
    a, b = map(registry.load, pair)
    for (index, _), (_, y) in reached.items():
        assert a.score(wide, y).item() == pytest.approx(goals[index], abs=2e-6)
        expected = b.score(wide, y).item()
        assert problem.score_b((problem.x, y)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("pair", [("rsa_correlation_pearson", "cka"), ("pwcca", "cka")])
def test_measures_that_change_with_rotations_keep_their_columns(pair):
    wide = draw(30, 90, seed=1) + 2
    assert PairProblem(wide, pair, "wide", 0, SETTINGS).x is wide


def test_three_methods_lie_inside_each_other(of_cka):
    region = of_cka.region
    assert_inside_each_other(region)
    assert region.attained_lower.notna().all()
    assert region.joint_lower.notna().sum() >= 8
    known = region[region.joint_lower.notna() & (region.a_value.between(0.15, 0.85))]
    assert (known.joint_lower - known.attained_lower).max() > 0.05
    assert (known.attained_upper - known.joint_upper).max() > 0.05


def test_ends_meet_where_cka_is_one(of_cka):
    last = of_cka.region.iloc[-1]
    assert last.a_value == 1
    assert [last.attained_lower, last.attained_upper] == pytest.approx([1, 1], abs=1e-6)


def test_lower_end_is_near_its_bound(of_cka):
    region = of_cka.region
    assert (region.attained_lower - region.outer_lower).max() < 0.03


def all_gram_matrices(cka, n_outside):
    """Return NBS of all L on two PCs of X, with one dimension outside X, of this CKA.

    For a grid over the spectrum of L the rotation follows from CKA.
    """
    share = np.sin(np.linspace(0, np.pi / 4, 2001)) ** 2
    # Y has two columns: with variance outside X, L has one dimension within X.
    outside = np.linspace(0, 1, 2001)[:-1] if n_outside else 0.0
    share = 0 * outside if n_outside else share
    inside, determinant = 1 - outside, share * (1 - share)
    norm = np.sqrt(inside**2 * (1 - 2 * determinant) + outside**2)
    trace = cka * np.hypot(0.7, 0.3) * norm
    diagonal = (trace / inside - 0.3) / 0.4
    possible = (share <= diagonal) & (diagonal <= 1 - share)
    return np.sqrt(trace + 2 * inside * np.sqrt(0.21 * determinant))[possible]


@pytest.mark.parametrize("n_outside", [0, 1])
def test_two_components_agree_with_all_gram_matrices(n_outside):
    # 2 × 2 (all of Y within X) and 3 × 3 (one dimension outside X).
    x = with_spectrum([0.7, 0.3], n=3 + n_outside)
    n_compared = 0
    for row in ranges(x, "cka", "nbs").region.iloc[1:-1].itertuples():
        all_nbs = all_gram_matrices(row.a_value, n_outside)
        if not len(all_nbs):
            assert np.isnan(row.attained_upper)
            continue
        n_compared += 1
        assert row.attained_lower < all_nbs.min() + 1e-4
        assert row.attained_upper > all_nbs.max() - 1e-4
        if not n_outside:
            assert row.attained_lower > all_nbs.min() - 1e-3
            assert row.attained_upper < all_nbs.max() + 1e-3
    assert n_compared >= 6


def test_random_three_component_data_never_lie_outside():
    x = with_spectrum([0.6, 0.3, 0.1], n=12)
    region = ranges(x, "cka", "nbs").region
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(60000, 12, 3, generator=generator, dtype=torch.float64)
    u = torch.linalg.svd(x - x.mean(0), full_matrices=False).U
    inside = u @ torch.randn(60000, 3, 3, generator=generator, dtype=torch.float64)
    share = torch.rand(60000, 1, 1, generator=generator, dtype=torch.float64) ** 3
    y = inside + share * (y - u @ (u.mT @ y))
    scores = {name: registry.load(name).score(x, y).numpy() for name in ("cka", "nbs")}
    for row in region.iloc[1:-1].itertuples():
        near = scores["nbs"][abs(scores["cka"] - row.a_value) < 0.003]
        assert len(near) > 20
        assert row.attained_upper > near.max() - 0.005
        assert row.attained_lower < near.min() + 0.005


def test_published_findings():
    x = with_spectrum([0.5, 0.25, 0.15, 0.06, 0.04], n=40)
    of_cka = ranges(x, "cka", "procrustes_angular").guides.set_index("given")
    assert of_cka.low["procrustes_angular"] > 0.85
    assert of_cka.low["cka"] < 0.6
    of_regression = ranges(x, "linreg", "procrustes_angular")
    assert_inside_each_other(of_regression.region)
    guides = of_regression.guides.set_index("given")
    assert guides.low["procrustes_angular"] > 0.97
    assert guides.low["linreg"] < 0.01
    assert set(guides.verdict) == {"one-sided"}
    few = {"n_grid": 6, "n_starts": 1, "n_rounds": 1, "n_steps": 2, "n_passes": 0}
    settings = {**SETTINGS, "reference_level": 0.8, "full": few}
    pair = ("ridge_cv_0.01", "procrustes_angular")
    scaled = pair_range(10 * x, pair, "test", seed=0, settings=settings)
    assert set(scaled.guides.verdict) == {"independent"}
    assert scaled.region.outer_lower.isna().all()


@pytest.mark.parametrize(
    "names",
    [
        ("cka", "procrustes_angular"),
        ("linreg", "nbs"),
        ("linreg_reverse", "cka_angular"),
        ("ridge_2", "ridge_cv_0.5"),
        ("rsa_euclidean_pearson", "svcca"),
    ],
)
def test_scores_of_a_free_x_and_their_slopes(names):
    free = FreeX(draw(20, 4), names)
    evaluate = free.scorer()
    y = torch.stack([draw(20, 3, seed=seed) + 0.5 * free.x[:, :3] for seed in (1, 2)])
    points = torch.stack([free.start(each) for each in y]).requires_grad_()
    scores = evaluate(points)
    aside = draw(*points.shape, seed=3)
    for name, score in zip(names, scores, strict=True):
        expected = [registry.load(name).score(free.x, each) for each in y]
        assert score.tolist() == pytest.approx([each.item() for each in expected], abs=1e-12)
        (slope,) = torch.autograd.grad(score.sum(), points, retain_graph=True)
        for columns in (slice(0, 4), slice(4, None)):
            step = torch.zeros_like(aside)
            step[..., columns] = 1e-5 * aside[..., columns]
            with torch.no_grad():
                ends = [evaluate(points + sign * step)[names.index(name)].sum() for sign in (1, -1)]
            rise = ((ends[0] - ends[1]) / 2).item()
            assert rise == pytest.approx((slope * step).sum().item(), rel=1e-5)


def nearest(found):
    """Return how near the trajectories came to each target."""
    table = found.trajectories
    missed = (table.a_value - table.a_target).abs() + (table.b_value - table.b_target).abs()
    return missed.groupby(table.target).min()


def test_free_x_reaches_pairs_of_scores_that_a_fixed_x_cannot():
    x = with_spectrum([0.97, 0.02, 0.01])
    fixed = ranges(x, "cka", "nbs")
    free = pair_range(x, ("cka", "nbs"), "test", seed=0, settings=with_free_x())
    assert set(fixed.region.joint_x) == {"fixed"}
    assert set(free.region.joint_x) == {"free"}
    assert (free.region.joint_upper > free.region.outer_upper + 0.05).any()
    assert (nearest(fixed) - nearest(free)).max() > 0.1
    # What was searched for, and the guides, stay a matter of the given X.
    for region in (fixed.region, free.region):
        assert not (region.attained_lower < region.outer_lower - 1e-6).any()
        assert not (region.attained_upper > region.outer_upper + 1e-6).any()
    pd.testing.assert_frame_equal(free.guides, fixed.guides)


@pytest.mark.parametrize("name", ["linreg_cv", "pwcca"])
def test_measure_without_gradient_in_x_is_refused_before_the_search(name):
    with pytest.raises(ValueError, match=f"needs a gradient in X, and '{name}' has none") as error:
        pair_range(
            torch.full((3, 2), torch.nan), ("cka", name), "test", seed=0, settings=with_free_x()
        )
    assert "set ranges → joint → x to fixed or leave the pair out" in str(error.value)


def test_error_for_a_bad_pair_is_one_sentence():
    x = with_spectrum([0.6, 0.4])
    for pair, sentence in (
        (("cka", "cka"), "two different measures, got 'cka' twice"),
        (("hsic", "cka"), "run up to 1, got 'hsic'"),
        (("ensd", "cka"), "have a gradient and run up to 1, got 'ensd'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            ranges(x, *pair)
    with pytest.raises(ValueError, match="at least 2 dimensions, got 1"):
        ranges(x[:, :1], "cka", "nbs")


def test_targets_go_round_the_square():
    targets = border_targets(8)
    assert targets.tolist() == [
        [0, 0],
        [0.5, 0],
        [1, 0],
        [1, 0.5],
        [1, 1],
        [0.5, 1],
        [0, 1],
        [0, 0.5],
    ]


def test_verdicts():
    assert verdict(0.1, 0.2) == "independent"
    assert verdict(0.1, 0.9) == "one-sided"
    assert verdict(0.6, 0.5) == "coupled"
    assert verdict(float("nan"), 0.5) == "not known"


@pytest.mark.parametrize("n", [8, 30])
def test_constructed_data_are_at_least_as_extreme_as_what_the_lagrangian_attains(n):
    x = with_spectrum([0.5, 0.2, 0.15, 0.1, 0.05], n=n)
    space = ReducedSpace(x, 0)
    spectrum, names = space.s.square().numpy(), ("cka", "nbs")
    for cka in (0.3, 0.7):
        for is_largest in (False, True):
            (path, *_) = constructed_paths(space, np.array([cka]), largest_nbs=is_largest).values()
            values = torch.stack(space.scorer(path, names)(path.coordinates))
            for row in range(len(path.order)):
                y = space.build(path[row : row + 1])
                if y.norm() > 0:
                    expected = [registry.load(name).score(x, y).item() for name in names]
                    assert values[:, row].tolist() == pytest.approx(expected, abs=1e-7)
                else:
                    assert values[:, row].isnan().all()
            of_path = values[0, values[0].isfinite()]
            assert of_path.min() <= cka + NEAR_GOAL
            assert of_path.max() >= cka
        high = reach_upper(UpperDual(spectrum, cka, outside=True)).score
        low = reach_lower(LowerDual(spectrum, cka, 5)).score
        problem = PairProblem(x, names, "test", 0, SETTINGS)
        (most,), _ = problem.attained(names, np.array([cka]), 1, {})
        (least,), _ = problem.attained(names, np.array([cka]), -1, {})
        assert most >= high - 1e-3
        # With two directions outside X only, less can be turned out of it.
        assert (least <= low + 1e-3) == (n == 30)


def test_an_end_is_attained_with_many_values_of_a_as_with_one():
    # Nothing is outside X, so that paths out of it end in a Y without variance.
    x = draw(50, 300, seed=0) * torch.arange(1, 301) ** -0.5
    names, grid = ("cka", "nbs"), np.linspace(0, 1, 11)
    problem = PairProblem(x, names, "wide", 0, SETTINGS)
    spectrum = problem.eigenvalues / problem.eigenvalues.sum()
    high = reach_upper(UpperDual(spectrum, 0.1, outside=False)).score
    many, _ = problem.attained(names, grid, 1, {})
    one, _ = problem.attained(names, grid[1:2], 1, {})
    assert many[1] >= high - 1e-3
    assert one[0] >= high - 1e-3


def test_targets_in_batches_are_optimised_as_in_one(monkeypatch):
    x, start = torch.randn(
        2, 12, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    grid = torch.linspace(0, 1, 5, dtype=torch.float64)

    def run():
        evaluate = joint.FixedX(x, ("cka", "nbs")).scorer()
        settings = {"n_targets": 8, "max_steps": 6, "learning_rate": 0.1}
        return joint.optimize_jointly(evaluate, start, grid, **settings)

    whole = run()
    monkeypatch.setattr(joint, "BATCH_NUMBERS", 3 * start.numel())
    parts = run()
    assert len(parts.scores) == 8
    for one, other in zip(whole.scores, parts.scores, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    assert parts.crossings.keys() == whole.crossings.keys()
    assert whole.crossings


@pytest.mark.parametrize("shape", [(12, 30), (12, 11), (12, 5)])
def test_kinds_of_full_data_have_the_shape_of_x_also_where_it_is_wide(shape):
    x = draw(*shape)
    for number, path in enumerate(full_paths(x, draw_noise(x, 0))):
        assert path.coordinates.shape[1:] == (x.numel(),), number
        assert torch.isfinite(path.coordinates).all(), number
    assert number >= 5


@pytest.mark.parametrize("pair", [("cka", "nbs"), ("linreg", "cka")])
def test_no_reached_point_lies_outside_what_is_drawn_as_possible(pair):
    found = ranges(with_spectrum([0.5, 0.3, 0.15, 0.05]), *pair)
    attained = [
        found.region[["a_value", f"attained_{end}"]].dropna().to_numpy()
        for end in ("lower", "upper")
    ]
    visited = found.trajectories[["a_value", "b_value"]].to_numpy()
    a, b = np.concatenate([visited, *attained]).T
    lower, upper = drawn_bounds(found.bounds, a)
    assert len(a) > 50
    assert (lower <= b + 1e-6).all()
    assert (b <= upper + 1e-6).all()
