"""The measures of which Cloos et al. 2025 published results."""

# Our id of each measure: the id in the published files.
PUBLISHED_IDS = {
    "cka": "cka",
    "cka_angular": "cka-angular-score",
    "nbs": "nbs",
    "procrustes_angular": "procrustes-angular-score",
    "linreg": "linreg",
    "ridge_cv_100": "ridge-lambda100-r2#5folds_cv",
}
