"""Recordings and models of users through the workflow: results, warnings and refusals."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers.workflow import TINY, once, snakemake

THRESHOLDS = "results/tables/thresholds.csv"


def run(folder, *targets, cores=2):
    """Run the workflow with the tiny settings and those that the test has written."""
    options = ("--cores", cores, "--configfile", TINY, "settings.yaml")
    return snakemake(*targets, *options, folder=folder)


def test_unusable_recordings_end_with_one_sentence_each(tmp_path):
    activity = np.random.default_rng(0).standard_normal((12, 3))
    files = {
        "holes": np.where(activity == activity[0, 0], np.nan, activity),
        "still": activity * [1, 1, 0],
        "short": activity[:2],
    }
    for name, values in files.items():
        np.savez(tmp_path / f"{name}.npz", activity=values)
    entries = ", ".join(f"{name}: {{path: {name}.npz}}" for name in files)
    (tmp_path / "settings.yaml").write_text(f"datasets: []\ncustom: {{{entries}}}\n")
    failed = run(tmp_path, "--keep-going", THRESHOLDS)
    assert failed.returncode != 0
    said = {line for line in failed.said.splitlines() if line.startswith("error: ")}
    for sentence in (
        "error: holes.npz: expected finite activity, got NaN",
        "error: still.npz: expected every neuron to vary over samples, got a constant",
        "error: short.npz: expected at least 3 samples, got 2",
    ):
        (line,) = [line for line in said if line.startswith(sentence)]
        said.remove(line)
    assert not said
    assert "Traceback" not in failed.said
    assert not list(tmp_path.glob("data/prepared/*"))
    assert not list(tmp_path.glob("results/optimized/**/*.nc"))


STAGES = ("thresholds", "scores", "runs", "references", "perturbation", "ranges", "scorecards")
FIGURES = ("thresholds", "trajectories", "decoding", "perturbation", "scorecards/mine")
FIGURES += ("capture/mine", "capture/wide", "ranges/mine", "ranges/wide")


@pytest.fixture(scope="module")
def finished(shared_folder):
    """Run every stage on two recordings of a user; return the folder and what the run said."""
    folder = shared_folder / "users"

    def make():
        folder.mkdir()
        rng = np.random.default_rng(0)
        activity = rng.standard_normal((4, 10, 3))
        words = np.array([f"word {row}" for row in range(10)])
        np.savez(folder / "mine.npz", activity=activity, stimulus=np.arange(10) % 2, words=words)
        shuffled = rng.permutation(10)
        np.savez(folder / "model.npz", activity=2 * activity[:, shuffled], words=words[shuffled])
        # Two layers: a copy of the recording, and noise.
        noise = rng.standard_normal((4, 10, 3))
        np.savez(folder / "deep.npz", **{"block.2/out": activity}, noise=noise, words=words)
        np.savez(folder / "wide.npz", activity=rng.standard_normal((12, 20)))
        (folder / "settings.yaml").write_text(
            "datasets: []\n"
            "measures: [cka, procrustes_distance, hsic, linreg, soft_matching, mutual_knn_99]\n"
            "custom: {mine: {path: mine.npz, names: words}, wide: {path: wide.npz}}\n"
            "models:\n"
            "  scaled: {path: model.npz, names: words, references: [mine], match: names}\n"
            "  deep: {path: deep.npz, layers: all, axes: [time, condition, neuron],\n"
            "    references: [mine]}\n"
        )
        targets = [f"results/tables/{table}.csv" for table in STAGES]
        targets += [f"results/figures/{figure}.pdf" for figure in FIGURES]
        targets.append("results/profiles/mine/deep.html")
        made = run(folder, *targets)
        assert made.returncode == 0, made.said
        return made.said

    return folder, once(folder, make)


def read(folder, table):
    return pd.read_csv(folder / f"results/tables/{table}.csv")


def test_a_users_recording_goes_through_every_stage(finished):
    folder, said = finished
    optimized = ["cka", "procrustes_distance", "hsic", "linreg"]
    assert set(read(folder, "perturbation").dataset) == {"mine"}
    assert set(read(folder, "ranges").dataset) == {"mine", "wide"}
    thresholds = read(folder, "thresholds").query("dataset == 'mine'")
    assert thresholds[thresholds.kind == "variable"].measure.tolist() == optimized
    components = thresholds[thresholds.kind == "pc"]
    assert components.measure.tolist() == [name for name in optimized for _ in range(3)]
    assert (components.n_reached > 0).any()
    runs = read(folder, "runs").query("dataset == 'mine'").set_index("measure")
    falling = runs.loc["procrustes_distance"]
    assert (falling.last_score < 0.9 * falling.first_score).all()
    scores = read(folder, "scores").query("dataset == 'mine'").set_index("measure")
    assert len(scores) == 4 * 6
    cka = scores.loc["cka"].set_index("optimized").score
    assert cka["cka"] == pytest.approx(runs.loc["cka"].last_score.iloc[0], abs=1e-4)
    assert scores.loc["soft_matching"].score.between(-1, 1).all()
    assert scores.loc["mutual_knn_99"].score.isna().all()
    assert scores.loc["mutual_knn_99"].note.str.contains("at least 101 samples").all()
    assert "warning: no score with mutual_knn_99 for 4 of 4 synthetic datasets" in said
    # A scaled copy in another order is perfect, but for the measures that see the scale.
    cards = read(folder, "scorecards").query("model == 'scaled'").set_index("measure")
    assert cards.verdict["cka"] == cards.verdict["soft_matching"] == "perfect"
    assert cards.verdict["mutual_knn_99"] == "not defined"
    assert cards.score["procrustes_distance"] > 1
    page = (folder / "results/scorecards/mine/scaled.html").read_text()
    assert "scaled compared with mine" in page
    # Its label is decoded, along a distance from far to near.
    every = pd.read_csv(folder / "results/decoding/mine/accuracies/all.csv")
    decoded = every[every.measure == "procrustes_distance"]
    assert set(decoded.target) == {"stimulus"}
    by_seed = decoded.groupby("seed").score
    assert by_seed.max().tolist() == pytest.approx(falling.first_score.tolist(), rel=1e-6)
    assert by_seed.last().tolist() == by_seed.min().tolist()
    (reference,) = read(folder, "references").itertuples()
    assert (reference.target, reference.chance, reference.n_samples) == ("stimulus", 0.5, 10)


def test_the_layers_of_a_model_have_one_page(finished):
    folder, _ = finished
    cards = read(folder, "scorecards").set_index(["model", "measure"])
    table = pd.read_csv(folder / "results/profiles/mine/deep.csv")
    assert table.layer.unique().tolist() == ["block.2/out", "noise"]
    assert table.model.unique().tolist() == ["deep.block.2-out", "deep.noise"]
    assert len(table) == 2 * 6
    for row in table.itertuples():
        of_card = cards.loc[(row.model, row.measure)]
        assert row.score == of_card.score or np.isnan([row.score, of_card.score]).all()
    assert table.set_index(["layer", "measure"]).score["block.2/out", "cka"] == pytest.approx(1)
    page = (folder / "results/profiles/mine/deep.html").read_text()
    assert (
        "The layer of deep closest to mine relative to chance is block.2/out (by 5 measures)."
        in page
    )
    for model in table.model.unique():
        assert f'href="../../scorecards/mine/{model}.html"' in page
        card = (folder / f"results/scorecards/mine/{model}.html").read_text()
        assert 'href="../../profiles/mine/deep.html"' in card
    assert "profiles/" not in (folder / "results/scorecards/mine/scaled.html").read_text()


LAYERS = [
    ("{path: deep.npz, layers: all, array: first}", "either `array` or `layers`, got both"),
    ("{layers: all}", "`layers` needs the `path` of a file or folder"),
    ("{path: gone.npz, layers: all}", "no such file: gone.npz"),
    ("{path: deep.csv, layers: all}", "list the arrays of deep.csv"),
    ("{path: deep.npz, layers: [a/b, a b]}", "'a/b' and 'a b' would have the same name, net.a-b"),
    ("{path: files, layers: [third]}", "got 'third'; there are: block2, block10"),
    ("{path: deep.npz, layers: []}", "expected all, or a list of layers"),
]


@pytest.mark.parametrize(("entry", "said"), LAYERS)
def test_layers_that_cannot_be_found_are_refused_before_any_job(tmp_path, entry, said):
    activity = np.ones((4, 3))
    np.savez(tmp_path / "deep.npz", first=activity, labels=np.arange(4))
    (tmp_path / "deep.csv").write_text("a,b\n1,2\n")
    (tmp_path / "files").mkdir()
    for name in ("block10", "block2"):
        np.save(tmp_path / f"files/{name}.npy", activity)
    entry = entry[:-1] + ", references: [ultrametric]}"
    (tmp_path / "settings.yaml").write_text(f"models: {{net: {entry}}}\n")
    refused = run(tmp_path, "-n")
    assert refused.returncode != 0
    assert said in refused.said


@pytest.mark.parametrize(
    ("entry", "models"),
    [
        ("{path: deep.npz, layers: all}", ["net.first", "net.second"]),
        ("{path: deep.npz, layers: [second]}", ["net.second"]),
        ("{path: deep.safetensors, layers: all}", ["net.conv2", "net.conv10"]),
        ("{path: files, layers: all}", ["net.block2", "net.block10"]),
        ("{path: files/, layers: [block10]}", ["net.block10"]),
    ],
)
def test_layers_are_arrays_of_a_file_or_files_of_a_folder(tmp_path, entry, models):
    activity = np.ones((4, 3), dtype="float32")
    np.savez(tmp_path / "deep.npz", first=activity, second=activity, labels=np.arange(4))
    tensors = {"conv10": activity, "conv2": activity, "labels": np.ones(4, dtype="float32")}
    pytest.importorskip("safetensors.numpy").save_file(tensors, tmp_path / "deep.safetensors")
    (tmp_path / "files").mkdir()
    for name in ("block10", "block2"):
        np.save(tmp_path / f"files/{name}.npy", activity)
    entry = entry[:-1] + ", references: [ultrametric]}"
    (tmp_path / "settings.yaml").write_text(f"models: {{net: {entry}}}\n")
    planned = run(tmp_path, "-n", "results/profiles/ultrametric/net.html")
    assert planned.returncode == 0, planned.said
    (rule,) = re.findall(r"rule plot_profile:\s+input: (.+)", planned.said)
    cards = [f"results/scorecards/ultrametric/{model}.csv" for model in models]
    assert rule.split(", ") == cards


def test_more_neurons_than_samples_give_a_warning_and_results(finished):
    folder, said = finished
    assert "warning: wide, not perturbed: expected at most 10 principal components" in said
    assert "warning: wide.npz: with 20 neurons and 12 samples" in said
    thresholds = read(folder, "thresholds").query("dataset == 'wide'")
    assert len(thresholds) > 0
    assert (thresholds.n_reached == 0).all()
    assert thresholds.note.str.startswith("capture is undefined").all()
    assert len(pd.read_csv(folder / "results/thresholds/wide/capture.csv")) == 0
    # Without labels there is nothing to decode.
    assert len(pd.read_csv(folder / "results/decoding/wide/accuracies/all.csv")) == 0
    assert read(folder, "references").dataset.tolist() == ["mine"]
    for figure in FIGURES:
        assert (folder / f"results/figures/{figure}.png").exists()


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (
            np.arange(40),
            "error: mine, variable 'label': expected at least 5 samples of each class, one for "
            "each fold, got 1 of 0",
        ),
        (np.ones(40), "error: mine.npz: label 'label' cannot be used: it has one value throughout"),
    ],
)
def test_labels_that_cannot_be_decoded_stop_the_run_before_optimisation(tmp_path, labels, sentence):
    activity = np.random.default_rng(0).standard_normal((40, 6))
    np.savez(tmp_path / "mine.npz", activity=activity, label=labels)
    (tmp_path / "settings.yaml").write_text(
        "datasets: []\nridge_sweep: {datasets: []}\n"
        "custom: {mine: {path: mine.npz, labels: [label]}}\n"
    )
    # On one core, jobs run in the order of their priorities.
    failed = run(tmp_path, THRESHOLDS, cores=1)
    assert failed.returncode != 0
    (said,) = {line for line in failed.said.splitlines() if line.startswith("error: ")}
    assert said.startswith(sentence)
    assert "Traceback" not in failed.said
    assert not list(tmp_path.glob("results/optimized/**/*.nc"))


def test_model_with_other_samples_ends_with_one_sentence(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", activity=rng.standard_normal((12, 3)))
    np.savez(tmp_path / "model.npz", activity=rng.standard_normal((11, 3)))
    (tmp_path / "settings.yaml").write_text(
        "datasets: []\ncustom: {mine: {path: mine.npz}}\n"
        "models: {mock: {path: model.npz, references: [mine]}}\n"
    )
    card = "results/scorecards/mine/mock.scores.csv"
    failed = run(tmp_path, card)
    assert failed.returncode != 0
    said = [line for line in failed.said.splitlines() if line.startswith("error: ")]
    assert said
    assert all("model 'mock' for 'mine': expected 12 samples" in line for line in said)
    assert "Traceback" not in failed.said
    assert not (tmp_path / card).exists()


def test_recording_with_axes_and_a_table_of_labels_is_prepared_and_reported(tmp_path):
    rng = np.random.default_rng(0)
    rates = rng.standard_normal((24, 5, 4))
    rates[:, :, 2] = 0
    np.savez(tmp_path / "mine.npz", rates=rates)
    cue, side = np.arange(24) % 3, np.arange(24) // 4 % 2
    pd.DataFrame({"cue": cue, "side": side}).to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "settings.yaml").write_text(
        "datasets: []\nmeasures: [cka]\ncustom:\n  mine:\n    path: mine.npz\n    array: rates\n"
        "    axes: [trial, time, neuron]\n    labels: trials.csv\n    average_by: [cue, side]\n"
        "    units: Hz\n    time: [10, 30, 50, 70, 90]\n    drop: [constant_neurons]\n"
    )
    made = run(tmp_path, "results/tables/thresholds.csv", "results/tables/availability.csv")
    assert made.returncode == 0, made.said
    thresholds = pd.read_csv(tmp_path / "results/tables/thresholds.csv")
    assert thresholds.target.tolist() == [1, 2, 3]
    assert "variable 'side': expected at least 5 conditions of each class" in made.said
    report = (tmp_path / "results/data/mine.md").read_text()
    assert "| axes | 5 times, 6 conditions, 3 neurons |" in report
    assert "- averaged 24 trials by cue, side: 6 conditions of 4 to 4" in report
    assert "- left out 1 neuron(s): number 2, counted from 0: constant" in report
    own = pd.read_csv(tmp_path / "results/tables/availability.csv").query("dataset == 'mine'")
    assert own.file.tolist() == ["mine.npz", "trials.csv"]
    assert own.checksum.str.startswith("sha256:").all()

    # A changed table of labels prepares it anew.
    pd.DataFrame({"cue": cue, "side": cue % 2}).to_csv(tmp_path / "trials.csv", index=False)
    planned = run(tmp_path, "data/prepared/mine.nc", "-n")
    assert "rule prepare_dataset:" in planned.said
