"""Certified ends of NBS and CKA: weak duality, brute force, 40 digits, both directions."""

import mpmath
import numpy as np
import pytest

from helpers.ranges import SETTINGS, with_spectrum
from scorebounds.core.angular import to_angular
from scorebounds.ranges.bounds import outer_range
from scorebounds.ranges.branching import certify
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import START, UpperDual
from scorebounds.ranges.certified import certified_ends, certified_range
from scorebounds.ranges.linked_bounds import samples_of
from scorebounds.ranges.newton import make_stationary
from scorebounds.ranges.problem import PairProblem
from scorebounds.ranges.proven import BOUNDED, LINKED, proven_bounds
from scorebounds.ranges.quartic import largest_terms, smallest_terms, term
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import reach_upper

N_PAIRS = 20_000
SPECTRA = {
    "1/k": 1 / np.arange(1, 7),
    "geometric": 0.5 ** np.arange(5),
    "two steps": np.array([4.0, 4.0, 1.0, 1.0, 1.0]),
    "nearly one": np.array([1.0, 1e-3, 1e-6]),
}


def normalised(spectrum):
    spectrum = np.sort(spectrum)[::-1]
    return spectrum / spectrum.sum()


def random_spectrum(rng, n):
    return normalised(rng.random(n) ** rng.choice([1, 3, 8]) + 1e-6)


def random_multipliers(rng, n):
    sizes = np.exp(1.2 * rng.standard_normal((n, 2)) - [0, 0.5])
    return np.column_stack([0.3 + 0.7 * rng.standard_normal(n), sizes])


def random_blocks(rng, n, n_draws):
    """Return diagonals, off-diagonal entries and pairs of matrices with one turned pair."""
    diagonal = rng.random((n_draws, n)) ** rng.choice([1, 3, 8, 20], size=(n_draws, 1))
    diagonal /= diagonal.sum(1, keepdims=True)
    pair = np.sort(rng.permuted(np.tile(np.arange(n), (n_draws, 1)), axis=1)[:, :2], axis=1)
    share = rng.random(n_draws) ** rng.choice([0.1, 1, 3], size=n_draws)
    turned = np.sqrt(np.take_along_axis(diagonal, pair, 1).prod(1)) * share
    return diagonal, turned, pair


def scores_of_blocks(spectrum, diagonal, turned, pair):
    """Return CKA and NBS of matrices with one turned pair, from their definitions."""
    rows = np.arange(len(diagonal))
    matrix = diagonal[:, :, None] * np.eye(diagonal.shape[1])
    matrix[rows, pair[:, 0], pair[:, 1]] = matrix[rows, pair[:, 1], pair[:, 0]] = turned
    root = np.sqrt(spectrum)
    product = root[:, None] * matrix * root
    nbs = np.sqrt(np.clip(np.linalg.eigvalsh(product), 0, None)).sum(1)
    norms = np.linalg.norm(matrix, axis=(1, 2)) * np.linalg.norm(spectrum)
    return diagonal @ spectrum / norms, nbs


