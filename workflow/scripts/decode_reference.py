"""Decode the variables of a reference, and shuffled labels (rule decode_reference)."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording
from scorebounds.core.tables import write_table
from scorebounds.decoding.decoder import Decoder
from scorebounds.decoding.design import design
from scorebounds.decoding.reference import reference_tables
from scorebounds.decoding.summary import REFERENCE_COLUMNS, TIME_COLUMNS

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    references: str,
    times: str,
    reference: str,
    *,
    seed: int,
    n_folds: int,
    n_permutations: int,
    **settings: Any,
) -> None:
    recording = read_recording(reference)
    tables = pd.DataFrame(columns=REFERENCE_COLUMNS), pd.DataFrame(columns=TIME_COLUMNS)
    if recording.attrs["variables"]:
        plan, decoder = design(recording, n_folds=n_folds, seed=seed), Decoder(**settings)
        sampling = {"n_permutations": n_permutations, "seed": seed}
        tables = reference_tables(recording, plan, decoder, **sampling)
    for path, table in zip((references, times), tables, strict=True):
        write_table(path, table)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output.references,
            snakemake.output.times,
            snakemake.input.reference,
            seed=snakemake.params.seed,
            **snakemake.params.settings,
        )
