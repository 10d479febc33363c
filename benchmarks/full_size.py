"""The full PFC recording's size through the workflow: time and peak memory of each rule.

The recording of Mante et al. 2013 is made up, in the format of the published zip: 727 units of
monkey A with all 72 conditions, single trials of 751 bins of a millisecond, and a few files that
the loader has to leave out. The rates are those of `simulated-pfc`.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import yaml

from scorebounds.datasets.made import simulated_pfc

ROOT = Path(__file__).parents[1]
N_UNITS, N_MS, BIN_MS = 727, 751, 50
N_LEFT_OUT = 3
LEVELS = ((0.04, 0.14, 0.5), (0.06, 0.17, 0.5), (0.03, 0.12, 0.5))


def conditions():
    """Return (choice, motion, colour, context) ranks of the correct and of the wrong choices."""
    rows = []
    for motion in np.sign(simulated_pfc.COHERENCES) * [3, 2, 1, 1, 2, 3]:
        for colour in np.sign(simulated_pfc.COHERENCES) * [3, 2, 1, 1, 2, 3]:
            for context in (1, -1):
                choice = np.sign(motion if context == 1 else colour)
                rows.append((choice, motion, colour, context))
    correct = np.array(rows, dtype=int)
    return correct, correct * [-1, 1, 1, 1]


def unit(rng, rates_hz, levels, n_conditions):
    """Draw the trials of one unit from its rates (n_bins, 72), as the published struct."""
    correct, wrong = conditions()
    correct = correct[:n_conditions]
    counts = rng.integers(3, 15, len(correct))
    errors = rng.choice(len(wrong), 30)
    keys = np.concatenate([np.repeat(correct, counts, axis=0), wrong[errors]])
    of_trial = np.concatenate([np.repeat(np.arange(len(correct)), counts), errors])
    per_ms = np.repeat(rates_hz.T, BIN_MS, axis=1) / 1000
    chance = np.pad(per_ms.clip(0, 1), ((0, 0), (0, N_MS - per_ms.shape[1])), mode="edge")
    order = rng.permutation(len(keys))
    keys, of_trial = keys[order], of_trial[order]

    def signed(rank):
        return np.sign(rank) * np.array(levels)[np.abs(rank) - 1]

    variables = {
        "stim_dir": signed(keys[:, 1]),
        "stim_col2dir": signed(keys[:, 2]),
        "stim_col": signed(keys[:, 2]),
        "targ_dir": keys[:, 0].astype(float),
        "context": keys[:, 3].astype(float),
        "correct": (order < counts.sum()).astype(float),
        "stim_trial": np.arange(1.0, len(keys) + 1),
    }
    return {
        "response": (rng.random((len(keys), N_MS)) < chance[of_trial]).astype(np.uint8),
        "time": np.round(np.arange(100, 100 + N_MS) / 1000, 3),
        "task_variable": variables,
        "name": "made up",
    }


def make_archive(path, n_units):
    """Write the zip; units that lack conditions and those of monkey F are in it as well."""
    rng = np.random.default_rng(0)
    shares = yaml.safe_load((ROOT / "config.yaml").read_text())["simulated-pfc"]["variance_shares"]
    rates = simulated_pfc.make(rng, n_neurons=n_units, variance_shares=shares).values
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(n_units + N_LEFT_OUT):
            whole = number < n_units
            content = io.BytesIO()
            drawn = unit(rng, rates[..., number % n_units], LEVELS[number % 3], 72 if whole else 71)
            scipy.io.savemat(content, {"unit": drawn}, do_compression=True)
            name = f"ar{90000 + number // 9:06}_{number % 9 + 1}_a1_Vstim_100_850_ms.mat"
            archive.writestr(f"PFC data/PFC data 1/{name}", content.getvalue())
        name = "fe111019_2_a1_Vstim_100_850_ms.mat"
        archive.writestr(f"PFC data/PFC data 2/{name}", content.getvalue())


# From the file to the score at which each component and variable is captured; neither what a score
# loses with a component nor networks' layers.
TARGETS = [f"results/figures/{name}.pdf" for name in ("thresholds", "decoding_thresholds")]
TARGETS += ["results/tables/runs.csv", "results/tables/availability.csv"]


def run(folder, measures, n_seeds):
    """Run the workflow on the archive, with its default settings otherwise."""
    settings = {
        "datasets": ["mante2013"],
        "measures": measures,
        "mirrors": ["mirror"],
        "offline": True,
        "optimize": {"n_seeds": n_seeds},
    }
    (folder / "full_size.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "1", "--configfile"]
    command += [str(folder / "full_size.yaml"), "--quiet", "rules", "--", *TARGETS]
    subprocess.run(command, check=True, cwd=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", nargs="+", default=["cka", "procrustes_angular"])
    parser.add_argument("--units", type=int, default=N_UNITS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep everything here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        archive = folder / "mirror/mante2013/PFC-data.zip"
        if not archive.exists():
            make_archive(archive, options.units)
        print(f"archive: {archive.stat().st_size / 1e6:.0f} MB", flush=True)
        run(folder, options.measures, options.seeds)
        print(f"{'job':50} {'seconds':>8} {'peak MB':>8}")
        benchmarks = folder / "results/benchmarks"
        for path in sorted(benchmarks.rglob("*.tsv"), key=lambda path: path.stat().st_mtime):
            (row,) = csv.DictReader(path.read_text().splitlines(), delimiter="\t")
            job = path.relative_to(benchmarks).with_suffix("")
            peak = row["max_rss"] if row["max_rss"] != "-" else "nan"
            print(f"{job!s:50} {float(row['s']):8.1f} {float(peak):8.0f}")


if __name__ == "__main__":
    main()
