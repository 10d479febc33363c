"""Which measures there are, and what the rules of each stage take and ask for."""

from dataclasses import replace


def measure_module(measure):
    """Return the module that declares a measure."""
    return f"scorebounds.measures.{MEASURE_TABLE.entry_of(measure).module}"


def optimized_measures():
    """List the measures that data is optimised towards."""
    chosen = [name for name in config["measures"] if MEASURE_TABLE.entry_of(name).has_gradient]
    if not chosen and (DATASETS_WITH_THRESHOLDS or LABELLED_DATASETS):
        raise WorkflowError("config, measures: expected at least one that has a gradient")
    return chosen


def ridge_sweep():
    """Return the datasets and the measures of the ridge sweep."""
    section = config["ridge_sweep"]
    for dataset in section["datasets"]:
        if dataset not in known_datasets() or dataset.startswith(SURROGATE):
            raise WorkflowError(
                f"config, ridge_sweep → datasets: expected a dataset with labels, got {dataset!r}"
            )
    return (
        [dataset for dataset in section["datasets"] if dataset in LABELLED_DATASETS],
        [f"ridge_cv_{penalty}" for penalty in section["penalties"]],
    )


def one_of(names):
    """Return the pattern of a wildcard that is one of some names."""
    return "|".join(map(re.escape, names))


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
ALL_MEASURES = "all"
LAYER_PARTS = [ALL_MEASURES] if LAYERS["images"] == "digits" else LAYERS["measures"]
OPTIMIZED_MEASURES = optimized_measures()
RIDGE_SWEEP_DATASETS, RIDGE_SWEEP_MEASURES = ridge_sweep()
TOY_MEASURES = config["toy"]["measures"]
# Datasets that some model is scored against.
DATASETS_WITH_MODELS = list(dict.fromkeys(dataset for dataset, _ in SCORED_PAIRS))


wildcard_constraints:
    dataset=one_of(known_datasets()),
    measure=one_of(dict.fromkeys([*OPTIMIZED_MEASURES, *RIDGE_SWEEP_MEASURES, *TOY_MEASURES])),
    folder="|".join(sorted({re.escape(folder) for folder, _ in CATALOGUE})),
    file="|".join(sorted({re.escape(file) for _, file in CATALOGUE})),
    table="thresholds|seed_thresholds|runs|trajectories|scores|decoding|decoding_times|references|"
    "perturbation|scorecards|comparisons",
    network=r"[1-9]\d*",
    model=one_of(MODEL_ENTRIES) or "none",
    layered=one_of(LAYERS_OF_MODELS) or "none",


# Modules that are imported by name at run time, by the module that does it.
CODE = CODE_DIGEST.CodeDigests(
    SCRIPTS,
    {
        "scorebounds.measures.registry": frozenset(
            f"scorebounds.measures.{entry.module}" for entry in MEASURE_TABLE.ENTRIES
        ),
        "scorebounds.datasets.loaders": frozenset(
            loader_module(dataset) for dataset in known_datasets() if dataset not in TASK_NETWORKS
        ),
    },
)


def code_digest(script, measures=(), modules=()):
    """Return the function of the wildcards that gives the digest of the code behind a script.

    `measures` are those that the job computes and `modules` further modules that it imports by
    name; each is a list, or a function of the wildcards that returns one.
    """

    def digest(wildcards):
        names = measures(wildcards) if callable(measures) else measures
        chosen = modules(wildcards) if callable(modules) else modules
        if not names:
            return CODE.digest(script, *chosen)
        # Of the table of measures, the entries of these: another measure changes nothing here.
        entries = [MEASURE_TABLE.entry_of(name) for name in names]
        bare = [replace(entry, label="", aliases=(), members=()) for entry in entries]
        table = {"scorebounds.core.measure_table": repr(bare)}
        return CODE.digest(script, *map(measure_module, names), *chosen, replaced=table)

    return digest


def measure_of_job(wildcards):
    """List the one measure of a job."""
    return [wildcards.measure]


