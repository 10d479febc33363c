"""Memory that jobs request for recordings of extreme shapes, compared with what their scripts use.

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/edges.py [SHAPE …] [--stages STAGE …]

Simulates a recording of each shape, runs the script of each stage on it in a process of its own,
with few steps and permutations (the memory does not depend on them), and prints a table. Ends with
1 if a stage failed or was stopped, used more memory than it requests, or requests more than four
times what it used and more than the floor.
"""

import argparse
import importlib
import json
import math
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml
from resources import FLOORS, LARGEST_RATIO, ROOT

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
# Samples, neurons and values of the label.
SHAPES = {
    "50x20000": (50, 20_000, 5),
    "500x8000": (500, 8_000, 5),
    "20000x300": (20_000, 300, 10),
    "1000x100": (1_000, 100, 100),
}
# The request `memory(TORCH_MB, 30)` of a rule, by the size of its input.
PER_MB = 30
# Stages: script, request, and the measure or pair of the job.
STAGES = {
    "optimize_dataset cka": "optimize_memory",
    "optimize_dataset ridge_cv_100": "optimize_memory",
    "optimize_dataset svcca": "optimize_memory",
    "score_synthetic": "score_memory",
    "decode_reference": "reference_memory",
    "decode_variables cka": "decode_memory",
    "perturb_components": PER_MB,
    "range_pair cka--procrustes_angular": "range_memory",
    "range_pair ridge_cv_100--procrustes_angular": "range_memory",
    "range_others": PER_MB,
    "score_model": "score_memory",
}


def simulate(folder, n_samples, n_neurons, n_values):
    """Write a recording with one label, and a model of it."""
    from scorebounds.core.recording import recording, write_recording

    rng = np.random.default_rng(0)
    values = rng.permutation(np.arange(n_samples) % n_values)
    features = rng.normal(size=(n_values, n_neurons))
    for name in ("reference", "model"):
        activity = features[values] + rng.normal(size=(n_samples, n_neurons))
        array = recording(activity, {"label": np.char.add("v", values.astype(str))})
        array.attrs["dataset"] = name
        write_recording(folder / f"{name}.nc", array, name)


def requested(folder, stage):
    """Return the MB that the job requests for its first attempt."""
    from scorebounds.core import measure_table

    text = (ROOT / "workflow/rules/resources.smk").read_text(encoding="utf-8")
    gradient = [name for name in CONFIG["measures"] if measure_table.entry_of(name).has_gradient]
    reduced = {entry.id for entry in measure_table.ENTRIES if entry.few_coordinates}
    names = {
        "config": CONFIG,
        "MEASURE_TABLE": measure_table,
        "OPTIMIZED_MEASURES": gradient,
        "REDUCED": reduced,
        "Path": Path,
    }
    exec(compile(text, "resources.smk", "exec"), names)
    _, _, which = stage.partition(" ")
    a, _, b = which.partition("--")
    wildcards = SimpleNamespace(measure=which, a=a, b=b)
    files = SimpleNamespace(reference=folder / "reference.nc")
    if STAGES[stage] == PER_MB:
        return names["memory"](names["TORCH_MB"], PER_MB)(wildcards, [files.reference], 1)
    return names[STAGES[stage]](wildcards, files, 1)


def optimized(folder, measure):
    return str(folder / f"optimized-{measure}.nc")


def optimize(target, reference, measure, settings):
    """Do what the script optimize_dataset does, which has no function of its own for it."""
    from scorebounds.core.samples import read_samples
    from scorebounds.core.tables import write_dataset
    from scorebounds.optimization.recordings import optimize_recording

    x, recording = read_samples(reference)
    write_dataset(target, optimize_recording(x, recording, measure, seed=0, **settings))


