"""Requests of memory and time, computed from the size of a job's input.

`benchmarks/resources.py` compares them with what jobs used; docs/clusters.md has its table. A job
that dies is resubmitted with its request multiplied by the number of the attempt.
"""

import math

# Smallest requests: Python with tables or figures, Python with torch, and the minutes of a queue.
PLAIN_MB = 500
TORCH_MB = 1000
LEAST_MINUTES = 5
# Of the targets of a range that are optimised as one batch: scorebounds.ranges.joint.BATCH_NUMBERS.
TARGETS_MB = 160
# Of the points of a full search that are one batch: scorebounds.ranges.attained.BATCH_NUMBERS.
SEARCHED_MB = 8
# Of checkpoints that are in memory at once: scorebounds.decoding.reference.BLOCK_BYTES.
CHECKPOINTS_MB = 200
# Neurons that are matched with each other at most: scorebounds.measures.transport.
MOST_MATCHED = 10_000
# Layers of networks that are kept while they are compared with all others, if all take more.
LAYERS_MB = 20_000
# One of a scheduler's GPUs where the settings insist on one.
GPU = {"gpu": 1} if config["device"] == "cuda" else {}
# What the requests of a job are multiplied by, which scorebounds.core.memory takes out again.
ATTEMPT = {"attempt": lambda wildcards, attempt: attempt}


def memory(least, per_mb=0):
    """Return the function that requests MB: the least, and some per MB of the input."""
    return lambda wildcards, input, attempt: round(least + per_mb * data_mb(input)) * attempt


def minutes(per_mb=0):
    """Return the function that requests minutes per MB of the input, or the least."""
    return lambda wildcards, input, attempt: at_least(per_mb * data_mb(input)) * attempt


def data_mb(input):
    """Return the size of what a job reads."""
    return sum(Path(file).stat().st_size for file in input) / 1e6


def at_least(time):
    """Round minutes, to the least or more."""
    return max(LEAST_MINUTES, round(time))


def shape(input):
    """Return the numbers of samples and neurons of the recording that a job reads."""
    # Before the recording exists, Snakemake expects the error that this line raises.
    n_bytes = Path(input.reference).stat().st_size
    try:
        import h5py

        with h5py.File(input.reference) as recording:
            *samples, n_neurons = recording["activity"].shape
    except (ImportError, OSError, KeyError, RuntimeError):
        # Snakemake may run without the jobs' libraries, and the job says that a file is damaged.
        # Nothing is slower than a square.
        side = max(1, round((n_bytes / 8) ** 0.5))
        return side, side
    return math.prod(samples), n_neurons


def recording_mb(input):
    """Return the size of the recording that a job reads, 8 bytes a number."""
    return 8e-6 * math.prod(shape(input))


def rank(input):
    """Return the largest rank that a recording can have: products are formed on its smaller side."""
    return min(shape(input))


def billions(input):
    """Return by 1e9 the multiplications of XᵀX or XXᵀ, of which a step takes a few."""
    return math.prod(shape(input)) * rank(input) / 1e9


def fetch_minutes(wildcards, attempt):
    """Request minutes at half a MB a second, though files are fetched where Snakemake runs."""
    n_bytes = catalogue_entry("bytes")(wildcards) or 1e9  # where the owner does not say
    return at_least(float(n_bytes) / 3e7) * attempt


def prepare_memory(wildcards, input, attempt):
    """Request MB: some copies of a recording, which a file may hold compressed."""
    return round(PLAIN_MB + 6 * data_mb(input)) * attempt


def measures_to_optimize(wildcards):
    """List the measures of a job: the one that its output is named after, or all of a small dataset."""
    measure = getattr(wildcards, "measure", None)
    return OPTIMIZED_MEASURES if measure is None else [measure]


def is_cross_validated(measure):
    """Tell whether a measure holds samples out."""
    return MEASURE_TABLE.entry_of(measure).cross_validated


