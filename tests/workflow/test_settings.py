"""Bad settings end in one sentence, before anything runs."""

import os
import re

import pytest

from helpers.workflow import planned_jobs, snakemake


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
        (
            "decoding: {n_folds: 1}",
            "n_folds: expected a number of folds, at least 2, got 1",
        ),
        ("decoding: {c: 0}", "decoding → c: expected a weight above 0, got 0"),
        ("decoding: {n_permutations: 9}", "expected a number of shuffles, at least 19, got 9"),
        ("ridge_sweep: {penalties: [0.5]}", "expected a penalty, a whole number above 0, got 0.5"),
        ("ridge_sweep: {datasets: [surrogate-ultrametric]}", "expected a dataset with labels, got"),
        ("datasets: [surrogate-ultrametrik-1]", "unknown dataset 'surrogate-ultrametrik-1' (did"),
        ("twins: {datasets: [ultra]}", "config, twins → datasets: unknown dataset 'ultra'"),
        (
            "twins: {n_draws: 1}",
            "twins → n_draws: expected a number of draws of a twin, at least 2",
        ),
        ("ranges: {pairs: [[cka, ensd]]}", "expected a measure of docs/measures.md that has a gra"),
        ("ranges: {pairs: [[cka, cka]]}", "a pair of two different measures that have a gradient"),
        ("ranges: {joint: {x: moving}}", "joint → x: expected fixed or free, got 'moving'"),
        ("ranges: {datasets: [ultra]}", "config, ranges → datasets: unknown dataset 'ultra'"),
        ("models: {a: {path: x.npz}}", "models → a: 'references' is a required property"),
        (
            "models: {a: {references: [ultrametric]}}",
            "config, models → a: expected the `path` of its activations, or the name of a dataset",
        ),
        (
            "models: {rnn-context: {references: [ultrametrik]}}",
            "models → rnn-context → references: unknown dataset 'ultrametrik' (did you mean 'ultra",
        ),
        ("models: {a: {path: gone.npz, references: [ultrametric]}}", "models → a: no such file"),
        (
            "models: {rnn-context: {references: [ultrametric], match: label}}",
            "match: expected order, names, a list of labels that model and reference have, or a",
        ),
        (
            "models: {rnn-context: {references: [ultrametric], match: {names: prefix}}}",
            "match: expected order, names, a list of labels",
        ),
        ("custom: {a: {path: x.npz}, 2013: {path: x}}", "got 2013, which YAML reads as int; start"),
        (
            "custom: {2024-01-01: {path: x}}",
            "which YAML reads as timestamp; start it with a letter",
        ),
        ("models: {no: {path: x, references: [a]}}", "got no, which YAML reads as bool; start it"),
        (
            'custom: {"01": {path: x}}',
            "a name of at most 100 letters, digits, '.', '_' and '-' that is no number",
        ),
        (
            "custom: {a: {path: x, columns: {0: ignore, 1_11: label}}}",
            'name of a column, got 1_11, which YAML reads as int; write it in quotes, as "1_11"',
        ),
        (
            'custom: {"a\\n": {path: x}}',
            "a name of at most 100 letters, digits, '.', '_' and '-' that is no number",
        ),
        ("custom: {NA: {path: x}}", "that is no number and not NA, None, null, true or false"),
        ("custom: {a: {path: x}, b: {path: x}, a: {path: y}}", "expected each key once, got 'a'"),
        (
            "custom: {a: {path: config.yaml}, A: {path: config.yaml}}",
            "the names 'a' and 'A' differ in case only",
        ),
        (
            "models: {net: {path: config.yaml, references: [ultrametric]}, "
            "net.scores: {path: config.yaml, references: [ultrametric]}}",
            "the files of 'net.scores' would be those of 'net' that end in .scores",
        ),
        ("scorecards: {n_permutations: 9}", "n_permutations: expected a number of shuffles, at le"),
        ("custom: {a: {file: x.npz}}", "custom → a: unknown key 'file'"),
        ("custom: {a: {path: gone.npz}}", "config, custom → a: no such file: gone.npz"),
        (
            "custom: {a: {path: config.yaml/x.npz}}",
            "config, custom → a: no such file: config.yaml/",
        ),
        (
            "custom: {a: {path: /dev/zero}}",
            "custom → a: expected a file, or a folder of data, got /",
        ),
        ("custom: {a: {path: ///}}", "custom → a: expected a file, or a folder of data, got ///"),
        (f"custom: {{a: {{path: {'x' * 300}.npz}}}}", "File name too long"),
        (
            'custom: {a: {path: "x\\0.npz"}}',
            "custom → a: expected the path of a file, got 'x\\x00.",
        ),
        (
            "custom: {a: {path: 'https://me:w0rd@host.org/x.npz?key=1'}}",
            "got an address, https://host.org/x.npz?key=…; download the file first",
        ),
        (
            "models: {a: {path: /dev/zero, references: [ultrametric], layers: all}}",
            "models → a: expected a file, or a folder of data, got /dev/zero",
        ),
        ("custom: {ultrametric: {path: x}}", "the name 'ultrametric' is taken, choose another"),
        (
            "custom: {a: {path: x.npz, axis: [trial, neuron]}}",
            "custom → a: unknown key 'axis', did you mean 'axes'?",
        ),
        (
            "custom: {a: {path: x.npz, axes: [trials, neuron]}}",
            "axes → 0: expected neuron, time, sample, trial or condition; of feature maps",
        ),
        (
            "custom: {a: {path: x.npz, axes: [trial, time]}}",
            "axes: expected a list of what each axis of the array is (neuron and sample, trial,",
        ),
        (
            "custom: {a: {path: x.npz, labels: 3}}",
            "labels: expected a list of names of arrays in the file, or the path of a .csv",
        ),
        ("custom: {a: {path: x.npz, drop: [nan]}}", "drop → 0: expected missing_trials, missing_"),
        (
            "datasets: [siegel2015]",
            "config, siegel2015: this recording is not public; expected its",
        ),
        ("task-networks: {nonlinearity: elu}", "nonlinearity: expected tanh or relu, got 'elu'"),
        ("task-networks: {n_unit: 9}", "task-networks: unknown key 'n_unit', did you mean"),
        (
            "task-networks: {time_constant: 10}",
            "time_constant: expected a time constant in ms, at least 25, the longest step, got 10",
        ),
        (
            "task-networks: {training: {stop_accuracy: 93}}",
            "stop_accuracy: expected a share above 0 and at most 1, got 93",
        ),
        ("custom: {rnn-context: {path: x}}", "the name 'rnn-context' is taken, choose another"),
        ("datasets: [rnn-contex]", "unknown dataset 'rnn-contex' (did you mean 'rnn-context'?)"),
        ("mante2013: {monkeys: [B]}", "monkeys → 0: expected A or F, got 'B'"),
        ("downloads: {per_host: 0}", "per_host: expected a number of files fetched from one host"),
        (
            "custom: {m: {path: x}, m.allowed: {path: x}}",
            "the files of 'm.allowed' would be those of 'm' that end in .allowed; rename one",
        ),
        ("custom: {m: {path: x}, M: {path: x}}", "the names 'm' and 'M' differ in case only"),
        (
            'custom: {"a\\n": {path: x}}',
            "expected a name of at most 100 letters, digits, '.', '_' and '-' that is no number",
        ),
        (
            f"custom: {{a{'xy' * 50}: {{path: x}}}}",
            "expected a name of at most 100 letters, digits,",
        ),
        (
            "custom: {../a: {path: x}}",
            "expected a name of at most 100 letters, digits, '.', '_' and '-'",
        ),
        (
            "custom: {a: {path: 'x{y}.npz'}}",
            "config, custom → a: expected a path without braces and angle brackets, in which",
        ),
        (
            "models: {a: {path: 'x.npz', labels: '<b>.csv', references: [ultrametric]}}",
            "replace what they enclose, got '<b>.csv'; rename the file or folder",
        ),
        (
            "layers: {n_images: 500}",
            "config, layers → n_images: expected more than 513 images for cca, cca_r2, pwcca, "
            "linreg, got 500: 3 of 9 layers of the networks for digits have 512 neurons, and",
        ),
        ("siegel2015: {path: 'x{y}.mat'}", "config, siegel2015 → path: expected a path without"),
        (
            "custom: {'a b': {path: x}}",
            "expected a name of at most 100 letters, digits, '.', '_' and '-' that is no number",
        ),
    ],
)
def test_error_for_a_bad_setting_is_one_sentence(tmp_path, settings, sentence):
    (tmp_path / "bad.yaml").write_text(settings)
    run = snakemake("-n", "--configfile", "bad.yaml", folder=tmp_path)
    assert run.returncode != 0
    said = [line for line in run.said.splitlines() if sentence in line]
    assert len(said) == 1, run.said
    assert "Traceback" not in run.said
    assert {path.name for path in tmp_path.iterdir()} <= {"bad.yaml", ".snakemake"}


