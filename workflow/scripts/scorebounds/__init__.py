"""Interpret similarity scores between recordings and models.

The public functions are imported when they are first used, so that ``import scorebounds`` takes
milliseconds and a script that draws a figure never loads PyTorch.
"""

from importlib import import_module
from typing import Any

from scorebounds.core.version import __version__

_FUNCTIONS = (
    "activations",
    "bounds",
    "card",
    "compare",
    "ranges",
    "read",
    "score",
    "scores",
    "thresholds",
)
__all__ = ["__version__", *_FUNCTIONS, "measures"]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(import_module("scorebounds.api"), name)
    if name == "measures":
        return import_module("scorebounds.measures")
    raise AttributeError(f"module 'scorebounds' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
