"""Under which names the independent reference values hold our measures.

`docs/generate.py` makes the page of agreement from the same names.
"""

import csv
import math

from scorebounds.measures.prediction import pls_predictions, ridge_predictions

# In addition to the folder's own list: (their id, what is done to their value).
REFERENCE_IDS = {
    "permutation_matching": ("permutation-angular", math.cos),
    "procrustes_normalised": ("procrustes-normalised", float),
    "mutual_knn_10": ("mutual-knn-k10", float),
    "distance_correlation": ("distance-correlation", float),
}
# Theirs is the mean over neurons, of which the measures take the median.
HELD_OUT = {
    "ridge_cv_pearson_1, mean": (
        "ridge-lambda1-pearson-columns#5folds_cv",
        lambda *parts: ridge_predictions(*parts, penalty=1.0),
    ),
    "pls_cv_pearson_3, mean": (
        "pls3-pearson-columns#5folds_cv",
        lambda *parts: pls_predictions(*parts, n_components=3),
    ),
}


def reference_ids(folder):
    """Return (their id, what is done to their value) of each of our measures that they have."""
    with open(folder / "ids.tsv", newline="", encoding="utf-8") as table:
        ids = {row["id"]: row["reference"] for row in csv.DictReader(table, delimiter="\t")}
    return {name: (theirs, float) for name, theirs in ids.items()} | REFERENCE_IDS
