"""Small files in the formats of the paper's recordings."""

import csv
import zipfile

import numpy as np
import scipy.io

from helpers.workflow import ROOT
from scorebounds.datasets import loaders

UNITS = "PFC data/PFC data 1/ar09031{}_1_a1_Vstim_100_850_ms.mat"


def load(name, files=(), **settings):
    return loaders.load(name, list(files), seed=0, settings=settings, custom=False)


def size_in_catalogue(name, file=""):
    """Return how many numbers data/datasets.tsv says that the recording of some files has."""
    with open(ROOT / "data/datasets.tsv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    of_dataset = [row for row in rows if row["dataset"] == name and row["file"].startswith(file)]
    return sum(int(row["n_values"] or 0) for row in of_dataset)


def write_unit(path, rates, levels=(0.04, 0.14, 0.5), n_trials=2, drop=0):
    """Write one unit in the format of Mante et al.; `rates` is a function of the key."""
    rows, spikes = [], []
    rng = np.random.default_rng(0)
    signed = [-levels[2], -levels[1], -levels[0], *levels]
    for context in (-1, 1):
        for direction in signed:
            for colour in signed:
                choice = np.sign(direction if context == 1 else colour)
                for correct in (1, 0):
                    key = (choice if correct else -choice, direction, colour, context)
                    for trial in range(n_trials):
                        rows.append((*key, correct))
                        count = np.zeros(751, dtype=np.uint8)
                        count[: rates(*key) + trial] = 1
                        spikes.append(count if correct else rng.integers(0, 2, 751))
    rows, spikes = np.array(rows), np.array(spikes, dtype=np.uint8)
    if drop:
        rows, spikes = rows[drop * n_trials :], spikes[drop * n_trials :]
    names = ("targ_dir", "stim_dir", "stim_col2dir", "context", "correct")
    variables = dict(zip(names, rows.T, strict=True))
    time = np.round(np.linspace(0.1, 0.85, 751), 3)
    unit = {"response": spikes, "time": time, "task_variable": variables}
    scipy.io.savemat(path, {"unit": unit})


def unit_bytes(tmp_path, rate=20, **options):
    write_unit(tmp_path / "unit.mat", lambda *key: int(rate + 3 * key[3] + 4 * key[0]), **options)
    return (tmp_path / "unit.mat").read_bytes()


def write_archive(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path
