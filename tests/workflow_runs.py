"""Run the workflow as a user does, on a copy or from another folder."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests/config/tiny.yaml"


# What a copy of the workflow needs to run.
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "envs", "data/datasets.tsv")


def copy_project(root):
    """Copy the workflow, so that its files can be touched."""
    for part in PARTS:
        source = ROOT / part
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / part)
    return root


def offer(project, content, *, checksum):
    """Have the catalogue of a copy expect this content of a file, and return which file it is."""
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


def snakemake(*arguments, folder=None, root=ROOT, python=sys.executable, environment=None):
    """Run Snakemake on the project in `root`, in `folder`, and return what it did and said."""
    command = [python, "-m", "snakemake", "--snakefile", root / "Snakefile", *arguments]
    environment = {**os.environ, "COLUMNS": "200", **(environment or {})}
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=folder or root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    finished.said = finished.stdout + finished.stderr
    return finished
