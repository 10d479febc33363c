"""Run the workflow as a user does, on a copy or from another folder."""

import atexit
import dataclasses
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/config/tiny.yaml"

# What a copy of the workflow needs to run.
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "data/datasets.tsv")


def folder_from_environment(variable, purpose):
    """Return the folder that an environment variable names; skip the test if it is not set."""
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"needs {purpose}: set {variable} to their folder")
    return Path(value).resolve()


def copy_project(root):
    """Copy the workflow, so that its files can be changed."""
    for part in PARTS:
        source = ROOT / part
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / part)
    # The checkout may be read-only.
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return root


def offer(project, content, *, checksum):
    """Enter a file of this content into the catalogue of a copy, and return its path."""
    path = project / "data/datasets.tsv"
    known = f"sha256:{hashlib.sha256(content).hexdigest()}" if checksum else ""
    text = re.sub(
        r"(?m)^(zhang2011\t[^\t]+\t[^\t]+\t)[^\t]*\t\d*\t",
        rf"\g<1>{known}\t{len(content)}\t",
        path.read_text(encoding="utf-8"),
    )
    assert known in text
    path.write_text(text, encoding="utf-8")
    return Path("zhang2011/ZD_150bins_50sampled.Rda")


def snakemake(
    *arguments, folder=None, root=ROOT, python=sys.executable, environment=None, preloaded=True
):
    """Run Snakemake on the project in `root`, in `folder`; return its exit code and output.

    If `preloaded`, jobs are forks of a process that has imported their libraries.
    """
    arguments = [str(part) for part in ("--snakefile", root / "Snakefile", *arguments)]
    environment = {**os.environ, "COLUMNS": "200", **(environment or {})}
    folder = str(folder or root)
    if python == sys.executable:
        return types.SimpleNamespace(**run_in_server(arguments, folder, environment, preloaded))
    finished = subprocess.run(
        [python, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return types.SimpleNamespace(
        returncode=finished.returncode, said=finished.stdout + finished.stderr
    )


@functools.cache
def snakemake_server():
    """Start the process that runs Snakemake without importing it every time."""
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("snakemake_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # It ends with its input.
    atexit.register(server.communicate)
    return server


def run_in_server(arguments, folder, environment, preloaded):
    """Run Snakemake in a fork of a process that has imported it."""
    server = snakemake_server()
    request = {
        "arguments": arguments,
        "folder": folder,
        "environment": environment,
        "preloaded": preloaded,
    }
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


@dataclasses.dataclass(frozen=True)
class TinyRun:
    """A copy of the workflow, and a folder in which it runs with the settings of tiny.yaml."""

    project: Path
    folder: Path

    def run(self, *arguments, cores=2, preloaded=True):
        """Run the workflow; `arguments` are targets and options of Snakemake."""
        options = ("--cores", cores, "--configfile", TINY)
        return snakemake(
            *arguments, *options, folder=self.folder, root=self.project, preloaded=preloaded
        )

    def copy(self, place):
        """Copy project and results with their times, so that nothing has to run again."""
        shutil.copytree(self.project.parent, place, symlinks=True)
        return TinyRun(place / self.project.name, place / self.folder.name)


def once(place, make):
    """Call a function for a folder once, in the first of the tests' processes that needs it.

    The others wait, and get the text that it returned.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    done = place.with_suffix(".done")
    with open(place.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            done.write_text(make(), encoding="utf-8")
    return done.read_text(encoding="utf-8")


def finished_tiny_run(place):
    """Run the tiny workflow in a folder, once for all tests."""
    run = TinyRun(place / "project", place / "run")

    def make():
        copy_project(run.project)
        run.folder.mkdir()
        made = run.run()
        assert made.returncode == 0, made.said
        return made.said

    once(place, make)
    return run


def planned_jobs(said):
    """List the (rule, first output) of the jobs in the output of a dry run."""
    # Jobs of a group are indented.
    jobs = re.findall(r"(?m)^( *)(?:local)?rule (\w+):\n((?:\1    .*\n)*)", said)
    outputs = [re.search(r"output: ([^,\s]+)", block) for *_, block in jobs]
    return [
        (rule, found[1] if found else "") for (_, rule, _), found in zip(jobs, outputs, strict=True)
    ]


def digests(folder, *patterns):
    """Return the SHA-256 of each file that matches a pattern, by its path within the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
        if path.is_file()
    }
