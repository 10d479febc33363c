"""Scores against textbook forms, values of independent implementations, and identities."""

import itertools
import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.spatial.distance import cdist, pdist
from scipy.stats import pearsonr, spearmanr
from sklearn.cross_decomposition import CCA, PLSRegression
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold

from helpers.measures import (
    CASES,
    CASES_OF_MEASURES,
    DIFFERENTIABLE,
    NAMES,
    central_differences,
    draw,
    load,
    score,
)
from helpers.reference_ids import HELD_OUT, reference_ids
from scorebounds.measures import neighbours, products, registry
from scorebounds.measures.factored_folds import kernels_are_faster
from scorebounds.measures.folds import contiguous_folds, fold_bounds, grouped_folds
from scorebounds.measures.nested import TUNING_GRID
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.parts import Parts
from scorebounds.measures.prediction import (
    held_out_correlations,
)
from scorebounds.measures.products import (
    cross_product,
    numpy_has_one_thread,
    product,
    symmetric_product,
)
from scorebounds.measures.ridge_folds import (
    by_samples_is_faster,
    held_out_r2_by_neurons,
    held_out_r2_by_samples,
    kept_held_out_r2,
)

# --- textbook forms, written from the definitions with n × n matrices, scikit-learn and SciPy


def centred(x):
    return x - x.mean(0)


def cosine(a, b):
    return np.sum(a * b) / (np.linalg.norm(a) * np.linalg.norm(b))


def double_centred(kernel):
    centring = np.eye(len(kernel)) - 1 / len(kernel)
    return centring @ kernel @ centring


def textbook_cka(x, y):
    return cosine(double_centred(x @ x.T), double_centred(y @ y.T))


def textbook_cka_debiased(x, y):
    def hsic(k, m):
        n, one = len(k), np.ones(len(k))
        k, m = (a - np.diag(np.diag(a)) for a in (k, m))
        total = np.trace(k @ m) - 2 / (n - 2) * one @ k @ m @ one
        return total + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))

    k, m = x @ x.T, y @ y.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def textbook_cka_rbf(x, y, fraction):
    def kernel(z):
        squared = cdist(z, z, "sqeuclidean")
        return double_centred(np.exp(-squared / (2 * fraction**2 * np.median(squared))))

    return cosine(kernel(x), kernel(y))


def textbook_nbs(x, y):
    x, y = centred(x), centred(y)
    return np.linalg.norm(x.T @ y, "nuc") / (np.linalg.norm(x) * np.linalg.norm(y))


def textbook_distance(x, y):
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(centred(z), ((0, 0), (0, width - z.shape[1]))) for z in (x, y))
    u, _, vt = np.linalg.svd(y.T @ x)
    return np.linalg.norm(x - y @ u @ vt)


def textbook_linreg(x, y):
    residual = x - LinearRegression(tol=1e-15).fit(y, x).predict(y)
    return 1 - np.sum(residual**2) / np.sum(centred(x) ** 2)


def textbook_cross_validated(x, y, make):
    scores = []
    for train, test in KFold(5).split(x):
        residual = x[test] - make().fit(y[train], x[train]).predict(y[test])
        scores.append(1 - np.sum(residual**2) / np.sum((x[test] - x[train].mean(0)) ** 2))
    return np.mean(scores)


def textbook_ridge_cv(x, y, penalty=100):
    return textbook_cross_validated(x, y, lambda: Ridge(penalty, solver="svd"))


def textbook_ridge(x, y, penalty=100):
    residual = x - Ridge(penalty, solver="svd").fit(y, x).predict(y)
    return 1 - np.sum(residual**2) / np.sum(centred(x) ** 2)


def textbook_ridge_cv_tuned(x, y):
    scores = []
    for train, test in KFold(5).split(x):
        level = np.sum(centred(y[train]) ** 2) / min(y.shape[1], len(train))
        penalties = [factor * level for factor in TUNING_GRID]
        inner = [textbook_ridge_cv(x[train], y[train], penalty) for penalty in penalties]
        model = Ridge(penalties[np.argmax(inner)], solver="svd").fit(y[train], x[train])
        residual = x[test] - model.predict(y[test])
        scores.append(1 - np.sum(residual**2) / np.sum((x[test] - x[train].mean(0)) ** 2))
    return np.mean(scores)


