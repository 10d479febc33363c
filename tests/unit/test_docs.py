"""What docs/measures.md says of the measures is what the registry and the scores say."""

import csv
import importlib.util

import numpy as np
import pytest
import torch
from conftest import ROOT


def load_generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generate()


def test_generated_part_of_the_page_is_current():
    text = generate.PAGE.read_text(encoding="utf-8")
    assert generate.current(text) == text, "run `make docs`"


def test_page_without_its_markers_is_not_touched():
    with pytest.raises(ValueError, match="unpack"):
        generate.current("a page without a generated part")


def test_table_of_agreement_holds_the_present_scores(reference_values):
    with generate.AGREEMENT.open(newline="", encoding="utf-8") as file:
        table = {(row["measure"], row["input"]): row for row in csv.DictReader(file)}
    rows = {(row["measure"], row["input"]): row for row in generate.agreement(reference_values)}
    assert table.keys() == rows.keys()
    for key, row in rows.items():
        assert float(table[key]["ours"]) == pytest.approx(row["ours"], rel=1e-10), key
        assert float(table[key]["reference"]) == pytest.approx(row["reference"], rel=1e-15), key
        assert row["relative_difference"] <= generate.TOLERANCE, key
        assert row["single_precision_difference"] <= generate.TOLERANCE_SINGLE, key


def test_a_score_that_differs_is_told_with_the_implementations(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(20, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    path = tmp_path / "pair.npz"
    np.savez(path, X=x.numpy(), Y=y.numpy())
    value = 2 * generate.score("cka", x, y)
    row = generate._compared("cka", "pair", path, value, {"one": "exact", "two": "differs"})
    assert row["relative_difference"] == pytest.approx(0.5)
    assert row["implementations_that_agree"] == "one"
    assert row["implementations_that_differ"] == "two [differs]"
