"""The registry of figures agrees with the functions that draw them and with the configuration."""

import importlib
import inspect
import string
import subprocess
import sys

import pytest
import yaml

from helpers.workflow import ROOT
from scorebounds.figures.registry import FIGURES, caption

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
LIBRARY = ROOT / "workflow/scripts/scorebounds"


def setting(path):
    value = CONFIG
    for key in path.split("/"):
        value = value[key]
    return value


@pytest.mark.parametrize("name", FIGURES)
def test_function_takes_the_tables_and_settings_of_its_entry(name):
    entry = FIGURES[name]
    function = getattr(importlib.import_module(entry.module), entry.function.split(".")[1], None)
    assert function, f"figures/registry.py, {name!r}: write the function figures/{entry.function}"
    parameters = inspect.signature(function).parameters
    needed = {key for key, value in parameters.items() if value.default is value.empty}
    assert needed <= {*entry.inputs, *entry.settings} <= set(parameters)


@pytest.mark.parametrize("name", FIGURES)
def test_settings_exist_and_the_caption_uses_all_of_its_own(name):
    entry = FIGURES[name]
    paths = {**entry.settings, **entry.caption_settings}
    values = {key: setting(path) for key, path in paths.items()} | {"dataset": "ultrametric"}
    fields = {field for _, field, _, _ in string.Formatter().parse(entry.caption) if field}
    assert set(entry.caption_settings) <= fields <= set(values)
    assert ("dataset" in fields) == entry.by_dataset
    text = caption(name, values)
    assert "?" in text.split(". ")[0], (
        f"figures/registry.py, {name!r}: start the caption with the question that it answers"
    )


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_function_is_called_by_a_test(name):
    function = FIGURES[name].function.partition(".")[2]
    tests = "".join(path.read_text() for path in (ROOT / "tests/unit").glob("*.py"))
    assert f"{function}(" in tests, f"write a test of {function} in tests/unit"


def test_every_figure_function_is_registered():
    registered = {entry.function for entry in FIGURES.values()}
    for path in (LIBRARY / "figures").glob("*.py"):
        module = importlib.import_module(f"scorebounds.figures.{path.stem}")
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and name.endswith("_figure") and name != "empty_figure":
                assert f"{path.stem}.{name}" in registered, (
                    f"add an entry for {path.stem}.{name} to figures/registry.py"
                )


def modules_loaded_by(program):
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}; print(*sys.modules)"],
        env={"PYTHONPATH": str(LIBRARY.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_rules_read_the_registry_without_other_packages():
    loaded = modules_loaded_by("import scorebounds.figures.registry")
    assert "scorebounds.figures.registry" in loaded
    assert not loaded & {"numpy", "pandas", "matplotlib", "torch"}


def test_figure_modules_do_not_load_torch():
    modules = {entry.module for entry in FIGURES.values()}
    loaded = modules_loaded_by(f"import {', '.join(sorted(modules))}")
    assert modules <= loaded
    assert "torch" not in loaded
