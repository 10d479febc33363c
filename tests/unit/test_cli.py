"""The command line: what it prints, writes and refuses."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
import torch

from scorebounds import cli
from scorebounds.core.version import __version__


@pytest.fixture
def files(tmp_path):
    """Write a recording, and a model in two formats."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 5))
    y = x + rng.normal(size=x.shape)
    names = np.array([f"image{number:02d}" for number in range(40)])
    np.savez(tmp_path / "rec.npz", activity=x)
    np.save(tmp_path / "model.npy", y)
    pd.DataFrame(y, columns=list("abcde")).to_csv(tmp_path / "model.csv", index=False)
    labelled = {"activity": x, "image": names}
    np.savez(tmp_path / "labelled.npz", **labelled)
    order = rng.permutation(40)
    np.savez(tmp_path / "shuffled.npz", activity=y[order], image=names[order])
    return tmp_path


@pytest.fixture
def run(capsys):
    """Return the exit code, output and messages of a command."""

    def command(*arguments):
        try:
            cli.main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            logging.captureWarnings(capture=False)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


QUICK = ("--measures", "cka,procrustes_angular", "--permutations", "19")


def test_card_prints_its_headline_and_writes_page_and_json(files, run):
    page, stored = files / "card.html", files / "card.json"
    inputs = (files / "rec.npz", files / "model.npy")
    code, out, err = run("card", *inputs, *QUICK, "-o", page, "--json", stored)
    assert code == 0, err
    content = json.loads(stored.read_text(encoding="utf-8"))
    assert out.splitlines()[0] == content["headline"]
    assert [row["measure"] for row in content["scores"]] == ["cka", "procrustes_angular"]
    assert content["facts"]["n_permutations"] == 19
    assert "sha256:" in content["facts"]["recording file"]
    assert "<!doctype html>" in page.read_text(encoding="utf-8").lower()
    assert "scorebounds: scoring" in err


def test_formats_of_files_do_not_change_the_scores(files, run):
    printed = [
        run("card", files / "rec.npz", files / model, *QUICK, "--json", "-")[1]
        for model in ("model.npy", "model.csv")
    ]
    first, second = (json.loads(text)["scores"] for text in printed)
    assert first[0]["score"] == pytest.approx(second[0]["score"], rel=1e-9)


def test_json_on_the_output_is_nothing_but_json(files, run):
    code, out, _ = run("card", files / "rec.npz", files / "model.npy", *QUICK, "--json", "-")
    assert code == 0
    assert set(json.loads(out)) >= {"headline", "facts", "scores"}


def test_rows_are_matched_by_names(files, run):
    arguments = (files / "labelled.npz", files / "shuffled.npz", *QUICK, "--json", "-")
    _, out, _ = run("card", *arguments, "--match", "names")
    _, plain, _ = run("card", files / "rec.npz", files / "model.npy", *QUICK, "--json", "-")
    by_label, by_order = (json.loads(text)["scores"][0]["score"] for text in (out, plain))
    assert by_label == pytest.approx(by_order)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("card", "missing.npz", "model.npy"), "missing.npz: no such file"),
        (("card", "rec.npz", "model.npy", "--measures", "ckaa"), "unknown measure 'ckaa'"),
        (("card", "rec.npz", "model.npy", "--permutations", "0"), "n_permutations of at least 1"),
        (("card", "rec.npz", "model.npy", "-o", "no/such/card.html"), "a folder to write"),
        (("bounds", "rec.npz", "cka"), "such as cka=0.83, got 'cka'"),
        (("bounds", "rec.npz", "cka=high"), "such as cka=0.83, got 'cka=high'"),
        (("measures", "ckaa"), "unknown measure 'ckaa'"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_1(files, run, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    code, out, err = run(*arguments)
    assert code == 1
    assert out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert "Traceback" not in err


def test_wrong_options_end_with_exit_code_1(run):
    code, _, err = run("card", "--no-such-option")
    assert code == 1
    assert "no-such-option" in err


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        (lambda: torch.empty(10**15), "4000000000000000 bytes could not be allocated"),
        (lambda: np.empty(10**15), "Unable to allocate 7.11 PiB"),
    ],
    ids=["torch", "numpy"],
)
def test_out_of_memory_is_one_sentence(files, run, monkeypatch, fail, said):
    monkeypatch.setattr("scorebounds.api.card", lambda *_, **__: fail())
    code, _, err = run("card", files / "rec.npz", files / "model.npy")
    assert code == 1
    last = err.splitlines()[-1]
    assert last.startswith(f"error: out of memory: {said}")
    assert last.endswith("; use less data, or give the job more memory (docs/clusters.md)")
    with pytest.raises((RuntimeError, MemoryError)):
        run("--debug", "card", files / "rec.npz", files / "model.npy")


