"""Bad settings end in one sentence, before anything runs."""

import pytest
from workflow_runs import snakemake


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("optimize: {max_step: 10}", "optimize: unknown key 'max_step', did you mean 'max_steps'?"),
        ("sede: 1", "top level: unknown key 'sede', did you mean 'seed'?"),
        ("seed: -1", "seed: expected a whole number, the root of all random streams, got -1"),
        (
            "measures: [ckaa]",
            "measures → 0: expected a measure of docs/measures.md, got 'ckaa'",
        ),
        ("measures: [ridge_cv_0]", "a measure of docs/measures.md, got 'ridge_cv_0'"),
        ("measures: [ensd]", "config, measures: expected at least one that has a gradient"),
        ("measures: []", "measures: expected a list of at least one id of a similarity measure"),
        ("datasets: [ultrametrik]", "unknown dataset 'ultrametrik' (did you mean 'ultrametric'?)"),
        ("datasets: []", "config, datasets: none is left to work on"),
        ("offline: perhaps", "offline: expected true or false, got 'perhaps'"),
        ("optimize: {stop_score: 1.5}", "stop_score: expected a score above 0 and at most 1, got"),
        ("ranges: {pairs: [[cka, ensd]]}", "expected a measure of docs/measures.md that has a gra"),
        ("ranges: {pairs: [[cka, cka]]}", "a pair of two different measures that have a gradient"),
        ("ranges: {datasets: [ultra]}", "config, ranges → datasets: unknown dataset 'ultra'"),
        ("custom: {a: {file: x.npz}}", "custom → a: unknown key 'file'"),
        ("custom: {a: {path: gone.npz}}", "config, custom → a: no such file: gone.npz"),
        ("custom: {ultrametric: {path: x}}", "the name 'ultrametric' is taken, choose another"),
        ("custom: {'a b': {path: x}}", "expected a name of letters, digits, '.', '_' and '-', got"),
    ],
)
def test_bad_setting_is_told_in_one_sentence(tmp_path, settings, sentence):
    (tmp_path / "bad.yaml").write_text(settings)
    run = snakemake("-n", "--configfile", "bad.yaml", folder=tmp_path)
    assert run.returncode != 0
    said = [line for line in run.said.splitlines() if sentence in line]
    assert len(said) == 1, run.said
    assert "Traceback" not in run.said
    assert {path.name for path in tmp_path.iterdir()} <= {"bad.yaml", ".snakemake"}


@pytest.mark.parametrize("name", ["ridge_cv_0.5", "ridge_cv_1000000", "ridge_cv_10"])
def test_any_penalty_may_be_asked_for(tmp_path, name):
    (tmp_path / "good.yaml").write_text(f"measures: [{name}]\ndatasets: [ultrametric]\n")
    run = snakemake("-n", "--configfile", "good.yaml", folder=tmp_path)
    assert run.returncode == 0, run.said
    assert f"results/optimized/ultrametric/{name}.nc" in run.said


def test_offline_names_what_it_leaves_out(tmp_path):
    run = snakemake("-n", "--config", "offline=true", folder=tmp_path)
    assert run.returncode == 0, run.said
    for left_out in (
        "zhang2011",
        "surrogate-Mante2013",
        "surrogate-siegel15-FEF-stim_period-var99",
    ):
        assert f"Left out offline: {left_out}, which needs " in run.said
    assert "data/prepared/ultrametric.nc" in run.said
    assert "data/prepared/zhang2011.nc" not in run.said


def test_offline_takes_what_a_folder_mirror_has(tmp_path, mirror):
    run = snakemake("-n", "--config", "offline=true", f"mirrors={mirror}", folder=tmp_path)
    assert run.returncode == 0, run.said
    left_out = [line for line in run.said.splitlines() if line.startswith("Left out")]
    assert [line.split(",")[0] for line in left_out] == [
        "Left out offline: surrogate-Mante2013",
        "Left out offline: surrogate-siegel15-FEF-stim_period-var99",
    ]
    assert "data/prepared/surrogate-MajajHong2015.nc" in run.said


def test_online_asks_for_every_dataset(tmp_path):
    run = snakemake("-n", folder=tmp_path)
    assert run.returncode == 0, run.said
    assert "Left out" not in run.said
    assert "data/prepared/surrogate-Mante2013.nc" in run.said
