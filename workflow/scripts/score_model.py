"""Score a model and compare it with chance and the noise ceiling (rule score_model)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.recording import read_halves, read_recording
from scorebounds.core.tables import write_table
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.grouping import with_components, with_groups, with_subjects
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.resampling import ResamplingSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, str],
    reference: str,
    model: str,
    measures: list[str],
    by: str | list[str],
    *,
    settings: Mapping[str, Any],
    device: torch.device,
    seed: int,
) -> None:
    pair = read_recording(reference), read_recording(model)
    matched = with_components(with_groups(match(*pair, by), *pair), *pair)
    matched = with_subjects(matched, pair[0])
    resampling = ResamplingSettings(**settings, seed=seed)
    halves = read_halves(reference)
    if halves is not None:
        halves = (matched.align(halves[0]), matched.align(halves[1]))
    scores, replicates = score_model(matched, measures, resampling, halves, device)
    write_table(targets["scores"], scores)
    write_table(targets["replicates"], replicates)
    write_table(targets["components"], explained_components(matched, device, halves, seed))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            dict(snakemake.output.items()),
            snakemake.input.reference,
            snakemake.input.model,
            snakemake.params.measures,
            snakemake.params.match,
            settings=snakemake.params.settings,
            device=chosen_device(snakemake.config["device"]),
            # The same for all models of a recording, so that they can be compared.
            seed=derived_seed(snakemake.params.seed, "scorecards", snakemake.wildcards.dataset),
        )
