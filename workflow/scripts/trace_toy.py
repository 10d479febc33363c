"""Tabulate what the toy's synthetic data capture and how they look (rule trace_toy)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.optimization.toy import capture_curves, snapshots

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(curves: str, frames: str, reference: str, optimized: list[str]) -> None:
    recording, of_capture, of_data = read_recording(reference), [], []
    for path in optimized:
        with open_dataset(path) as stored:
            of_capture.append(capture_curves(stored))
            of_data.append(snapshots(stored, recording))
    write_table(curves, pd.concat(of_capture))
    write_table(frames, pd.concat(of_data))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.curves,
            snakemake.output.frames,
            snakemake.input.reference,
            snakemake.input.optimized,
        )
