"""Decode the variables of a reference, and shuffled labels (rule decode_reference)."""

from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording, samples_by_neurons
from scorebounds.core.tables import write_table
from scorebounds.decoding.decoder import Decoder, decode, null_accuracy
from scorebounds.decoding.design import design, variance_share
from scorebounds.decoding.summary import REFERENCE_COLUMNS, SIGNIFICANT, permutation_p

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target, reference, *, seed, n_folds, n_permutations, **settings):
    recording = read_recording(reference)
    dataset, rows = recording.attrs["dataset"], []
    if recording.attrs["variables"]:
        plan = design(recording, n_folds=n_folds, seed=seed)
        decoder, activity = Decoder(**settings), samples_by_neurons(recording)
        accuracies = decode(activity[None], plan, decoder)
        nulls = null_accuracy(activity, plan, decoder, n_permutations=n_permutations, seed=seed)
        for variable, codes in plan.classes.items():
            accuracy, null = accuracies[variable][0], nulls[variable]
            p = permutation_p(accuracy, null)
            share = variance_share(plan.select(activity), codes)
            row = (dataset, variable, codes.max() + 1, len(codes), plan.over)
            row += (plan.chance(variable), accuracy, null.mean(), null.max())
            rows.append((*row, p, p <= SIGNIFICANT, share))
    write_table(target, pd.DataFrame(rows, columns=REFERENCE_COLUMNS))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            seed=snakemake.params.seed,
            **snakemake.params.settings,
        )