def textbook_pearson(x, y, make):
    correlations = []
    for train, test in KFold(5).split(x):
        predicted = make().fit(y[train], x[train]).predict(y[test])
        correlations.append(
            [pearsonr(a, b).statistic for a, b in zip(x[test].T, predicted.T, strict=True)]
        )
    return np.median(np.mean(correlations, axis=0))


def bases(x, y, share=1.0):
    kept = []
    for z in (x, y):
        u, s, _ = np.linalg.svd(centred(z), full_matrices=False)
        rank = np.sum(s > s[0] * max(z.shape) * np.finfo(float).eps)
        if share < 1:
            rank = np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share) + 1
        kept.append(u[:, :rank])
    return kept


def textbook_cca(x, y, power, share=1.0):
    of_x, of_y = bases(x, y, share)
    correlations = np.linalg.svd(of_x.T @ of_y, compute_uv=False)
    return np.mean(correlations**power)


def textbook_pwcca(x, y):
    of_x, of_y = bases(x, y)
    u, correlations, _ = np.linalg.svd(of_x.T @ of_y, full_matrices=False)
    weights = np.abs((of_x @ u).T @ centred(x)).sum(1)
    return np.sum(weights * correlations) / np.sum(weights)


def textbook_ensd(x, y):
    k, m = double_centred(x @ x.T), double_centred(y @ y.T)
    traces = np.trace(k @ m) * np.trace(k) * np.trace(m)
    return traces / (np.trace(k @ k) * np.trace(m @ m))


def textbook_soft_matching(x, y):
    p, q = x.shape[1], y.shape[1]
    gains = np.corrcoef(x.T, y.T)[:p, p:]
    rows = np.kron(np.eye(p), np.ones(q))
    columns = np.kron(np.ones(p), np.eye(q))
    sums = np.concatenate([np.full(p, 1 / p), np.full(q, 1 / q)])
    return -linprog(-gains.ravel(), A_eq=np.vstack([rows, columns]), b_eq=sums).fun


def textbook_permutation_matching(x, y):
    """Relax the permutation to a doubly stochastic matrix, whose optimum is a permutation."""
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(centred(z), ((0, 0), (0, width - z.shape[1]))) for z in (x, y))
    rows = np.kron(np.eye(width), np.ones(width))
    columns = np.kron(np.ones(width), np.eye(width))
    found = linprog(
        -(x.T @ y).ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.ones(2 * width)
    ).fun
    return -found / (np.linalg.norm(x) * np.linalg.norm(y))


def textbook_distance_correlation(x, y):
    k, m = (double_centred(cdist(z, z)) for z in (x, y))
    return np.sqrt(cosine(k, m))


def textbook_mutual_knn(x, y, k=10):
    neighbours = []
    for z in (x, y):
        distances = cdist(z, z, "cosine")
        np.fill_diagonal(distances, np.inf)
        neighbours.append(np.argsort(distances, axis=1)[:, :k])
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(*neighbours, strict=True)])


def rsa(metric, compare):
    return lambda x, y: compare(pdist(x, metric), pdist(y, metric))


def whitened(metric, *, centre=False):
    """Return the cosine of distances whitened by the covariance of those of independent noise."""

    def compare(x, y):
        pairs = np.array(list(itertools.combinations(range(len(x)), 2)))
        contrasts = np.eye(len(x))[pairs[:, 0]] - np.eye(len(x))[pairs[:, 1]]
        covariance = (contrasts @ contrasts.T) ** 2
        d, e = (pdist(z, metric) for z in (x, y))
        if centre:
            d, e = d - d.mean(), e - e.mean()
        of_d, of_e = np.linalg.solve(covariance, np.stack([d, e], 1)).T
        return d @ of_e / np.sqrt((d @ of_d) * (e @ of_e))

    return compare


