"""The wheel, installed outside of the repository: README's example and the command line."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from helpers.workflow import ROOT, once

PARTS = ("pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder):
    """Build the wheel from a copy, so that the checkout stays as it is; return its path."""
    source = folder / "source"
    source.mkdir()
    for part in PARTS:
        shutil.copy2(ROOT / part, source / part)
    library = "workflow/scripts/scorebounds"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / library, source / library, ignore=ignored)
    # A module at the top level is a script of the workflow: it does not belong into the wheel.
    (source / "workflow/scripts/score_model.py").touch()
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    command = [*build, "--disable-pip-version-check", "--wheel-dir", folder, source]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def install(wheel, folder):
    """Install the wheel into a new environment; its dependencies are those of this one."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python"]
    install = [*pip, "install", "--no-deps", "--no-index", "--quiet", wheel]
    subprocess.run(install, check=True, capture_output=True)
    pth = f"{sysconfig.get_path('purelib')}\n"
    with open(f"{packages}/dependencies.pth", "w", encoding="utf-8") as listed:
        listed.write(pth)


@pytest.fixture(scope="module")
def wheel(shared_folder):
    """Return the path of the wheel, which is installed in the folder `environment` next to it."""
    folder = shared_folder / "installed"

    def make():
        folder.mkdir()
        built = build_wheel(folder)
        install(built, folder / "environment")
        return str(built)

    return Path(once(folder, make))


@pytest.fixture(scope="module")
def environment(wheel):
    return wheel.parent / "environment"


def run(environment, *command, folder):
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**plain, "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def test_wheel_holds_the_library_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    library = ROOT / "workflow/scripts/scorebounds"
    files = {
        f"scorebounds/{path.relative_to(library)}"
        for path in library.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if not re.search(r"\.dist-info/", name)} == files
    assert {"scorebounds/py.typed", "scorebounds/scorecards/page.html.j2"} <= files


def test_example_of_the_readme_runs_with_the_installed_package(environment, tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(import numpy.*?)```", readme, re.DOTALL)
    assert example, "README.md has no Python example that starts with `import numpy`"
    program = f"{example[1]}\nimport scorebounds\nprint(scorebounds.__file__)"
    ran = run(environment, "python", "-c", program, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert str(environment) in ran.stdout.splitlines()[-1]
    assert (tmp_path / "card.html").is_file()


def test_command_line_runs_with_the_installed_package(environment, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 4))
    np.save(tmp_path / "a.npy", x)
    np.save(tmp_path / "b.npy", x + rng.normal(size=x.shape))
    quick = ("--measures", "cka", "--permutations", "19")
    outputs = ("-o", "card.html", "--json", "card.json")
    command = ("scorebounds", "card", "a.npy", "b.npy", *quick, *outputs)
    ran = run(environment, *command, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "card.json").read_text())["scores"][0]["measure"] == "cka"
    assert (tmp_path / "card.html").is_file()
    ran = run(environment, "scorebounds", "card", "a.npy", "missing.npy", folder=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "error: missing.npy: no such file"
