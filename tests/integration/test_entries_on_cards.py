"""Entries with `groups`, `components` and `subjects` through Snakemake: the library's numbers."""

import html

import numpy as np
import pandas as pd
import pytest

import scorebounds as sb
from helpers.workflow import TINY, once, snakemake
from scorebounds.decoding.decoder import Decoder
from scorebounds.decoding.design import design
from scorebounds.decoding.reference import reference_tables

ENTRIES = {
    "runs": {"groups": "run"},
    "reduced": {"components": 0.99},
    "animals": {"subjects": "animal"},
}
N_PERMUTATIONS = 39
RUN = np.repeat(np.arange(5), 12)
# Without thresholds and ranges, nothing is optimised.
SETTINGS = f"""\
analyses: [scorecards]
datasets: []
measures: [cka, ridge_cv_1, mutual_knn_5]
custom:
  runs: {{path: runs.npz, groups: run, labels: [cue]}}
  reduced: {{path: reduced.npz, components: 0.99, labels: [cue]}}
  animals: {{path: animals.npz, subjects: animal}}
models: {{net: {{path: net.npz, references: [runs, reduced, animals]}}}}
scorecards: {{n_permutations: {N_PERMUTATIONS}, n_permutations_of: {{}}, n_groups: 10}}
decoding: {{n_permutations: 19}}
"""


@pytest.fixture(scope="module")
def folder(shared_folder):
    place = shared_folder / "entries"

    def make():
        place.mkdir()
        rng = np.random.default_rng(0)
        shared = rng.normal(size=(60, 3))
        cue = (RUN + np.arange(60)) % 2
        # Each run has an offset of its own, and most cues of a run are the same.
        cue = np.where(np.arange(60) % 12 < 10, RUN % 2, cue)
        drift = 4 * rng.normal(size=(5, 8))[RUN]
        signal = shared @ rng.normal(size=(3, 8))
        np.savez(place / "runs.npz", rates=signal + drift, run=RUN, cue=cue)
        # As many neurons as samples, and far fewer dimensions.
        wide = signal @ rng.normal(size=(8, 70)) + 0.1 * rng.normal(size=(60, 70))
        np.savez(place / "reduced.npz", rates=wide, cue=np.arange(60) % 2)
        animals = np.hstack([shared @ rng.normal(size=(3, 8)) for _ in range(3)])
        animals += 0.5 * rng.normal(size=animals.shape)
        np.savez(place / "animals.npz", rates=animals, animal=np.repeat(["a", "b", "c"], 8))
        np.savez(
            place / "net.npz", rates=shared @ rng.normal(size=(3, 6)) + rng.normal(size=(60, 6))
        )
        (place / "settings.yaml").write_text(SETTINGS)
        targets = [f"results/scorecards/{name}/net.html" for name in ENTRIES]
        targets += [f"results/decoding/{name}/reference.csv" for name in ("runs", "reduced")]
        options = ("--cores", 2, "--configfile", TINY, "settings.yaml")
        made = snakemake(*targets, *options, folder=place)
        assert made.returncode == 0, made.said
        return made.said

    once(place, make)
    return place


@pytest.mark.parametrize("name", ENTRIES)
def test_the_card_of_an_entry_is_that_of_the_library(folder, name):
    recording = sb.read(folder / f"{name}.npz", **ENTRIES[name])
    model = sb.read(folder / "net.npz").assign_attrs(dataset="net")
    measures = ["cka", "ridge_cv_1", "mutual_knn_5"]
    expected = sb.card(recording, model, measures, n_permutations=N_PERMUTATIONS).table
    found = pd.read_csv(folder / f"results/scorecards/{name}/net.csv")
    numbers = ["score", "score_low", "score_high", "score_corrected", "null_mean", "null_sd"]
    numbers += ["p", "p_corrected", "subject_ceiling", "subject_ceiling_score", "n_subjects"]
    assert found.measure.tolist() == expected.measure.tolist()
    np.testing.assert_allclose(
        found[numbers].to_numpy(float), expected[numbers].to_numpy(float), rtol=1e-6, atol=1e-12
    )
    assert found.verdict.tolist() == expected.verdict.tolist()
    said = {
        "runs": "the 5 values of 'run' are held out whole",
        "reduced": "70 neurons were reduced to 3 leading principal components",
        "animals": "(3 subjects)",
    }[name]
    page = (folder / f"results/scorecards/{name}/net.html").read_text(encoding="utf-8")
    assert said in html.unescape(page)
    assert found.subject_ceiling.notna().all() == (name == "animals")


@pytest.mark.parametrize("name", ["runs", "reduced"])
def test_decoding_of_an_entry_is_that_of_the_library(folder, name):
    recording = sb.read(folder / f"{name}.npz", labels=["cue"], **ENTRIES[name])
    plan = design(recording, n_folds=5, seed=0)
    decoder = Decoder(c=1.0, standardize=True)
    expected, _ = reference_tables(recording, plan, decoder, n_permutations=19, seed=0)
    found = pd.read_csv(folder / f"results/decoding/{name}/reference.csv")
    assert found.reference.tolist() == pytest.approx(expected.reference.tolist(), abs=1e-6)
    assert found.p.tolist() == pytest.approx(expected.p.tolist(), abs=1e-6)


def test_a_cue_that_goes_with_the_run_is_decoded_only_without_groups(folder):
    """Scikit-learn's logistic regression with whole runs held out, and with samples."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    with np.load(folder / "runs.npz") as file:
        x, cue, run = file["rates"], file["cue"], file["run"]
    x = (x - x.mean(0)) / x.std(0)
    model = linear_model.LogisticRegression(max_iter=1000)
    runs = selection.cross_val_score(model, x, cue, groups=run, cv=selection.LeaveOneGroupOut())
    samples = selection.cross_val_score(
        model, x, cue, cv=selection.StratifiedKFold(5, shuffle=True, random_state=0)
    )
    (found,) = pd.read_csv(folder / "results/decoding/runs/reference.csv").itertuples()
    assert found.reference == pytest.approx(runs.mean(), abs=0.1)
    assert samples.mean() - found.reference > 0.2
