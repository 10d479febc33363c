"""What jobs request for recordings of extreme shapes, compared with what their scripts use.

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/edges.py [SHAPE …] [--stages STAGE …]

Simulates a recording of each shape, runs the script of each stage on it in a process of its own,
with few steps and permutations (the memory does not depend on them), and prints a table. With
`--full`, the settings are the defaults, and the minutes are compared, too. Ends with 1 if a stage
failed or was stopped, used more than it requests, or requests more than four times what it used
and more than the floor.
"""

import argparse
import copy
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

from scorebounds.core import measure_table
from scorebounds.core.measure_table import entry_of

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
# Samples, neurons and values of the label.
SHAPES = {
    "50x20000": (50, 20_000, 5),
    "500x8000": (500, 8_000, 5),
    "20000x300": (20_000, 300, 10),
    "1000x100": (1_000, 100, 100),
    # As the full recording of Mante et al. 2013.
    "1080x727": (1_080, 727, 12),
    # The largest that counts as small (workflow/rules/common.smk), whose measures one job treats.
    "500x500": (500, 500, 5),
}
SMALL, SMALL_BYTES = "optimize_small_dataset", 2_000_000
# The request `memory(TORCH_MB, 30)` of a rule, by the size of its input.
PER_MB = 30
OPTIMIZED = [name for name in CONFIG["measures"] if entry_of(name).has_gradient]
# Stages: script, requests of memory and time, and the measure or pair of the job.
STAGES = {
    **{f"optimize_dataset {name}": ("optimize_memory", "optimize_minutes") for name in OPTIMIZED},
    SMALL: ("optimize_memory", "optimize_minutes"),
    "score_synthetic": ("score_memory", "score_minutes"),
    "decode_reference": ("reference_memory", "decode_minutes"),
    "decode_variables cka": ("decode_memory", "decode_minutes"),
    "perturb_components": (PER_MB, "perturb_minutes"),
    "range_pair cka--procrustes_angular": ("range_memory", "range_minutes"),
    "range_pair ridge_cv_100--procrustes_angular": ("range_memory", "range_minutes"),
    "range_others": (PER_MB, "other_pairs_minutes"),
    "score_model": ("score_memory", "card_minutes"),
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
    """Return the MB and the minutes that the job requests for its first attempt."""
    text = (ROOT / "workflow/rules/resources.smk").read_text(encoding="utf-8")
    names = {
        "config": CONFIG,
        "MEASURE_TABLE": measure_table,
        "OPTIMIZED_MEASURES": OPTIMIZED,
        "REDUCED": {entry.id for entry in measure_table.ENTRIES if entry.few_coordinates},
        "pairs_of_job": lambda wildcards: [(wildcards.a, wildcards.b)],
        "Path": Path,
    }
    exec(compile(text, "resources.smk", "exec"), names)
    _, _, which = stage.partition(" ")
    a, _, b = which.partition("--")
    wildcards = (
        SimpleNamespace(a=a, b=b) if stage == SMALL else SimpleNamespace(measure=which, a=a, b=b)
    )
    files = SimpleNamespace(reference=folder / "reference.nc")
    memory, minutes = STAGES[stage]
    time = names[minutes](wildcards, files, 1)
    if memory == PER_MB:
        return names["memory"](names["TORCH_MB"], PER_MB)(wildcards, [files.reference], 1), time
    return names[memory](wildcards, files, 1), time


def optimized(folder, measure):
    return str(folder / f"optimized-{measure}.nc")


def optimize(target, reference, measure, settings):
    """Do what the script optimize_dataset does, which has no function of its own for it."""
    from scorebounds.core.samples import read_samples
    from scorebounds.core.tables import write_dataset
    from scorebounds.optimization.recordings import optimize_recording

    x, recording = read_samples(reference)
    write_dataset(target, optimize_recording(x, recording, measure, seed=0, **settings))


def settings_of(full):
    """Return the sections of the settings: the defaults, or with few steps and permutations."""
    chosen = copy.deepcopy(CONFIG)
    if full:
        return chosen
    few = {"n_rounds": 1, "n_steps": 2, "n_passes": 1}
    chosen["ranges"]["reduced"].update(few)
    chosen["ranges"]["full"].update(few)
    chosen["ranges"]["joint"]["max_steps"] = 3
    chosen["ranges"]["certificate"]["n_values"] = 3
    chosen["optimize"].update(max_steps=40, stop_score=0.6)
    chosen["decoding"]["n_permutations"] = 19
    few_shuffles = {"n_permutations": 19, "n_permutations_of": {"ridge_cv_tuned": 19}}
    chosen["scorecards"].update(few_shuffles)
    return chosen


def run(folder, stage, *, full):
    """Run a stage's script on the recording of a folder, in this process."""
    import torch

    torch.set_num_threads(1)
    script, _, which = ("optimize_dataset" if stage == SMALL else stage).partition(" ")
    main = getattr(importlib.import_module(script), "main", None)
    reference, cpu = str(folder / "reference.nc"), torch.device("cpu")
    settings = settings_of(full)
    if script == "optimize_dataset":
        for measure in [which] if which else OPTIMIZED:
            optimize(optimized(folder, measure), reference, measure, settings["optimize"])
    elif script == "score_synthetic":
        made = [optimized(folder, name) for name in OPTIMIZED]
        made = [path for path in made if Path(path).is_file()]
        main(str(folder / "t.csv"), reference, made, CONFIG["measures"], 1)
    elif script == "decode_reference":
        targets = (str(folder / "a.csv"), str(folder / "b.csv"))
        main(*targets, reference, seed=0, **settings["decoding"])
    elif script == "decode_variables":
        del settings["decoding"]["n_permutations"]
        made = [optimized(folder, which)]
        main(str(folder / "t.csv"), reference, made, seed=0, **settings["decoding"])
    elif script == "perturb_components":
        main(str(folder / "t.csv"), reference, seed=0, **settings["perturbation"])
    elif script == "range_pair":
        names = ("region", "guides", "trajectories", "bounds")
        targets = {name: [str(folder / f"{name}.csv")] for name in names}
        pairs, ranges = [which.split("--")], settings["ranges"]
        main(targets, reference, pairs, device=cpu, seed=0, settings=ranges)
    elif script == "range_others":
        measures = ["cka", "cka_angular", "nbs", "procrustes_angular", "linreg"]
        guides, ranges = [str(folder / "guides.csv")], settings["ranges"]
        main(str(folder / "t.csv"), reference, guides, measures, seed=0, settings=ranges)
    elif script == "score_model":
        names = ("scores", "replicates", "components")
        targets = {name: str(folder / f"m.{name}.csv") for name in names}
        model, measures = str(folder / "model.nc"), CONFIG["measures"]
        more = {"settings": settings["scorecards"], "device": cpu, "seed": 0}
        main(targets, reference, model, measures, "order", **more)


def measured(folder, stage, limit, *, full):
    """Run a stage in a process of its own; return the peak MB, the seconds, and how it ended."""
    command = [sys.executable, __file__, "--run", str(folder), stage]
    ran = subprocess.run(
        command + ["--full"] * full,
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


def faults(asked, used, floors):
    """Yield what was asked and used of each resource where less or far more was asked than used."""
    for name, floor in floors.items():
        if not used[name] <= asked[name] <= max(floor, LARGEST_RATIO * used[name]):
            yield f"requests {asked[name]} {name}, used {used[name]:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shapes", nargs="*", default=list(SHAPES))
    parser.add_argument("--stages", nargs="*", default=list(STAGES))
    parser.add_argument("--limit", type=int, default=600, help="CPU seconds for a stage")
    parser.add_argument("--full", action="store_true", help="default settings; compare minutes")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "workflow/scripts"))
    if arguments.run:
        run(Path(arguments.run[0]), arguments.run[1], full=arguments.full)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"mb": usage.ru_maxrss / 1000, "s": usage.ru_utime + usage.ru_stime}))
        return
    how = "" if arguments.full else " with few steps"
    print(f"| shape | job | MB requested | MB used | ratio | minutes requested | used{how} |")
    print("|---|---|---|---|---|---|---|")
    wrong = []
    compared = FLOORS if arguments.full else {"mem_mb": FLOORS["mem_mb"]}
    for shape in arguments.shapes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            simulate(folder, *SHAPES[shape])
            for stage in arguments.stages:
                if stage == SMALL and 8 * math.prod(SHAPES[shape][:2]) > SMALL_BYTES:
                    continue
                asked = dict(zip(FLOORS, requested(folder, stage), strict=True))
                mb, seconds, end = measured(folder, stage, arguments.limit, full=arguments.full)
                used = {"mem_mb": mb, "runtime": seconds / 60}
                cells = [shape, f"`{stage}`", str(asked["mem_mb"]), f"{mb:.0f}"]
                cells.append(f"{asked['mem_mb'] / mb:.1f}" if math.isfinite(mb) else end)
                cells += [str(asked["runtime"]), f"{used['runtime']:.1f}"]
                print(f"| {' | '.join(cells)} |", flush=True)
                found = [end] if end else faults(asked, used, compared)
                wrong += [f"{shape}, {stage}: {fault}" for fault in found]
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
