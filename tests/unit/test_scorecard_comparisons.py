"""Comparisons of two models, and the page of a score card."""

import numpy as np
import pandas as pd
import pytest
import torch

from scorebounds.core.recording import recording
from scorebounds.core.tables import read_table, write_table
from scorebounds.measures import registry
from scorebounds.scorecards.comparisons import (
    COMPARISON_COLUMNS,
    benjamini_hochberg,
    compare,
    comparisons_of,
)
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.headline import model_statement
from scorebounds.scorecards.implied import allowed_scores
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.page import scorecard_page
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.verdicts import interpret

THRESHOLDS = pd.DataFrame(columns=["measure", "kind", "target", "variance_ratio", "score_mean"])


def matched_pair(x, y):
    return Matched(x[None], y[None], np.arange(len(x)))


def compared(models, names=("cka", "procrustes_distance")):
    tables = [score_model(model, names, ResamplingSettings(60, 10, 0)) for model in models.values()]
    return compare(
        *(
            pd.concat(parts, keys=models, names=["model"]).reset_index("model")
            for parts in zip(*tables, strict=True)
        )
    )


def test_models_with_hardly_fewer_units_than_training_conditions_are_not_compared():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(40, 8))
    near = x + 0.5 * rng.normal(size=x.shape)
    models = {
        f"{width} units": matched_pair(x, np.hstack([near, rng.normal(size=(40, width - 8))]))
        for width in (10, 20, 28)
    }
    table = compared(models, ("linreg_cv", "ridge_cv_100")).set_index(["measure", "model", "other"])
    wide = table.loc["linreg_cv", "10 units", "28 units"]
    assert np.isnan([wide.p, wide.calibrated_low, wide.difference_low]).all()
    assert wide.difference > 0
    assert wide.closer == ""
    assert table.loc["linreg_cv", "10 units", "20 units"].p >= 0
    assert table.loc["ridge_cv_100", "10 units", "28 units"].p >= 0


def test_the_closer_of_two_models_is_named_on_either_kind_of_scale(tmp_path):
    rng = np.random.default_rng(21)
    x = rng.normal(size=(60, 12))
    near, far = x + 0.1 * rng.normal(size=x.shape), x + 2 * rng.normal(size=x.shape)
    models = {
        name: matched_pair(x, y) for name, y in (("far", far), ("near", near), ("twin", near))
    }
    table = compared(models).set_index(["measure", "model", "other"])
    for measure, sign in (("cka", -1), ("procrustes_distance", 1)):
        row = table.loc[measure, "far", "near"]
        assert row.closer == "near"
        assert sign * row.difference > 0
        # Chance-corrected scores are larger for the closer model, whatever the scale.
        assert row.calibrated_difference < 0
        assert row.difference_low <= row.difference <= row.difference_high
        same = table.loc[measure, "near", "twin"]
        assert (same.difference, same.difference_low, same.closer, same.p) == (0, 0, "", 1)
    write_table(tmp_path / "comparison.csv", table.reset_index())
    turned = comparisons_of(read_table(tmp_path / "comparison.csv"), "near")
    assert turned.model.eq("near").all()
    assert turned.other.tolist() == ["far", "twin", "far", "twin"]
    first, back = turned.iloc[0], table.loc["cka", "far", "near"]
    assert first.difference == pytest.approx(-back.difference)
    assert first.difference_high == pytest.approx(-back.difference_low)
    assert first.calibrated_low == pytest.approx(-back.calibrated_high)
    assert first.score == pytest.approx(back.other_score)
    assert first.calibrated_score == pytest.approx(back.calibrated_other_score)
    assert first.closer == "near"
    assert turned.closer[turned.other == "twin"].eq("").all()


