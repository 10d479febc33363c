"""Similarity measures, a module per family: `names()` lists them, `load(name)` returns one."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorebounds.measures.minibatch import MinibatchCKA
    from scorebounds.measures.registry import Measure, SaturatedScoreWarning, load, names

__all__ = ["Measure", "MinibatchCKA", "SaturatedScoreWarning", "load", "names"]


def __getattr__(name: str) -> Any:
    # Names of measures need no torch; measures do.
    if name == "names":
        return import_module("scorebounds.core.measure_table").measure_names
    if name == "MinibatchCKA":
        return import_module("scorebounds.measures.minibatch").MinibatchCKA
    if name in __all__:
        return getattr(import_module("scorebounds.measures.registry"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
