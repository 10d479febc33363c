"""Measures against textbook forms, independent values, identities and finite differences."""

import csv
import json
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold

from scorebounds import measures
from scorebounds.measures.regression import fold_bounds

NAMES = measures.names()


@pytest.fixture(params=NAMES)
def measure(request):
    return measures.load(request.param)


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def cases():
    """Pairs of every kind of shape: tall, different widths, wide, rank-deficient."""
    low_rank = draw(30, 2, seed=2) @ draw(2, 6, seed=3)
    return {
        "tall": (draw(30, 6), draw(30, 6, seed=1)),
        "widths": (draw(30, 6), draw(30, 4, seed=1)),
        "wide": (draw(14, 20), draw(14, 25, seed=1)),
        "x of low rank": (low_rank, draw(30, 5, seed=1)),
        "y of low rank": (draw(30, 5), low_rank),
    }


CASES = cases()


@pytest.fixture(params=CASES)
def pair(request):
    return CASES[request.param]


# --- textbook forms, written from the definitions with n × n matrices and scikit-learn


def textbook_cka(x, y):
    centring = np.eye(len(x)) - 1 / len(x)
    gram_x, gram_y = centring @ x @ x.T @ centring, centring @ y @ y.T @ centring
    return np.sum(gram_x * gram_y) / (np.linalg.norm(gram_x) * np.linalg.norm(gram_y))