TEXTBOOK = {
    "cka": textbook_cka,
    "cka_angular": lambda x, y: 1 - np.arccos(textbook_cka(x, y)) / (np.pi / 2),
    "cka_debiased": textbook_cka_debiased,
    "cka_rbf_0.2": lambda x, y: textbook_cka_rbf(x, y, 0.2),
    "cka_rbf_0.4": lambda x, y: textbook_cka_rbf(x, y, 0.4),
    "cka_rbf_0.8": lambda x, y: textbook_cka_rbf(x, y, 0.8),
    "hsic": lambda x, y: (
        np.sum(double_centred(x @ x.T) * double_centred(y @ y.T)) / (len(x) - 1) ** 2
    ),
    "nbs": textbook_nbs,
    "procrustes_angular": lambda x, y: 1 - np.arccos(min(1, textbook_nbs(x, y))) / (np.pi / 2),
    "procrustes_distance": textbook_distance,
    "procrustes_normalised": lambda x, y: np.sqrt(2 - 2 * textbook_nbs(x, y)),
    "linreg": textbook_linreg,
    "linreg_reverse": lambda x, y: textbook_linreg(y, x),
    "linreg_symmetric": lambda x, y: (textbook_linreg(x, y) + textbook_linreg(y, x)) / 2,
    "linreg_cv": lambda x, y: textbook_cross_validated(x, y, lambda: LinearRegression(tol=1e-15)),
    "ridge_100": textbook_ridge,
    "ridge_cv_100": textbook_ridge_cv,
    "ridge_cv_tuned": textbook_ridge_cv_tuned,
    "ridge_cv_pearson_100": lambda x, y: textbook_pearson(x, y, lambda: Ridge(100, solver="svd")),
    "pls_cv_pearson_3": lambda x, y: textbook_pearson(
        x, y, lambda: PLSRegression(3, scale=False, max_iter=100_000, tol=1e-26)
    ),
    "rsa_euclidean_cosine": rsa("sqeuclidean", cosine),
    "rsa_euclidean_pearson": rsa("sqeuclidean", lambda a, b: pearsonr(a, b).statistic),
    "rsa_euclidean_spearman": rsa("sqeuclidean", lambda a, b: spearmanr(a, b).statistic),
    "rsa_correlation_cosine": rsa("correlation", cosine),
    "rsa_correlation_pearson": rsa("correlation", lambda a, b: pearsonr(a, b).statistic),
    "rsa_euclidean_whitened_pearson": whitened("sqeuclidean", centre=True),
    "rsa_correlation_whitened_cosine": whitened("correlation"),
    "rsa_correlation_whitened_pearson": whitened("correlation", centre=True),
    "cca": lambda x, y: textbook_cca(x, y, 1),
    "cca_r2": lambda x, y: textbook_cca(x, y, 2),
    "svcca": lambda x, y: textbook_cca(x, y, 1, 0.99),
    "svcca_r2": lambda x, y: textbook_cca(x, y, 2, 0.99),
    "svcca_0.9": lambda x, y: textbook_cca(x, y, 1, 0.9),
    "svcca_r2_0.9": lambda x, y: textbook_cca(x, y, 2, 0.9),
    "pwcca": textbook_pwcca,
    "ensd": textbook_ensd,
    "soft_matching": textbook_soft_matching,
    "permutation_matching": textbook_permutation_matching,
    "distance_correlation": textbook_distance_correlation,
    "mutual_knn_10": textbook_mutual_knn,
}


@pytest.mark.parametrize(("name", "case"), CASES_OF_MEASURES)
def test_equals_textbook_form(name, case):
    measure = load(name)
    assert measure.name in TEXTBOOK, f"enter the textbook form of {measure.name!r} in TEXTBOOK"
    x, y = CASES[case]
    expected = TEXTBOOK[measure.name](x.numpy(), y.numpy())
    assert score(measure, x, y).item() == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rsa_euclidean_whitened_cosine", 0.51143948),
        ("rsa_euclidean_whitened_pearson", 0.40260891),
        ("rsa_correlation_whitened_cosine", 0.38291161),
        ("rsa_correlation_whitened_pearson", 0.2601616),
    ],
)
def test_whitened_distances_compare_as_in_rsatoolbox(name, expected):
    """Values of `compare_cosine_cov_weighted` and `compare_correlation_cov_weighted`, 0.3.2."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 6))
    y = x @ rng.normal(size=(6, 5)) + rng.normal(size=(20, 5))
    found = registry.load(name).score(torch.from_numpy(x), torch.from_numpy(y))
    assert found.item() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("share", ["0.3", "0.5", "0.75", "0.95", "0.999"])
def test_svcca_keeps_the_share_of_the_variance_that_its_id_names(share):
    for x, y in (CASES["tall"], CASES["widths"], CASES["y of low rank"]):
        for name, power in ((f"svcca_{share}", 1), (f"svcca_r2_{share}", 2)):
            expected = textbook_cca(x.numpy(), y.numpy(), power, float(share))
            assert score(registry.load(name), x, y).item() == pytest.approx(expected, rel=1e-8)
    for plain in ("svcca", "svcca_r2"):
        found, named = (registry.load(name) for name in (plain, f"{plain}_0.99"))
        assert score(found, x, y) == score(named, x, y)
        assert "99 %" in named.formula
        assert named.formula == found.formula


def test_canonical_correlations_are_those_of_scikit_learn():
    x, y = CASES["tall"]
    model = CCA(n_components=6, max_iter=50_000, tol=1e-14).fit(x.numpy(), y.numpy())
    pairs = zip(*(side.T for side in model.transform(x.numpy(), y.numpy())), strict=True)
    correlations = [pearsonr(a, b).statistic for a, b in pairs]
    assert load("cca").score(x, y).item() == pytest.approx(np.mean(correlations), rel=1e-4)


# --- values of independent implementations

# Compared with their textbook forms only.
WITHOUT_REFERENCE_VALUES = {
    "linreg_reverse",
    "ridge_cv_tuned",
    "pls_cv_pearson_25",
    "ridge_cv_pearson_100",
    "svcca_0.9",
    "svcca_r2_0.9",
    "rsa_euclidean_whitened_pearson",
    "rsa_correlation_whitened_cosine",
    "rsa_correlation_whitened_pearson",
}


def reference_entries(folder, reference):
    """Yield input's name, X, Y and value, wherever all of them are known."""
    entries = json.loads((folder / "reference.json").read_text())[reference]
    for name, entry in entries.items():
        path = folder / "inputs" / f"{name}.npz"
        if path.exists() and entry["value"] is not None:
            arrays = np.load(path)
            yield name, *(torch.from_numpy(arrays[key]) for key in "XY"), entry["value"]