@pytest.mark.parametrize("name", ["ridge_cv_0.5", "ridge_cv_1000000", "ridge_cv_10"])
def test_any_ridge_penalty_is_accepted(tmp_path, name):
    (tmp_path / "good.yaml").write_text(f"measures: [{name}]\ndatasets: [ultrametric]\n")
    run = snakemake("-n", "--configfile", "good.yaml", folder=tmp_path)
    assert run.returncode == 0, run.said
    assert f"results/optimized/ultrametric/{name}.nc" in run.said


def test_twin_is_a_dataset(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "datasets: [surrogate-ultrametric-2]\nanalyses: [thresholds]\noffline: true\n"
        "measures: [cka]\n"
    )
    run = snakemake("-n", "--configfile", "own.yaml", folder=tmp_path)
    assert run.returncode == 0, run.said
    jobs = planned_jobs(run.said)
    assert ("prepare_dataset", "data/prepared/ultrametric.nc") in jobs
    assert ("draw_twin", "data/prepared/surrogate-ultrametric-2.nc") in jobs
    assert ("find_thresholds", "results/thresholds/surrogate-ultrametric-2/thresholds.csv") in jobs
    assert not any(rule == "compare_twins" for rule, _ in jobs)


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
    assert "results/optimized/simulated-pfc/ridge_cv_10000.nc" in run.said
    assert "mante2013-subset/ridge_cv_10000.nc" not in run.said