def textbook_nbs(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(x.T @ y, "nuc") / (np.linalg.norm(x) * np.linalg.norm(y))


def textbook_linreg(x, y):
    residual = x - LinearRegression().fit(y, x).predict(y)
    return 1 - np.sum(residual**2) / np.sum((x - x.mean(0)) ** 2)


def textbook_ridge_cv(x, y, penalty=100):
    scores = []
    for train, test in KFold(5).split(x):
        residual = x[test] - Ridge(penalty, solver="svd").fit(y[train], x[train]).predict(y[test])
        scores.append(1 - np.sum(residual**2) / np.sum((x[test] - x[train].mean(0)) ** 2))
    return np.mean(scores)


TEXTBOOK = {
    "cka": textbook_cka,
    "cka_angular": lambda x, y: 1 - np.arccos(textbook_cka(x, y)) / (np.pi / 2),
    "nbs": textbook_nbs,
    "procrustes_angular": lambda x, y: 1 - np.arccos(min(1, textbook_nbs(x, y))) / (np.pi / 2),
    "linreg": textbook_linreg,
    "ridge_cv_100": textbook_ridge_cv,
}


@pytest.mark.filterwarnings("ignore:linear regression from")
def test_equals_textbook_form(measure, pair):
    x, y = pair
    expected = TEXTBOOK[measure.name](x.numpy(), y.numpy())
    assert measure.score(x, y).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:linear regression from")
def test_equals_independent_implementations(measure, reference_values):
    lines = (reference_values / "ids.tsv").read_text().splitlines()
    ids = dict(csv.reader(lines, delimiter="\t"))
    entries = json.loads((reference_values / "reference.json").read_text())[ids[measure.name]]
    compared = 0
    for name, entry in entries.items():
        path = reference_values / "inputs" / f"{name}.npz"
        if not path.exists() or entry["value"] is None:
            continue
        arrays = np.load(path)
        x, y = (torch.from_numpy(arrays[key]) for key in "XY")
        assert measure.score(x, y).item() == pytest.approx(entry["value"], rel=1e-8), name
        single = measure.score(x.float(), y.float()).item()
        assert single == pytest.approx(entry["value"], rel=1e-4), name
        compared += 1
    assert compared >= 5


# --- gradients


@pytest.mark.filterwarnings("ignore:linear regression from")
@pytest.mark.parametrize("case", ["tall", "widths", "wide", "x of low rank"])
def test_gradient_equals_finite_differences(measure, case):
    x, y = CASES[case]
    y = torch.stack([y, 2 * y + draw(*y.shape, seed=4)]).requires_grad_()
    assert torch.autograd.gradcheck(measure.against(x), (y,))


@pytest.mark.filterwarnings("ignore:linear regression from")
def test_gradient_is_finite_everywhere(measure, pair):
    x, y = pair
    orthogonal = torch.linalg.qr(draw(x.shape[1], x.shape[1], seed=5)).Q
    repeated = torch.linalg.qr(draw(len(x), min(5, len(x) - 2), seed=6)).Q
    for start in (y, x, x @ orthogonal, 3 * x, repeated, torch.cat([y, y], dim=1)):
        start = start.clone().requires_grad_()
        score = measure.score(x, start)
        (gradient,) = torch.autograd.grad(score, start)
        assert torch.isfinite(gradient).all()
        assert torch.isfinite(score)


def test_linreg_gradient_of_an_ill_conditioned_y_takes_the_safe_path():
    x = draw(30, 3)
    y = draw(30, 4, seed=1)
    y[:, 3] = y[:, 0] + 1e-5 * y[:, 3]
    expected = textbook_linreg(x.numpy(), y.numpy())
    measure = measures.load("linreg")
    assert measure.score(x, y).item() == pytest.approx(expected, rel=1e-8)
    assert torch.autograd.gradcheck(measure.against(x), (y.requires_grad_(),), eps=1e-9, rtol=1e-2)


# --- what is declared holds


def transformed(y, kind):
    width = y.shape[1]
    return {
        "orthogonal": lambda: y @ torch.linalg.qr(draw(width, width, seed=7)).Q,
        "isotropic_scaling": lambda: 3 * y,
        "translation": lambda: y + draw(1, width, seed=8),
        "permutation": lambda: y[:, torch.randperm(width, generator=torch.Generator())],
        "invertible_linear": lambda: y @ draw(width, width, seed=9),
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["orthogonal", "isotropic_scaling", "translation", "permutation", "invertible_linear"]
)
@pytest.mark.parametrize("side", ["x", "y"])
def test_invariant_exactly_to_what_it_declares(measure, kind, side):
    x, y = CASES["widths"]
    moved = (transformed(x, kind), y) if side == "x" else (x, transformed(y, kind))
    unchanged = torch.isclose(measure.score(*moved), measure.score(x, y), rtol=1e-9).item()
    declared = {kind, f"{kind}_{side}"} & measure.invariances
    assert unchanged == bool(declared)


def test_symmetry_is_as_declared(measure):
    x, y = CASES["widths"]
    same = torch.isclose(measure.score(x, y), measure.score(y, x), rtol=1e-9).item()
    assert same == measure.symmetric


def test_identical_data_score_perfectly(measure):
    x = draw(40, 5)
    if measure.name.startswith("ridge"):
        # The penalty shrinks the match, less and less as the data outgrow it.
        assert measure.score(x, x) < measure.score(x, 1e4 * x)
        x = 1e5 * x
    assert measure.score(x, x).item() == pytest.approx(measure.perfect, abs=1e-7)


finite_matrices = hnp.arrays(
    np.float64,
    st.tuples(st.integers(6, 12), st.integers(1, 15)),
    elements=st.floats(-100, 100, width=32),
)


@settings(max_examples=60, deadline=None)
@given(finite_matrices, st.integers(0, 2**31))
@pytest.mark.parametrize("name", NAMES)
def test_score_lies_within_its_bounds(name, x, seed):
    x = torch.from_numpy(x)
    x = x + 1e-3 * draw(*x.shape, seed=seed)
    y = torch.cat([x[:, :1], draw(len(x), 2, seed=seed + 1)], dim=1)
    measure = measures.load(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = measure.score(x, y).item()
    low, high = measure.bounds
    assert low <= score <= high


def test_batch_equals_loop(measure):
    x = draw(30, 6)
    y = draw(2, 3, 30, 4, seed=1)
    batched = measure.score(x, y)
    looped = torch.stack([torch.stack([measure.score(x, b) for b in a]) for a in y])
    assert batched.shape == (2, 3)
    torch.testing.assert_close(batched, looped, rtol=1e-12, atol=0)


def test_single_precision_stays_near_double(measure, pair):
    x, y = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        double = measure.score(x, y)
        single = measure.score(x.float(), y.float())
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(double.item(), abs=1e-4)


@pytest.mark.parametrize("factors", [(1e-13, 1e-13), (1e9, 1e9), (1e-30, 1e15)])
def test_units_do_not_overflow(measure, factors):
    """Tesla or counts in single precision: no square may overflow, vanish or become perfect."""
    x, y = (matrix.float() for matrix in CASES["widths"])
    of_x, of_y = factors
    if "isotropic_scaling" not in measure.invariances:
        of_y = 1.0
    expected = measure.score(x, y).item()
    assert measure.score(of_x * x, of_y * y).item() == pytest.approx(expected, rel=1e-5)


def test_ridge_in_single_precision_at_a_scale_of_rates():
    x, y = draw(200, 300), 1000 * draw(200, 300, seed=1)
    measure = measures.load("ridge_cv_100")
    double = measure.score(x, y).item()
    assert measure.score(x.float(), y.float()).item() == pytest.approx(double, rel=1e-4)


def test_ridge_says_when_lambda_is_lost_in_rounding():
    with pytest.raises(ValueError, match="λ = 1 is beyond double precision"):
        measures.load("ridge_cv_1").score(draw(20, 3), 1e12 * draw(20, 30, seed=1))


def test_second_derivatives_are_refused_not_wrong(measure):
    x, y = CASES["widths"]
    y = y.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(measure.score(x, y), y, create_graph=True)
    with pytest.raises(RuntimeError, match=r"once_differentiable|does not require grad"):
        gradient.square().sum().backward()


# --- identities (known between the measures)


def test_bures_similarity_is_a_multiple_of_cka():
    """NBS² = R·CKA/√(PR(X) PR(Y)) with R = ‖XᵀY‖²_*/‖XᵀY‖²_F."""
    x, y = (matrix - matrix.mean(0) for matrix in CASES["widths"])
    s = torch.linalg.svdvals(x.T @ y)

    def participation_ratio(z):
        eigenvalues = torch.linalg.svdvals(z) ** 2
        return eigenvalues.sum() ** 2 / (eigenvalues**2).sum()

    cka, nbs = (measures.load(name).score(x, y) for name in ("cka", "nbs"))
    shared = s.sum() ** 2 / (s**2).sum()
    expected = shared * cka / (participation_ratio(x) * participation_ratio(y)).sqrt()
    assert nbs.item() ** 2 == pytest.approx(expected.item())


def test_angular_procrustes_is_a_function_of_nbs():
    x, y = CASES["tall"]
    nbs = measures.load("nbs").score(x, y).item()
    angular = measures.load("procrustes_angular").score(x, y).item()
    assert angular == pytest.approx(1 - math.acos(nbs) / (math.pi / 2))


# --- input that cannot be scored


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (draw(10, 3), draw(9, 3), "equal n_samples, got (10, 3) and (9, 3)"),
        (draw(10), draw(10, 3), "expected x (n_samples, n_x), got shape (10,)"),
        (draw(2, 3), draw(2, 3), "at least 3 samples, got 2"),
        (draw(10, 3).int(), draw(10, 3), "floating point type"),
        (draw(10, 3), draw(10, 3).float(), "one dtype and device"),
        (draw(10, 3) * math.nan, draw(10, 3), "NaN or infinity in x"),
        (draw(10, 3), draw(10, 3) / 0, "NaN or infinity in y"),
        (draw(10, 3), torch.full((10, 3), 0.1, dtype=torch.float64), "constant matrix"),
        (torch.full((10, 3), 7.0, dtype=torch.float64), draw(10, 3), "constant matrix"),
        (draw(10, 3), torch.stack([draw(10, 2), draw(10, 2) * 0]), "constant matrix"),
        (draw(10, 3), draw(10, 0), "at least one neuron"),
    ],
)
def test_refuses_what_cannot_be_scored(measure, x, y, message):
    with pytest.raises(ValueError) as error:
        measure.score(x, y)
    assert message in str(error.value)