def test_equals_independent_implementations(reference_values, subtests):
    ids = reference_ids(reference_values)
    assert set(NAMES) - set(ids) == WITHOUT_REFERENCE_VALUES, (
        "enter a measure in REFERENCE_IDS (tests/helpers/reference_ids.py) if the reference "
        "values have it, and in WITHOUT_REFERENCE_VALUES otherwise"
    )
    for name, (theirs, convert) in ids.items():
        measure = registry.load(name)
        compared = 0
        for case, x, y, value in reference_entries(reference_values, theirs):
            with subtests.test(measure=name, input=case):
                expected = convert(value)
                assert score(measure, x, y).item() == pytest.approx(expected, rel=1e-8)
                single = score(measure, x.float(), y.float()).item()
                assert single == pytest.approx(expected, rel=1e-4)
            compared += 1
        assert compared >= 5, name


@pytest.mark.parametrize(("theirs", "predict"), HELD_OUT.values(), ids=HELD_OUT)
def test_held_out_correlations_equal_independent_implementations(reference_values, theirs, predict):
    """Theirs is the mean over neurons, of which our measures take the median."""
    compared = 0
    for name, x, y, value in reference_entries(reference_values, theirs):
        found = held_out_correlations(x, y, predict).mean().item()
        assert found == pytest.approx(value, rel=1e-8), name
        compared += 1
    assert compared >= 5


# --- identities between the measures


def test_bures_similarity_is_a_multiple_of_cka():
    """NBS² = R·CKA/√(PR(X) PR(Y)) with R = ‖XᵀY‖²_*/‖XᵀY‖²_F; PR is ensd(x, x)."""
    x, y = (matrix - matrix.mean(0) for matrix in CASES["widths"])
    s = torch.linalg.svdvals(x.T @ y)
    cka, nbs, ensd = (registry.load(name) for name in ("cka", "nbs", "ensd"))
    shared = s.sum() ** 2 / (s**2).sum()
    ratios = (ensd.score(x, x) * ensd.score(y, y)).sqrt()
    expected = (shared * cka.score(x, y) / ratios).item()
    assert nbs.score(x, y).item() ** 2 == pytest.approx(expected)


def test_participation_ratio_is_the_shared_dimension_of_data_with_itself():
    x = CASES["tall"][0]
    eigenvalues = torch.linalg.svdvals(x - x.mean(0)) ** 2
    expected = (eigenvalues.sum() ** 2 / (eigenvalues**2).sum()).item()
    assert registry.load("ensd").score(x, x).item() == pytest.approx(expected)


def test_angular_forms_are_functions_of_what_they_are_named_after():
    x, y = CASES["tall"]
    for angular, plain in (("procrustes_angular", "nbs"), ("cka_angular", "cka")):
        value = registry.load(plain).score(x, y).item()
        found = registry.load(angular).score(x, y).item()
        assert found == pytest.approx(1 - math.acos(value) / (math.pi / 2))


