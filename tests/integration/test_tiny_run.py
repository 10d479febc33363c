"""The whole workflow on small data: what it makes, that it repeats itself, and what runs again."""

import zipfile

import pandas as pd

from helpers.workflow import TINY, digests, planned_jobs, snakemake

CONTRACT = {
    "thresholds": [
        "dataset",
        "measure",
        "kind",
        "target",
        "variance_ratio",
        "score_mean",
        "score_low",
        "score_high",
        "n_seeds",
        "n_reached",
    ],
    "published": [
        "dataset",
        "measure",
        "quantity",
        "target",
        "published",
        "reproduced",
        "low",
        "high",
        "difference",
    ],
}


def test_makes_every_table_with_the_columns_of_the_contract(tiny_run):
    finished = tiny_run.folder
    tables = {path.stem for path in (finished / "results/tables").glob("*.csv")}
    assert tables == {
        "thresholds",
        "runs",
        "trajectories",
        "scores",
        "published",
        "agreement",
        "layers",
        "availability",
        "decoding",
        "references",
        "ranges",
        "range_guides",
        "perturbation",
        "scorecards",
        "comparisons",
        "seed_thresholds",
        "decoding_times",
        "published_decoding",
        "published_decoding_thresholds",
        "measures",
        "targeted",
        "twins",
        "twin_differences",
    }
    for name, columns in CONTRACT.items():
        written = list(pd.read_csv(finished / f"results/tables/{name}.csv"))
        assert written[: len(columns)] == columns


def test_reports_every_dataset_and_draws_every_figure(tiny_run):
    finished = tiny_run.folder
    for dataset in ("ultrametric", "simulated-pfc"):
        assert "participation ratio" in (finished / f"results/data/{dataset}.md").read_text()
    figures = ("thresholds", "trajectories", "scores", "capture/ultrametric")
    figures += ("capture/simulated-pfc", "layers", "layer_maps", "unrelated")
    figures += ("decoding", "decoding_thresholds", "ridge_sweep")
    figures += ("ranges/ultrametric", "range_matrix", "perturbation", "toy")
    figures += ("task_networks", "scorecards/simulated-pfc")
    for figure in figures:
        for ending in ("pdf", "png", "csv"):
            assert (finished / f"results/figures/{figure}.{ending}").stat().st_size > 200


def test_ranges_have_every_pair_once_and_lie_within_the_bounds(tiny_run):
    tables = tiny_run.folder / "results/tables"
    guides = pd.read_csv(tables / "range_guides.csv")
    # The pairs of the settings first, then what follows for the others.
    assert guides.given.tolist()[:4] == ["cka", "nbs", "ridge_cv_1", "procrustes_angular"]
    assert {("cka", "procrustes_angular"), ("procrustes_angular", "cka")} <= set(
        zip(guides.given, guides.implied, strict=True)
    )
    assert not guides.duplicated(["given", "implied"]).any()
    region = pd.read_csv(tables / "ranges.csv")
    assert region.groupby("a").size().to_dict() == {"cka": 6, "ridge_cv_1": 3}
    assert (region.attained_lower >= region.outer_lower - 1e-6)[region.a == "cka"].all()


def test_thresholds_are_of_every_component_and_variable_by_every_measure(tiny_run):
    tables = tiny_run.folder / "results/tables"
    thresholds = pd.read_csv(tables / "thresholds.csv")
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
    reached = thresholds[thresholds.n_reached > 0]
    assert reached.score_mean.between(-1, 1).all()


def test_variables_are_decoded_along_every_measure(tiny_run):
    tables = tiny_run.folder / "results/tables"
    decoding = pd.read_csv(tables / "decoding.csv")
    assert decoding.accuracy_mean.between(0, 1).all()
    assert set(decoding.measure) == {"cka", "procrustes_angular", "ridge_cv_1", "ridge_cv_1000"}
    references = pd.read_csv(tables / "references.csv")
    assert len(references) == 5
    assert (references.reference > references.chance).all()


def test_every_run_measure_and_model_has_its_rows(tiny_run):
    tables = tiny_run.folder / "results/tables"
    runs = pd.read_csv(tables / "runs.csv")
    assert len(runs) == 2 * 3 * 2  # without the ridge sweep
    assert set(runs.stop_reason) <= {"reached", "step limit"}
    layers = pd.read_csv(tables / "layers.csv")
    assert set(layers.measure) == {"cka", "procrustes_distance"}
    assert layers.accuracy.between(0, 1).all()
    cards = pd.read_csv(tables / "scorecards.csv")
    assert cards.groupby("model", sort=False).size().to_dict() == {
        "rnn-context": 3,
        "rnn-context-untrained": 3,
    }
    assert cards.score.notna().all()
    assert cards.pcs_at_score.between(0, 10).all()


