"""What the setting `analyses` plans, and that everything that a run makes is made again."""

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.workflow import ROOT, planned_jobs, snakemake

ANALYSES = yaml.safe_load((ROOT / "config.yaml").read_text())["analyses"]


@pytest.fixture
def own(tmp_path):
    """Write a recording and a model to the paths of config/own-data.yaml."""
    rng = np.random.default_rng(0)
    activity = rng.standard_normal((60, 6))
    (tmp_path / "recordings").mkdir()
    np.savez(tmp_path / "recordings/mydata.npz", activity=activity, side=np.arange(60) % 2)
    np.savez(tmp_path / "activations.npz", activity=activity @ rng.standard_normal((6, 4)))
    return tmp_path


def plan(folder, *analyses):
    (folder / "chosen.yaml").write_text(yaml.safe_dump({"analyses": list(analyses)}))
    files = (ROOT / "config/own-data.yaml", "chosen.yaml")
    planned = snakemake("-n", "--configfile", *files, folder=folder)
    assert planned.returncode == 0, planned.said
    return planned_jobs(planned.said)


def test_score_cards_of_own_data_plan_thirteen_jobs(own):
    jobs = plan(own, "scorecards")
    assert sorted(jobs) == [
        ("all", ""),
        ("build_index", "results/index.html"),
        ("collect_availability", "results/tables/availability.csv"),
        ("collect_table", "results/tables/comparisons.csv"),
        ("collect_table", "results/tables/scorecards.csv"),
        ("compare_models", "results/comparisons/mydata.csv"),
        ("describe_measures", "results/tables/measures.csv"),
        ("judge_model", "results/scorecards/mydata/mymodel.csv"),
        ("plot_figure_of_dataset", "results/figures/ladder/mydata.pdf"),
        ("plot_figure_of_dataset", "results/figures/scorecards/mydata.pdf"),
        ("prepare_dataset", "data/prepared/mydata.nc"),
        ("prepare_dataset", "data/prepared/mymodel.nc"),
        ("score_model", "results/scorecards/mydata/mymodel.scores.csv"),
    ]


def test_a_score_card_of_own_data_is_made(own):
    (own / "few.yaml").write_text(
        "measures: [cka, procrustes_angular]\n"
        "scorecards: {n_permutations: 19, n_permutations_of: {}, n_groups: 5}\n"
    )
    table = "results/scorecards/mydata/mymodel.csv"
    files = (ROOT / "config/own-data.yaml", "few.yaml")
    made = snakemake(table, "--cores", 2, "--configfile", *files, folder=own)
    assert made.returncode == 0, made.said
    card = pd.read_csv(own / table)
    assert card.measure.tolist() == ["cka", "procrustes_angular"]
    assert card.score.between(0, 1).all()
    assert "mymodel" in (own / "results/scorecards/mydata/mymodel.html").read_text()


@pytest.mark.parametrize("analysis", ANALYSES)
def test_an_analysis_alone_plans_no_job_of_another(own, analysis):
    rules = {rule for rule, _ in plan(own, analysis)}
    only_of = {
        "thresholds": {"find_thresholds", "score_synthetic", "collect_published"},
        "decoding": {
            "decode_reference",
            "decode_variables",
            "find_decoding_thresholds",
            "collect_published_decoding",
        },
        "ranges": {"range_small_dataset", "range_others", "collect_ranges"},
        "perturbation": {"perturb_components"},
        "layers": {"train_network", "match_layers", "compare_networks", "score_unrelated"},
        "toy": {"trace_toy", "animate_toy"},
        "scorecards": {"score_model", "compare_models", "judge_model", "describe_measures"},
        # Alone it has nothing to show.
        "explorer": set(),
    }
    assert set(only_of) == set(ANALYSES)
    others = set().union(*(rules for name, rules in only_of.items() if name != analysis))
    assert only_of[analysis] <= rules
    assert not others & rules
    optimizing = {rule for rule in rules if rule.startswith("optimize")}
    rule = {"thresholds": "small_dataset", "decoding": "small_dataset", "toy": "toy"}
    assert optimizing == ({f"optimize_{rule[analysis]}"} if analysis in rule else set())
    assert "train_model" not in rules


def test_everything_that_a_run_makes_is_made_again(tiny_copy):
    results = tiny_copy.folder / "results"
    patterns = ("tables/*", "figures/**/*.*", "data/*", "scorecards/*/*.html", "*.html")
    found = {path for pattern in patterns for path in results.glob(pattern)}
    # The digest of a table is a hidden file, which is written with the table.
    made = {path for path in found if not path.name.startswith(".")}
    named = {path.relative_to(tiny_copy.folder).as_posix() for path in made}
    # Where these are missing, their jobs and `all` run; nothing else is out of date.
    for path in made:
        path.unlink()
    planned = tiny_copy.run("-n")
    assert planned.returncode == 0, planned.said
    (line,) = [line for line in planned.said.splitlines() if line.startswith("    input: ")][-1:]
    wanted = set(line.removeprefix("    input: ").split(", "))
    assert named <= wanted, named - wanted


def test_each_measure_of_a_large_recording_is_a_job(own):
    rng = np.random.default_rng(0)
    activity = rng.standard_normal((600, 500))
    np.savez(own / "recordings/mydata.npz", activity=activity, side=np.arange(600) % 2)
    jobs = plan(own, "thresholds", "decoding")
    optimized = [output for rule, output in jobs if rule == "optimize_dataset"]
    decoded = [output for rule, output in jobs if rule == "decode_variables"]
    assert len(optimized) == len(decoded) == 9
    assert "results/optimized/mydata/cka.nc" in optimized
    assert "results/decoding/mydata/accuracies/cka.csv" in decoded
    assert "optimize_small_dataset" not in {rule for rule, _ in jobs}
