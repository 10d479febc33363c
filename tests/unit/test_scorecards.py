"""Score cards: chance, interval, ceiling and verdict, against closed forms and known models."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from helpers.workflow import ROOT
from scorebounds.core.tables import read_table
from scorebounds.datasets.made import simulated_pfc
from scorebounds.measures import registry
from scorebounds.scorecards.inference import (
    ResamplingSettings,
    explained_components,
    jackknife_replicates,
    noise_ceiling,
    null_scores,
    score_model,
)
from scorebounds.scorecards.jackknife import (
    COMPARISON_COLUMNS,
    ci_half_width,
    compare,
    comparisons_of,
)
from scorebounds.scorecards.matching import Matched
from scorebounds.scorecards.page import scorecard_page
from scorebounds.scorecards.verdicts import (
    CHANCE,
    PERFECT,
    UNDEFINED,
    allowed_scores,
    interpret,
    position_on_curve,
)

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
MEASURES = [name for name in CONFIG["measures"] if name != "ridge_cv_tuned"]
THRESHOLDS = pd.DataFrame(columns=["measure", "kind", "target", "variance_ratio", "score_mean"])


def matched_pair(x, y):
    x, y = (a if a.ndim == 3 else a[None] for a in (x, y))
    return Matched(x, y, np.arange(x.shape[1]))


@pytest.fixture(scope="module")
def pfc():
    """Simulated recording of 30 neurons."""
    shares = CONFIG["simulated-pfc"]["variance_shares"]
    return simulated_pfc.make(np.random.default_rng(0), n_neurons=30, variance_shares=shares).values


def test_the_mean_of_shuffled_cka_is_its_closed_form():
    # METHOD, section 9: √(PR(X) PR(Y)) / (n − 1) for the biased estimate, samples shuffled.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 12)) * np.arange(1, 13)
    y = rng.normal(size=(60, 7)) * np.arange(1, 8)

    def participation(a):
        values = np.linalg.svd(a - a.mean(0), compute_uv=False) ** 2
        return values.sum() ** 2 / (values**2).sum()

    n = 4000
    null = null_scores(matched_pair(x, y), registry.load("cka"), ResamplingSettings(n, 10, 0))
    expected = np.sqrt(participation(x) * participation(y)) / 59
    assert abs(null.mean() - expected) < 4 * null.std() / n**0.5
    assert 4 * null.std() / n**0.5 < 0.02 * expected


@pytest.mark.parametrize("condition", [[0, 1, 2, 3], [0, 1, 2, 3] * 2, [0, 0, 1, 2, 3, 3]])
@pytest.mark.parametrize("name", MEASURES)
def test_whole_conditions_are_shuffled(name, condition):
    """As many rows of each condition or not, scores are those of the shuffled matrices."""
    rng, condition = np.random.default_rng(2), np.array(condition)
    matched = Matched(
        rng.normal(size=(6, len(condition), 4)), rng.normal(size=(6, 4, 3)), condition
    )
    measure, orders = registry.load(name), np.random.default_rng(5)
    null = null_scores(matched, measure, ResamplingSettings(7, 10, 5))
    x = torch.from_numpy(matched.reference.reshape(-1, 4))
    for found in null:
        copy = matched.model[:, orders.permutation(4)][:, condition]
        expected = measure.score(x, torch.from_numpy(copy.reshape(-1, 3))).item()
        assert found == pytest.approx(expected, abs=1e-9)
    assert np.std(null) > 1e-4


def test_a_shuffle_that_changes_nothing_is_as_close():
    rng = np.random.default_rng(6)
    matched = matched_pair(rng.normal(size=(30, 2, 5)), rng.normal(size=(30, 2, 3)))
    for name in MEASURES:
        scores, _ = score_model(matched, [name], ResamplingSettings(40, 10, 0))
        # Of two conditions, half of the shuffles are none.
        assert scores.p[0] > 0.3, name


def test_p_values_of_random_models_are_uniform():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 5))
    p = [
        score_model(
            matched_pair(x, rng.normal(size=(40, 4))), ["cka"], ResamplingSettings(49, 10, seed)
        )[0].p[0]
        for seed in range(80)
    ]
    below = np.mean(np.array(p) <= 0.1)
    assert 0.02 <= below <= 0.22  # 0.1 within 3.5 standard errors of a binomial
    assert min(p) >= 1 / 50


def test_a_random_model_is_not_better_than_chance_by_any_measure(pfc):
    model = np.random.default_rng(5).normal(size=(*pfc.shape[:2], 20))
    matched = matched_pair(pfc, model)
    scores, _ = score_model(matched, MEASURES, ResamplingSettings(99, 10, 0))
    card = interpret(scores, explained_components(matched), THRESHOLDS)
    assert set(card.verdict) == {CHANCE}
    assert card.sentence.str.startswith("Not better than chance").all()


def test_the_recording_itself_is_perfect_by_every_measure(pfc):
    matched = matched_pair(pfc, pfc)
    scores, _ = score_model(matched, MEASURES, ResamplingSettings(19, 10, 0))
    card = interpret(scores, explained_components(matched), THRESHOLDS)
    assert set(card.verdict) == {PERFECT}
    for row in card.itertuples():
        measure = registry.load(row.measure)
        if "ridge" not in row.measure:  # shrunk by its penalty
            assert row.score == pytest.approx(measure.perfect, abs=1e-6)
    # No score is above the perfect one, so that the interval ends there.
    assert np.isclose(card.score_high, card.score, atol=1e-9).mean() > 0.5
    assert (card.p == 1 / 20).all()


def test_the_first_component_has_high_cka_and_a_verdict_that_says_what_it_lacks():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(200, 10)) * [8, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    matched = matched_pair(x, u[:, :1] * s[0])
    scores, _ = score_model(matched, ["cka", "nbs"], ResamplingSettings(99, 10, 0))
    thresholds = pd.DataFrame(
        {
            "measure": ["cka"] * 3 + ["cka"] * 2,
            "kind": ["pc"] * 3 + ["variable"] * 2,
            "target": ["1", "2", "3", "choice", "context"],
            "variance_ratio": [0.8, 0.1, 0.1, 0.5, 0.1],
            "score_mean": [0.5, 0.97, np.nan, 0.6, 0.999],
        }
    )
    card = interpret(scores, explained_components(matched), thresholds).set_index("measure")
    assert card.score["cka"] > 0.9
    assert card.pcs_of_model["cka"] == 1
    said = card.sentence["cka"]
    assert "Better than chance" in said
    assert "it lacks PCs 2 (" in said
    assert "and 6 more." in said
    assert "but not context." in said
    assert np.isnan(card.n_pcs["nbs"])
    # The other measure's own number shows it: proven to lie below.
    allowed = allowed_scores(card.reset_index(), explained_components(matched), [])
    assert (allowed.implied_score >= allowed.outer_low - 1e-6).all()
    assert (allowed.implied_score <= allowed.outer_high + 1e-6).all()


@pytest.mark.parametrize("width", [2, 30, 45])
def test_no_model_is_outside_of_what_its_scores_allow(pfc, width):
    rng = np.random.default_rng(width)
    mixed = pfc @ rng.normal(size=(30, width))
    model = mixed + mixed.std() * rng.normal(size=mixed.shape)
    names = ["cka", "nbs", "linreg", "procrustes_angular", "cka_angular"]
    matched = matched_pair(pfc, model)
    scores, _ = score_model(matched, names, ResamplingSettings(19, 5, 0))
    allowed = allowed_scores(scores, explained_components(matched), [])
    assert len(allowed) == 16
    assert (allowed.implied_score >= allowed.outer_low - 1e-6).all()
    assert (allowed.implied_score <= allowed.outer_high + 1e-6).all()


def test_attained_ranges_are_read_between_their_values():
    region = pd.DataFrame(
        {
            "a": "cka",
            "b": "ridge_cv_100",
            "a_value": [0.0, 0.5, 1.0],
            "attained_lower": [0.0, 0.2, 0.8],
            "attained_upper": [0.4, 1.0, 1.0],
        }
    )
    scores = pd.DataFrame(
        {"measure": ["cka", "ridge_cv_100"], "score": [0.75, 0.6], "n_neurons": 3}
    )
    components = pd.DataFrame({"variance_ratio": [0.6, 0.4], "r2": [1.0, 0.0]})
    (row,) = allowed_scores(scores, components, [region]).to_dict("records")
    assert (row["given"], row["implied"]) == ("cka", "ridge_cv_100")
    assert row["attained_low"] == pytest.approx(0.5)
    assert row["attained_high"] == pytest.approx(1.0)
    assert np.isnan(row["outer_low"])


def test_the_interval_covers_the_score_of_all_conditions_and_neurons():
    """A recording is a part of 400 conditions and 60 neurons; the interval is about the whole."""
    rng = np.random.default_rng(8)
    latent = rng.normal(size=(400, 5))
    whole = latent @ rng.normal(size=(5, 60)) + rng.normal(size=(400, 60))
    model = latent @ rng.normal(size=(5, 20))
    measure = registry.load("cka")
    truth = measure.score(torch.from_numpy(whole), torch.from_numpy(model)).item()
    n, covered = 40, 0
    for draw in range(n):
        rows, neurons = rng.permutation(400)[:80], rng.permutation(60)[:20]
        matched = matched_pair(whole[np.ix_(rows, neurons)], model[rows])
        score = measure.score(
            torch.from_numpy(matched.reference[0]), torch.from_numpy(matched.model[0])
        ).item()
        half = ci_half_width(jackknife_replicates(matched, measure, n_groups=10, seed=draw))
        covered += abs(truth - score) <= half
    assert covered >= 0.85 * n


def test_the_ceiling_holds_a_model_that_knows_the_true_means():
    rng = np.random.default_rng(9)
    truth = rng.normal(size=(1, 40, 12))
    trials = truth[:, :, None] + rng.normal(size=(1, 40, 10, 12))
    measure = registry.load("cka")
    single = Matched(trials.reshape(1, 400, 12), truth, np.repeat(np.arange(40), 10))
    halves = trials[:, :, ::2].mean(2), trials[:, :, 1::2].mean(2)
    averaged = Matched(trials.mean(2), truth, np.arange(40))
    for matched, given in ((single, None), (averaged, halves)):
        ceiling = noise_ceiling(matched, measure, given)
        ideal = measure.score(
            torch.from_numpy(matched.reference.reshape(-1, 12)),
            torch.from_numpy(matched.model[:, matched.condition].reshape(-1, 12)),
        ).item()
        assert ceiling["ceiling_low"] < ideal < ceiling["ceiling_high"] < 1
        assert ceiling["ceiling_high"] - ceiling["ceiling_low"] < 0.25
    assert np.isnan(noise_ceiling(averaged, measure, None)["ceiling_low"])


def test_neurons_without_both_halves_are_left_out_of_the_ceiling():
    rng = np.random.default_rng(10)
    truth = rng.normal(size=(1, 30, 6))
    halves = [truth + 0.5 * rng.normal(size=truth.shape) for _ in range(2)]
    matched = Matched(sum(halves) / 2, truth, np.arange(30))
    measure = registry.load("cka")
    holed = [half.copy() for half in halves]
    holed[0][0, 3, 2] = np.nan
    fewer = Matched(np.delete(matched.reference, 2, -1), truth, np.arange(30))
    expected = noise_ceiling(fewer, measure, tuple(np.delete(half, 2, -1) for half in halves))
    assert noise_ceiling(matched, measure, tuple(holed)) == pytest.approx(expected)


def test_a_measure_that_is_not_defined_says_so():
    rng = np.random.default_rng(11)
    matched = matched_pair(rng.normal(size=(30, 5)), rng.normal(size=(30, 1)))
    scores, _ = score_model(
        matched, ["rsa_correlation_pearson", "cka"], ResamplingSettings(19, 5, 0)
    )
    card = interpret(scores, explained_components(matched), THRESHOLDS)
    assert card.verdict[0] == UNDEFINED
    assert "need at least 2 neurons" in card.sentence[0]
    assert np.isfinite(card.score[1])


def test_a_place_by_a_distance_counts_downwards():
    thresholds = pd.DataFrame(
        {
            "measure": "procrustes_distance",
            "kind": "pc",
            "target": ["1", "2"],
            "variance_ratio": [0.7, 0.3],
            "score_mean": [5.0, 2.0],
        }
    )
    assert position_on_curve(3.0, thresholds, higher_is_closer=False)["pcs_at_score"] == 1
    assert position_on_curve(1.0, thresholds, higher_is_closer=False)["pcs_at_score"] == 2


def test_a_wide_model_is_not_said_to_explain_components():
    rng = np.random.default_rng(12)
    matched = matched_pair(rng.normal(size=(20, 5)), rng.normal(size=(20, 19)))
    assert explained_components(matched).r2.isna().all()


def test_fewer_shuffles_are_drawn_where_the_settings_say_so():
    rng = np.random.default_rng(13)
    matched = matched_pair(rng.normal(size=(30, 5)), rng.normal(size=(30, 4)))
    settings = ResamplingSettings(40, 5, 0, {"nbs": 20})
    table, _ = score_model(matched, ["cka", "nbs"], settings)
    assert table.n_permutations.tolist() == [40, 20]


def test_the_page_escapes_names_and_has_every_measure():
    rng = np.random.default_rng(14)
    x = rng.normal(size=(30, 5))
    matched = matched_pair(x, x[:, :3] + rng.normal(size=(30, 3)))
    scores, _ = score_model(
        matched, ["cka", "nbs", "procrustes_distance"], ResamplingSettings(19, 5, 0)
    )
    components = explained_components(matched)
    card = interpret(scores, components, THRESHOLDS)
    allowed, others = allowed_scores(card, components, []), pd.DataFrame(columns=COMPARISON_COLUMNS)
    page = scorecard_page(card, allowed, others, "<data>", "m & n")
    assert "<data>" not in page
    assert "m &amp; n beside &lt;data&gt;" in page
    for label in ("CKA", "NBS", "Procrustes distance"):
        assert page.count(f"<td>{label}</td>") >= 1
    assert page.count("<svg") == 2  # a distance has no scale up to 1
    assert card.sentence[0].split(":")[0] in page


def compared(x, models, names=("cka", "procrustes_distance"), n_groups=10):
    tables = [
        score_model(model, names, ResamplingSettings(1, n_groups, 0)) for model in models.values()
    ]
    return compare(
        *(
            pd.concat(parts, keys=models, names=["model"]).reset_index("model")
            for parts in zip(*tables, strict=True)
        )
    )


def test_the_difference_of_two_models_covers_that_of_the_whole():
    """Both models are noisy copies of one latent; the interval is about 400 rows, 60 neurons."""
    rng = np.random.default_rng(20)
    latent = rng.normal(size=(400, 5))
    whole = latent @ rng.normal(size=(5, 60)) + rng.normal(size=(400, 60))
    good, poor = (latent + noise * rng.normal(size=(400, 5)) for noise in (0.3, 0.9))
    measure = registry.load("cka")

    def score(x, y):
        return measure.score(torch.from_numpy(x), torch.from_numpy(y)).item()

    truth = score(whole, good) - score(whole, poor)
    n, covered, narrower = 40, 0, 0
    for draw in range(n):
        rows, neurons = rng.permutation(400)[:80], rng.permutation(60)[:20]
        x = whole[np.ix_(rows, neurons)]
        parts = [
            jackknife_replicates(matched_pair(x, y[rows]), measure, n_groups=10, seed=draw)
            for y in (good, poor)
        ]
        half = ci_half_width(parts[0].assign(score=parts[0].score - parts[1].score))
        covered += abs(score(x, good[rows]) - score(x, poor[rows]) - truth) <= half
        narrower += half < np.hypot(ci_half_width(parts[0]), ci_half_width(parts[1]))
    assert covered >= 0.85 * n
    assert narrower >= 0.85 * n


def test_the_closer_of_two_models_is_named_on_either_kind_of_scale():
    rng = np.random.default_rng(21)
    x = rng.normal(size=(60, 12))
    near, far = x + 0.1 * rng.normal(size=x.shape), x + 2 * rng.normal(size=x.shape)
    models = {
        "far": matched_pair(x, far),
        "near": matched_pair(x, near),
        "twin": matched_pair(x, near),
    }
    table = compared(x, models).set_index(["measure", "model", "other"])
    for measure, sign in (("cka", -1), ("procrustes_distance", 1)):
        row = table.loc[measure, "far", "near"]
        assert row.closer == "near"
        assert sign * row.difference > 0
        assert row.difference_low <= row.difference <= row.difference_high
        same = table.loc[measure, "near", "twin"]
        assert (same.difference, same.difference_low, same.closer) == (0, 0, "")
    kept = io.StringIO(table.reset_index().to_csv(index=False))
    turned = comparisons_of(read_table(kept), "near")
    assert turned.model.eq("near").all()
    assert turned.other.tolist() == ["far", "twin", "far", "twin"]
    first, back = turned.iloc[0], table.loc["cka", "far", "near"]
    assert (first.difference, first.difference_high) == (-back.difference, -back.difference_low)
    assert (first.score, first.closer) == (back.other_score, "near")
    assert turned.closer[turned.other == "twin"].eq("").all()


def test_models_that_lose_other_rows_have_no_interval_of_their_difference():
    rng = np.random.default_rng(22)
    x = rng.normal(size=(40, 6))
    conditions = Matched(x[None], x[None, ::2], np.arange(40) // 2)
    table = compared(x, {"rows": matched_pair(x, x[:, :3]), "pairs": conditions}, ["cka"])
    assert table.difference.notna().all()
    assert table.difference_low.isna().all()
    assert table.closer.tolist() == [""]