def test_models_that_lose_other_rows_have_no_interval_of_their_difference():
    rng = np.random.default_rng(22)
    x = rng.normal(size=(40, 6))
    pairs = Matched(x[None], x[None, ::2], np.arange(40) // 2)
    table = compared({"rows": matched_pair(x, x[:, :3]), "pairs": pairs}, ["cka"])
    assert table.difference.notna().all()
    assert table.difference_low.isna().all()
    assert table.closer.tolist() == [""]


def test_a_saturated_model_is_never_closer():
    rng = np.random.default_rng(23)
    x = rng.normal(size=(40, 12))
    models = {
        "good": matched_pair(x, x[:, :6] + 0.3 * rng.normal(size=(40, 6))),
        "wide": matched_pair(x, rng.normal(size=(40, 60))),
    }
    (row,) = compared(models, ["linreg"]).to_dict("records")
    assert row["other_score"] == pytest.approx(1)
    assert row["score"] < 1
    assert row["closer"] == ""
    assert np.isnan(row["p"])


def test_a_model_that_is_worse_than_the_mean_is_never_closer():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 8))
    models = {"near": x + 0.2 * rng.standard_normal(x.shape), "far": rng.standard_normal((40, 8))}
    settings = ResamplingSettings(39, 10, 0)
    found = [score_model(matched_pair(x, y), ["linreg_cv"], settings) for y in models.values()]
    scores, replicates = (
        pd.concat(parts, keys=models, names=["model"]).reset_index("model")
        for parts in zip(*found, strict=True)
    )
    assert compare(scores, replicates).closer.item() == "near"
    # The same differences, but below zero.
    columns = ["score", "null_mean", "perfect"]
    below = scores.assign(**{name: scores[name] - 2 for name in columns})
    assert compare(below, replicates.assign(score=replicates.score - 2)).closer.item() == ""


def test_the_false_discovery_rate_is_adjusted_as_in_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(24).uniform(size=30) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p))
    with_gap = np.insert(p, 3, np.nan)
    found = benjamini_hochberg(with_gap)
    assert np.isnan(found[3])
    np.testing.assert_allclose(np.delete(found, 3), false_discovery_control(p))


def page_of(x, y, names, **options):
    matched = matched_pair(x, y)
    scores, _ = score_model(matched, names, ResamplingSettings(99, 5, 0))
    components = explained_components(matched)
    card = interpret(scores, components, THRESHOLDS)
    allowed, others = allowed_scores(card, components, []), pd.DataFrame(columns=COMPARISON_COLUMNS)
    return card, scorecard_page(card, allowed, others, "<data>", "m & n", **options)


def test_the_page_says_how_rows_were_matched():
    rng = np.random.default_rng(3)
    names = np.array([f"im{number:02}" for number in range(24)])
    x, y = (recording(rng.normal(size=(24, 4)), names=names) for _ in range(2))
    matched = match(
        x.assign_attrs(dataset="data"),
        y.isel(sample=slice(2, None)).assign_attrs(dataset="net"),
        {"names": "exact", "on_missing": "intersect"},
    )
    scores, _ = score_model(matched, ["cka"], ResamplingSettings(19, 5, 0))
    components = explained_components(matched)
    card = interpret(scores, components, THRESHOLDS)
    allowed, others = allowed_scores(card, components, []), pd.DataFrame(columns=COMPARISON_COLUMNS)
    page = scorecard_page(card, allowed, others, "data", "net")
    assert "Matching: scored on the 22 of 24 samples that the model has; left out" in page


def test_the_page_escapes_names_and_has_every_measure():
    rng = np.random.default_rng(14)
    x = rng.normal(size=(30, 5))
    y = x[:, :3] + rng.normal(size=(30, 3))
    names = ["cka", "nbs", "procrustes_distance"]
    card, page = page_of(x, y, names, facts={"seed": "0"}, statement="It explains <half>.")
    assert "<data>" not in page
    assert "m &amp; n compared with &lt;data&gt;" in page
    for label in ("CKA", "NBS", "Procrustes distance"):
        assert page.count(f'<th scope="row">{label}</th>') >= 1
    assert page.count('role="img"') == 2  # a distance has no scale up to 1
    assert card.sentence[0].split(":")[0] in page
    assert "<dt>seed</dt><dd>0</dd>" in page
    assert "It explains &lt;half&gt;." in page
    assert page.index('class="headline"') < page.index('class="ladder"') < page.index("<table>")
    # Every picture is described, and every header says what it is the header of.
    assert page.count('role="img" aria-label="') == 2
    assert 'aria-label="CKA: score ' in page
    assert page.count("<th") == page.count("<th scope=") + page.count("<thead")


