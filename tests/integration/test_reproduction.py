"""A finished run with the default settings reproduces the paper as docs/results.md says."""

import pandas as pd
import pytest
from conftest import folder_from_environment

# Beyond, or at the edge of, a tolerance for reasons that docs/results.md gives: up to this much.
EXPLAINED = {
    ("surrogate-ultrametric", "cka", "mean"): 0.032,
    ("surrogate-ultrametric", "cka", "captured"): 0.08,
    ("surrogate-ultrametric", "cka_angular", "mean"): 0.035,
    ("surrogate-ultrametric", "ridge_cv_100", "mean"): 0.082,
    ("surrogate-FreemanZiemba2013", "cka", "mean"): 0.032,
    ("surrogate-FreemanZiemba2013", "cka_angular", "mean"): 0.045,
}


@pytest.fixture(scope="module")
def tables():
    folder = folder_from_environment("SCOREBOUNDS_RESULTS", "the results of a full run")
    return folder / "tables"


def test_published_numbers_come_out(tables):
    agreement = pd.read_csv(tables / "agreement.csv")
    assert agreement.dataset.nunique() >= 4
    for row in agreement[agreement.within != "yes"].itertuples():
        limit = EXPLAINED.get((row.dataset, row.measure, row.quantity.split()[0]), 0)
        assert abs(row.value) <= limit, f"{row.dataset} {row.measure}: {row.quantity} {row.value}"


def test_every_run_reached_its_score(tables):
    runs = pd.read_csv(tables / "runs.csv")
    assert set(runs.stop_reason) == {"reached"}
    assert (runs.groupby(["dataset", "measure"]).size() == 5).all()


def test_procrustes_captures_small_components_before_cka(tables):
    """The paper's finding, on every dataset: what CKA misses, angular Procrustes has early."""
    thresholds = pd.read_csv(tables / "thresholds.csv").set_index("measure")
    cka, procrustes = thresholds.loc["cka"], thresholds.loc["procrustes_angular"]
    reached = {
        measure: table.groupby("dataset").n_reached.sum()
        for measure, table in (("cka", cka), ("procrustes", procrustes))
    }
    assert (reached["procrustes"] > reached["cka"]).all()
    both = cka.merge(procrustes, on=["dataset", "target"], suffixes=("_cka", "_procrustes"))
    small = both[(both.variance_ratio_cka < 0.03) & both.score_mean_cka.notna()]
    assert small.dataset.nunique() >= 8
    assert (small.score_mean_procrustes < small.score_mean_cka).all()
