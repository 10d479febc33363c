"""The library as a package: version, imports, and the copy that a job uses."""

import os
import re
import shutil
import subprocess
import sys

import scorebounds
from helpers.workflow import ROOT

LIBRARY = ROOT / "workflow/scripts/scorebounds"
HEAVY = {"torch", "numpy", "pandas", "scipy", "xarray", "matplotlib", "jinja2", "typer", "ot"}
# What Snakemake writes before a script: its own copy's path, and the path of the original.
PREAMBLE = """
import sys
sys.path.extend([{folder!r}])
__real_file__ = __file__; __file__ = {script!r};
"""
JOB = """
from scorebounds.core.joblog import job_log
with job_log({log!r}):
    print("working")
"""


def run_python(program, *path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )


def run_job(tmp_path, *path):
    """Run a script whose folder holds a copy of the library, as Snakemake does."""
    folder = tmp_path / "workflow/scripts"
    shutil.copytree(LIBRARY / "core", folder / "scorebounds/core")
    shutil.copy2(LIBRARY / "__init__.py", folder / "scorebounds/__init__.py")
    log = tmp_path / "job.log"
    script = tmp_path / "tmp.job.py"
    preamble = PREAMBLE.format(folder=str(folder), script=str(folder / "job.py"))
    script.write_text(preamble + JOB.format(log=str(log)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    ran = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    return ran, log


def test_version_is_written_once_and_the_citation_has_it():
    assert re.fullmatch(r"\d+\.\d+\.\d+", scorebounds.__version__)
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {scorebounds.__version__}\n" in citation
    assert f'"{scorebounds.__version__}"' not in (ROOT / "pyproject.toml").read_text()


def test_importing_the_package_imports_none_of_its_dependencies():
    ran = run_python("import sys, scorebounds; print(*sys.modules)", LIBRARY.parent)
    imported = set(ran.stdout.split())
    assert "scorebounds" in imported, ran.stderr
    assert not HEAVY & imported
    assert {name for name in imported if name.startswith("scorebounds")} == {
        "scorebounds",
        "scorebounds.core",
        "scorebounds.core.version",
    }


def test_a_job_uses_the_library_next_to_its_script(tmp_path):
    ran, log = run_job(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert log.read_text() == "working\n"


def test_a_job_stops_where_another_copy_of_the_library_comes_first(tmp_path):
    ran, log = run_job(tmp_path, LIBRARY.parent)
    assert ran.returncode == 1
    assert not log.exists()
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: expected the library scorebounds in")
    assert str(tmp_path / "workflow/scripts") in line
    assert str(LIBRARY.parent) in line
    assert "pip uninstall scorebounds" in line


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    ran = run_python("import scorebounds; scorebounds.cards", LIBRARY.parent)
    assert "AttributeError: module 'scorebounds' has no attribute 'cards'" in ran.stderr
