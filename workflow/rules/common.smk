"""Which measures there are, and what the rules of each stage take and ask for."""


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
        if not is_known(dataset) or dataset.startswith(SURROGATE):
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


# Stands for all measures where one job treats them together.
ALL_MEASURES = "all"
OPTIMIZED_MEASURES = optimized_measures()
RIDGE_SWEEP_DATASETS, RIDGE_SWEEP_MEASURES = ridge_sweep()
TOY_MEASURES = config["toy"]["measures"]
# Datasets that some model is scored against.
DATASETS_WITH_MODELS = list(dict.fromkeys(dataset for dataset, _ in SCORED_PAIRS))


wildcard_constraints:
    dataset=rf"{one_of(known_datasets())}|{SURROGATE}({one_of(known_datasets())})-[1-9]\d*",
    measure=one_of(dict.fromkeys([*OPTIMIZED_MEASURES, *RIDGE_SWEEP_MEASURES, *TOY_MEASURES])),
    folder="|".join(sorted({re.escape(folder) for folder, _ in CATALOGUE})),
    file="|".join(sorted({re.escape(file) for _, file in CATALOGUE})),
    table="thresholds|seed_thresholds|runs|trajectories|scores|decoding|decoding_times|references|"
    "perturbation|scorecards|comparisons|twins|twin_differences",
    network=r"[1-9]\d*",
    model=one_of(MODEL_ENTRIES) or "none",
    layered=one_of(LAYERS_OF_MODELS) or "none",


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


def parts_of_table(wildcards):
    """List the files that a table is put together from."""
    table = wildcards.table
    if table in ("scores", "perturbation"):
        return [f"results/{table}/{dataset}.csv" for dataset in DATASETS]
    if table == "scorecards":
        return [card for dataset in DATASETS_WITH_MODELS for card in cards(dataset)]
    if table == "comparisons":
        return [f"results/comparisons/{dataset}.csv" for dataset in DATASETS_WITH_MODELS]
    if table in ("twins", "twin_differences"):
        file = "components" if table == "twins" else "summary"
        return [f"results/twins/{dataset}/{file}.csv" for dataset in TWINS]
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


def bytes_known_beforehand(dataset):
    """Return the size of a recording before it is made, in bytes; infinity where it is not known."""
    dataset = original_of(dataset) or dataset
    if dataset in USER_DATASETS:
        files = map(Path, custom_files(dataset))
        return sum(file.stat().st_size for file in files if file.is_file())
    if dataset in MADE:
        # What the software makes has some hundred neurons, unless a setting says otherwise.
        return 8 * 1080 * config.get(dataset, {}).get("n_neurons", 100)
    sizes = [CATALOGUE[key].get("n_values") for key in catalogue_files(dataset)]
    return 8 * sum(map(int, filter(None, sizes))) or float("inf")


# Recordings of up to so many bytes are small: to import the libraries takes longer than most
# optimisations, so one job treats all measures. Others have a job per measure, which run at the
# same time.
SMALL_BYTES = 2_000_000
SMALL_DATASETS = [
    dataset
    for dataset in [*DATASETS, *(twin for twins in TWINS.values() for twin in twins)]
    if bytes_known_beforehand(dataset) <= SMALL_BYTES
]


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