def test_offline_takes_what_a_folder_mirror_has(tmp_path, mirror):
    run = snakemake("-n", "--config", "offline=true", f"mirrors={mirror}", folder=tmp_path)
    assert run.returncode == 0, run.said
    left_out = [line for line in run.said.splitlines() if line.startswith("Left out")]
    assert {line.split(",")[0].removeprefix("Left out offline: ") for line in left_out} == {
        "mante2013",
        "hatsopoulos2007",
        "majajhong2015",
        "freemanziemba2013",
        "surrogate-Mante2013",
        "surrogate-siegel15-FEF-stim_period-var99",
    }
    assert "data/prepared/surrogate-MajajHong2015.nc" in run.said
    assert "Not decoded, without labels: surrogate-ultrametric, surrogate-Freeman" in run.said
    assert "results/decoding/dyer2017/reference.csv" in run.said
    assert "results/decoding/surrogate-MajajHong2015/reference.csv" not in run.said


def test_online_asks_for_every_dataset(tmp_path):
    run = snakemake("-n", folder=tmp_path)
    assert run.returncode == 0, run.said
    assert "Left out" not in run.said
    assert "data/prepared/surrogate-Mante2013.nc" in run.said


def test_data_is_fetched_and_nothing_else(tmp_path):
    (tmp_path / "some.yaml").write_text("datasets: [ultrametric, zhang2011, mante2013]\n")
    run = snakemake("-n", "--configfile", "some.yaml", "--", "data", folder=tmp_path)
    assert run.returncode == 0, run.said
    assert set(re.findall(r"(?m)^(?:local)?rule (\w+):", run.said)) == {"fetch_dataset", "data"}
    # The published results come along, which the recording is compared with.
    assert set(re.findall(r"output: (\S+)", run.said)) == {
        "data/raw/zhang2011/ZD_150bins_50sampled.Rda",
        "data/raw/mante2013/PFC-data.zip",
        "data/raw/cloos2025-published/Mante2013/scores_at_threshold.csv",
        "data/raw/cloos2025-published/Mante2013/scores_vs_decoding_acc.csv",
    }


FOLDERS = ["data", "data/raw", "data/prepared", "results", "results/tables", "results/logs"]
FOLDERS += ["results/benchmarks", "results/figures", "results/optimized", ".snakemake"]


@pytest.mark.parametrize("name", FOLDERS)
def test_error_for_a_file_in_place_of_a_folder_is_one_sentence(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    (tmp_path / "some.yaml").write_text("datasets: [ultrametric]\n")
    run = snakemake("-n", "--configfile", "some.yaml", folder=tmp_path)
    assert run.returncode != 0
    assert f"{name}: expected a folder, found a file or a broken link; rename or" in run.said
    assert "Traceback" not in run.said


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "a folder"),
        (b"\xff\xfe\x00", "'utf-8' codec can't decode"),
        (b"seed: [1\n", "while parsing a flow sequence"),
        (b'seed: "1\n', "while scanning a quoted scalar"),
        (b"seed: \x01\n", "unacceptable character #x0001"),
        (b"# seed: 1\n", "no settings"),
        (b"- seed\n", "no settings"),
    ],
)
def test_error_for_settings_that_cannot_be_read_is_one_sentence(tmp_path, content, found):
    path = tmp_path / "config/config.yaml"
    path.parent.mkdir()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    run = snakemake("-n", folder=tmp_path)
    assert run.returncode != 0
    assert "config/config.yaml: expected a text file (UTF-8) of your settings in YAML" in run.said
    assert f"got {found}" in run.said
    assert "correct or delete it" in run.said
    assert "Traceback" not in run.said


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user: root may write everywhere")
def test_error_for_results_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "some.yaml").write_text("datasets: [ultrametric]\n")
    (tmp_path / "results").mkdir(mode=0o500)
    run = snakemake("-n", "--configfile", "some.yaml", folder=tmp_path)
    assert run.returncode != 0
    assert "results: expected a folder that this user can write to" in run.said
    assert "Traceback" not in run.said
