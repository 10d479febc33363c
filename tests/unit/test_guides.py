"""Which scores of other measures are compatible with a high score: proven, derived, searched."""

import itertools

import numpy as np
import pandas as pd
import pytest

from helpers.ranges import SETTINGS, ranges, with_spectrum
from scorebounds.measures import registry
from scorebounds.ranges.guides import guides_of_other_pairs
from scorebounds.ranges.region import pair_range

NAMES = ["cka", "cka_angular", "nbs", "procrustes_angular", "linreg"]
RIDGE = dict.fromkeys(["outer_low", "outer_high"], np.nan) | {
    "dataset": "test",
    "given": "ridge_cv_1",
    "implied": "procrustes_angular",
    "level": 0.9,
    "low": 0.5,
    "high": 1.0,
    "verdict": "coupled",
}


@pytest.fixture(scope="module")
def x():
    return with_spectrum([0.5, 0.25, 0.15, 0.06, 0.04], n=40)


@pytest.fixture(scope="module")
def known(x):
    return pd.concat([ranges(x, "cka", "nbs").guides, pd.DataFrame([RIDGE])])


@pytest.fixture(scope="module")
def others(x, known):
    return guides_of_other_pairs(x, known, NAMES, "test", seed=0, settings=SETTINGS)


def test_every_ordered_pair_is_there_once(known, others):
    everything = pd.concat([known, others])
    pairs = list(zip(everything.given, everything.implied, strict=True))
    of_ridge = [("ridge_cv_1", "procrustes_angular"), ("ridge_cv_1", "nbs")]
    assert sorted(pairs) == sorted([*itertools.permutations(NAMES, 2), *of_ridge])
    assert list(others.columns) == list(known.columns)


def test_forms_of_a_measure_follow_exactly(known, others):
    low = pd.concat([known, others]).set_index(["given", "implied"]).low
    angular = 1 - np.arccos(0.9) / (np.pi / 2)
    cosine = np.cos(0.1 * np.pi / 2)
    for measure, form in (("cka", "cka_angular"), ("nbs", "procrustes_angular")):
        assert low[measure, form] == pytest.approx(angular)
        assert low[form, measure] == pytest.approx(cosine)
        for given in set(NAMES) - {measure, form}:
            as_form = 1 - np.arccos(low[given, measure]) / (np.pi / 2)
            assert low[given, form] == pytest.approx(as_form, abs=1e-9)
    assert low["ridge_cv_1", "nbs"] == pytest.approx(np.cos(0.5 * np.pi / 2))
    verdicts = others.set_index(["given", "implied"]).verdict
    assert verdicts["ridge_cv_1", "nbs"] == "not known"
    assert (verdicts.drop(("ridge_cv_1", "nbs")) != "not known").all()


def test_searched_guides_agree_with_searches_of_single_pairs(x, others):
    low = others.set_index(["given", "implied"]).low
    for a, b in (("linreg", "procrustes_angular"), ("cka_angular", "linreg")):
        for row in ranges(x, a, b).guides.itertuples():
            assert low[row.given, row.implied] == pytest.approx(row.low, abs=2e-3)
    # NBS is at most the root of linear regression.
    assert low["nbs", "linreg"] == pytest.approx(0.81, abs=1e-6)


def test_guides_respect_proven_bounds_and_end_at_the_score_of_x_itself(x, others):
    proven = others[others.outer_low.notna()]
    assert (proven.low >= proven.outer_low - 1e-6).all()
    # To the root of rounding, which arccos makes of it.
    assert others.high.to_numpy() == pytest.approx(1, abs=1e-7)
    for name in NAMES:
        assert registry.load(name).score(x, x).item() == pytest.approx(1, abs=1e-7)


def test_guide_need_not_be_a_value_of_the_grid(x):
    settings = {**SETTINGS, "reference_level": 0.85}
    found = pair_range(x, ("cka", "nbs"), "test", seed=0, settings=settings)
    (low,) = found.guides[found.guides.given == "cka"].low
    region = found.region.set_index(found.region.a_value.round(1)).attained_lower
    assert region[0.8] < low < region[0.9]


def test_measures_without_a_reduced_search_are_refused(x, known):
    with pytest.raises(ValueError, match="no reduced search takes 'svcca'"):
        guides_of_other_pairs(x, known, ["cka", "svcca"], "test", seed=0, settings=SETTINGS)