def test_cka_is_the_cosine_of_centred_distances():
    """RSA with double-centred squared distances (the published rsa-correlation-corr) is CKA."""
    x, y = CASES["widths"]
    k, m = (double_centred(cdist(z, z, "sqeuclidean")) for z in (x.numpy(), y.numpy()))
    assert registry.load("cka").score(x, y).item() == pytest.approx(cosine(k, m))


def test_distances_follow_from_similarities():
    x, y = CASES["widths"]
    energy_x, energy_y = Reference(x).squared_norm, Reference(y).squared_norm
    nbs = registry.load("nbs").score(x, y)
    expected = (energy_x + energy_y - 2 * nbs * (energy_x * energy_y).sqrt()).sqrt()
    assert registry.load("procrustes_distance").score(x, y).item() == pytest.approx(expected.item())
    hsic = registry.load("hsic")
    cka = hsic.score(x, y) / (hsic.score(x, x) * hsic.score(y, y)).sqrt()
    assert registry.load("cka").score(x, y).item() == pytest.approx(cka.item())


@pytest.mark.parametrize("name", ["linreg", "cca", "cca_r2", "pwcca"])
def test_what_any_linear_map_leaves_alone_is_constant_in_wide_data(name):
    """Kornblith et al. 2019, theorem 1: with p, q ≥ n − 1 the score is 1 whatever X and Y are."""
    for seed in range(3):
        x, y = draw(12, 11, seed=seed), draw(12, 15, seed=seed + 10)
        with pytest.warns(registry.SaturatedScoreWarning, match="1 regardless of the data"):
            assert registry.load(name).score(x, y).item() == pytest.approx(1)


def test_folds_are_those_of_scikit_learn():
    for n in (5, 7, 100, 103):
        theirs = [(test[0], test[-1] + 1) for _, test in KFold(5).split(np.zeros(n))]
        assert fold_bounds(n) == theirs


GROUPED = [name for name in NAMES if load(name).cross_validated]


def labels(n, n_groups, seed=0):
    return np.random.default_rng(seed).integers(n_groups, size=n)


@pytest.mark.parametrize("n_groups", [2, 3, 5, 6, 17])
@pytest.mark.parametrize("seed", range(3))
def test_folds_of_groups_are_those_of_scikit_learn(n_groups, seed):
    groups = labels(60, n_groups, seed)
    n_folds = min(5, len(set(groups)))
    theirs = [test for _, test in GroupKFold(n_folds).split(groups, groups=groups)]
    folds = grouped_folds([f"condition {group:02d}" for group in groups])
    ours = [folds.order[start:stop].numpy() for start, stop in folds.bounds]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.sort(mine), other)


def textbook_grouped(name, x, y, groups):
    """Score held-out groups with scikit-learn, also where the penalty is tuned on inner groups."""

    def splits(x, groups):
        return list(GroupKFold(min(5, len(set(groups)))).split(x, groups=groups))

    def held_out(x, y, splits, make):
        scores = []
        for train, test in splits:
            residual = x[test] - make().fit(y[train], x[train]).predict(y[test])
            scores.append(1 - np.sum(residual**2) / np.sum((x[test] - x[train].mean(0)) ** 2))
        return np.mean(scores)

    def tuned(train):
        x_train, y_train = x[train], y[train]
        inner = splits(x_train, groups[train])
        level = np.sum(centred(y_train) ** 2) / min(y.shape[1], len(train))
        penalties = [factor * level for factor in TUNING_GRID]
        found = [
            held_out(x_train, y_train, inner, partial(Ridge, penalty, solver="svd"))
            for penalty in penalties
        ]
        return Ridge(penalties[np.argmax(found)], solver="svd")

    outer = splits(x, groups)
    if name == "ridge_cv_tuned":
        return np.mean([held_out(x, y, [split], partial(tuned, split[0])) for split in outer])
    if "pearson" in name:
        make = PLSRegression(3, scale=False, max_iter=100_000, tol=1e-26)
        make = make if name.startswith("pls") else Ridge(100, solver="svd")
        correlations = [
            [
                pearsonr(a, b).statistic
                for a, b in zip(x[s].T, make.fit(y[t], x[t]).predict(y[s]).T, strict=True)
            ]
            for t, s in outer
        ]
        return np.median(np.mean(correlations, axis=0))
    make = LinearRegression(tol=1e-15) if name == "linreg_cv" else Ridge(100, solver="svd")
    return held_out(x, y, outer, lambda: make)


