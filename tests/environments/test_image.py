"""The steps of the image, without Docker: install as it does, and run its entry point."""

import re
import shutil
import subprocess
import sys

import yaml

from helpers.workflow import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_steps_of_the_image_run(tmp_path):
    home, analysis = tmp_path / "scorebounds", tmp_path / "analysis"
    analysis.mkdir()
    programs = tmp_path / "python/bin"
    subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)

    def run(command, folder):
        line = f'PATH="{programs}:$PATH"; {command.replace("/scorebounds", str(home))}'
        done = subprocess.run(["bash", "-ec", line], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    for line in DOCKERFILE.splitlines():
        step, _, rest = line.partition(" ")
        if step == "COPY":
            *sources, place = rest.split()
            target = home / place.removeprefix("/scorebounds").removeprefix("/")
            for source in sources:
                inside = target / source if place.endswith("/") else target
                inside.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, inside)
        elif step == "RUN":
            run(rest, tmp_path)
    start = " ".join(yaml.safe_load(re.findall(r"(?m)^ENTRYPOINT (.*)$", DOCKERFILE)[0]))
    run(f"{start} --cores 1 --config offline=true -- data/prepared/ultrametric.nc", analysis)
    assert (analysis / "data/prepared/ultrametric.nc").is_file()
    assert {path.name for path in analysis.iterdir()} == {"data", "results", ".snakemake"}
