"""The generated parts of docs/ are those that the code would make now."""

import importlib.util

import pandas as pd
import pytest

from helpers.workflow import ROOT


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_measures_page_is_that_of_the_registry(generate):
    page = (ROOT / "docs/measures.md").read_text()
    assert generate.with_registry(page) == page, "run `make docs`"


@pytest.mark.filterwarnings("ignore::scorebounds.measures.base.SaturatedScoreWarning")
def test_agreement_table_is_that_of_today(generate, reference_values):
    stored = pd.read_csv(ROOT / "docs/measures_agreement.csv").set_index(["measure", "input"])
    today = generate.agreement_table(reference_values).set_index(["measure", "input"])
    assert list(stored.index) == list(today.index)
    assert stored.ours.to_numpy() == pytest.approx(today.ours.to_numpy(), rel=1e-10)
    assert (today.relative_difference < 1e-8).all()
    assert not (today.single_precision_difference > 1e-4).any()
