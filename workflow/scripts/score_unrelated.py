"""Score a layer with unrelated random data, for more and more images (rule score_unrelated)."""

import warnings
from typing import TYPE_CHECKING

import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.measures import registry
from scorebounds.networks.layers import drop_constant
from scorebounds.networks.unrelated import unrelated_scores

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, path: str, names: list[str], *, seed: int, n_draws: int) -> None:
    with open_dataset(path) as stored:
        middle = stored.attrs["n_layers"] // 2
        (layer,), _ = drop_constant([stored[f"trained_{middle}"].values])
        images = stored.attrs["images"]
    # This figure shows saturated scores.
    warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
    table = unrelated_scores(
        torch.from_numpy(layer).double(),
        [registry.load(name) for name in names],
        seeds=[derived_seed(seed, "unrelated", images, draw) for draw in range(n_draws)],
    )
    write_table(target, table)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.network,
            snakemake.params.measures,
            seed=snakemake.params.seed,
            n_draws=snakemake.params.n_draws,
        )
