"""Answer what Snakemake asks of conda, and build environments from their pins with pip.

Where conda's channels cannot be reached, this still shows that a file in envs/ names all that the
scripts of its rules import: nothing is installed but its pins and what these bring along.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where conda-forge and the package index call the same thing by different names.
INDEX_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "pot": "POT"}


def pins(file):
    """Return the version of each package that an environment file pins."""
    return dict(re.findall(r"(?m)^  - ([\w.-]+)=([\w.]+)$", file.read_text(encoding="utf-8")))


def create(file, prefix):
    """Build the environment of a file as a virtual environment, and let it tell what it runs."""
    wanted = pins(file)
    minor = ".".join(wanted.pop("python").split(".")[:2])
    if minor != f"{sys.version_info.major}.{sys.version_info.minor}":
        sys.exit(f"{file.name} wants Python {minor}, this is {sys.version}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    install = ["-m", "pip", "--python", prefix / "bin/python", "install", "--quiet"]
    install += ["--disable-pip-version-check", "--no-compile", "-c", ROOT / "constraints.txt"]
    named = [f"{INDEX_NAMES.get(name, name)}=={version}" for name, version in wanted.items()]
    subprocess.run([sys.executable, *install, *named], check=True)
    (packages,) = prefix.glob("lib/python*/site-packages")
    shutil.copy(Path(__file__).with_name("witness.py"), packages / "sitecustomize.py")


def main(arguments):
    if arguments == ["--version"]:
        print("conda 24.7.1")
    elif arguments[:1] == ["info"]:
        # Snakemake sources bin/activate in this folder.
        print(json.dumps({"conda_prefix": os.environ["STAND_IN_PREFIX"], "platform": "linux-64"}))
    elif arguments[:2] == ["config", "--get"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ["env", "create"]:
        options = dict(itertools.pairwise(arguments))
        create(Path(options["--file"]), Path(options["--prefix"]))
    elif arguments[:1] != ["clean"]:
        sys.exit(f"not answered: conda {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
