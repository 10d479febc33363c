"""Interpret similarity scores between recordings and models.

The public functions are imported when they are first used, so that ``import scorebounds`` takes
milliseconds and a script that draws a figure never loads PyTorch.
"""

import sys
from importlib import import_module
from types import ModuleType
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


class _Package(ModuleType):
    """The module, in which `ranges` stays the function.

    Python sets a subpackage as an attribute of its parent once it is imported, which would replace
    the function by the subpackage of the same name.
    """

    @property
    def ranges(self) -> Any:
        return import_module("scorebounds.api").ranges

    @ranges.setter
    def ranges(self, _subpackage: ModuleType) -> None:
        """Keep the function."""


sys.modules[__name__].__class__ = _Package
