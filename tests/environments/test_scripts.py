"""Every script runs in its own environment, which holds its pins and what these bring along."""

import functools
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers.conda_stand_in import INDEX_NAMES, pins
from helpers.workflow import ROOT, TINY, copy_project, offer, snakemake

HELPERS = ROOT / "tests/helpers"
SCRIPTS = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """Folder of built environments: kept between runs where SCOREBOUNDS_ENVS names one."""
    kept = os.environ.get("SCOREBOUNDS_ENVS")
    built_by = [ROOT / "constraints.txt", HELPERS / "conda_stand_in.py", HELPERS / "witness.py"]
    version = hashlib.sha256(b"".join(path.read_bytes() for path in built_by)).hexdigest()[:12]
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("envs")
    (folder / version).mkdir(parents=True, exist_ok=True)
    return folder / version


@pytest.fixture(scope="session")
def workflow_python(prefix):
    """Interpreter of an environment with Snakemake and nothing that a script of ours needs."""
    python = prefix / "snakemake/bin/python"
    if not (prefix / "snakemake/done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", python.parents[1]], check=True)
        install = ["install", "--quiet", "-c", ROOT / "constraints.txt", "snakemake"]
        subprocess.run([python, "-m", "pip", *install], check=True)
        (prefix / "snakemake/done").touch()
    heavy = ("numpy", "pandas", "torch", "matplotlib", "xarray", "sklearn", "ot", "scipy")
    asked = f"import importlib.util as u; print([n for n in {heavy} if u.find_spec(n)])"
    said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
    return python


@pytest.fixture(scope="session")
def witnessed(prefix, workflow_python, tmp_path_factory):
    """Return the function that runs the workflow with --sdm conda and returns the records."""
    folder = tmp_path_factory.mktemp("stand-in")
    records = folder / "records"
    for place in (folder / "bin", records):
        place.mkdir()
    program = f'#!/bin/sh\nexec "{sys.executable}" "{HELPERS}/conda_stand_in.py" "$@"\n'
    (folder / "bin/conda").write_text(program)
    (folder / "bin/conda").chmod(0o755)
    (folder / "bin/activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    environment = {
        "PATH": f"{folder / 'bin'}:{workflow_python.parent}:{os.environ['PATH']}",
        "STAND_IN_PREFIX": str(folder),
        "SCOREBOUNDS_WITNESS": str(records),
    }

    def run(*arguments, **places):
        options = ("--cores", 2, "--sdm", "conda", "--conda-prefix", prefix / "conda")
        finished = snakemake(
            *arguments, *options, python=workflow_python, environment=environment, **places
        )
        assert finished.returncode == 0, finished.said
        return [json.loads(path.read_text()) for path in records.glob("*.json")]

    return run


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def fetched(witnessed, tmp_path_factory):
    """Fetch a file whose address and checksum are those of a server of this test."""
    folder = tmp_path_factory.mktemp("fetched")
    content = (ROOT / "data/datasets.tsv").read_bytes()
    project = copy_project(folder / "project")
    served = offer(project, content, checksum=True)
    (folder / "served" / served).parent.mkdir(parents=True)
    (folder / "served" / served).write_bytes(content)
    handler = functools.partial(QuietHandler, directory=folder / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = (f"mirrors=http://127.0.0.1:{server.server_port}", "offline=false")
        records = witnessed(
            f"data/raw/{served}", "--config", *settings, root=project, folder=folder
        )
        server.shutdown()
    assert (folder / "data/raw" / served).read_bytes() == content
    return records


@pytest.fixture(scope="session")
def records(witnessed, fetched, tmp_path_factory):
    """Run every script of the workflow on tiny data, and return what each of them recorded."""
    folder = tmp_path_factory.mktemp("tiny")
    settings = ("--configfile", TINY, ROOT / "tests/config/least.yaml")
    return witnessed("all", "figure_agreement", *settings, folder=folder)


def test_every_script_ran(records):
    assert {one["script"] for one in records} == SCRIPTS


def packages_of(one):
    """Return the packages that a script imported, itself or in the library, and their files."""
    ours = {"scorebounds", *sys.stdlib_module_names}
    return {name: file for name, file in one["imports"].items() if name not in ours}


def environment_of(script):
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    return re.search(rf'(?s)\nrule {script}:.*?conda:\s+"../../(envs/\w+\.yaml)"', rules)[1]


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_script_ran_in_its_environment_and_found_all_there(records, prefix, script):
    own = [one for one in records if one["script"] == script]
    assert own
    for one in own:
        env = Path(one["prefix"])
        assert env.parent == prefix / "conda"
        assert Path(f"{env}.yaml").read_text() == (ROOT / environment_of(script)).read_text()
        packages = packages_of(one)
        assert packages
        assert {
            name for name, file in packages.items() if not Path(file).is_relative_to(env)
        } == set()


def test_imports_of_the_library_are_recorded_too(records):
    fetched, *_ = [one for one in records if one["script"] == "fetch_dataset"]
    assert {"requests", "urllib3", "tqdm"} <= set(packages_of(fetched))


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environment_has_the_versions_it_pins(records, prefix, path):
    (env,) = [
        file.with_suffix("")
        for file in (prefix / "conda").glob("*.yaml")
        if file.read_text() == path.read_text()
    ]
    wanted = {INDEX_NAMES.get(name, name): number for name, number in pins(path).items()}
    wanted.pop("python")
    asked = "from importlib.metadata import version; import json, sys\n"
    asked += "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    said = subprocess.run(
        [env / "bin/python", "-c", asked, *wanted], capture_output=True, text=True, check=True
    )
    found = {name: number.partition("+")[0] for name, number in json.loads(said.stdout).items()}
    assert found == wanted
