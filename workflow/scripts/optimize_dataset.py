"""Climb one measure towards one dataset from every seed (rule optimize_dataset)."""

from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import write_dataset
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.trajectories import to_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str,
    reference: str,
    measure: str,
    *,
    device: torch.device,
    seed: int,
    n_seeds: int,
    n_checkpoints: int,
    **settings: Any,
) -> None:
    x, recording = read_samples(reference, device)
    dataset = recording.attrs["dataset"]
    starts = starting_points((x.shape[0], x.shape[1]), seed, (dataset, measure), n_seeds).to(device)
    # Checkpoints are for decoding: without labels there is nothing to decode.
    labelled = bool(recording.attrs["variables"])
    chosen = registry.load(measure)
    try:
        trajectories, components = optimize(
            x,
            chosen,
            starts,
            n_checkpoints=n_checkpoints if labelled else 0,
            **settings,
        )
    except ValueError as error:
        raise ValueError(f"{dataset}, {measure}: {error}") from error
    direction = 1 if chosen.higher_is_closer else -1
    attrs = {"dataset": dataset, "measure": measure, "direction": direction, "seed": seed}
    attrs |= settings | {"reduced": recording.attrs.get("reduced", "")}
    write_dataset(target, to_dataset(trajectories, components.variance_ratio.cpu().numpy(), attrs))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            snakemake.wildcards.measure,
            device=chosen_device(snakemake.params.device),
            seed=snakemake.params.seed,
            **snakemake.params.settings,
        )
