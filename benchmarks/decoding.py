"""Cost of decoding every variable along one score, against a loop of scikit-learn's fits.

The work is that of one `decode_variables` job: all checkpoints of all seeds, folds and times, on
simulated-pfc, from synthetic data between a random start and the reference. The loop fits the same
standardised folds and is timed on a part of them. Processor time, one thread each.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import yaml
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from scorebounds.core.recording import samples_by_neurons
from scorebounds.datasets import loaders
from scorebounds.decoding.decoder import Decoder, decode
from scorebounds.decoding.design import design

N_CHECKPOINTS = 100  # 5 seeds, 20 checkpoints
N_LOOPED = 4  # of them with scikit-learn
DECODER = Decoder(c=1.0, standardize=True)


def checkpoints(activity, n):
    """Return data on the way from noise to the activity, shape (n, n_samples, n_neurons)."""
    rng = np.random.default_rng(0)
    scaled = (activity - activity.mean(0)) / activity.std()
    shares = np.tile(np.linspace(0, 1, 20), n // 20)
    noise = rng.standard_normal((n, *activity.shape), dtype=np.float32)
    return (np.sqrt(1 - shares)[:, None, None] * noise + 3 * shares[:, None, None] * scaled).astype(
        np.float32
    )


def looped(activity, plan):
    """Return the accuracies that one fit at a time gives, as `decode` does."""
    found = {}
    for variable, codes in plan.classes.items():
        folds, right = plan.folds[variable], []
        for x in plan.select(activity.astype(np.float64)).reshape(-1, *plan.samples.shape[1:], 100):
            for fold in range(folds.max() + 1):
                train = folds != fold
                mean, sd = x[train].mean(0), x[train].std(0)
                model = LogisticRegression(C=DECODER.c, max_iter=1000)
                model.fit((x[train] - mean) / sd, codes[train])
                right.append((model.predict((x[~train] - mean) / sd) == codes[~train]).mean())
        found[variable] = np.reshape(right, (len(activity), -1)).mean(1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("error", category=ConvergenceWarning)
    settings = yaml.safe_load(options.config.read_text(encoding="utf-8"))["simulated-pfc"]
    array = loaders.load("simulated-pfc", [], seed=0, settings=settings, custom=False)
    plan = design(array.assign_attrs(dataset="simulated-pfc"), n_folds=5, seed=0)
    synthetic = checkpoints(samples_by_neurons(array), N_CHECKPOINTS)
    decode(synthetic[:2], plan, DECODER)  # warm up
    start = time.process_time()
    ours = decode(synthetic, plan, DECODER)
    ours_seconds = time.process_time() - start
    part = np.linspace(0, 19, N_LOOPED).astype(int)
    start = time.process_time()
    theirs = looped(synthetic[part], plan)
    loop_seconds = (time.process_time() - start) * N_CHECKPOINTS / N_LOOPED
    n_fits = N_CHECKPOINTS * len(plan.samples) * 5 * len(plan.classes)
    apart = max(abs(ours[name][part].mean(1) - theirs[name]).max() for name in theirs)
    print("| fits | ours, s | scikit-learn, one by one, s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    print(
        f"| {n_fits} | {ours_seconds:.1f} | {loop_seconds:.0f} (from {N_LOOPED} checkpoints) |"
        f" {loop_seconds / ours_seconds:.0f} | {apart:.4f} |"
    )


if __name__ == "__main__":
    main()
