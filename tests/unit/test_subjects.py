"""The inter-subject ceiling: neurons of several subjects, from a file to the card."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import scorebounds as sb
from scorebounds.core.recording import read_recording, write_recording
from scorebounds.datasets.readers import custom
from scorebounds.measures import registry
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.subjects import subject_ceiling

SUBJECT = np.repeat(["b", "a", "c"], [12, 8, 10])
RNG = np.random.default_rng(0)
SHARED = RNG.normal(size=(60, 4))
X = np.hstack([SHARED @ RNG.normal(size=(4, n)) + RNG.normal(size=(60, n)) for n in (12, 8, 10)])
Y = SHARED @ RNG.normal(size=(4, 12)) + RNG.normal(size=(60, 12))
MEASURES = ["cka", "linreg", "ridge_cv_100"]


def several_subjects(share, seed, n=150, n_subjects=4, width=12, n_latents=5):
    """Return neurons that read shared latents and, for the rest of their variance, private ones.

    Readouts are orthogonal, so that few neurons have the CKA of the latents.
    """
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, n_latents))
    x = []
    for _ in range(n_subjects):
        axes = np.linalg.qr(rng.normal(size=(width, 2 * n_latents)))[0].T
        private = rng.normal(size=(n, n_latents))
        x.append(np.hstack([share**0.5 * shared, (1 - share) ** 0.5 * private]) @ axes)
    subjects = np.repeat(np.arange(n_subjects), width)
    return Matched(np.hstack(x)[None], shared[None], np.arange(n), subjects=subjects)


def unit(model):
    centred = model - model.mean(0)
    return centred / (centred**2).mean() ** 0.5


@pytest.fixture(scope="module")
def card():
    return sb.card(X, Y, MEASURES, n_permutations=39, subjects=SUBJECT)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_expectation_is_that_of_the_shared_part(share):
    """CKA of the kernels K_z + K_own and K_z + mean of K_others; R² is the shared variance."""
    rest = 1 - share
    cka = share**2 / ((share**2 + rest**2) * (share**2 + rest**2 / 3)) ** 0.5
    of_model = share / (share**2 + rest**2) ** 0.5
    found = {
        name: [
            subject_ceiling(several_subjects(share, seed), registry.load(name), seed=seed)
            for seed in range(4)
        ]
        for name in ("cka_debiased", "ridge_cv_100")
    }
    values = [each.value for each in found["cka_debiased"]]
    assert np.mean(values) == pytest.approx(cka, abs=0.03)
    assert np.mean([each.model_score for each in found["cka_debiased"]]) == pytest.approx(
        of_model, abs=0.03
    )
    # The training samples are finite, and the penalty is above zero.
    r2 = np.mean([each.value for each in found["ridge_cv_100"]])
    assert share - 0.1 < r2 < share


@pytest.mark.parametrize("measure", ["cka", "cka_debiased", "ridge_cv_100", "mutual_knn_10"])
def test_subjects_with_nothing_in_common_have_no_ceiling(measure):
    notes = [
        subject_ceiling(several_subjects(0, seed, n=60), registry.load(measure), seed=1)
        for seed in range(10)
    ]
    # p is at most 0.05, so that one in twenty is given by chance.
    assert sum(np.isfinite(each.value) for each in notes) <= 3
    assert any("do not agree better than chance" in each.note for each in notes)


def test_the_ceiling_is_the_mean_of_scores_with_the_other_subjects(card):
    table = card.table.set_index("measure")
    for measure in ("cka", "ridge_cv_100"):
        members = [s == SUBJECT for s in "abc"]
        # A fixed penalty presupposes a model of unit variance per unit.
        of_each = [sb.score(X[:, one], unit(X[:, ~one]), measure) for one in members]
        with_model = [sb.score(X[:, one], unit(Y), measure) for one in members]
        row = table.loc[measure]
        assert row.subject_ceiling == pytest.approx(np.mean(of_each), abs=1e-9)
        assert row.subject_ceiling_low == pytest.approx(min(of_each), abs=1e-9)
        assert row.subject_ceiling_high == pytest.approx(max(of_each), abs=1e-9)
        assert row.subject_ceiling_score == pytest.approx(np.mean(with_model), abs=1e-9)
    assert np.isnan(table.subject_ceiling["linreg"])
    assert "rise with the number of units" in table.subject_ceiling_note["linreg"]
    without = sb.card(X, Y, MEASURES, n_permutations=39).table.set_index("measure")
    assert without.subject_ceiling.isna().all()
    assert without.n_subjects.isna().all()
    # It decides nothing: neither the verdict nor the noise ceiling.
    assert without.verdict.tolist() == table.verdict.tolist()
    assert table.ceiling.isna().all()


def test_card_page_ladder_and_methods_show_it_by_its_own_name(card, tmp_path):
    row = card.table.set_index("measure").loc["cka"]
    said = f"the inter-subject ceiling is {row.subject_ceiling:.3f}"
    assert said in card.sentences["cka"]
    assert (
        f"with single subjects the model scores {row.subject_ceiling_score:.3f}"
        in (card.sentences["cka"])
    )
    card.to_html(tmp_path / "card.html")
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert 'data-label="inter-subject ceiling">0.' in page
    assert "(3 subjects)" in page
    assert "No inter-subject ceiling: fitted scores" in page
    assert "noise ceiling" not in page
    assert "each of 3 subjects with the neurons of all others" in card.methods()
    assert json.loads(card.to_json())["scores"][0]["n_subjects"] == 3
    legend = card.plot().legends[0]
    assert any("inter-subject" in text.get_text() for text in legend.get_texts())
    plt.close("all")


def test_subjects_are_named_by_a_coordinate_of_the_neurons(card):
    x = xr.DataArray(X, dims=("sample", "neuron"), coords={"animal": ("neuron", SUBJECT)})
    by_name = sb.card(x, Y, ["cka"], n_permutations=39, subjects="animal").table
    assert by_name.subject_ceiling[0] == pytest.approx(card.table.subject_ceiling[0], abs=1e-12)


@pytest.mark.parametrize(
    ("subjects", "said"),
    [
        ("monkey", "to name a coordinate of the neurons, got 'monkey'; there are: none"),
        (SUBJECT[:5], r"for each of the 30 neurons of the recording, got shape \(5,\)"),
        (["a"] * 30, "at least two subjects, got those of a alone"),
    ],
)
def test_subjects_that_cannot_be_used_are_refused(subjects, said):
    with pytest.raises(ValueError, match=said):
        sb.card(X, Y, ["cka"], subjects=subjects)


@pytest.mark.parametrize("given", ["animal", "list", "bytes"])
def test_an_entry_says_which_neurons_are_whose(tmp_path, card, given):
    values = SUBJECT.astype("S") if given == "bytes" else SUBJECT
    silent = np.insert(X, 3, 1.0, axis=1)
    arrays = {"rates": silent, "animal": np.insert(values, 3, values[0])}
    np.savez(tmp_path / "many.npz", **(arrays if given != "list" else {"rates": silent}))
    subjects = arrays["animal"].tolist() if given == "list" else "animal"
    array = custom.load(tmp_path / "many.npz", subjects=subjects, drop=["constant_neurons"])
    assert "the neurons are those of 3 subjects: a (8), b (13), c (10)" in array.history
    write_recording(tmp_path / "many.nc", array.assign_attrs(dataset="many"), "many")
    stored = read_recording(tmp_path / "many.nc")
    assert stored["__subject__"].values.tolist() == SUBJECT.tolist()
    assert stored.attrs["variables"] == []
    found = sb.card(stored, Y, ["cka"], n_permutations=39).table
    assert found.subject_ceiling[0] == pytest.approx(card.table.subject_ceiling[0], abs=1e-12)


def test_as_many_neurons_as_rows_leave_no_doubt_whose_the_subjects_are(tmp_path):
    np.savez(tmp_path / "d.npz", rates=X[:30], animal=SUBJECT, cue=np.arange(30) % 2)
    array = custom.load(tmp_path / "d.npz", subjects="animal")
    assert array.attrs["variables"] == ["cue"]
    assert array["__subject__"].values.tolist() == SUBJECT.tolist()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"subjects": "monkey"}, "expected an array named 'monkey'"),
        ({"subjects": ["a", "b"]}, "a value for each of the 30 neurons, got 2"),
        ({"subjects": ["a"] * 30}, "at least two subjects, got 'a' alone"),
        ({"subjects": "animal", "components": 3}, "either `components` or `subjects`, got both"),
    ],
)
def test_an_entry_whose_subjects_cannot_be_used_is_refused(tmp_path, entry, said):
    np.savez(tmp_path / "d.npz", rates=X, animal=SUBJECT)
    entry = {"axes": ["sample", "neuron"], **entry}
    with pytest.raises(ValueError, match=said):
        custom.load(tmp_path / "d.npz", **entry)
