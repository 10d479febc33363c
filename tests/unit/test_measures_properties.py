"""What measures declare of themselves holds: invariances, range, symmetry, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measures import (
    CASES,
    CASES_OF_MEASURES,
    DIFFERENTIABLE,
    NAMES,
    SATURATED,
    central_differences,
    draw,
    load,
    score,
)
from scorebounds.measures import base, registry
from scorebounds.measures.precision import source_precision

pytestmark = pytest.mark.filterwarnings(SATURATED)
KINDS = ["orthogonal", "isotropic_scaling", "translation", "permutation", "invertible_linear"]


@pytest.fixture(params=NAMES)
def measure(request):
    return load(request.param)


@pytest.fixture(params=DIFFERENTIABLE)
def differentiable(request):
    return registry.load(request.param)


def ids_where(condition, names=NAMES):
    return [name for name in names if condition(load(name))]


def has_invariance(measure, kind, side):
    return bool({kind, f"{kind}_{side}"} & measure.invariances)


NOT_INVARIANT = [
    (name, kind, side)
    for name in NAMES
    for kind in KINDS
    for side in "xy"
    if not has_invariance(load(name), kind, side)
]


def transformed(y, kind, seed):
    width = y.shape[1]
    order = torch.randperm(width, generator=torch.Generator().manual_seed(seed))
    return {
        "orthogonal": lambda: y @ torch.linalg.qr(draw(width, width, seed=seed)).Q,
        "isotropic_scaling": lambda: 3 * y,
        "translation": lambda: y + draw(1, width, seed=seed),
        "permutation": lambda: y[:, order],
        "invertible_linear": lambda: y @ draw(width, width, seed=seed),
    }[kind]()


def moved_score(measure, x, y, kind, side, seed):
    if side == "x":
        return score(measure, transformed(x, kind, seed), y)
    return score(measure, x, transformed(y, kind, seed))


seeds = st.integers(0, 2**31)
shapes = st.tuples(st.integers(15, 25), st.integers(3, 8), st.integers(3, 8))


@settings(max_examples=8, deadline=None)
@given(shapes, seeds)
@pytest.mark.parametrize("name", NAMES)
def test_invariant_to_what_it_declares(name, shape, seed):
    n, p, q = shape
    measure = load(name)
    x, y = draw(n, p, seed=seed), draw(n, q, seed=seed + 1)
    before = score(measure, x, y).item()
    for kind in KINDS:
        for side in "xy":
            if has_invariance(measure, kind, side):
                after = moved_score(measure, x, y, kind, side, seed + 2).item()
                assert after == pytest.approx(before, rel=1e-6, abs=1e-8), (kind, side)


@pytest.mark.parametrize(("name", "kind", "side"), NOT_INVARIANT)
def test_not_invariant_to_what_it_does_not_declare(name, kind, side):
    measure = load(name)
    x, y = CASES["widths"]
    before = score(measure, x, y).item()
    changes = [
        abs(moved_score(measure, x, y, kind, side, seed).item() - before) for seed in range(5)
    ]
    assert max(changes) > 1e-6


def test_symmetry_is_as_declared(measure):
    x, y = CASES["widths"]
    same = torch.isclose(score(measure, x, y), score(measure, y, x), rtol=1e-9).item()
    assert same == measure.symmetric


@pytest.mark.parametrize(
    "name", ids_where(lambda measure: measure.attains_perfect and measure.perfect is not None)
)
def test_identical_data_score_perfectly(name):
    x, measure = draw(40, 5), load(name)
    assert score(measure, x, x).item() == pytest.approx(measure.perfect, abs=1e-7)


@pytest.mark.parametrize("name", ids_where(lambda measure: measure.perfect is None))
def test_identical_data_score_above_others_where_no_score_is_perfect(name):
    x, measure = draw(40, 5), load(name)
    others = [score(measure, x, draw(40, 5, seed=seed)).item() for seed in range(1, 5)]
    assert score(measure, x, x).item() > max(others)


@pytest.mark.parametrize("name", ids_where(lambda measure: not measure.attains_perfect))
def test_penalty_and_few_components_keep_identical_data_below_the_perfect_score(name):
    x, measure = draw(40, 5), load(name)
    assert score(measure, x, x).item() < measure.perfect


@pytest.mark.parametrize(
    ("name", "scale", "tolerance"),
    [
        # The penalty shrinks the match, less and less as the data outgrow it.
        ("ridge_100", 1e5, 1e-7),
        ("ridge_cv_100", 1e5, 1e-7),
        ("ridge_cv_pearson_100", 1e5, 1e-7),
        # The penalties to choose from scale with the data.
        ("ridge_cv_tuned", 1, 1e-5),
        # As many components as neurons.
        ("pls_cv_pearson_5", 1, 1e-7),
    ],
)
def test_identical_data_approach_the_perfect_score(name, scale, tolerance):
    x, measure = draw(40, 5), registry.load(name)
    found = score(measure, scale * x, scale * x).item()
    assert found == pytest.approx(measure.perfect, abs=tolerance)


@settings(max_examples=20, deadline=None)
@given(shapes, seeds, st.floats(0, 1))
@pytest.mark.parametrize("name", NAMES)
def test_score_lies_within_its_bounds_and_is_best_for_itself(name, shape, seed, share):
    n, p, q = shape
    x = draw(n, p, seed=seed)
    mixed = share * (x @ draw(p, q, seed=seed + 1)) + (1 - share) * draw(n, q, seed=seed + 2)
    measure = load(name)
    low, high = measure.bounds
    found = score(measure, x, mixed).item()
    assert low - 1e-12 <= found <= high + 1e-12
    if measure.perfect is not None:
        # Under a penalty a larger Y can predict X better than X itself does.
        best = score(measure, x, x).item() if measure.attains_perfect else measure.perfect
        further = best - found if measure.higher_is_closer else found - best
        assert further >= -1e-7


def test_batch_equals_loop(measure):
    x = draw(30, 6)
    y = draw(2, 3, 30, 4, seed=1)
    batched = score(measure, x, y)
    looped = torch.stack([torch.stack([score(measure, x, b) for b in a]) for a in y])
    assert batched.shape == (2, 3)
    torch.testing.assert_close(batched, looped, rtol=1e-10, atol=1e-13)


def test_all_pairs_equal_single_scores(measure):
    low_rank = draw(30, 2, seed=8) @ draw(2, 5, seed=9)
    xs = [draw(30, 6), 1e3 * draw(30, 4, seed=1), low_rank]
    ys = [draw(30, 5, seed=2), 1e-3 * draw(30, 7, seed=3)]
    between = measure.between(xs, ys)
    looped = torch.stack([torch.stack([score(measure, x, y) for y in ys]) for x in xs])
    torch.testing.assert_close(between, looped, rtol=1e-9, atol=1e-12)
    assert not between.requires_grad
    looped = torch.stack([torch.stack([score(measure, x, y) for y in xs[:2]]) for x in xs[:2]])
    torch.testing.assert_close(measure.between(xs[:2]), looped, rtol=1e-9, atol=1e-7)
    with pytest.raises(ValueError, match="equal n_samples"):
        measure.between(xs, [ys[0], draw(29, 5)])


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_other_orders_of_the_rows_equal_single_scores(measure, dtype, at_once, monkeypatch):
    # On a GPU several orders are a batch.
    monkeypatch.setattr(base, "orders_at_once", lambda *sides: at_once)
    x, y = draw(30, 6).to(dtype), 1e3 * draw(30, 8, seed=1).to(dtype)
    y[:, 7] = y[:, 0] + y[:, 1]
    orders = [torch.from_numpy(np.random.default_rng(seed).permutation(30)) for seed in range(3)]
    found = measure.reordered(x, y, orders)
    # The folds of cross-validation stay with y, so that it is X that changes its order.
    expected = torch.stack([measure.score(x[torch.argsort(rows)], y) for rows in orders])
    if not measure.cross_validated:
        tolerance = 1e-9 if dtype == torch.float64 else 1e-4
        same = torch.stack([measure.score(x, y[rows]) for rows in orders])
        torch.testing.assert_close(expected, same, rtol=tolerance, atol=tolerance)
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    assert found.std() > 0
    with pytest.raises(ValueError, match="equal n_samples"):
        measure.reordered(x, y[1:], orders)


def test_one_preparation_serves_many(measure):
    x = draw(30, 6)
    prepared = measure.against(x)
    for seed in (1, 2):
        y = draw(30, 4, seed=seed)
        assert prepared(y).item() == pytest.approx(score(measure, x, y).item(), rel=1e-12)


@pytest.mark.parametrize(("name", "case"), CASES_OF_MEASURES)
def test_single_precision_stays_near_double(name, case):
    measure, (x, y) = load(name), CASES[case]
    double = score(measure, x, y).item()
    single = score(measure, x.float(), y.float())
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(double, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    "name", ids_where(lambda measure: measure.attains_perfect and measure.perfect is not None)
)
def test_identical_data_score_perfectly_in_single_precision_too(name):
    """Also where the score is an angle, whose end the rounding of a cosine moves by its root."""
    measure = load(name)
    x = draw(40, 5).float()
    found = score(measure, x, torch.stack([x, x @ torch.eye(5)]))
    size = torch.linalg.matrix_norm(x).item()
    limit = 1e-5 if measure.higher_is_closer else 1e-4 * size
    assert found.tolist() == pytest.approx([measure.perfect] * 2, abs=limit)


@pytest.mark.parametrize("factors", [(1e-13, 1e-13), (1e9, 1e9), (1e-30, 1e15)])
def test_units_do_not_overflow(measure, factors):
    """Tesla or counts in single precision: no square may overflow, vanish or become perfect."""
    x, y = (matrix.float() for matrix in CASES["widths"])
    of_x, of_y = factors
    if not has_invariance(measure, "isotropic_scaling", "x"):
        of_x = 1.0
    if not has_invariance(measure, "isotropic_scaling", "y"):
        of_y = 1.0
    expected = score(measure, x, y).item()
    assert score(measure, of_x * x, of_y * y).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int16, torch.bool])
def test_any_type_of_numbers_scores_as_the_same_values_in_double(measure, dtype):
    x, y = ((50 * draw(60, 5, seed=seed)) for seed in (0, 1))
    y = y + x @ draw(5, 5, seed=2)
    # No sample and no neuron is constant, also as booleans.
    alternating = torch.arange(60) % 2 * 100.0 - 50
    x[:, 0], x[:, 1], y[:, 3], y[:, 4] = alternating, -alternating, alternating, -alternating
    x, y = (side > 0 if dtype == torch.bool else side.to(dtype) for side in (x, y))
    found = score(measure, x, y)
    assert found.dtype == (torch.float32 if dtype.is_floating_point else torch.float64)
    expected = score(measure, x.double(), y.double()).item()
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_gradient_reaches_values_in_half_precision(differentiable):
    x, y = draw(30, 6).half(), draw(30, 4, seed=1).half().requires_grad_()
    (gradient,) = torch.autograd.grad(score(differentiable, x, y), y)
    assert gradient.dtype == torch.float16
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("through", [torch.float32, torch.float16, torch.bfloat16])
def test_rounding_of_the_source_is_no_dimension_of_the_data(measure, through):
    """Five dimensions in 40 units, stored in fewer digits, are still five dimensions."""
    x, low_rank = draw(120, 6), draw(120, 5, seed=1) @ draw(5, 40, seed=2)
    stored = low_rank.to(through)
    # The library reads files into double precision; halves are known by their type.
    stored = stored.double() if through == torch.float32 else stored
    expected = score(measure, x, low_rank).item()
    x = x if through == torch.float32 else x.float()
    tolerance = 1e-4 if through == torch.float32 else 0.05
    assert score(measure, x, stored).item() == pytest.approx(expected, rel=tolerance, abs=tolerance)


def test_whole_numbers_are_not_taken_for_rounded_ones():
    counts = torch.poisson(torch.full((60, 4), 3.0), torch.Generator().manual_seed(0)).double()
    assert source_precision(counts) == 0
    assert source_precision(draw(60, 4)) == 0
    assert source_precision(draw(60, 4).float()) == 0
    assert source_precision(draw(60, 4).float().double()) == torch.finfo(torch.float32).eps
    assert source_precision(draw(60, 4).half()) == torch.finfo(torch.float16).eps


# --- gradients


@pytest.mark.parametrize(
    ("name", "case"),
    [
        (name, case)
        for name in DIFFERENTIABLE
        for case in CASES
        if case != "y of low rank" or load(name).smooth_at_low_rank
    ],
)
def test_gradient_equals_finite_differences(name, case):
    differentiable, (x, y) = load(name), CASES[case]
    y = torch.stack([y, 2 * y + draw(*y.shape, seed=4)])
    if case == "y of low rank":
        y = y[:1]
    scores = differentiable.against(x)
    # Of each score by each matrix: those of the other matrices are 0.
    derivatives = torch.autograd.functional.jacobian(scores, y)
    expected = torch.zeros_like(derivatives)
    for index, of_own_matrix in enumerate(central_differences(scores, y)):
        expected[index, index] = of_own_matrix
    torch.testing.assert_close(derivatives, expected, rtol=1e-3, atol=1e-6)


# Where Y has lost rank, the span of Y jumps with any step out of it, and ‖·‖_* has a kink.
@pytest.mark.parametrize("name", ids_where(lambda m: not m.smooth_at_low_rank, DIFFERENTIABLE))
def test_gradient_at_low_rank_equals_differences_that_keep_the_rank(name):
    x, y = CASES["y of low rank"]
    u, v = draw(30, 2, seed=2), draw(2, 6, seed=3)
    measure = registry.load(name)

    def along(left):
        return measure.against(x)(left @ v)

    torch.testing.assert_close(u @ v, y)
    assert torch.autograd.gradcheck(along, (u.clone().requires_grad_(),), atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_gradient_is_finite_everywhere(differentiable, case):
    x, y = CASES[case]
    orthogonal = torch.linalg.qr(draw(x.shape[1], x.shape[1], seed=5)).Q
    repeated = torch.linalg.qr(draw(len(x), min(5, len(x) - 2), seed=6)).Q
    for start in (y, x, x @ orthogonal, 3 * x, repeated, torch.cat([y, y], dim=1)):
        start = start.clone().requires_grad_()
        found = score(differentiable, x, start)
        (gradient,) = torch.autograd.grad(found, start)
        assert torch.isfinite(gradient).all()
        assert torch.isfinite(found)


def gradient_at_match(name):
    x = draw(30, 4)
    y = x.clone().requires_grad_()
    return torch.autograd.grad(score(load(name), x, y), y)[0]


@pytest.mark.parametrize(
    "name",
    ids_where(
        lambda m: m.attains_perfect and m.perfect is not None and m.higher_is_closer,
        DIFFERENTIABLE,
    ),
)
def test_gradient_vanishes_at_a_perfect_match(name):
    # The slope of an angle is unbounded there, and multiplies the rounding of a gradient of zero.
    limit = 1e-4 if load(name).angular else 1e-6
    assert gradient_at_match(name).abs().max() < limit


@pytest.mark.parametrize("name", ids_where(lambda m: not m.higher_is_closer, DIFFERENTIABLE))
def test_distance_changes_at_most_as_fast_as_y_moves_at_a_match(name):
    assert torch.linalg.matrix_norm(gradient_at_match(name)) < 1 + 1e-6


@pytest.mark.parametrize("name", ids_where(lambda m: m.twice_differentiable))
def test_second_derivatives_equal_finite_differences(name):
    x, y = CASES["widths"]
    y = y.clone().requires_grad_()
    assert torch.autograd.gradgradcheck(load(name).against(x), (y,))


def error_of_second_derivatives(measure, x, y):
    try:
        torch.autograd.grad(measure.score(x, y), y, create_graph=True)
    except RuntimeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ids_where(lambda m: not m.twice_differentiable, DIFFERENTIABLE))
def test_second_derivatives_are_refused(name):
    differentiable, (x, y) = load(name), CASES["widths"]
    y = y.clone().requires_grad_()
    assert "first derivatives only" in error_of_second_derivatives(differentiable, x, y), (
        f"{name!r} has second derivatives: declare it with twice_differentiable=True"
    )


def test_second_derivatives_are_refused_for_wide_data(differentiable):
    x, y = CASES["wide"]
    y = y.clone().requires_grad_()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(score(differentiable, x, y), y, create_graph=True)