def run(folder, stage):
    """Run a stage's script on the recording of a folder, in this process."""
    import torch

    torch.set_num_threads(1)
    script, _, which = stage.partition(" ")
    main = getattr(importlib.import_module(script), "main", None)
    reference, cpu = str(folder / "reference.nc"), torch.device("cpu")
    few = {"n_rounds": 1, "n_steps": 2, "n_passes": 1}
    ranges = {**CONFIG["ranges"]}
    for search in ("reduced", "full"):
        ranges[search] = {**ranges[search], **few}
    ranges["joint"] = {**ranges["joint"], "max_steps": 3}
    if script == "optimize_dataset":
        settings = {**CONFIG["optimize"], "max_steps": 40, "stop_score": 0.6}
        optimize(optimized(folder, which), reference, which, settings)
    elif script == "score_synthetic":
        main(str(folder / "t.csv"), reference, [optimized(folder, "cka")], CONFIG["measures"], 1)
    elif script == "decode_reference":
        settings = {**CONFIG["decoding"], "n_permutations": 19}
        main(str(folder / "a.csv"), str(folder / "b.csv"), reference, seed=0, **settings)
    elif script == "decode_variables":
        settings = {key: v for key, v in CONFIG["decoding"].items() if key != "n_permutations"}
        main(str(folder / "t.csv"), reference, optimized(folder, which), seed=0, **settings)
    elif script == "perturb_components":
        settings = {**CONFIG["perturbation"], "n_draws": 1}
        main(str(folder / "t.csv"), reference, seed=0, **settings)
    elif script == "range_pair":
        names = ("region", "guides", "trajectories", "bounds")
        targets = {name: [str(folder / f"{name}.csv")] for name in names}
        main(targets, reference, [which.split("--")], device=cpu, seed=0, settings=ranges)
    elif script == "range_others":
        measures = ["cka", "cka_angular", "nbs", "procrustes_angular", "linreg"]
        guides = [str(folder / "guides.csv")]
        main(str(folder / "t.csv"), reference, guides, measures, seed=0, settings=ranges)
    elif script == "score_model":
        names = ("scores", "replicates", "components")
        targets = {name: str(folder / f"m.{name}.csv") for name in names}
        settings = {**CONFIG["scorecards"], "n_permutations": 19}
        settings["n_permutations_of"] = {"ridge_cv_tuned": 19}
        model = str(folder / "model.nc")
        measures = CONFIG["measures"]
        more = {"settings": settings, "device": cpu, "seed": 0}
        main(targets, reference, model, measures, "order", **more)


def measured(folder, stage, limit):
    """Run a stage in a process of its own; return the peak MB, the seconds, and how it ended."""
    command = [sys.executable, __file__, "--run", str(folder), stage]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
    )
    if ran.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return float("nan"), limit, f"stopped after {limit} s of CPU"
    if ran.returncode:
        return float("nan"), float("nan"), ran.stderr.strip().splitlines()[-1]
    found = json.loads(ran.stdout.splitlines()[-1])
    return found["mb"], found["s"], ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shapes", nargs="*", default=list(SHAPES))
    parser.add_argument("--stages", nargs="*", default=list(STAGES))
    parser.add_argument("--limit", type=int, default=600, help="CPU seconds for a stage")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "workflow/scripts"))
    if arguments.run:
        run(Path(arguments.run[0]), arguments.run[1])
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"mb": usage.ru_maxrss / 1000, "s": usage.ru_utime + usage.ru_stime}))
        return
    print("| shape | job | MB requested | MB used | ratio | CPU s with few steps |")
    print("|---|---|---|---|---|---|")
    wrong = []
    for shape in arguments.shapes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            simulate(folder, *SHAPES[shape])
            for stage in arguments.stages:
                asked = requested(folder, stage)
                used, seconds, end = measured(folder, stage, arguments.limit)
                ratio = f"{asked / used:.1f}" if math.isfinite(used) else end
                print(f"| {shape} | `{stage}` | {asked} | {used:.0f} | {ratio} | {seconds:.0f} |")
                sys.stdout.flush()
                allowed = max(FLOORS["mem_mb"], LARGEST_RATIO * used)
                if end:
                    wrong.append(f"{shape}, {stage}: {end}")
                elif not used <= asked <= allowed:
                    wrong.append(f"{shape}, {stage}: requests {asked} MB, used {used:.0f}")
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
