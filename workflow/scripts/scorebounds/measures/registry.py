"""Similarity measures: `names()` lists them, `load(name)` returns one."""

import difflib
import re
from collections.abc import Callable

from scorebounds.measures import (
    cca,
    dissimilarity,
    kernels,
    neighbours,
    prediction,
    regression,
    shapes,
    transport,
)
from scorebounds.measures.base import Measure
from scorebounds.measures.pair import Pair, Reference

__all__ = ["Measure", "Pair", "Reference", "load", "names"]

_FIXED = {
    measure.name: measure
    for measure in (
        kernels.CKA,
        kernels.CKA_ANGULAR,
        kernels.CKA_DEBIASED,
        kernels.HSIC,
        shapes.NBS,
        shapes.PROCRUSTES_ANGULAR,
        shapes.PROCRUSTES_DISTANCE,
        shapes.PROCRUSTES_NORMALISED,
        regression.LINREG,
        regression.LINREG_REVERSE,
        regression.LINREG_SYMMETRIC,
        regression.LINREG_CV,
        regression.RIDGE_CV_TUNED,
        dissimilarity.EUCLIDEAN_COSINE,
        dissimilarity.EUCLIDEAN_PEARSON,
        dissimilarity.EUCLIDEAN_SPEARMAN,
        dissimilarity.CORRELATION_COSINE,
        dissimilarity.CORRELATION_PEARSON,
        cca.CCA,
        cca.CCA_R2,
        cca.SVCCA,
        cca.SVCCA_R2,
        cca.PWCCA,
        kernels.ENSD,
        transport.SOFT_MATCHING,
        transport.PERMUTATION_MATCHING,
        dissimilarity.DISTANCE_CORRELATION,
    )
}
_NUMBER = r"(\d+(?:\.\d+)?)"
_COUNT = r"(\d+)"
_FAMILIES: dict[str, tuple[str, Callable[[str], Measure], tuple[str, ...]]] = {
    # pattern of the id: (how a message writes it, constructor, the parameters that names() lists)
    f"cka_rbf_{_NUMBER}": ("cka_rbf_<fraction>", kernels.cka_rbf, ("0.2", "0.4", "0.8")),
    f"ridge_{_NUMBER}": ("ridge_<λ>", regression.ridge_with, ("100",)),
    f"ridge_cv_{_NUMBER}": ("ridge_cv_<λ>", regression.ridge_cv, ("100",)),
    f"ridge_cv_pearson_{_NUMBER}": (
        "ridge_cv_pearson_<λ>",
        prediction.ridge_cv_pearson,
        ("100",),
    ),
    f"pls_cv_pearson_{_COUNT}": ("pls_cv_pearson_<k>", prediction.pls_cv_pearson, ("25",)),
    f"mutual_knn_{_COUNT}": ("mutual_knn_<k>", neighbours.mutual_knn, ("10",)),
}


def names() -> list[str]:
    """List the measures; of a family with a parameter, the usual members."""
    usual = [make(each).name for _, make, numbers in _FAMILIES.values() for each in numbers]
    return [*_FIXED, *usual]


def load(name: str) -> Measure:
    """Return the measure with this id.

    Raises
    ------
    ValueError
        If there is no such measure; the message lists those that there are.
    """
    if name in _FIXED:
        return _FIXED[name]
    for pattern, (_, make, _) in _FAMILIES.items():
        found = re.fullmatch(pattern, name)
        if found and float(found[1]) > 0:
            return make(found[1])
    forms = [*_FIXED, *(form for form, _, _ in _FAMILIES.values())]
    close = difflib.get_close_matches(name, names(), n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"unknown measure {name!r}{hint}; expected one of: {', '.join(forms)}")