def test_no_matrix_with_a_turned_pair_exceeds_its_bound_for_any_multipliers():
    rng = np.random.default_rng(0)
    n_checked = 0
    while n_checked < N_PAIRS:
        spectrum = random_spectrum(rng, rng.integers(2, 9))
        dual = UpperDual(spectrum, 0.5, outside=bool(rng.integers(2)))
        n = len(dual.eigenvalues)
        diagonal, turned, pair = random_blocks(rng, n, 100)
        cka, nbs = scores_of_blocks(dual.eigenvalues, diagonal, turned, pair)
        trace = np.take_along_axis(diagonal, pair, 1).sum(1)
        others = diagonal.copy()
        np.put_along_axis(others, pair, 0, 1)
        single = others.max(1) > trace
        case = np.where(single, others.argmax(1), n + pair[:, 0] * (2 * n - pair[:, 0] - 1) // 2)
        case = np.where(single, case, case + pair[:, 1] - pair[:, 0] - 1)
        largest = np.maximum(others.max(1), trace)
        for row, multipliers in enumerate(random_multipliers(rng, 100)):
            dual.scaled_cka = cka[row] * np.linalg.norm(spectrum)
            width = rng.choice([1e-3, 0.02, 0.1])
            low = max(0.0, largest[row] - width * rng.random())
            cell = (low, min(1.0, max(low + width, largest[row])))
            second = 0.0 if single[row] else others[row].max()
            margins = rng.choice([0.01, 0.1, 1]) * rng.random(2)
            least = max(0.0, second - margins[0]) * (not single[row])
            cell += (least, min(1.0, second + margins[1]))
            bound = dual.bounds(multipliers, cell, case[row : row + 1], -np.inf)[0]
            assert nbs[row] <= bound + 1e-12
            n_checked += 1


def test_no_kept_components_fall_below_their_bound_for_any_multipliers():
    rng = np.random.default_rng(1)
    n_checked = 0
    while n_checked < N_PAIRS:
        spectrum = random_spectrum(rng, rng.integers(2, 9))
        r = len(spectrum)
        rank = int(r + rng.choice([0, 1, 4, 60]))
        level = np.sort(rng.random((100, rank)) ** rng.choice([1, 4]), axis=1)[:, ::-1]
        level = level / level.sum(1, keepdims=True)
        last = rng.integers(0, r, 100)
        share = rng.random(100) * rng.integers(0, 2, 100)
        kept = np.arange(r) < last[:, None]
        inside = np.where(kept, level[:, :r], 0)
        rows = np.arange(100)
        inside[rows, last] = share * level[rows, last]
        rho = np.linalg.norm(level, axis=1)
        cka = inside @ spectrum / (np.linalg.norm(spectrum) * rho)
        nbs = np.sqrt(inside * spectrum).sum(1)
        for row, multipliers in enumerate(random_multipliers(rng, 100)):
            dual = LowerDual(spectrum, cka[row], rank)
            cell = rho[row] * (1 - 0.02 * rng.random()), rho[row] * (1 + 0.02 * rng.random())
            width = rng.choice([0.05, 0.3, 1]) * rng.random(2)
            cell += max(0.0, share[row] - width[0]), min(1.0, share[row] + width[1])
            size = level[row, last[row]] * (last[row] + 1)
            width = rng.choice([0.02, 0.3, 1]) * rng.random(2)
            cell += max(0.0, size - width[0]), min(1.0, size + width[1])
            bound = -dual.bounds(multipliers, cell, last[row : row + 1], np.inf)[0]
            assert nbs[row] >= bound - 1e-12
            n_checked += 1


def test_terms_of_the_lagrangian_agree_with_a_fine_grid():
    rng = np.random.default_rng(2)
    for _ in range(200):
        root = np.sqrt(rng.random(1))
        beta, gamma = rng.standard_normal(1), np.exp(rng.standard_normal(1))
        limit = rng.random(1)
        values = term(root, beta, gamma, limit * np.linspace(0, 1, 4001))
        assert largest_terms(root, beta, gamma, limit)[0] == pytest.approx(values.max(), abs=1e-4)
        assert largest_terms(root, beta, gamma, limit)[0] >= values.max() - 1e-12
        assert smallest_terms(root, beta, gamma, limit)[0] == pytest.approx(values.min(), abs=1e-4)
        assert smallest_terms(root, beta, gamma, limit)[0] <= values.min() + 1e-12


def search_all_matrices(spectrum, cka, seed):
    """Return the largest NBS at a CKA of an augmented Lagrangian over all L, without structure."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    n, norm = len(spectrum), np.linalg.norm(spectrum)
    root, best = np.sqrt(spectrum)[:, None], -1.0

    def scores(factor):
        u, s, v = np.linalg.svd(root * factor, full_matrices=False)
        size, gram = np.linalg.norm(factor), factor.T @ factor
        spread, shared = np.linalg.norm(gram), (spectrum[:, None] * factor**2).sum()
        nbs, value = s.sum() / size, shared / (norm * spread)
        slope = root * (u @ v) / size - nbs * factor / size**2
        slope_cka = 2 * spectrum[:, None] * factor / (norm * spread)
        return nbs, slope, value, slope_cka - value * 2 * factor @ gram / spread**2

    for start in range(n + 4):
        factor = np.diag(np.sqrt(spectrum) + 0.05)
        if start < n:
            factor[start, start] += 3 * rng.random()
        factor = factor + 0.05 * rng.standard_normal((n, n))
        multiplier, penalty = 0.0, 10.0
        for _ in range(12):

            def objective(flat, multiplier=multiplier, penalty=penalty):
                nbs, slope, value, slope_cka = scores(flat.reshape(n, n))
                off = value - cka
                total = -nbs + multiplier * off + penalty / 2 * off**2
                return total, (-slope + (multiplier + penalty * off) * slope_cka).ravel()

            options = {"maxiter": 300, "ftol": 1e-15, "gtol": 1e-10}
            found = minimize(
                objective, factor.ravel(), jac=True, method="L-BFGS-B", options=options
            )
            factor = found.x.reshape(n, n) / np.linalg.norm(found.x)
            nbs, _, value, _ = scores(factor)
            multiplier += penalty * (value - cka)
            penalty = min(2 * penalty, 1e4)
        if abs(value - cka) < 1e-8:
            best = max(best, nbs)
    return best


@pytest.mark.parametrize("shares", [1 / np.arange(1, 7), 0.5 ** np.arange(5), 1 / np.arange(1, 9)])
@pytest.mark.parametrize("cka", [0.2, 0.6])
def test_one_turned_pair_attains_the_largest_nbs_of_all_matrices(shares, cka):
    spectrum = normalised(shares)
    searched = search_all_matrices(np.append(spectrum, 0), cka, seed=0)
    x = with_spectrum(spectrum.tolist())
    problem = PairProblem(x, ("cka", "nbs"), "test", 0, SETTINGS)
    (attained,), _ = problem.attained(("cka", "nbs"), np.array([cka]), 1, {})
    assert searched == pytest.approx(attained, abs=1e-5)
    dual = UpperDual(spectrum, cka, outside=True)
    goal = max(attained, searched) + 1e-3
    bound = certify(dual, goal, 1e-3, [START, reach_upper(dual).multipliers]).bound
    assert max(attained, searched) <= bound <= searched + 3e-3


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("form", ["nbs", "procrustes_angular"])
def test_certified_ends_are_within_the_tolerance_of_attained_ones(name, form):
    spectrum, grid = normalised(SPECTRA[name]), np.array([0.2, 0.5, 0.8])
    lower, upper = certified_range("cka", form, grid, spectrum, len(spectrum), tolerance=0.002)
    outer = outer_range("cka", form, grid, spectrum, len(spectrum))
    convert = to_angular if form == "procrustes_angular" else np.asarray
    for index, cka in enumerate(grid):
        highest = convert(reach_upper(UpperDual(spectrum, cka, outside=True)).score)
        lowest = convert(reach_lower(LowerDual(spectrum, cka, len(spectrum))).score)
        assert lower[index] - 1e-7 <= lowest
        assert highest <= upper[index] + 1e-7
        assert upper[index] - highest < 0.0022
        assert lowest - lower[index] < 0.0022
    assert (upper <= outer[1] + 0.002).all()
    assert (lower >= outer[0] - 0.002).all()


def test_a_bound_below_what_is_attained_is_never_certified():
    spectrum = normalised(SPECTRA["1/k"])
    dual = UpperDual(spectrum, 0.3, outside=True)
    reached, multipliers, _ = reach_upper(dual)
    bound = certify(dual, reached - 0.05, 0.01, [START, multipliers]).bound
    assert reached <= bound < reached + 0.01
    low = LowerDual(spectrum, 0.8, len(spectrum))
    least, multipliers, *_ = reach_lower(low)
    bound = -certify(low, -least - 0.05, 0.01, [low.start, multipliers]).bound
    assert least - 0.02 < bound <= least


def test_both_directions_of_cka_and_nbs_agree():
    spectrum = normalised(SPECTRA["1/k"])
    nbs = reach_upper(UpperDual(spectrum, 0.5, outside=True)).score
    (lower,), _ = certified_range("nbs", "cka", np.array([nbs]), spectrum, 6, ends=["lower"])
    (quick,), _ = outer_range("nbs", "cka", np.array([nbs]), spectrum, 6, quick=True)
    assert 0.48 < lower <= 0.5
    assert lower > quick + 0.05


@pytest.mark.parametrize("n_small", [9, 59, 400])
def test_a_rounded_cka_of_one_stays_within_the_bounds(n_small):
    # Y gives a share to the many small components of X: its CKA rounds to 1, its NBS is far below.
    with mpmath.workdps(40):
        share, small = mpmath.sqrt(n_small) * mpmath.mpf("1e-8"), mpmath.mpf("1e-14")
        x = [mpmath.mpf(1), *[small] * n_small]
        y = [1 - share, *[share / n_small] * n_small]
        x, y = ([each / sum(z) for each in z] for z in (x, y))
        shared = sum(a * b for a, b in zip(x, y, strict=True))
        norms = [mpmath.sqrt(sum(a * a for a in z)) for z in (x, y)]
        cka = shared / (norms[0] * norms[1])
        nbs = sum(mpmath.sqrt(a * b) for a, b in zip(x, y, strict=True))
        cka, nbs, spectrum = float(cka), float(nbs), np.array([float(a) for a in x])
    rank = len(spectrum)
    assert cka == 1
    assert nbs < 1 - 1e-8
    for lower, upper in (
        outer_range("cka", "nbs", np.array([cka]), spectrum, rank),
        outer_range("cka", "nbs", np.array([cka]), spectrum, rank, quick=True),
        certified_range("cka", "nbs", np.array([cka]), spectrum, rank),
    ):
        assert lower[0] <= nbs <= upper[0]
    for inverse in (outer_range, certified_range):
        lower, upper = inverse("nbs", "cka", np.array([nbs]), spectrum, rank)
        assert lower[0] <= cka <= upper[0]


@pytest.mark.parametrize("cka", [0.1, 0.5, 0.95])
def test_extremal_matrices_in_forty_digits_stay_within_the_bounds(cka):
    # X with one component enlarged until the CKA is met, as the theorem has it, in 40 digits.
    spectrum = normalised(0.5 ** np.arange(5))
    (low,), (high,) = certified_range("cka", "nbs", np.array([cka]), spectrum, 5)
    n_met = 0
    with mpmath.workdps(40):
        x = [mpmath.mpf(float(each)) for each in spectrum]

        def scores(share, component):
            y = [(1 - share) * each + share * (k == component) for k, each in enumerate(x)]
            norm = mpmath.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
            nbs = sum(mpmath.sqrt(a * b) for a, b in zip(x, y, strict=True))
            return sum(a * b for a, b in zip(x, y, strict=True)) / norm, nbs

        for component in range(5):
            lowest, highest = mpmath.mpf(0), mpmath.mpf(1)
            if scores(highest, component)[0] > cka:
                continue
            for _ in range(130):
                middle = (lowest + highest) / 2
                above = scores(middle, component)[0] > cka
                lowest, highest = (middle, highest) if above else (lowest, middle)
            n_met += 1
            assert low <= scores(highest, component)[1] <= high
    assert n_met > 0


def test_proven_bounds_hold_the_scores_of_data_and_need_no_work_to_be_valid():
    spectrum = normalised(SPECTRA["1/k"])
    for most_terms in (0, 1e5, np.inf):
        table = proven_bounds(spectrum, "cka", 0.8, most_terms=most_terms).set_index("measure")
        assert list(table.index)[:4] == [name for name in BOUNDED if name != "cka"]
        assert table.bound["nbs"] == ("certified" if most_terms == np.inf else "proven")
        reached = reach_upper(UpperDual(spectrum, 0.8, outside=True)).score
        assert table.low["nbs"] < reached <= table.high["nbs"]
        assert table.low["cka_angular"] == pytest.approx(to_angular(0.8))
    assert table.high["nbs"] < reached + 0.003


@pytest.mark.parametrize(("n", "rank"), [(6, 12), (12, 1079)])
def test_cka_given_nbs_is_certified_near_what_is_attained(n, rank):
    spectrum = normalised(1 / np.arange(1, n + 1))
    table = proven_bounds(spectrum, "nbs", 0.9, rank=rank).set_index("measure")
    assert table.bound["cka"] == table.bound["cka_angular"] == "certified"
    low, high = table.low["cka"], table.high["cka"]
    assert reach_upper(UpperDual(spectrum, low, outside=True)).score < 0.9
    assert reach_upper(UpperDual(spectrum, low + 0.005, outside=True)).score > 0.9
    assert reach_lower(LowerDual(spectrum, high, rank)).score > 0.9
    assert reach_lower(LowerDual(spectrum, high - 0.003, rank)).score < 0.9


def test_the_cka_at_a_small_nbs_is_certified_though_extremes_change_fast_there():
    spectrum = normalised(1 / np.arange(1, 31))
    found = certified_ends("nbs", "cka", np.array([0.3]), spectrum, 30, ends=["lower"])
    assert found.lower_is_tight[0]
    assert 0 < found.attained_lower[0] - found.lower[0] < 0.0025


def test_extremes_are_found_from_those_at_a_similar_cka():
    spectrum, rank = normalised(1 / np.arange(1, 21)), 30
    latest = {}
    for cka in (0.97, 0.977, 0.98):
        for dual, reach in (
            (UpperDual(spectrum, cka, outside=True), reach_upper),
            (LowerDual(spectrum, cka, rank), reach_lower),
        ):
            best = reach(dual)
            if reach in latest:
                assert reach(dual, latest[reach]).score == pytest.approx(best.score, abs=1e-3)
            latest[reach] = best


def test_what_is_reached_rises_with_cka():
    spectrum = normalised(1 / np.arange(1, 11))
    reached = [reach_upper(UpperDual(spectrum, cka, outside=True)).score for cka in (0.895, 0.9)]
    assert 0.9814 < reached[0] < reached[1]


def test_proven_bounds_of_linked_measures_are_there_in_both_directions():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((200, 12)) * np.arange(1, 13) ** -0.3
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x -= x.mean(0)
    spectrum = np.linalg.svd(x, compute_uv=False) ** 2
    facts = {"rank": 199, "samples": samples_of(x)}
    table = proven_bounds(spectrum, "cka", 0.95, **facts).set_index("measure")
    assert 0.5 < table.low["cka_debiased"] < 0.95
    assert np.isnan(table.high["cka_debiased"])
    assert set(table.bound[list(LINKED)]) == {"proven"}
    back = proven_bounds(spectrum, "rsa_euclidean_pearson", 0.98, **facts).set_index("measure")
    assert 0.1 < back.low["cka"] < 0.98
    assert np.isnan(back.high["cka"])
    ridge = proven_bounds(spectrum, "ridge_10", 0.9, **facts).set_index("measure")
    assert ridge.low["linreg"] == pytest.approx(0.9, abs=1e-6)
    without = proven_bounds(spectrum, "cka", 0.95, rank=199)
    assert "cka_debiased" not in set(without.measure)


def test_proven_bounds_refuse_what_they_do_not_know():
    with pytest.raises(
        ValueError, match=r"expected a measure with proven bounds .* got 'linreg_cv'"
    ):
        proven_bounds(np.ones(3), "linreg_cv", 0.5)
    with pytest.raises(ValueError, match=r"score of cka between 0 and 1, got 1\.2"):
        proven_bounds(np.ones(3), "cka", 1.2)


def test_newton_finds_where_slopes_vanish_and_keeps_points_that_no_step_improves():
    rng = np.random.default_rng(3)
    factors = rng.standard_normal((5, 3, 3))
    matrices = factors @ factors.transpose(0, 2, 1) + np.eye(3)
    target = 1 + rng.random((5, 3))

    def slopes(rows, at):
        return np.einsum("bij,bj->bi", matrices[rows], at**3 - target[rows] ** 3)

    found = make_stationary(slopes, target + 0.1, np.zeros(3))
    assert found == pytest.approx(target, abs=1e-6)
    start = np.ones((2, 3))
    stuck = make_stationary(lambda _rows, at: np.ones_like(at), start, np.zeros(3))
    assert stuck.tolist() == start.tolist()


def test_many_components_are_certified_to_the_tolerance():
    # The largest NBS enlarges a component far from those of a coarse list of starts.
    spectrum = normalised(np.exp(-np.arange(40) / 8))
    reached = reach_upper(UpperDual(spectrum, 0.1, outside=True)).score
    _, (upper,) = certified_range(
        "cka", "nbs", np.array([0.1]), spectrum, 40, tolerance=0.001, ends=["upper"]
    )
    assert reached <= upper <= reached + 0.0013