def optimize_memory(wildcards, input, attempt):
    """Request MB: copies of all seeds' data, and of their products on the smaller side and folds."""
    copies = 110 if any(map(is_cross_validated, measures_to_optimize(wildcards))) else 40
    numbers = 36 * recording_mb(input) + copies * 8e-6 * rank(input) ** 2
    n_seeds = config["optimize"]["n_seeds"]
    return max(TORCH_MB, round(TORCH_MB / 2 + n_seeds * numbers)) * attempt


def optimize_minutes(wildcards, input, attempt):
    """Request minutes, by the products of a step.

    NBS and Procrustes take few steps. Plain regression may take several times the steps of others
    on its last bit of score, and a step of RSA is longer. Held-out regression takes more steps the
    more neurons there are for each sample; with more neurons than samples it does not reach the
    last score, and takes all steps.
    """
    n_samples, n_neurons = shape(input)
    section = config["optimize"]

    def minutes_of(measure):
        if not is_cross_validated(measure):
            short, long = ("nbs", "procrustes"), ("linreg", "rsa")
            factor = 5 if measure.startswith(short) else 40 if measure.startswith(long) else 16
            return factor * billions(input)
        all_steps = section["max_steps"] * n_samples * n_neurons / 5e9 * 15
        per_sample = min(1, n_neurons / n_samples)
        return (6 + 50 * per_sample) * billions(input) + all_steps * (n_neurons > n_samples)

    total = sum(map(minutes_of, measures_to_optimize(wildcards)))
    return at_least(total * section["n_seeds"] / 5) * attempt


def score_memory(wildcards, input, attempt):
    """Request MB: torch, the data, and matrices of samples or neurons if a measure has them.

    More neurons than `MOST_MATCHED` are not matched with each other (measures/transport.py).
    """
    n_samples, n_neurons = shape(input)
    entries = [MEASURE_TABLE.entry_of(name) for name in config["measures"]]
    matched = n_neurons if n_neurons <= MOST_MATCHED else 0
    largest = max(
        entry.square_matrices * n_samples**2 + entry.neuron_matrices * matched**2
        for entry in entries
    )
    return round(TORCH_MB + 35 * recording_mb(input) + 8e-6 * largest) * attempt


def score_minutes(wildcards, input, attempt):
    """Request minutes: every measure of what was optimised towards every other."""
    n_scores = config["scoring"]["n_seeds"] * len(config["measures"]) * len(OPTIMIZED_MEASURES)
    return at_least(0.1 * n_scores * billions(input)) * attempt


def checkpoints_mb(input):
    """Return the most that the checkpoints of one measure take, 4 bytes a number."""
    section = config["optimize"]
    return section["n_seeds"] * section["n_checkpoints"] * recording_mb(input) / 2


def reference_memory(wildcards, input, attempt):
    """Request MB: torch, and copies of a recording and of what its folds predict."""
    return round(TORCH_MB + 25 * recording_mb(input)) * attempt


def decode_memory(wildcards, input, attempt):
    """Request MB: as for the reference, and the checkpoints that are in memory at once, twice."""
    return reference_memory(wildcards, input, attempt) + round(
        2 * min(checkpoints_mb(input), CHECKPOINTS_MB) * attempt
    )


def decode_minutes(wildcards, input, attempt):
    """Request minutes, by the checkpoints of the measures."""
    n_measures = len(getattr(input, "optimized", ["reference"]))
    return at_least(n_measures * checkpoints_mb(input) / 150) * attempt


def perturb_minutes(wildcards, input, attempt):
    """Request minutes, by the products of the random directions of every draw."""
    n_draws = config["perturbation"]["n_draws"]
    return at_least(0.1 * n_draws * shape(input)[0] * rank(input) ** 2 / 1e9) * attempt


def searched_samples(measures, n_samples, width):
    """Return in how many samples the ranges of measures are searched (scorebounds.ranges.fewer)."""
    entries = [MEASURE_TABLE.entry_of(name) for name in measures]
    n_folds = 5 if any(entry.cross_validated for entry in entries) else 1
    in_fold, rest = divmod(n_samples, n_folds)
    fewer = n_folds * (2 * width + 1)
    is_near = rest == 0 or in_fold >= 400
    is_possible = all(entry.of_products for entry in entries)
    return fewer if is_possible and is_near and fewer <= n_samples / 2 else n_samples