@pytest.mark.parametrize("n_groups", [4, 9])
@pytest.mark.parametrize("name", GROUPED)
def test_cross_validation_over_groups_equals_scikit_learn(name, n_groups):
    x, y = draw(60, 6), draw(60, 6) @ draw(6, 5, seed=1) + draw(60, 5, seed=2)
    groups = labels(60, n_groups)
    measure = load(name)
    expected = textbook_grouped(measure.name, x.numpy(), y.numpy(), groups)
    found = measure.score(x, y, groups=groups)
    assert found.item() == pytest.approx(expected, rel=1e-8)
    assert measure.against(x, groups)(y[None]).item() == pytest.approx(expected, rel=1e-8)
    assert measure.between([x], [y], groups).item() == pytest.approx(expected, rel=1e-8)
    orders = [torch.from_numpy(np.random.default_rng(1).permutation(60))]
    shuffled = textbook_grouped(
        measure.name, x[torch.argsort(orders[0])].numpy(), y.numpy(), groups
    )
    assert measure.reordered(x, y, orders, groups).item() == pytest.approx(shuffled, rel=1e-8)


@pytest.mark.parametrize("name", ["ridge_cv_100", "ridge_cv_tuned", "linreg_cv"])
def test_repeats_of_a_condition_do_not_stand_on_both_sides_of_a_fold(name):
    """60 images four times: whichever way the rows are sorted, an unrelated model predicts none."""
    images, model = draw(60, 10), draw(60, 30, seed=1)
    by_repeat = torch.arange(60).repeat(4)
    by_image = torch.arange(60).repeat_interleave(4)
    noise = 0.1 * draw(240, 10, seed=2)
    measure = load(name)
    scores = []
    for image in (by_repeat, by_image):
        x = images[image] + noise[torch.argsort(torch.argsort(image, stable=True))]
        scores.append(measure.score(x, model[image], groups=image).item())
    assert scores[0] < 0.05
    assert scores[0] == pytest.approx(scores[1], rel=1e-9)
    assert measure.score(images[by_repeat] + noise, model[by_repeat]).item() > 0.3


def test_groups_that_cannot_be_used_are_refused():
    x, y = draw(20, 3), draw(20, 3, seed=1)
    with pytest.raises(ValueError, match="a group for each of 20 samples, got 19 groups"):
        load("cka").score(x, y, groups=range(19))
    with pytest.raises(ValueError, match="at least 2 groups for cross-validation, got 1"):
        load("ridge_cv_100").score(x, y, groups=[0] * 20)
    with pytest.raises(ValueError, match="at least 2 groups for cross-validation, got 1"):
        load("ridge_cv_tuned").score(x, y, groups=[0, 1] * 10)
    assert load("cka").score(x, y, groups=range(20)) == load("cka").score(x, y)


def test_neighbours_that_tie_share_the_last_places():
    """Rows that equal each other are equally near: the order of rows must not decide."""
    x = draw(12, 4).repeat_interleave(3, dim=0)
    y = draw(12, 4, seed=1).repeat(3, 1)
    measure = load("mutual_knn_4")
    found = measure.score(x, y).item()
    for seed in range(5):
        order = torch.randperm(36, generator=torch.Generator().manual_seed(seed))
        assert measure.score(x[order], y[order]).item() == pytest.approx(found, abs=1e-12)
        assert measure.score(x[order], x[order]).item() == pytest.approx(1, abs=1e-12)


def overlap_of_neighbours(x, y, k):
    """Return mutual k-NN from all cosines, row by row."""
    weights = []
    for side in (x.numpy(), y.numpy()):
        unit = side / np.linalg.norm(side, axis=1, keepdims=True)
        of_side = np.zeros((len(unit), len(unit)))
        for row, cosines in enumerate(unit @ unit.T):
            cosines[row] = -np.inf
            last = np.sort(cosines)[-k]
            nearer, tied = cosines > last + 1e-12, np.abs(cosines - last) <= 1e-12
            of_side[row] = nearer + tied * (k - nearer.sum()) / tied.sum()
        weights.append(of_side)
    return np.minimum(*weights).sum() / (k * len(x))