def test_fault_of_the_program_keeps_its_traceback(files, run, monkeypatch):
    def fail(*_, **__):
        raise KeyError("x")

    monkeypatch.setattr("scorebounds.api.card", fail)
    with pytest.raises(KeyError):
        run("card", files / "rec.npz", files / "model.npy")


def test_debug_shows_the_traceback(files, run):
    with pytest.raises(ValueError, match="no such file"):
        run("--debug", "card", files / "missing.npz", files / "model.npy")


def test_bounds_of_a_score_are_printed_and_saved(files, run):
    code, out, _ = run("bounds", files / "rec.npz", "cka=0.83", "--json", files / "bounds.json")
    assert code == 0
    assert out.split()[:3] == ["measure", "low", "high"]
    stored = json.loads((files / "bounds.json").read_text())
    assert {"measure", "low", "high"} <= set(stored[0])


def test_inspect_says_what_a_file_holds_and_how_to_read_it(files, run):
    code, out, _ = run("inspect", files / "labelled.npz")
    assert code == 0
    for part in ("activity", "image", "path:"):
        assert part in out
    _, stored, _ = run("inspect", files / "labelled.npz", "--json", "-")
    content = json.loads(stored)
    assert len(content["reading"]["row_names"]) == content["reading"]["axes"]["sample"]
    assert list(content["entry"]["custom"].values()) == [{"path": str(files / "labelled.npz")}]
    code, out, err = run("inspect", files / "missing.npz")
    assert (code, out) == (1, "")
    assert err.endswith("no such file\n")


def test_measures_are_listed_and_described(run):
    _, out, _ = run("measures")
    assert out.splitlines()[1].split()[0] == "cka"
    _, out, _ = run("measures", "cka")
    assert "blind to" in out
    _, out, _ = run("measures", "procrustes_angular", "--json", "-")
    assert json.loads(out)[0]["measure"] == "procrustes_angular"


def test_version(run):
    assert run("--version") == (0, f"scorebounds {__version__}\n", "")


def test_the_advice_of_an_error_is_an_entry_that_the_command_line_takes(files, run):
    values = np.load(files / "model.npy")
    numbers = np.arange(40)
    np.save(files / "numbered.npy", np.column_stack([numbers, values]))
    code, out, err = run("inspect", files / "numbered.npy")
    assert code == 0, err
    assert "say it in the entry, as columns: {0: ignore}" in out
    code, out, err = run("inspect", files / "numbered.npy", "--entry", "columns: {0: ignore}")
    assert code == 0, err
    assert "40 samples, 5 neurons" in out
    assert '    columns: {"0": "ignore"}' in out
    inputs = (files / "rec.npz", files / "numbered.npy", *QUICK)
    code, _, err = run("card", *inputs)
    assert code == 1
    assert "columns: {0: ignore}" in err
    code, out, err = run("card", *inputs, "--model-entry", "columns: {0: ignore}")
    assert code == 0, err
    plain = run("card", files / "rec.npz", files / "model.npy", *QUICK)[1]
    assert out.splitlines()[1:] == plain.splitlines()[1:]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("axes: [trial", "expected an entry such as"),
        ("trial", "got 'trial'"),
        ("colums: {a: ignore}", "got 'colums'"),
    ],
)
def test_an_entry_that_is_none_is_refused(files, run, entry, said):
    code, _, err = run("inspect", files / "rec.npz", "--entry", entry)
    assert code == 1
    assert said in err


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_computed(files, run):
    inputs = files / "rec.npz", files / "model.npy"
    for option, place in (("-o", files), ("--json", files), ("-o", files / "none" / "card.html")):
        code, out, err = run("card", *inputs, *QUICK, option, place)
        assert (code, out) == (1, "")
        assert err.startswith("error: expected")
        assert "scoring" not in err