def searched_columns(measures, n_samples, width):
    """Return how many columns the data have with which ranges are searched (scorebounds.ranges)."""
    entries = [MEASURE_TABLE.entry_of(name) for name in measures]
    return min(width, n_samples) if all(e.rotation_invariant for e in entries) else width


def range_memory(wildcards, input, attempt):
    """Request MB: torch, copies of the recording, the batch that is optimised, and the kept points.

    The search of targets (with Adam's moments) and that of ends (with L-BFGS's pairs, in all
    coordinates) follow each other. Of the first, two points in single precision are kept for each end
    and value of the other measure.
    """
    joint = config["ranges"]["joint"]
    n_samples, width = shape(input)
    pairs = pairs_of_job(wildcards)
    full = [pair for pair in pairs if not set(pair) <= REDUCED]
    columns = max(searched_columns(pair, n_samples, width) for pair in pairs)
    n_samples = max(searched_samples(pair, n_samples, columns) for pair in pairs)
    one = 8e-6 * n_samples * columns
    batch = max(one, min(joint["n_targets"] * one, TARGETS_MB))
    needed = (45 if joint["x"] == "free" else 15) * batch
    kept = 4 * config["ranges"]["reduced"]["n_grid"]
    if full:
        search = config["ranges"]["full"]
        n_grid, n_starts = search["n_grid"], search["n_starts"]
        needed = max(needed, 70 * max(one, min(n_starts * n_grid * one, SEARCHED_MB)))
        # Starts and results of the search and of its passes, twice while they are joined.
        kept = 4 * n_grid + 4 * n_grid * (n_starts + 2 * search["n_passes"])
    return round(TORCH_MB + 10 * recording_mb(input) + needed + kept * one) * attempt


def range_minutes(wildcards, input, attempt):
    """Request minutes: few for the search in few coordinates, many for the one in all.

    In few coordinates, most of the time is that of the certificate, which linear regression does
    without: it grows with the columns and with the values of the other measure.
    """
    n_samples, width = shape(input)
    n_certified = (
        config["ranges"]["certificate"]["n_values"] + config["ranges"]["reduced"]["n_grid"]
    )

    def minutes_of(pair):
        columns = searched_columns(pair, n_samples, width)
        n_searched = searched_samples(pair, n_samples, columns)
        products = n_searched * columns * min(n_searched, columns) / 1e9
        if set(pair) <= REDUCED:
            return 50 * products + 6e-4 * columns * n_certified * ("linreg" not in pair)
        return 300 * products

    slower = 10 if config["ranges"]["joint"]["x"] == "free" else 1
    return at_least(slower * sum(map(minutes_of, pairs_of_job(wildcards)))) * attempt


def other_pairs_minutes(wildcards, input, attempt):
    """Request minutes for the pairs that were not searched by themselves."""
    n_samples, width = shape(input)[0], rank(input)
    searched = searched_samples(REDUCED, n_samples, width)
    return at_least(50e-9 * searched * width**2) * attempt


def card_minutes(wildcards, input, attempt):
    """Request minutes: a score of every measure per shuffle."""
    n_scores = config["scorecards"]["n_permutations"] * len(config["measures"])
    return at_least(0.006 * n_scores * billions(input)) * attempt


def variant_minutes(wildcards, input, attempt):
    """Request minutes, by the multiplications of the convolutions of a network."""

    def multiplications(variant):
        plan = ARCHITECTURES.convolutions_of(LAYERS["images"], variant)
        return sum(one.n_channels * two.n_channels for one, two in zip(plan, plan[1:]))

    more = multiplications(wildcards.variant) / multiplications(ARCHITECTURES.STANDARD)
    return round(max(1, more) * train_minutes(wildcards, input, attempt))