def test_cross_validation_needs_a_sample_per_fold():
    with pytest.raises(ValueError, match="at least 5 samples for 5 folds, got 4"):
        measures.load("ridge_cv_100").score(draw(4, 2), draw(4, 2, seed=1))


def test_linreg_says_when_its_score_means_nothing():
    with pytest.warns(UserWarning, match="1 whatever the data are"):
        score = measures.load("linreg").score(draw(10, 3), draw(10, 9, seed=1))
    assert score.item() == pytest.approx(1)


def test_folds_are_those_of_scikit_learn():
    for n in (5, 7, 100, 103):
        theirs = [(test[0], test[-1] + 1) for _, test in KFold(5).split(np.zeros(n))]
        assert fold_bounds(n) == theirs


def test_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(ValueError) as error:
        measures.load("procrustes_angulr")
    assert "did you mean 'procrustes_angular'?" in str(error.value)
    assert "ridge_cv_<λ>" in str(error.value)
    with pytest.raises(ValueError, match="unknown measure 'ridge_cv_0'"):
        measures.load("ridge_cv_0")


def test_any_penalty_can_be_asked_for():
    x, y = CASES["tall"]
    for name in ("ridge_cv_2.5", "ridge_cv_1000000", "ridge_cv_0.5"):
        assert measures.load(name).name == name
    measure = measures.load("ridge_cv_2.5")
    assert measure.score(x, y).item() == pytest.approx(
        textbook_ridge_cv(x.numpy(), y.numpy(), 2.5), rel=1e-9
    )