def measures_of_pair(wildcards):
    """List the two measures of a range."""
    return [wildcards.a, wildcards.b]


def loader_of_job(wildcards):
    """List the module that reads the dataset of a job."""
    return [loader_module(wildcards.dataset)]


def published_files():
    """List the files of published results that ours are compared with, as keys of the catalogue."""
    names = dict.fromkeys(PUBLISHED_COUNTERPARTS.values())
    return [key for name in names for key in catalogue_files(SURROGATE + name)]


def decoding_counterparts():
    """Name the dataset whose variables are decoded here, by the name of its published results."""
    names = {**PUBLISHED_NAMES, "ultrametric": "ultrametric"}
    return {names[dataset]: dataset for dataset in LABELLED_DATASETS if dataset in names}


def checksums_of(keys):
    """List the checksums of files of the catalogue, empty where they are not known."""
    return [CATALOGUE[key]["checksum"] for key in keys]


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


def parts_of_table(wildcards):
    """List the files that a table is put together from."""
    table = wildcards.table
    if table in ("scores", "perturbation"):
        return [f"results/{table}/{dataset}.csv" for dataset in DATASETS]
    if table == "scorecards":
        return [card for dataset in DATASETS_WITH_MODELS for card in cards(dataset)]
    if table == "comparisons":
        return [f"results/comparisons/{dataset}.csv" for dataset in DATASETS_WITH_MODELS]
    if table == "decoding":
        return [f"results/decoding/{dataset}/curves.csv" for dataset in LABELLED_DATASETS]
    if table == "decoding_times":
        return [f"results/decoding/{dataset}/times.csv" for dataset in LABELLED_DATASETS]
    if table == "references":
        return [f"results/decoding/{dataset}/reference.csv" for dataset in LABELLED_DATASETS]
    file = "seeds" if table == "seed_thresholds" else table
    parts = [f"results/thresholds/{dataset}/{file}.csv" for dataset in DATASETS_WITH_THRESHOLDS]
    if table in ("thresholds", "seed_thresholds"):
        parts += [f"results/decoding/{dataset}/{file}.csv" for dataset in LABELLED_DATASETS]
    return parts


def optimized(dataset):
    """List a dataset's optimisation results, a file per measure."""
    return [f"results/optimized/{dataset}/{measure}.nc" for measure in OPTIMIZED_MEASURES]


def thresholds_of_dataset(wildcards):
    """List a dataset's tables of thresholds: of PCs and of variables, as far as they are made."""
    dataset, tables = wildcards.dataset, []
    if dataset in DATASETS_WITH_THRESHOLDS:
        tables.append(f"results/thresholds/{dataset}/thresholds.csv")
    if dataset in LABELLED_DATASETS:
        tables.append(f"results/decoding/{dataset}/thresholds.csv")
    return tables


def cards(dataset, ending=".csv"):
    """List the score cards of a dataset's models, or another file of each of them."""
    models = models_of_dataset(dataset)
    return [f"results/scorecards/{dataset}/{model}{ending}" for model in models]


def models_of_dataset(dataset):
    """List the models that are scored against a dataset."""
    return [model for reference, model in SCORED_PAIRS if reference == dataset]


def cards_of_layers(wildcards):
    """List the score cards of a model's layers, from the first layer to the last."""
    layers = LAYERS_OF_MODELS[wildcards.layered]
    return [f"results/scorecards/{wildcards.dataset}/{name}.csv" for name in layers]


def profiled_pairs():
    """List (dataset, model) of every model with several layers."""
    return [
        (dataset, model)
        for model, layers in LAYERS_OF_MODELS.items()
        for dataset in DATASETS_WITH_MODELS
        if (dataset, next(iter(layers))) in SCORED_PAIRS
    ]


def decoded_measures(dataset):
    """List the measures along which a dataset's variables are decoded."""
    swept = RIDGE_SWEEP_MEASURES if dataset in RIDGE_SWEEP_DATASETS else []
    return list(dict.fromkeys([*OPTIMIZED_MEASURES, *swept]))