def variant_memory(wildcards, input, attempt):
    """Request MB: torch and the images, and the activations of which a probe is fitted."""
    widths = ARCHITECTURES.layer_widths(LAYERS["images"], wildcards.variant)
    n_images = LAYERS["n_images"] + 2 * ARCHITECTURES.MOST_PROBED
    # In single precision, twice while they are joined; two copies of one layer in double precision.
    activations = 8e-6 * n_images * sum(widths) + 16e-6 * ARCHITECTURES.MOST_PROBED * max(widths)
    return round((2 * TORCH_MB + 20 * data_mb(input) + activations) * attempt)


def architectures_memory(wildcards, input, attempt):
    """Request MB: torch, all layers of one network as they are, and of the others as few dimensions
    as there are images."""
    n_images, images = LAYERS["n_images"], LAYERS["images"]
    widths = [ARCHITECTURES.layer_widths(images, variant) for variant in VARIANTS]
    kept = sum(min(width, n_images) for of_variant in widths for width in of_variant)
    n_networks = config["architectures"]["n_networks"]
    largest = max(sum(of_variant) for of_variant in widths)
    return round((2 * TORCH_MB + 8e-6 * n_images * (n_networks * kept + 4 * largest)) * attempt)


def train_memory(wildcards, input, attempt):
    """Request MB: torch, the images, and the activations of each state, twice while they are joined.

    Activations are in single precision.
    """
    n_states = 1 + (int(wildcards.network) <= LAYERS["n_untrained"])
    numbers = LAYERS["n_images"] * sum(ARCHITECTURES.layer_widths(LAYERS["images"]))
    return round(TORCH_MB + 20 * data_mb(input) + 4e-6 * (n_states + 1) * numbers) * attempt


def mb_of_layers(wildcards):
    """List the MB that each layer of a network takes: its values, products and kernels."""
    n_images = LAYERS["n_images"]
    entries = map(MEASURE_TABLE.entry_of, measures_of_part(wildcards))
    kernels = n_images**2 * sum(entry.square_matrices > 0 for entry in entries)
    return [
        8e-6 * (3 * n_images * width + 2 * min(width, n_images) ** 2 + kernels)
        for width in ARCHITECTURES.layer_widths(LAYERS["images"])
    ]


def blocks_of_layers(wildcards):
    """List the layers, as [start, stop], that are kept at once: as many as `LAYERS_MB` hold, or one."""
    blocks, filled = [], LAYERS_MB
    for place, mb in enumerate(mb_of_layers(wildcards) * LAYERS["n_networks"]):
        if filled + mb > LAYERS_MB:
            blocks.append([place, place])
            filled = 0
        blocks[-1][1] = place + 1
        filled += mb
    return blocks


def match_memory(wildcards, input, attempt):
    """Request MB: torch, the layers that are kept at once, and a pair with what its score needs."""
    of_layers = mb_of_layers(wildcards)
    kept = min(LAYERS["n_networks"] * sum(of_layers), max(LAYERS_MB, *of_layers))
    entries = map(MEASURE_TABLE.entry_of, measures_of_part(wildcards))
    matrices = 8e-6 * LAYERS["n_images"] ** 2 * max(entry.square_matrices for entry in entries)
    return round(TORCH_MB + kept + 2 * max(of_layers) + matrices) * attempt


def match_minutes(wildcards, input, attempt):
    """Request minutes, by the products of all pairs of layers, per measure.

    A GPU that computes in double precision is hundreds of times as fast as one core.
    """
    n_units = LAYERS["n_networks"] * sum(ARCHITECTURES.layer_widths(LAYERS["images"]))
    billions = LAYERS["n_images"] * n_units**2 / 1e9
    per_billion = 0.00003 if GPU else 0.003
    return at_least(per_billion * billions * len(measures_of_part(wildcards))) * attempt


def train_minutes(wildcards, input, attempt):
    """Request minutes, by the pixels of all batches."""
    pixels = {"digits": 64, "cifar10": 3072}[LAYERS["images"]]
    training = LAYERS["training"]
    return at_least(training["n_steps"] * training["batch_size"] * pixels / 1e8) * attempt
