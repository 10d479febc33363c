"""Decode the variables of a dataset from what was optimised (rule decode_variables)."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.decoding.decoder import Decoder
from scorebounds.decoding.design import design
from scorebounds.decoding.reference import accuracy_table
from scorebounds.decoding.summary import ACCURACY_COLUMNS

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str, reference: str, optimized: list[str], *, seed: int, n_folds: int, **settings: Any
) -> None:
    recording = read_recording(reference)
    tables = []
    if recording.attrs["variables"]:
        plan = design(recording, n_folds=n_folds, seed=seed)
        for path in optimized:
            with open_dataset(path) as stored:
                tables.append(accuracy_table(stored, plan, Decoder(**settings)))
    write_table(target, pd.concat(tables) if tables else pd.DataFrame(columns=ACCURACY_COLUMNS))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            snakemake.input.optimized,
            seed=snakemake.params.seed,
            **snakemake.params.settings,
        )
