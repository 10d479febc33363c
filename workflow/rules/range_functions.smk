"""Which ranges of pairs of scores are searched, and what the rules of ranges take."""


def ranged_datasets():
    """List the datasets whose ranges are searched: those of the settings, and the user's own."""
    chosen = config["ranges"]["datasets"]
    unknown = [name for name in chosen if not is_known(name)]
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


def measures_of_reduced_pairs():
    """List the measures of the pairs that are searched in few coordinates."""
    return list(dict.fromkeys(name for pair in REDUCED_PAIRS for name in pair.split("--")))


def pairs_of_job(wildcards):
    """List the pairs of a job: that of its output, or all in few coordinates of a small dataset."""
    if hasattr(wildcards, "a"):
        return [[wildcards.a, wildcards.b]]
    return [pair.split("--") for pair in REDUCED_PAIRS]


def reduced_range_files(ending):
    """List the files of ranges that are searched in few coordinates, of any dataset."""
    return expand("results/ranges/{{dataset}}/{pair}{ending}", pair=REDUCED_PAIRS, ending=ending)


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
REDUCED_PAIRS = [f"{a}--{b}" for a, b in config["ranges"]["pairs"] if {a, b} <= REDUCED]
DATASETS_WITH_RANGES = [dataset for dataset in ranged_datasets() if range_pairs(dataset)]
SMALL_DATASETS_WITH_RANGES = [name for name in DATASETS_WITH_RANGES if name in SMALL_DATASETS]