def test_empty_columns_and_their_legends_are_not_on_the_page():
    rng = np.random.default_rng(15)
    x = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 12))
    _, page = page_of(x, x[:, :8] + rng.normal(size=(60, 8)), ["cka"])
    assert "noise ceiling" not in page.lower()
    assert "PCs captured" not in page
    assert "optimised data" not in page
    assert "decodable" not in page
    assert "corrected score" in page


def test_the_page_asks_for_nothing_from_elsewhere():
    rng = np.random.default_rng(16)
    x = rng.normal(size=(30, 5))
    _, page = page_of(x, x[:, :3], ["cka"])
    for outside in ("http://", "https://", " src=", "@import", "url("):
        assert outside not in page


def test_what_the_model_explains_is_said_once_and_relative_to_trial_noise():
    rng = np.random.default_rng(17)
    truth = rng.normal(size=(60, 20))
    halves = [truth[None] + rng.normal(size=(1, 60, 20)) for _ in range(2)]
    matched = Matched(sum(halves) / 2, truth[None], np.arange(60))
    components = explained_components(matched, halves=tuple(halves))
    assert components.total_explainable.iloc[0] == pytest.approx(2 / 3, abs=0.05)
    said = model_statement(components)
    assert f"{components.total_explainable.iloc[0]:.0%} of the variance is not trial noise" in said


def test_too_few_conditions_to_compare_with_chance_are_not_called_no_better():
    rng = np.random.default_rng(20)
    x = rng.normal(size=(5, 3, 10))
    said = model_statement(explained_components(Matched(x, x, np.arange(3))))
    assert said.endswith("there are too few conditions to compare it with chance.")
    assert "better than chance" not in said


def test_components_that_a_shared_time_course_explains_are_named():
    rng = np.random.default_rng(21)
    course = np.sin(np.linspace(0, 3, 12))[:, None, None]
    z = rng.normal(size=(12, 20, 6))
    x, y = (3 * course * rng.normal(size=(1, 1, side.shape[-1])) + side for side in (z, z[..., :4]))
    components = explained_components(Matched(x, y, np.arange(20)))
    assert components.r2_chance[0] >= 0.5
    said = model_statement(components)
    assert "; with permuted conditions, it also explains at least half of PC 1." in said


def test_the_components_that_carry_the_cka_are_named():
    rng = np.random.default_rng(23)
    drawn = rng.normal(size=(40, 8))
    basis, other = np.split(np.linalg.qr(drawn - drawn.mean(0))[0], [6], axis=1)
    x = basis * [5, 4, 3, 2, 1, 0.5]
    # The model has the second and the fourth component, and what the recording has not.
    y = np.hstack([basis[:, [1]] * 3, basis[:, [3]] * 4, other])
    components = explained_components(Matched(x[None], y[None], np.arange(40)))
    # λᵢ times the variance of the model along uᵢ: 16 · 9 and 4 · 16.
    expected = np.array([0, 144, 0, 64, 0, 0]) / 208
    np.testing.assert_allclose(components.share_of_cka, expected, atol=1e-12)
    cka = registry.load("cka")
    whole = cka.score(torch.from_numpy(x), torch.from_numpy(y)).item()
    without = np.delete(x, 3, axis=1)
    left = cka.score(torch.from_numpy(without), torch.from_numpy(y)).item()
    norms = np.linalg.norm(without.T @ without) / np.linalg.norm(x.T @ x)
    assert left * norms / whole == pytest.approx(expected[1])
    said = model_statement(components.assign(total_p=0.05))
    assert said.endswith(" PCs 2 and 4 carry 100% of its linear CKA.")
    rescaled = model_statement(
        components.assign(total_p=0.05, share_of_cka=[0.95, 0.05, 0, 0, 0, 0])
    )
    assert rescaled.endswith(" PC 1 carries 95% of its linear CKA.")


def test_a_copy_in_other_units_is_not_closer():
    """The two differ by rounding, and so do their replicates."""
    rng = np.random.default_rng(22)
    x = rng.normal(size=(40, 12))
    y = x[:, :6] + rng.normal(size=(40, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    models = {"a": y, "b": 3 * y @ rotation + 1, "c": y.astype(np.float32).astype(float)}
    names = ("cka", "nbs", "linreg", "svcca")
    table = compared({name: matched_pair(x, model) for name, model in models.items()}, names)
    assert table.p.eq(1).all()
    assert table.closer.eq("").all()
