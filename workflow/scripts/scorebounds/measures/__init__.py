"""Similarity measures: `names()` lists them, `load(name)` returns one."""

import difflib
import re
from collections.abc import Callable

from scorebounds.measures import kernels, regression, shapes
from scorebounds.measures.base import Measure, Pair, Reference

__all__ = ["Measure", "Pair", "Reference", "load", "names"]

_FIXED = {
    measure.name: measure
    for measure in (
        kernels.CKA,
        kernels.CKA_ANGULAR,
        shapes.NBS,
        shapes.PROCRUSTES_ANGULAR,
        regression.LINREG,
    )
}
_NUMBER = r"(\d+(?:\.\d+)?)"
_FAMILIES: dict[str, tuple[str, Callable[[str], Measure], str]] = {
    # pattern of the id: (how a message writes it, constructor, the parameter that names() lists)
    f"ridge_cv_{_NUMBER}": ("ridge_cv_<λ>", regression.ridge_cv, "100"),
}


def names() -> list[str]:
    """List the measures; of a family with a parameter, the default member."""
    defaults = [make(default).name for _, make, default in _FAMILIES.values()]
    return [*_FIXED, *defaults]


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
