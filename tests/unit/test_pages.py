"""The index of a run, and what the explorer takes from its tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from scorebounds.pages.charts import charts
from scorebounds.pages.explorer import explorer_page
from scorebounds.pages.explorer_data import explorer_data
from scorebounds.pages.index import index_page
from scorebounds.pages.possible import SCORES, possible_scores
from scorebounds.pages.profile import profile_page
from scorebounds.scorecards.curve import position_on_curve

REPORT = "# cortex\n\n| | |\n|---|---|\n| axes | 60 samples, 6 neurons |\n| unit | Hz |\n"
FILES = ["tables/thresholds.csv", "figures/thresholds.pdf", "figures/thresholds.png"]


def lines(page):
    text = re.sub(r"<li>(?:<a[^>]*>[^<]*</a>)?</li>", "", page)
    found = re.findall(r"(?s)<li>(.*?)</li>", text)
    return [" ".join(re.sub("<[^>]+>", "", line).split()) for line in found]


def test_index_has_a_line_and_a_link_for_each_result():
    files = [*FILES, "figures/capture/cortex.pdf", "figures/capture/cortex.csv", "explorer.html"]
    files += [f"profiles/cortex/net.{ending}" for ending in ("html", "pdf", "png", "csv")]
    page = index_page(files, {"cortex": REPORT})
    assert set(re.findall(r'href="([^"#]+)"', page)) == {*files, "data/cortex.md"}
    said = lines(page)
    assert "net: scores of all layers by every measure PDF, PNG, CSV" in said
    assert "cortex: 60 samples, 6 neurons; in Hz" in said
    assert "thresholds: score at which each component is captured PNG" in said
    assert "capture, cortex: components captured during optimisation CSV" in said
    assert any(line.startswith("thresholds: score at which each component is") for line in said)
    assert "Score cards" not in page


def profile(scores, above, *, higher_is_closer=True, null_mean=(0.1, 0.1, 0.1)):
    """Return a table of layers with names that look like numbers, and these names."""
    layers = {"net.0.1": "0.1", "net.0.10": "0.10", "net.2": "2"}
    verdict = [
        "better than chance" if each else "not distinguishable from chance" for each in above
    ]
    columns = {"score": scores, "verdict": verdict, "higher_is_closer": higher_is_closer}
    columns |= {"null_mean": null_mean, "score_calibrated": float("nan")}
    if higher_is_closer:
        by_chance = np.array(null_mean)
        columns["score_calibrated"] = (np.array(scores) - by_chance) / (1 - by_chance)
    empty = dict.fromkeys(("score_low", "score_high", "null_low", "null_high"), 0.0)
    return pd.DataFrame({"model": list(layers), "measure": "cka", **columns, **empty}), layers


@pytest.mark.parametrize(
    ("above", "rises", "closest"),
    [([1, 1, 1], True, "0.10"), ([1, 0, 1], True, "2"), ([1, 1, 1], False, "0.1")],
)
def test_closest_layer_is_named_among_those_better_than_chance(above, rises, closest):
    table, layers = profile([0.3, 0.9, 0.5], above, higher_is_closer=rises)
    page = profile_page(table, layers, b"picture", "cortex", "net")
    assert f"The layer of net closest to cortex relative to chance is {closest} (by 1 " in page
    names = re.findall(r'cortex/net[^"]+">([^<]+)</a>', page)
    assert names == ["0.1", "0.10", "2"]
    bold = re.findall(r'<tr>.*cortex/net[^"]+">([^<]+)</a></th>\n<td class="closest"', page)
    assert bold == [closest]


def test_a_wide_layer_is_not_the_closest_by_its_chance():
    table, layers = profile([0.3, 0.9, 0.5], [1, 1, 1], null_mean=(0.1, 0.88, 0.1))
    page = profile_page(table, layers, b"picture", "cortex", "net")
    assert "closest to cortex relative to chance is 2 (by 1 measure)" in page


def test_no_layer_is_named_where_none_is_better_than_chance():
    table, layers = profile([0.3, 0.9, 0.5], [0, 0, 0])
    page = profile_page(table, layers, b"picture", "cortex", "net")
    assert "No layer of net is distinguishable from chance by any measure." in page
    assert 'class="closest"' not in page


def test_index_quotes_the_names_of_users_in_links_and_text():
    page = index_page(["figures/capture/a b&c.pdf"], {"a<b": "| axes | 3 \\| <i> |\n"})
    assert 'href="figures/capture/a%20b%26c.pdf"' in page
    assert "<i>" not in page
    assert "a&lt;b" in page


def test_index_says_what_was_left_out_and_why():
    availability = pd.DataFrame(
        {
            "dataset": ["mante2013", "mante2013", "dyer2017", "zhang2011"],
            "status": ["left out", "left out", "left out", "used"],
            "reason": ["no network", "no network", "not in `datasets`", ""],
        }
    )
    page = index_page([], {}, availability=availability)
    assert lines(page) == ["mante2013: no network"]


@pytest.mark.parametrize(
    ("file", "said"),
    [("tables/new.csv", "'new'"), ("figures/new.pdf", "'new'"), ("figures/new/a.pdf", "'new'")],
)
def test_index_refuses_a_result_that_nothing_describes(file, said):
    with pytest.raises(ValueError, match=said):
        index_page([file], {})


def known_range(lower, upper, n_grid=11, n_curve=101):
    """Return tables of a range whose ends are functions of a."""
    a_value = np.linspace(0, 1, n_grid)
    ends = {"attained_lower": lower(a_value), "attained_upper": upper(a_value)}
    ranges = pd.DataFrame({"a": "cka", "b": "nbs", "a_value": a_value, **ends})
    a_value = np.linspace(0, 1, n_curve)
    ends = {"certified_lower": lower(a_value), "certified_upper": upper(a_value)}
    return ranges, pd.DataFrame({"a": "cka", "b": "nbs", "a_value": a_value, **ends})


def test_ranges_are_read_in_both_directions():
    ranges, bounds = known_range(lambda a: a**2, np.sqrt)
    found = possible_scores(ranges, bounds, ["cka", "nbs"])
    assert set(found) == {("cka", "nbs"), ("nbs", "cka")}
    forward = found["cka", "nbs"]
    assert forward.proven_low == pytest.approx(SCORES**2)
    assert forward.proven_high == pytest.approx(np.sqrt(SCORES))
    assert forward.searched.sum() == 11
    assert forward.attained_low[::10] == pytest.approx(SCORES[::10] ** 2)
    back = found["nbs", "cka"]
    # No possible pair is left out, and none is added that is further off than a step of the curve.
    assert (back.proven_low <= SCORES**2 + 1e-9).all()
    assert (back.proven_low >= SCORES**2 - 0.0101).all()
    assert (back.proven_high >= np.sqrt(SCORES) - 1e-9).all()
    assert (back.proven_high <= np.sqrt(SCORES) + 0.0101).all()
    assert not back.searched.any()


def test_angular_forms_follow_from_the_searched_measure():
    ranges, bounds = known_range(lambda a: a**2, np.sqrt)
    found = possible_scores(ranges, bounds, ["cka", "cka_angular", "procrustes_angular"])
    exact = found["cka", "cka_angular"]
    assert exact.attained_low == pytest.approx(1 - np.arccos(SCORES) * 2 / np.pi)
    assert np.array_equal(exact.proven_low, exact.proven_high)
    ends = found["cka", "procrustes_angular"]
    assert ends.proven_low == pytest.approx(1 - np.arccos(SCORES**2) * 2 / np.pi)
    # 0.5 on the angular scale is cos(π / 4), between two values of the curve.
    high = found["cka_angular", "procrustes_angular"].proven_high[50]
    at_least = 1 - np.arccos(np.sqrt(np.cos(np.pi / 4))) * 2 / np.pi
    assert at_least <= high <= at_least + 0.01


def test_attained_ends_stay_within_the_proven_ones():
    ranges, bounds = known_range(lambda a: np.sqrt(a) / 2, lambda a: 1 - (1 - a) ** 2 / 2)
    ends = possible_scores(ranges, bounds, ["cka", "nbs"])["cka", "nbs"]
    # Between the values of the grid, a chord of the lower end lies outside.
    assert (np.interp(SCORES, ranges.a_value, ranges.attained_lower) < ends.proven_low - 1e-3).any()
    assert (ends.attained_low >= ends.proven_low).all()
    assert (ends.attained_high <= ends.proven_high).all()


def test_without_a_bound_only_the_attained_range_is_known():
    ranges, bounds = known_range(lambda a: a * 0, lambda a: a)
    bounds = bounds.assign(certified_lower=np.nan, certified_upper=np.nan)
    found = possible_scores(ranges, bounds, ["cka", "nbs"])
    for ends in found.values():
        assert np.isnan(ends.proven_low).all()
        assert np.isfinite(ends.attained_high).all()
    assert found["nbs", "cka"].attained_low == pytest.approx(SCORES, abs=1e-3)


@pytest.fixture
def tables():
    seeds = pd.DataFrame(
        [
            ("pc", target, seed, score)
            for target, scores in CAPTURED.items()
            for seed, score in scores
        ],
        columns=["kind", "target", "seed", "score"],
    ).assign(dataset="cortex", measure="cka")
    thresholds = pd.DataFrame(
        {
            "dataset": "cortex",
            "measure": "cka",
            "kind": ["pc", "pc", "pc", "variable"],
            "target": ["1", "2", "3", "choice"],
            "variance_ratio": [0.6, 0.3, 0.1, 0.2],
            "n_seeds": 2,
            "score_all": [0.3, 0.8, np.nan, 0.75],
        }
    )
    decoding = pd.DataFrame(
        {
            "dataset": "cortex",
            "measure": "cka",
            "target": "choice",
            "score": [0.1, 0.9],
            "accuracy_mean": [0.5, 0.9],
            "accuracy_low": [0.4, 0.8],
            "accuracy_high": [0.6, 1.0],
        }
    )
    return {"thresholds": thresholds, "seed_thresholds": seeds, "decoding": decoding}


CAPTURED = {"1": [(0, 0.2), (1, 0.3)], "2": [(0, 0.8), (1, 0.6)], "3": [(0, 0.9), (1, np.nan)]}


def test_explorer_has_the_scores_of_the_first_and_of_the_last_seed(tables):
    found = explorer_data(tables)["datasets"]["cortex"]
    assert found["shares"] == [0.6, 0.3, 0.1]
    assert found["captured"]["cka"]["any"] == [0.2, 0.6, 0.9]
    assert found["captured"]["cka"]["all"] == [0.3, 0.8, None]
    assert found["captured"]["cka"]["n_seeds"] == 2
    assert found["variables"]["cka"]["choice"]["curve"]["mean"] == [0.5, 0.9]
    card = position_on_curve(0.8, tables["thresholds"], higher_is_closer=True)
    assert card["pcs_at_score"] == sum(score is not None for score in [0.3, 0.8])


def test_explorer_names_measures_that_do_not_run_up_to_one(tables):
    of_hsic = tables["thresholds"].assign(measure="hsic")
    found = explorer_data({"thresholds": pd.concat([tables["thresholds"], of_hsic])})
    assert found["off_scale"] == ["HSIC"]
    assert found["datasets"]["cortex"]["measures"] == ["cka"]


def test_explorer_without_anything_to_show_says_what_to_do():
    with pytest.raises(ValueError, match="add one of these to `analyses`"):
        explorer_page({})


def test_explorer_keeps_the_names_of_users_out_of_the_script(tables):
    name = "</script><b>"
    page = explorer_page({"thresholds": tables["thresholds"].assign(dataset=name)})
    assert "</script><b>" not in page
    (data,) = re.findall(r'(?s)<script id="data" type="application/json">(.*?)</script>', page)
    assert list(json.loads(data)["datasets"]) == [name]
    assert len(page.encode()) < 2_000_000
    # Addresses in the code of the library are names, such as that of SVG; nothing is loaded.
    assert not re.findall(r'(?:src|href)="https?:', page)


def test_every_source_of_a_chart_is_filled_by_the_page():
    spec = json.dumps(charts())
    named = set(re.findall(r'"data": {"name": "(\w+)"}', spec))
    assert named == {
        "ladder",
        "ladder_shades",
        "ladder_marks",
        "ladder_models",
        "components",
        "variables",
        "possible",
    }
