"""A card of the library has the numbers that the workflow's script writes for the same data."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import scorebounds as sb
from scorebounds.core.random import derived_seed
from scorebounds.core.recording import read_recording, recording, write_recording

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "score_model.py"
MEASURES = ["cka", "procrustes_angular", "linreg"]
N_PERMUTATIONS = 19


def plain(rng):
    x = rng.normal(size=(36, 8))
    return recording(x), recording(x[:, :6] + rng.normal(size=(36, 6))), "order"


def groups(rng):
    run = np.repeat(np.arange(6), 6)
    x = rng.normal(size=(6, 8))[run] + rng.normal(size=(36, 8))
    labelled = recording(x, {"run": run}).assign_attrs(groups="run")
    return labelled, recording(x[:, :6] + rng.normal(size=(36, 6))), "order"


def components(rng):
    x = rng.normal(size=(36, 8))
    reduced = recording(x).assign_attrs(reduced="8 components hold 95 % of the variance")
    return reduced, recording(x @ rng.normal(size=(8, 5))), "order"


def trials(rng):
    image = np.repeat(np.arange(18), 4)
    y = rng.normal(size=(18, 6))
    x = (y @ rng.normal(size=(6, 8)))[image] + rng.normal(size=(72, 8))
    return recording(x, {"image": image}), recording(y, {"image": np.arange(18)}), ["image"]


def times(rng):
    y = rng.normal(size=(5, 20, 6))
    x = y @ rng.normal(size=(6, 8)) + rng.normal(size=(5, 20, 8))
    return recording(x, time=np.arange(5.0)), recording(y, time=np.arange(5.0)), "order"


@pytest.fixture(scope="module")
def score_model():
    specification = importlib.util.spec_from_file_location("score_model", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("world", [plain, groups, components, trials, times])
def test_the_script_and_the_library_give_identical_numbers(
    world, score_model, tmp_path, monkeypatch
):
    x, y, match = world(np.random.default_rng(0))
    # Tuned ridge takes long; groups matter to it most.
    measures = [*MEASURES, *(["ridge_cv_tuned"] if world is groups else [])]
    files = {"mydata": x, "mymodel": y}
    for name, array in files.items():
        path = tmp_path / f"{name}.nc"
        write_recording(path, array.assign_attrs(dataset=name), name)
        files[name] = path
    tables = ("scores", "replicates", "components")
    written = {}
    monkeypatch.setattr(score_model, "write_table", written.__setitem__)
    score_model.main(
        dict(zip(tables, tables, strict=True)),
        *map(str, files.values()),
        measures,
        None if match == "order" else match,
        settings={"n_permutations": N_PERMUTATIONS, "n_groups": 10},
        device=torch.device("cpu"),
        seed=derived_seed(3, "scorecards", "mydata"),
    )
    card = sb.card(
        *map(read_recording, files.values()),
        measures,
        match=match,
        n_permutations=N_PERMUTATIONS,
        seed=3,
    )
    for name, found in zip(tables, (card.table, card.replicates, card.components), strict=True):
        numbers = written[name].select_dtypes("number").columns
        pd.testing.assert_frame_equal(found[numbers], written[name][numbers], check_exact=True)
    assert card.table.score.notna().all()
    assert card.table.ceiling.notna().any() == (world is trials)
    assert (world is groups) == card.table.match_note.str.contains("held out whole").all()
    assert (world is components) == card.table.match_note.str.contains("conditions only").all()