def is_small(dataset):
    """Tell whether one job should treat all measures of a dataset, from what is known beforehand."""
    if dataset in USER_DATASETS:
        files = map(Path, custom_files(dataset))
        return sum(file.stat().st_size for file in files if file.is_file()) <= SMALL_BYTES
    n_bytes = 8 * 1080 * config["simulated-pfc"]["n_neurons"]
    return dataset in SMALL and (dataset != "simulated-pfc" or n_bytes <= SMALL_BYTES)


# Recordings of up to so many bytes are small: to import the libraries takes longer than most
# optimisations. Others have a job per measure, which run at the same time.
SMALL_BYTES = 2_000_000
SMALL = {
    "dyer2017",
    "freemanziemba2013",
    "hatsopoulos2007-averages",
    "mante2013-subset",
    "simulated-pfc",
    "surrogate-FreemanZiemba2013",
    "surrogate-ultrametric",
    "two-fans",
    "ultrametric",
}
SMALL_DATASETS = [dataset for dataset in DATASETS if is_small(dataset)]


def decoding_parts(dataset):
    """List the jobs that decode a dataset's variables: one of all measures, or one per measure."""
    return [ALL_MEASURES] if dataset in SMALL_DATASETS else decoded_measures(dataset)


def optimized_to_decode(wildcards):
    """List the optimisation results that a job decodes variables from, a file per measure."""
    dataset, part = wildcards.dataset, wildcards.part
    measures = decoded_measures(dataset) if part == ALL_MEASURES else [part]
    return [f"results/optimized/{dataset}/{measure}.nc" for measure in measures]


if SURROGATES and LABELLED_DATASETS:
    logger.info(f"Not decoded, without labels: {', '.join(SURROGATES)}")


def ranged_datasets():
    """List the datasets whose ranges are searched: those of the settings, and the user's own."""
    chosen = config["ranges"]["datasets"]
    unknown = [name for name in chosen if name not in known_datasets()]
    if unknown:
        raise WorkflowError(f"config, ranges → datasets: unknown dataset {unknown[0]!r}")
    if "ranges" not in ANALYSES:
        return []
    return [name for name in DATASETS if name in chosen or name in config["custom"]]


def range_pairs(dataset):
    """List the pairs of measures, as a--b, whose ranges are searched on a dataset."""
    return [
        f"{a}--{b}"
        for a, b in config["ranges"]["pairs"]
        if {a, b} <= REDUCED or dataset in config["ranges"]["full"]["datasets"]
    ]


def reduced_measures():
    """List the measures whose ranges with each other can be searched in few coordinates."""
    paired = [name for pair in config["ranges"]["pairs"] for name in pair]
    return [name for name in dict.fromkeys([*config["measures"], *paired]) if name in REDUCED]


def range_files(dataset, ending):
    """List a dataset's files of ranges, one per pair."""
    return [f"results/ranges/{dataset}/{pair}{ending}" for pair in range_pairs(dataset)]


def regions_of_dataset(wildcards):
    """List a dataset's ranges, none where they are not searched."""
    if wildcards.dataset not in DATASETS_WITH_RANGES:
        return []
    return range_files(wildcards.dataset, ".csv")


def all_range_files(ending):
    """List the files of ranges of all datasets."""
    return [file for dataset in DATASETS_WITH_RANGES for file in range_files(dataset, ending)]


def range_settings(wildcards):
    """Return the settings that a range depends on: not which pairs and datasets there are."""
    section = {key: value for key, value in config["ranges"].items() if key not in RANGE_LISTS}
    section["full"] = {key: value for key, value in section["full"].items() if key != "datasets"}
    return section


RANGE_LISTS = ("pairs", "datasets")
# Measures whose pairs are searched in few coordinates.
REDUCED = {entry.id for entry in MEASURE_TABLE.ENTRIES if entry.few_coordinates}
DATASETS_WITH_RANGES = [dataset for dataset in ranged_datasets() if range_pairs(dataset)]
