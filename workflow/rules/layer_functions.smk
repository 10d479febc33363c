"""What the rules of the layers of networks take and ask for."""


def layer_settings():
    """Return the section of the layers, or refuse measures that could not tell the layers apart."""
    section = config["layers"]
    chosen = section["measures"] if "layers" in ANALYSES else []
    saturating = [name for name in chosen if MEASURE_TABLE.entry_of(name).saturates]
    try:
        ARCHITECTURES.require_distinguishable_layers(
            section["images"], section["n_images"], saturating
        )
    except ValueError as error:
        raise WorkflowError(f"config, layers → n_images: {error}") from None
    return section


LAYERS = layer_settings()
# Digits are small: one job matches their layers by all measures. Others take a job per measure.
LAYER_PARTS = [ALL_MEASURES] if LAYERS["images"] == "digits" else LAYERS["measures"]


def image_files(wildcards):
    """List the files of the images that networks are trained on; scikit-learn carries the digits."""
    return [f"data/raw/{folder}/{file}" for folder, file in CATALOGUE if folder == LAYERS["images"]]


def networks_to_match():
    """List the recorded layers of all networks, a file per network."""
    return [f"results/layers/networks/{number}.nc" for number in range(1, LAYERS["n_networks"] + 1)]


def network_settings(wildcards):
    """Return what a network and the record of its layers depend on."""
    return {
        "images": LAYERS["images"],
        "checksums": checksums_of([key for key in CATALOGUE if key[0] == LAYERS["images"]]),
        "compared": {key: LAYERS[key] for key in ("n_images", "compare_on")},
        "training": LAYERS["training"],
        "untrained": int(wildcards.network) <= LAYERS["n_untrained"],
        "seed": config["seed"],
    }


def measures_of_part(wildcards):
    """List the measures of a job that matches layers."""
    return LAYERS["measures"] if wildcards.part == ALL_MEASURES else [wildcards.part]


# Networks of several architectures, each trained from several seeds.
VARIANTS = (
    ARCHITECTURES.variant_names(config["architectures"]) if "architectures" in ANALYSES else []
)


def networks_of_variants():
    """List the recorded layers of all networks of all architectures."""
    numbers = range(1, config["architectures"]["n_networks"] + 1)
    return [
        f"results/architectures/networks/{variant}/{number}.nc"
        for variant in VARIANTS
        for number in numbers
    ]
