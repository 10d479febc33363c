"""Names of measures for readers, in figures and pages."""

import re

MEASURE_LABELS = {
    "cka": "CKA",
    "cka_angular": "angular CKA",
    "cka_debiased": "debiased CKA",
    "hsic": "HSIC",
    "nbs": "NBS",
    "procrustes_angular": "angular Procrustes",
    "procrustes_distance": "Procrustes distance",
    "procrustes_normalised": "normalised Procrustes",
    "linreg": "linear regression",
    "linreg_reverse": "reverse linear regression",
    "linreg_symmetric": "symmetric linear regression",
    "linreg_cv": "linear regression CV",
    "ridge_cv_tuned": "ridge CV (tuned)",
    "rsa_euclidean_cosine": "RSA, Euclidean, cosine",
    "rsa_euclidean_pearson": "RSA, Euclidean, Pearson",
    "rsa_euclidean_spearman": "RSA, Euclidean, Spearman",
    "rsa_correlation_cosine": "RSA, correlation, cosine",
    "rsa_correlation_pearson": "RSA, correlation, Pearson",
    "cca": "CCA ρ̄",
    "cca_r2": "CCA R²",
    "svcca": "SVCCA ρ̄",
    "svcca_r2": "SVCCA R²",
    "pwcca": "PWCCA",
    "ensd": "shared dimensions",
    "soft_matching": "soft matching",
    "permutation_matching": "permutation matching",
    "distance_correlation": "distance correlation",
}
_FAMILY_LABELS = {
    r"cka_rbf_(.+)": r"RBF CKA (\1)",
    r"ridge_cv_pearson_(.+)": r"ridge CV, Pearson (λ = \1)",
    r"ridge_cv_([\d.]+)": r"ridge CV (λ = \1)",
    r"ridge_([\d.]+)": r"ridge (λ = \1)",
    r"pls_cv_pearson_(.+)": r"PLS CV, Pearson (\1 comp.)",
    r"mutual_knn_(.+)": r"mutual k-NN (\1)",
}


def measure_label(name: str) -> str:
    """Return the name of a measure for readers."""
    for pattern, label in _FAMILY_LABELS.items():
        if name not in MEASURE_LABELS and re.fullmatch(pattern, name):
            return re.sub(pattern, label, name)
    return MEASURE_LABELS.get(name, name)
