"""The examples in the docstrings of the library give the output that they show."""

import doctest
import importlib

import pytest

from helpers.workflow import ROOT

SCRIPTS = ROOT / "workflow/scripts"
MODULES = [
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((SCRIPTS / "scorebounds").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert result.attempted > 0
    assert result.failed == 0, "see the output above"