@pytest.mark.parametrize("n_ties", [1, 3, 40])
def test_neighbours_of_selections_equal_those_of_all_cosines(n_ties):
    """With more ties, or more samples left out, than there are in the lists of the nearest."""
    x, y = (draw(120, 5, seed=seed).repeat_interleave(n_ties, dim=0)[:120] for seed in (0, 1))
    y, measure = x[:, [1, 0, 2, 3]] + 0.5 * y[:, :4], load("mutual_knn_5")
    assert measure.score(x, y).item() == pytest.approx(overlap_of_neighbours(x, y, 5), abs=1e-12)
    orders = [torch.from_numpy(np.random.default_rng(seed).permutation(120)) for seed in (0, 1)]
    expected = [overlap_of_neighbours(x, y[rows], 5) for rows in orders]
    assert measure.reordered(x, y, orders).tolist() == pytest.approx(expected, abs=1e-12)
    # The nearest of a sample are left out together.
    of_sample = (x[:, 0].argsort().argsort() // 30) if n_ties == 1 else torch.arange(120) // 30
    parts = Parts(measure, x, y, of_sample, torch.arange(5))
    for left_out in ([], [0], [1, 3]):
        kept = ~torch.isin(of_sample, torch.tensor(left_out))
        chosen = [[], [2], [0, 4]]
        expected = [
            overlap_of_neighbours(
                x[kept][:, [each for each in range(5) if each not in columns]], y[kept], 5
            )
            for columns in chosen
        ]
        assert parts.without(left_out, chosen) == pytest.approx(expected, abs=1e-12)


def test_neighbours_do_not_depend_on_how_many_samples_are_compared_at_once(monkeypatch):
    x, y = draw(50, 6), draw(2, 50, 6, seed=1)
    together = load("mutual_knn_4").score(x, y)
    monkeypatch.setattr(neighbours, "BLOCK", 7 * 50)
    assert load("mutual_knn_4").score(x, y).tolist() == pytest.approx(together.tolist(), abs=1e-12)


@pytest.mark.parametrize("groups", [None, labels(43, 7)])
@pytest.mark.parametrize("shape", [(43, 6, 4), (43, 12, 30), (43, 40, 30), (43, 50, 60)])
def test_held_out_ridge_is_the_same_from_one_factorisation_and_from_one_per_fold(shape, groups):
    n, p, q = shape
    folds = contiguous_folds(n) if groups is None else grouped_folds(groups)
    x, y = draw(n, p), draw(2, n, q, seed=1).requires_grad_()
    reference = Reference(folds.arrange(x), folds)
    found = []
    for held_out_r2 in (held_out_r2_by_samples, held_out_r2_by_neurons):
        scores = held_out_r2(Pair(reference, folds.arrange(y)), 3.0)
        (gradient,) = torch.autograd.grad(scores[0] + 2 * scores[1], y)
        found.append((scores.detach(), gradient))
    torch.testing.assert_close(found[0], found[1], rtol=1e-11, atol=1e-13)
    kept = kept_held_out_r2(reference, Reference(folds.arrange(y[1]).detach(), folds), 3.0)
    assert kept.item() == pytest.approx(found[0][0][1].item(), rel=1e-11)

    def score_of(y):
        return held_out_r2_by_samples(Pair(reference, folds.arrange(y)), 3.0)

    expected = central_differences(score_of, y.detach())
    expected[1] *= 2
    torch.testing.assert_close(found[0][1], expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("shape", [(30, 9), (1, 5), (2, 40, 36), (2, 3, 20, 25), (4, 0)])
def test_symmetric_product_is_the_product_in_any_layout(shape):
    y = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    every_second = torch.stack([y, y], -1).flatten(-2)[..., ::2]
    repeated = y[..., :1, :].expand_as(y)
    torch.testing.assert_close(symmetric_product(repeated), repeated.mT @ repeated)
    for values in (y, y.mT.contiguous().mT, every_second, y.float(), y.clone().requires_grad_()):
        product = symmetric_product(values)
        assert product.dtype == values.dtype
        rounding = 1e-13 if values.dtype == torch.float64 else 1e-5
        torch.testing.assert_close(product.double(), y.mT @ y, rtol=rounding, atol=10 * rounding)
        assert torch.equal(product, product.mT)


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("n_threads", ["1", "4"])
def test_a_product_is_that_of_pytorch_in_any_layout(batch, n_threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
    monkeypatch.setattr(products, "numpy_has_one_thread", numpy_has_one_thread.__wrapped__)
    assert numpy_has_one_thread.__wrapped__() == (n_threads == "1")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(*batch, 20, 7, generator=generator, dtype=torch.float64)
    every_second = torch.stack([y, y], -1).flatten(-2)[..., ::2]
    repeated = y[..., :1, :].expand_as(y)
    for values in (y, y.mT.contiguous().mT, every_second, repeated, y.clone().requires_grad_()):
        torch.testing.assert_close(product(x.mT, values), x.mT @ values.detach())
        assert not product(x.mT, values).requires_grad
    assert product(x.float().mT, y.float()).dtype == torch.float32


def test_a_cross_product_has_the_gradients_of_both_sides_and_second_ones():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cross_product, (x, y))
    assert torch.autograd.gradcheck(cross_product, (x.clone().requires_grad_(), y))
    assert torch.autograd.gradgradcheck(lambda values: cross_product(x, values).square(), (y,))


def test_the_form_of_held_out_ridge_follows_the_shape():
    assert by_samples_is_faster(1080, 727, 727)
    assert by_samples_is_faster(270, 205, 205)
    assert not by_samples_is_faster(3200, 168, 168)
    assert not by_samples_is_faster(3950, 141, 141)
    assert kernels_are_faster(1080, 727, 727)
    assert kernels_are_faster(43, 40, 30)
    assert not kernels_are_faster(43, 12, 30)
    assert not kernels_are_faster(1000, 400, 400)


@pytest.mark.parametrize("shape", [(60, 8, 5), (60, 8, 40), (30, 5, 50)])
def test_tuned_ridge_of_any_width_equals_scikit_learn(shape):
    """Inner folds have more, or fewer, samples than Y has neurons."""
    n, p, q = shape
    y = draw(n, q, seed=1)
    x = y[:, :4] @ draw(4, p) + 2 * draw(n, p, seed=2)
    measure = load("ridge_cv_tuned")
    expected = textbook_ridge_cv_tuned(x.numpy(), y.numpy())
    assert measure.score(x, y).item() == pytest.approx(expected, rel=1e-9)
    orders = [torch.from_numpy(np.random.default_rng(seed).permutation(n)) for seed in range(2)]
    found = measure.reordered(x, y, orders).tolist()
    exchanged = [x[torch.argsort(order)].numpy() for order in orders]
    expected = [textbook_ridge_cv_tuned(each, y.numpy()) for each in exchanged]
    assert found == pytest.approx(expected, rel=1e-9)


def test_family_accepts_any_parameter():
    x, y = (matrix.numpy() for matrix in CASES["tall"])
    expected = {
        "ridge_cv_2.5": textbook_ridge_cv(x, y, 2.5),
        "ridge_cv_1000000": textbook_ridge_cv(x, y, 1e6),
        "ridge_0.5": textbook_ridge(x, y, 0.5),
        "cka_rbf_1.3": textbook_cka_rbf(x, y, 1.3),
        "mutual_knn_4": textbook_mutual_knn(x, y, 4),
    }
    for name, value in expected.items():
        measure = registry.load(name)
        assert measure.name == name
        assert measure.score(*CASES["tall"]).item() == pytest.approx(value, rel=1e-9)


def test_linreg_of_an_ill_conditioned_y_takes_the_safe_path():
    x = draw(30, 3)
    y = draw(30, 4, seed=1)
    y[:, 3] = y[:, 0] + 1e-5 * y[:, 3]
    expected = textbook_linreg(x.numpy(), y.numpy())
    measure = registry.load("linreg")
    assert measure.score(x, y).item() == pytest.approx(expected, rel=1e-8)
    assert torch.autograd.gradcheck(measure.against(x), (y.requires_grad_(),), eps=1e-9, rtol=1e-2)


def test_ridge_in_single_precision_at_a_scale_of_rates():
    x, y = draw(200, 300), 1000 * draw(200, 300, seed=1)
    measure = registry.load("ridge_cv_100")
    double = measure.score(x, y).item()
    assert measure.score(x.float(), y.float()).item() == pytest.approx(double, rel=1e-4)


def test_every_measure_of_the_method_is_there():
    assert {"cka", "hsic", "pwcca", "svcca_r2", "soft_matching", "linreg_cv"} <= set(NAMES)
    scored = set(NAMES) - set(DIFFERENTIABLE)
    assert scored == {
        "ridge_cv_tuned",
        "rsa_euclidean_spearman",
        "ensd",
        "soft_matching",
        "permutation_matching",
        "distance_correlation",
        "mutual_knn_10",
        "ridge_cv_pearson_100",
        "pls_cv_pearson_25",
    }
