"""The whole workflow on small data: it runs, repeats itself, and refuses what it cannot use."""

import hashlib
import os
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from helpers.workflow import TINY, copy_project, snakemake

THRESHOLDS = "results/tables/thresholds.csv"
CONTRACT = {
    "thresholds": [
        *("dataset", "measure", "kind", "target", "variance_ratio"),
        *("score_mean", "score_low", "score_high", "n_seeds", "n_reached"),
    ],
    "published": [
        *("dataset", "measure", "quantity", "target"),
        *("published", "reproduced", "low", "high", "difference"),
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Copy the workflow, so that files can be touched."""
    return copy_project(tmp_path_factory.mktemp("project"))


def run(project, folder, *arguments, cores=2):
    options = ("--cores", cores, "--configfile", TINY)
    return snakemake(*arguments, *options, folder=folder, root=project)


@pytest.fixture(scope="module")
def finished(project, tmp_path_factory):
    """Run on two cores, in a folder of its own."""
    folder = tmp_path_factory.mktemp("two-cores")
    result = run(project, folder)
    assert result.returncode == 0, result.said
    return folder


def digests(folder, *patterns):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }


def test_makes_every_table_and_figure(finished):
    tables = {path.stem for path in (finished / "results/tables").glob("*.csv")}
    assert tables == {
        *("thresholds", "runs", "trajectories", "scores", "published", "agreement"),
        *("layers", "availability", "decoding", "references", "ranges", "range_guides"),
        *("perturbation", "scorecards", "comparisons"),
    }
    for dataset in ("ultrametric", "simulated-pfc"):
        assert "participation ratio" in (finished / f"results/data/{dataset}.md").read_text()
    for name, columns in CONTRACT.items():
        assert list(pd.read_csv(finished / f"results/tables/{name}.csv")) == columns
    figures = ("thresholds", "trajectories", "scores", "capture/ultrametric")
    figures += ("capture/simulated-pfc", "layers", "layer_maps", "unrelated")
    figures += ("decoding", "decoding_thresholds", "ridge_sweep")
    figures += ("ranges/ultrametric", "range_matrix", "perturbation", "toy")
    figures += ("task_networks", "scorecards/simulated-pfc")
    for figure in figures:
        for ending in ("pdf", "png", "csv"):
            assert (finished / f"results/figures/{figure}.{ending}").stat().st_size > 200
    guides = pd.read_csv(finished / "results/tables/range_guides.csv")
    # The pairs of the settings first, then what follows for the others.
    assert guides.given.tolist()[:4] == ["cka", "nbs", "ridge_cv_1", "procrustes_angular"]
    assert {("cka", "procrustes_angular"), ("procrustes_angular", "cka")} <= set(
        zip(guides.given, guides.implied, strict=True)
    )
    assert not guides.duplicated(["given", "implied"]).any()
    region = pd.read_csv(finished / "results/tables/ranges.csv")
    assert region.groupby("a").size().to_dict() == {"cka": 6, "ridge_cv_1": 3}
    assert (region.attained_lower >= region.outer_lower - 1e-6)[region.a == "cka"].all()
    thresholds = pd.read_csv(finished / "results/tables/thresholds.csv")
    components = thresholds[thresholds.kind == "pc"]
    assert set(components.measure) == {"cka", "procrustes_angular", "ridge_cv_1"}
    assert components.groupby("dataset").target.nunique().to_dict() == {
        "simulated-pfc": 10,
        "ultrametric": 50,
    }
    variables = thresholds[thresholds.kind == "variable"]
    assert variables.groupby("dataset").target.unique().map(list).to_dict() == {
        "simulated-pfc": ["choice", "motion", "colour", "context"],
        "ultrametric": ["category"],
    }
    # The penalties of the ridge sweep, where it is done.
    assert variables.groupby("dataset").measure.nunique().to_dict() == {
        "simulated-pfc": 4,
        "ultrametric": 3,
    }
    decoding = pd.read_csv(finished / "results/tables/decoding.csv")
    assert decoding.accuracy_mean.between(0, 1).all()
    assert set(decoding.measure) == {"cka", "procrustes_angular", "ridge_cv_1", "ridge_cv_1000"}
    references = pd.read_csv(finished / "results/tables/references.csv")
    assert len(references) == 5
    assert (references.reference > references.chance).all()
    reached = thresholds[thresholds.n_reached > 0]
    assert reached.score_mean.between(-1, 1).all()
    runs = pd.read_csv(finished / "results/tables/runs.csv")
    assert len(runs) == 2 * 3 * 2  # without the ridge sweep
    assert set(runs.stop_reason) <= {"reached", "step limit"}
    layers = pd.read_csv(finished / "results/tables/layers.csv")
    assert set(layers.measure) == {"cka", "procrustes_distance"}
    assert layers.accuracy.between(0, 1).all()
    cards = pd.read_csv(finished / "results/tables/scorecards.csv")
    assert cards.groupby("model", sort=False).size().to_dict() == {
        "rnn-context": 3,
        "rnn-context-untrained": 3,
    }
    assert cards.score.notna().all()
    assert cards.pcs_at_score.between(0, 10).all()


def test_second_run_does_nothing(project, finished):
    before = digests(finished, "results/**/*.*", "data/**/*.*")
    again = run(project, finished)
    assert again.returncode == 0
    assert "Nothing to be done" in again.said
    assert digests(finished, "results/**/*.*", "data/**/*.*") == before


def test_one_core_gives_the_same_bytes(project, finished, tmp_path):
    alone = run(project, tmp_path, cores=1)
    assert alone.returncode == 0, alone.said
    patterns = ("data/prepared/*", "results/optimized/**/*.nc", "results/tables/*")
    patterns += ("results/figures/**/*.*", "results/data/*")
    two_cores = digests(finished, *patterns)
    assert len(two_cores) > 20
    assert digests(tmp_path, *patterns) == two_cores


def test_touching_a_plotting_script_redraws_one_figure(project, finished):
    os.utime(project / "workflow/scripts/plot_trajectories.py")
    again = run(project, finished)
    assert again.returncode == 0, again.said
    assert set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", again.said)) == {
        "plot_trajectories",
        "all",
    }


def test_changed_library_reruns_what_stands_on_it(project, finished):
    path = project / "workflow/scripts/scorebounds/optimization/summary.py"
    before = path.read_text()
    path.write_text(before + "# changed\n")
    planned = run(project, finished, "-n")
    path.write_text(before)
    assert planned.returncode == 0, planned.said
    rules = set(re.findall(r"(?m)^(?:local)?rule (\w+):", planned.said))
    assert {"find_thresholds", "collect_table", "plot_thresholds"} <= rules
    assert not {"prepare_dataset", "optimize_dataset"} & rules


def test_changed_measure_optimises_only_itself_anew(project, finished):
    path = project / "workflow/scripts/scorebounds/measures/shapes.py"
    before = path.read_text()
    path.write_text(before + "# changed\n")
    planned = run(project, finished, "-n")
    path.write_text(before)
    assert planned.returncode == 0, planned.said
    jobs = re.findall(r"rule optimize_dataset:.*?output: (\S+)", planned.said, flags=re.DOTALL)
    assert sorted(jobs) == [
        f"results/optimized/{dataset}/procrustes_angular.nc"
        for dataset in ("simulated-pfc", "two-fans", "ultrametric")
    ]
    assert "rule score_synthetic:" in planned.said


def test_one_figure_by_path_or_by_name(project, finished):
    for target in ("results/figures/capture/ultrametric.pdf", "figure_thresholds"):
        again = run(project, finished, target, "-n")
        assert again.returncode == 0, again.said
        assert "Nothing to be done" in again.said


def test_report_holds_the_figures(project, finished):
    made = run(project, finished, "--report", "report.zip")
    assert made.returncode == 0, made.said
    with zipfile.ZipFile(finished / "report.zip") as report:
        names = report.namelist()
    assert sum(name.endswith(".png") for name in names) == 17


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda a: np.where(a == a[0, 0], np.nan, a), "expected finite activity, got NaN"),
        (lambda a: a * [1, 1, 0], "expected every neuron to vary over samples, got a constant"),
        (lambda a: a[:2], "expected at least 3 samples, got 2"),
    ],
)
def test_unusable_recording_is_told_in_one_sentence(project, tmp_path, change, sentence):
    activity = change(np.random.default_rng(0).standard_normal((12, 3)))
    np.savez(tmp_path / "mine.npz", activity=activity)
    (tmp_path / "mine.yaml").write_text("datasets: []\ncustom: {mine: {path: mine.npz}}\n")
    arguments = ("--cores", 1, "--configfile", TINY, "mine.yaml")
    failed = snakemake(THRESHOLDS, *arguments, folder=tmp_path, root=project)
    assert failed.returncode != 0
    said = [line for line in failed.said.splitlines() if line.startswith("error: ")]
    assert said
    assert all(line.startswith(f"error: mine.npz: {sentence}") for line in said)
    assert "Traceback" not in failed.said
    assert not list(tmp_path.glob("data/prepared/*"))
    assert not list(tmp_path.glob("results/optimized/**/*.nc"))


def test_damaged_catalogue_is_told_in_one_sentence(project, tmp_path):
    path = project / "data/datasets.tsv"
    before = path.read_text()
    path.write_text(before.replace(":0b58e6df", ":Xb58e6df"))
    failed = run(project, tmp_path, "-n")
    path.write_text(before)
    assert failed.returncode != 0
    assert "datasets, files → 0 → checksum: expected a checksum, sha256:<64 hex" in failed.said
    assert "Traceback" not in failed.said


def test_own_recording_takes_part_in_everything(project, tmp_path):
    rng = np.random.default_rng(0)
    activity = rng.standard_normal((4, 10, 3))
    words = np.array([f"word {row}" for row in range(10)])
    np.savez(tmp_path / "mine.npz", activity=activity, stimulus=np.arange(10) % 2, words=words)
    shuffled = rng.permutation(10)
    np.savez(tmp_path / "model.npz", activity=2 * activity[:, shuffled], words=words[shuffled])
    (tmp_path / "mine.yaml").write_text(
        "datasets: []\nmeasures: [cka, procrustes_distance, hsic, soft_matching, mutual_knn_99]\n"
        "custom: {mine: {path: mine.npz, names: words}}\n"
        "models: {scaled: {path: model.npz, names: words, references: [mine], match: names}}\n"
    )
    arguments = ("--cores", 1, "--configfile", TINY, "mine.yaml")
    tables = ("thresholds", "scores", "runs", "references", "perturbation", "ranges", "scorecards")
    targets = [f"results/tables/{table}.csv" for table in tables]
    figures = ("capture/mine", "ranges/mine", "scorecards/mine")
    targets += [f"results/figures/{figure}.pdf" for figure in figures]
    made = snakemake(*targets, *arguments, folder=tmp_path, root=project)
    assert made.returncode == 0, made.said
    for table in ("perturbation", "ranges"):
        assert set(pd.read_csv(tmp_path / f"results/tables/{table}.csv").dataset) == {"mine"}
    thresholds = pd.read_csv(tmp_path / "results/tables/thresholds.csv")
    assert thresholds[thresholds.kind == "variable"].measure.tolist() == [
        *("cka", "procrustes_distance", "hsic")
    ]
    thresholds = thresholds[thresholds.kind == "pc"]
    assert thresholds.measure.tolist() == [
        name for name in ("cka", "procrustes_distance", "hsic") for _ in range(3)
    ]
    runs = pd.read_csv(tmp_path / "results/tables/runs.csv").set_index("measure")
    falling = runs.loc["procrustes_distance"]
    assert (falling.last_score < 0.9 * falling.first_score).all()
    scores = pd.read_csv(tmp_path / "results/tables/scores.csv").set_index("measure")
    assert len(scores) == 3 * 5
    cka = scores.loc["cka"].set_index("optimized").score
    assert cka["cka"] == pytest.approx(runs.loc["cka"].last_score.iloc[0], abs=1e-4)
    assert scores.loc["soft_matching"].score.between(-1, 1).all()
    assert scores.loc["mutual_knn_99"].score.isna().all()
    assert scores.loc["mutual_knn_99"].note.str.contains("at least 101 samples").all()
    assert "warning: no score with mutual_knn_99 for 3 of 3 synthetic datasets" in made.said
    assert (tmp_path / "results/figures/capture/mine.png").exists()
    # A scaled copy in another order is perfect, but for the measures that see the scale.
    cards = pd.read_csv(tmp_path / "results/tables/scorecards.csv").set_index("measure")
    assert set(cards.model) == {"scaled"}
    assert cards.verdict["cka"] == cards.verdict["soft_matching"] == "perfect"
    assert cards.verdict["mutual_knn_99"] == "not defined"
    assert cards.score["procrustes_distance"] > 1
    page = (tmp_path / "results/scorecards/mine/scaled.html").read_text()
    assert "scaled beside mine" in page
    # Its label is decoded, along a distance from far to near.
    decoded = pd.read_csv(tmp_path / "results/decoding/mine/procrustes_distance.csv")
    assert set(decoded.target) == {"stimulus"}
    by_seed = decoded.groupby("seed").score
    assert by_seed.max().tolist() == pytest.approx(falling.first_score.tolist(), rel=1e-6)
    assert by_seed.last().tolist() == by_seed.min().tolist()
    (reference,) = pd.read_csv(tmp_path / "results/tables/references.csv").itertuples()
    assert (reference.target, reference.chance, reference.n_samples) == ("stimulus", 0.5, 10)


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
def test_labels_that_cannot_be_decoded_end_the_run_early(project, tmp_path, labels, sentence):
    activity = np.random.default_rng(0).standard_normal((40, 6))
    np.savez(tmp_path / "mine.npz", activity=activity, label=labels)
    (tmp_path / "mine.yaml").write_text(
        "datasets: []\nridge_sweep: {datasets: []}\n"
        "custom: {mine: {path: mine.npz, labels: [label]}}\n"
    )
    arguments = ("--cores", 1, "--configfile", TINY, "mine.yaml")
    failed = snakemake(THRESHOLDS, *arguments, folder=tmp_path, root=project)
    assert failed.returncode != 0
    (said,) = {line for line in failed.said.splitlines() if line.startswith("error: ")}
    assert said.startswith(sentence)
    assert "Traceback" not in failed.said
    assert not list(tmp_path.glob("results/optimized/**/*.nc"))


def test_more_neurons_than_samples_go_through_with_a_warning(project, tmp_path):
    np.savez(tmp_path / "wide.npz", activity=np.random.default_rng(0).standard_normal((12, 20)))
    (tmp_path / "wide.yaml").write_text(
        "datasets: [ultrametric]\nmeasures: [cka, linreg]\ncustom: {wide: {path: wide.npz}}\n"
    )
    arguments = ("--cores", 2, "--configfile", TINY, "wide.yaml")
    figures = ("thresholds", "trajectories", "capture/wide", "decoding", "perturbation")
    figures += ("ranges/wide",)
    targets = [f"results/figures/{figure}.pdf" for figure in figures]
    made = snakemake(*targets, *arguments, folder=tmp_path, root=project)
    assert made.returncode == 0, made.said
    assert "warning: wide, not perturbed: expected at most 10 principal components" in made.said
    assert "warning: wide.npz: with 20 neurons and 12 samples" in made.said
    thresholds = pd.read_csv(tmp_path / "results/tables/thresholds.csv").set_index("dataset")
    assert (thresholds.loc["wide"].n_reached == 0).all()
    assert (thresholds.loc["ultrametric"].n_reached > 0).any()
    # Without labels there is nothing to decode.
    assert len(pd.read_csv(tmp_path / "results/decoding/wide/cka.csv")) == 0
    references = pd.read_csv(tmp_path / "results/tables/references.csv")
    assert references.dataset.tolist() == ["ultrametric"]
    for figure in figures:
        assert (tmp_path / f"results/figures/{figure}.png").exists()


def test_a_model_that_does_not_match_is_told_in_one_sentence(project, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", activity=rng.standard_normal((12, 3)))
    np.savez(tmp_path / "model.npz", activity=rng.standard_normal((11, 3)))
    (tmp_path / "mine.yaml").write_text(
        "datasets: []\ncustom: {mine: {path: mine.npz}}\n"
        "models: {mock: {path: model.npz, references: [mine]}}\n"
    )
    arguments = ("--cores", 1, "--configfile", TINY, "mine.yaml")
    card = "results/scorecards/mine/mock.scores.csv"
    failed = snakemake(card, *arguments, folder=tmp_path, root=project)
    assert failed.returncode != 0
    said = [line for line in failed.said.splitlines() if line.startswith("error: ")]
    assert said
    assert all("model 'mock' for 'mine': expected 12 samples" in line for line in said)
    assert "Traceback" not in failed.said
    assert not (tmp_path / card).exists()


def test_nothing_published_to_compare_with(project, tmp_path, mirror):
    (tmp_path / "one.yaml").write_text(
        f"datasets: [surrogate-ultrametric]\nmeasures: [linreg]\nmirrors: ['{mirror}']\n"
    )
    arguments = ("--cores", 2, "--configfile", TINY, "one.yaml")
    made = snakemake("figure_agreement", *arguments, folder=tmp_path, root=project)
    assert made.returncode == 0, made.said
    assert len(pd.read_csv(tmp_path / "results/tables/published.csv")) == 0
    assert (tmp_path / "results/figures/agreement.png").exists()


@pytest.mark.parametrize("damage", ["changed in the mirror", "unreachable"])
def test_recording_that_cannot_be_had(project, tmp_path, mirror, damage):
    name = "hatsopoulos2007-averages"
    (source,) = (mirror / name).iterdir()
    place = tmp_path / "mirror" / name
    place.mkdir(parents=True)
    if damage == "changed in the mirror":
        (place / source.name).write_bytes(source.read_bytes() + b" ")
    (tmp_path / "bad.yaml").write_text(
        f"datasets: [{name}]\nmirrors: [mirror, 'http://127.0.0.1:9']\noffline: false\n"
        "downloads: {retries: 0}\n"
    )
    # Its own address is asked last; the connection of this test goes nowhere.
    os.environ["https_proxy"] = "http://127.0.0.1:9"
    try:
        arguments = ("--cores", 1, "--configfile", TINY, "bad.yaml")
        failed = snakemake(THRESHOLDS, *arguments, folder=tmp_path, root=project)
    finally:
        del os.environ["https_proxy"]
    assert failed.returncode != 0
    (said,) = {line for line in failed.said.splitlines() if line.startswith("error: ")}
    assert f"data/raw/{name}/{source.name}: none of its sources has it" in said
    reason = "checksum is not the one expected" if damage.startswith("changed") else "no such file"
    assert reason in said
    assert "http://127.0.0.1:9" in said
    assert "offline=true" in said
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def test_recording_damaged_after_it_was_fetched(project, tmp_path, mirror):
    name = "hatsopoulos2007-averages"
    (source,) = (mirror / name).iterdir()
    place = tmp_path / "data/raw" / name
    place.mkdir(parents=True)
    (place / source.name).write_bytes(source.read_bytes()[:-1])
    (tmp_path / "one.yaml").write_text(f"datasets: [{name}]\n")
    arguments = ("--cores", 1, "--configfile", TINY, "one.yaml")
    failed = snakemake(THRESHOLDS, *arguments, folder=tmp_path, root=project)
    assert failed.returncode != 0
    said = [line for line in failed.said.splitlines() if line.startswith("error: ")]
    assert said
    assert f"data/raw/{name}/{source.name}: expected sha256:" in said[0]
    assert not (tmp_path / "data/prepared" / f"{name}.nc").exists()
