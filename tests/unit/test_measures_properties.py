"""What measures declare of themselves holds: invariances, range, symmetry, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measures import CASES, DIFFERENTIABLE, NAMES, SATURATED, draw, load, score
from scorebounds.measures import registry

pytestmark = pytest.mark.filterwarnings(SATURATED)
KINDS = ["orthogonal", "isotropic_scaling", "translation", "permutation", "invertible_linear"]


@pytest.fixture(params=NAMES)
def measure(request):
    return load(request.param)


@pytest.fixture(params=DIFFERENTIABLE)
def differentiable(request):
    return registry.load(request.param)


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
            if {kind, f"{kind}_{side}"} & measure.invariances:
                after = moved_score(measure, x, y, kind, side, seed + 2).item()
                assert after == pytest.approx(before, rel=1e-6, abs=1e-8), (kind, side)


@pytest.mark.parametrize("side", ["x", "y"])
@pytest.mark.parametrize("kind", KINDS)
def test_not_invariant_to_what_it_does_not_declare(measure, kind, side):
    if {kind, f"{kind}_{side}"} & measure.invariances:
        return
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


def test_identical_data_score_perfectly(measure):
    x = draw(40, 5)
    found = score(measure, x, x).item()
    if measure.perfect is None:
        others = [score(measure, x, draw(40, 5, seed=seed)).item() for seed in range(1, 5)]
        assert found > max(others)
        return
    if measure.name.startswith("pls"):
        # Three components of five neurons cannot be perfect; all five are.
        found = score(registry.load("pls_cv_pearson_5"), x, x).item()
    if measure.name.startswith("ridge"):
        # The penalty shrinks the match, less and less as the data outgrow it.
        assert found <= score(measure, x, 1e4 * x).item()
        found = score(measure, 1e5 * x, 1e5 * x).item()
    tolerance = 1e-5 if measure.name == "ridge_cv_tuned" else 1e-7
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


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_other_orders_of_the_rows_equal_single_scores(measure, dtype):
    x, y = draw(30, 6).to(dtype), 1e3 * draw(30, 8, seed=1).to(dtype)
    y[:, 7] = y[:, 0] + y[:, 1]
    orders = [torch.from_numpy(np.random.default_rng(seed).permutation(30)) for seed in range(3)]
    found = measure.reordered(x, y, orders)
    expected = torch.stack([measure.score(x, y[rows]) for rows in orders])
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


@pytest.mark.parametrize("case", CASES)
def test_single_precision_stays_near_double(measure, case):
    x, y = CASES[case]
    if measure.name == "pls_cv_pearson_3" and "low rank" in case:
        pytest.skip("of rank 2, the third component is rounding")
    double = score(measure, x, y).item()
    single = score(measure, x.float(), y.float())
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(double, rel=1e-4, abs=1e-4)


def test_identical_data_score_perfectly_in_single_precision_too(measure):
    """Also where the score is an angle, whose end the rounding of a cosine moves by its root."""
    if measure.perfect is None or measure.name.startswith(("ridge", "pls")):
        pytest.skip("its best score is not at a match")
    x = draw(40, 5).float()
    found = score(measure, x, torch.stack([x, x @ torch.eye(5)]))
    distance = measure.perfect == 0
    limit = 1e-4 * torch.linalg.matrix_norm(x).item() if distance else 1e-5
    assert found.tolist() == pytest.approx([measure.perfect] * 2, abs=limit)


@pytest.mark.parametrize("factors", [(1e-13, 1e-13), (1e9, 1e9), (1e-30, 1e15)])
def test_units_do_not_overflow(measure, factors):
    """Tesla or counts in single precision: no square may overflow, vanish or become perfect."""
    x, y = (matrix.float() for matrix in CASES["widths"])
    of_x, of_y = factors
    if not {"isotropic_scaling", "isotropic_scaling_x"} & measure.invariances:
        of_x = 1.0
    if not {"isotropic_scaling", "isotropic_scaling_y"} & measure.invariances:
        of_y = 1.0
    expected = score(measure, x, y).item()
    assert score(measure, of_x * x, of_y * y).item() == pytest.approx(expected, rel=1e-5)


# --- gradients


@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_finite_differences(differentiable, case):
    if case == "y of low rank" and not ORDINARY_AT_LOW_RANK[differentiable.name]:
        pytest.skip("not differentiable where the rank of y changes")
    x, y = CASES[case]
    y = torch.stack([y, 2 * y + draw(*y.shape, seed=4)]).requires_grad_()
    if case == "y of low rank":
        y = y[:1].detach().requires_grad_()
    assert torch.autograd.gradcheck(differentiable.against(x), (y,), atol=1e-6)


# Where Y has lost rank, the span of Y jumps with any step out of it, and ‖·‖_* has a kink.
_OF_SPANS = {"linreg", "linreg_symmetric", "linreg_cv", "cca", "cca_r2", "svcca", "svcca_r2"}
_OF_SPANS |= {"pwcca", "nbs", "procrustes_angular", "procrustes_distance", "procrustes_normalised"}
ORDINARY_AT_LOW_RANK = {name: name not in _OF_SPANS for name in DIFFERENTIABLE}


@pytest.mark.parametrize("name", sorted(_OF_SPANS))
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


def test_gradient_vanishes_at_a_perfect_match(differentiable):
    """Where a measure is smooth at its best score, nothing pulls away from it."""
    if differentiable.perfect is None or "ridge" in differentiable.name:
        pytest.skip("its best score is not at a match")
    x = draw(30, 4)
    y = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(differentiable, x, y), y)
    if differentiable.name.startswith("procrustes_") and differentiable.perfect == 0:
        # A distance is a cone: it falls at most as fast as Y moves.
        assert torch.linalg.matrix_norm(gradient) < 1 + 1e-6
        return
    # An angle has a kink at its end: there the slope is large, but of a vanishing direction.
    limit = 1e-6 if "angular" not in differentiable.name else 1e-4
    assert gradient.abs().max() < limit


def test_second_derivatives_are_refused_not_wrong(differentiable):
    x, y = CASES["widths"]
    y = y.clone().requires_grad_()
    if differentiable.name in ("hsic", "linreg_reverse"):
        assert torch.autograd.gradgradcheck(differentiable.against(x), (y,))
        return
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(differentiable.score(x, y), y, create_graph=True)


def test_second_derivatives_are_refused_for_wide_data(differentiable):
    x, y = CASES["wide"]
    y = y.clone().requires_grad_()
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(score(differentiable, x, y), y, create_graph=True)