def test_second_run_does_nothing(tiny_copy):
    before = digests(tiny_copy.folder, "results/**/*.*", "data/**/*.*")
    again = tiny_copy.run()
    assert again.returncode == 0, again.said
    assert "Nothing to be done" in again.said
    assert digests(tiny_copy.folder, "results/**/*.*", "data/**/*.*") == before


COMPUTED = ("data/prepared/*", "results/optimized/**/*.nc", "results/tables/*")
COMPUTED += ("results/figures/**/*.*", "results/data/*", "results/layers/**/*.*")


def test_one_core_gives_the_same_bytes(tiny_copy, tiny_run):
    """A product of every rule is made again, with what these products need of each other."""
    everything = planned_jobs(tiny_copy.run("-n", "--forceall").said)
    # Of one dataset where there are several, so that less follows.
    everything.sort(key=lambda job: "ultrametric" not in job[1])
    first = dict(reversed([job for job in everything if job[1]])).values()
    assert len(first) > 15
    before = modification_times(tiny_copy.folder)
    alone = tiny_copy.run(*first, "--forcerun", *first, cores=1)
    assert alone.returncode == 0, alone.said
    assert set(first) <= changed_files(tiny_copy.folder, before)
    two_cores = digests(tiny_run.folder, *COMPUTED)
    assert len(two_cores) > 20
    assert digests(tiny_copy.folder, *COMPUTED) == two_cores


def test_jobs_in_processes_of_their_own_give_the_same_bytes(tiny_copy, tiny_run):
    """The other tests start jobs as forks of one process, which users do not."""
    made = ("results/optimized/ultrametric/cka.nc", "results/layers/networks/1.nc")
    made += ("results/figures/task_networks.png",)
    before = modification_times(tiny_copy.folder)
    finished = tiny_copy.run(*made, "--forcerun", *made, preloaded=False)
    assert finished.returncode == 0, finished.said
    assert set(made) <= changed_files(tiny_copy.folder, before)
    assert digests(tiny_copy.folder, *COMPUTED) == digests(tiny_run.folder, *COMPUTED)


def modification_times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def changed_files(folder, before):
    """Return what was made or changed since, but for logs and benchmarks."""
    now = modification_times(folder)
    names = {str(path.relative_to(folder)) for path in now if now[path] != before.get(path)}
    return {
        name
        for name in names
        if not name.startswith((".snakemake", "results/logs", "results/benchmarks"))
    }


def test_changed_code_draws_its_figure_and_deleted_products_are_made_again(tiny_copy):
    code = tiny_copy.project / "workflow/scripts/scorebounds/figures/scores.py"
    code.write_text(code.read_text(encoding="utf-8") + "\nNEVER_USED = 1\n", encoding="utf-8")
    made = ("figures/trajectories.png", "figures/toy.gif", "explorer.html")
    deleted = [f"results/{name}" for name in made]
    for name in deleted:
        (tiny_copy.folder / name).unlink()
    before = modification_times(tiny_copy.folder)
    again = tiny_copy.run()
    assert again.returncode == 0, again.said
    changed = changed_files(tiny_copy.folder, before)
    assert {f"results/figures/scores.{ending}" for ending in ("pdf", "png", "csv")} <= changed
    assert set(deleted) <= changed
    # Of the other figures, the one whose image was deleted.
    drawn = {name.partition(".")[0] for name in changed if name.endswith(".png")}
    assert drawn == {f"results/figures/{name}" for name in ("scores", "trajectories")}


def test_report_holds_the_figures(tiny_copy):
    made = tiny_copy.run("--report", "report.zip")
    assert made.returncode == 0, made.said
    with zipfile.ZipFile(tiny_copy.folder / "report.zip") as report:
        names = report.namelist()
    drawn = list((tiny_copy.folder / "results/figures").rglob("*.png"))
    assert len(drawn) == 27
    assert sum(name.endswith(".png") for name in names) == len(drawn)


def test_nothing_published_to_compare_with(tmp_path, mirror):
    (tmp_path / "one.yaml").write_text(
        f"datasets: [surrogate-ultrametric]\nmeasures: [linreg]\nmirrors: ['{mirror}']\n"
    )
    arguments = ("--cores", 2, "--configfile", TINY, "one.yaml")
    made = snakemake("figure_agreement", *arguments, folder=tmp_path)
    assert made.returncode == 0, made.said
    assert len(pd.read_csv(tmp_path / "results/tables/published.csv")) == 0
    assert (tmp_path / "results/figures/agreement.png").exists()
