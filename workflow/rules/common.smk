"""Which datasets there are, where their files come from, and the inputs of each stage."""

import csv
import os
import re
from urllib.parse import unquote, urlparse

import yaml

from snakemake.logging import logger

# Relative, so that a cluster node or a container finds it from the working directory as well.
WORKFLOW = Path(os.path.relpath(workflow.basedir))
SCRIPTS = WORKFLOW / "workflow/scripts"
EMBEDDED = ["ultrametric", "simulated-pfc", "two-fans"]
# Datasets whose loaders have settings, under their names in the config.
WITH_SETTINGS = ["simulated-pfc", "mante2013"]
# Not public: read from a file that the config names.
PRIVATE = "siegel2015"
# Recordings whose results Cloos et al. 2025 published, and under which name.
PUBLISHED_NAMES = {
    "mante2013": "Mante2013",
    "hatsopoulos2007": "Hatsopoulos2007",
    "majajhong2015": "MajajHong2015",
    "freemanziemba2013": "FreemanZiemba2013",
    "siegel2015": "siegel15-FEF-stim_period-var99",
}
CHECKSUM_LOCK = "data/checksums.lock"
PUBLISHED = "cloos2025-published"
IMAGES = "cifar10"
SURROGATE = "surrogate-"


def read_catalogue():
    """Read data/datasets.tsv: a row per file, by (dataset, file)."""
    path = WORKFLOW / "data/datasets.tsv"
    with open(path, encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    hold_to_schema("datasets", {"files": rows})
    return {(row["dataset"], row["file"]): row for row in rows}


CATALOGUE = read_catalogue()


def known_datasets():
    """List every dataset that can be asked for: made, recorded, surrogate, the user's own."""
    recorded = dict.fromkeys(
        dataset for dataset, _ in CATALOGUE if dataset not in (PUBLISHED, IMAGES)
    )
    surrogates = dict.fromkeys(
        SURROGATE + file.partition("/")[0] for dataset, file in CATALOGUE if dataset == PUBLISHED
    )
    return [*EMBEDDED, *recorded, *surrogates, *config["custom"]]


def catalogue_files(dataset):
    """List the (dataset, file) keys of the catalogue that a dataset is made from."""
    if dataset.startswith(SURROGATE):
        name = dataset.removeprefix(SURROGATE)
        return [key for key in CATALOGUE if key[0] == PUBLISHED and key[1].startswith(f"{name}/")]
    return [key for key in CATALOGUE if key[0] == dataset]


def folder_mirrors():
    """List the mirrors that are folders."""
    places = [urlparse(mirror) for mirror in config["mirrors"]]
    return [
        Path(unquote(place.path) if place.scheme else mirror)
        for mirror, place in zip(config["mirrors"], places)
        if place.scheme in ("", "file")
    ]


def fetched_files(dataset):
    """List the files of the catalogue that a dataset is made from, where they are fetched to."""
    public = [] if dataset == PRIVATE else catalogue_files(dataset)
    return [f"data/raw/{folder}/{file}" for folder, file in public]


def files_to_fetch():
    """List the files of the chosen datasets, and of the published results beside them."""
    wanted = [*DATASETS, *(SURROGATE + name for name in COMPARED.values())]
    return list(dict.fromkeys(file for dataset in wanted for file in fetched_files(dataset)))


def missing_offline(dataset):
    """List the files of a dataset that are neither in data/raw nor in a folder mirror."""
    places = [Path("data/raw"), *folder_mirrors()]
    return [
        f"{folder}/{file}"
        for folder, file in ([] if dataset == PRIVATE else catalogue_files(dataset))
        if not any((place / folder / file).is_file() for place in places)
    ]


def reasons_to_leave_out():
    """Tell by name why a dataset that was asked for is left out: offline, and not at hand."""
    reasons = {}
    for dataset in dict.fromkeys([*config["datasets"], *config["custom"]]):
        if config["offline"] and (missing := missing_offline(dataset)):
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            reasons[dataset] = f"{missing[0]}{more}"
    return reasons


def chosen_datasets():
    """List the datasets to work on; offline, those whose files are at hand."""
    known, chosen = known_datasets(), []
    for dataset in dict.fromkeys([*config["datasets"], *config["custom"]]):
        if dataset not in known:
            close = difflib.get_close_matches(dataset, known, n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise WorkflowError(
                f"config, datasets: unknown dataset {dataset!r}{meant}; "
                f"expected one of: {', '.join(known)}, or a name under `custom`"
            )
        if dataset in LEFT_OUT:
            logger.info(f"Left out offline: {dataset}, which needs {LEFT_OUT[dataset]}")
        else:
            chosen.append(dataset)
    if not chosen:
        raise WorkflowError("config, datasets: none is left to work on")
    return chosen


def read_measures():
    """Read which measures there are: by `optimized` and `scored`, then module, a pattern."""
    path = WORKFLOW / "workflow/schemas/config.schema.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["$defs"]["measures"]


MEASURES = read_measures()


def measure_module(measure, kind):
    """Return the module of a measure that can be `optimized`, or is only `scored`; or None."""
    found = [
        room for room, known in MEASURES[kind].items() if re.fullmatch(known["pattern"], measure)
    ]
    return found[0] if found else None


def optimized_measures():
    """List the measures that data is optimised towards."""
    chosen = [name for name in config["measures"] if measure_module(name, "optimized")]
    if not chosen:
        raise WorkflowError("config, measures: expected at least one that has a gradient")
    return chosen


def custom_files(name):
    """List the files of a user's dataset: the recording, and a table of labels if there is one."""
    entry = config["custom"][name]
    labels = entry.get("labels")
    return [entry["path"], *([labels] if isinstance(labels, str) else [])]


def ridge_sweep():
    """Return the datasets and the measures of the ridge sweep."""
    section = config["ridge_sweep"]
    for dataset in section["datasets"]:
        if dataset not in known_datasets() or dataset.startswith(SURROGATE):
            raise WorkflowError(
                f"config, ridge_sweep → datasets: expected a dataset with labels, got {dataset!r}"
            )
    return (
        [dataset for dataset in section["datasets"] if dataset in LABELLED],
        [f"ridge_cv_{penalty}" for penalty in section["penalties"]],
    )


def check_custom():
    """Refuse a user's dataset that has the name of another or no file."""
    if PRIVATE in config["datasets"] and not Path(config[PRIVATE]["path"] or "none").is_file():
        raise WorkflowError(
            f"config, {PRIVATE}: this recording is not public; expected its file under `path`, "
            f"got {config[PRIVATE]['path']!r}"
        )
    for name, entry in config["custom"].items():
        if name in EMBEDDED or catalogue_files(name) or name.startswith(SURROGATE):
            raise WorkflowError(f"config, custom: the name {name!r} is taken, choose another")
        for path in custom_files(name):
            if not Path(path).is_file():
                raise WorkflowError(f"config, custom → {name}: no such file: {path}")


def compared_datasets():
    """Name the published results of each dataset that has some, surrogate or recording."""
    compared = {}
    for dataset in DATASETS:
        surrogate = dataset.startswith(SURROGATE)
        name = dataset.removeprefix(SURROGATE) if surrogate else PUBLISHED_NAMES.get(dataset)
        if name and not (config["offline"] and missing_offline(SURROGATE + name)):
            compared[dataset] = name
    return compared


check_custom()
LEFT_OUT = reasons_to_leave_out()
DATASETS = chosen_datasets()
LAYERS = config["layers"]
OPTIMIZED = optimized_measures()
COMPARED = compared_datasets()
SURROGATES = [dataset for dataset in DATASETS if dataset.startswith(SURROGATE)]
# A user's own may turn out to have no labels; its decoding tables are then empty.
LABELLED = [dataset for dataset in DATASETS if dataset not in SURROGATES]
SWEPT, SWEEP = ridge_sweep()
TOY = config["toy"]["measures"]


wildcard_constraints:
    dataset="|".join(map(re.escape, known_datasets())),
    measure="|".join(map(re.escape, dict.fromkeys([*OPTIMIZED, *SWEEP, *TOY]))),
    folder="|".join(sorted({re.escape(folder) for folder, _ in CATALOGUE})),
    file="|".join(sorted({re.escape(file) for _, file in CATALOGUE})),
    table="thresholds|runs|trajectories|scores|layers|decoding|references|perturbation",
    network=r"[1-9]\d*",


def library(script):
    """List the library files behind a script, so that its jobs run again when one has changed."""
    pending, files = [SCRIPTS / f"{script}.py"], {}
    while pending:
        text = pending.pop().read_text(encoding="utf-8")
        rooms = re.findall(r"^from scorebounds\.(\w+)", text, flags=re.MULTILINE)
        rooms += re.findall(r"^from scorebounds import (\w+)", text, flags=re.MULTILINE)
        # How a job logs does not change what it computes.
        for room in set(rooms) - {"jobs"}:
            path = SCRIPTS / "scorebounds" / room
            found = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
            pending += [file for file in found if file not in files]
            files |= dict.fromkeys(pending)
    return sorted(str(file) for file in files)


def measure_library(script):
    """Return the function of the wildcards that lists `library(script)` for the one measure.

    Of the modules that define measures it keeps the measure's own and those this one builds on, so
    that a change of another measure does not optimise everything anew.
    """
    folder = SCRIPTS / "scorebounds/measures"
    rooms = {room for kind in MEASURES.values() for room in kind}

    def needed(room):
        text = (folder / f"{room}.py").read_text(encoding="utf-8")
        used = set(re.findall(r"^from scorebounds\.measures\.(\w+)", text, flags=re.MULTILINE))
        return {room}.union(*map(needed, used & rooms))

    def files(wildcards):
        kept = needed(measure_module(wildcards.measure, "optimized"))
        others = {str(folder / f"{room}.py") for room in rooms - kept}
        return [file for file in library(script) if file not in others]

    return files


def catalogue_entry(column):
    """Return the function of (folder, file) wildcards that looks a column up."""
    return lambda wildcards: CATALOGUE[wildcards.folder, wildcards.file][column]


def raw_files(wildcards):
    """List the files that a dataset is made from."""
    if wildcards.dataset in config["custom"]:
        return custom_files(wildcards.dataset)
    if wildcards.dataset == PRIVATE:
        return [config[PRIVATE]["path"]]
    return fetched_files(wildcards.dataset)


def raw_checksums(wildcards):
    """List the checksums of these files, empty if not known; no list for those of a user."""
    if wildcards.dataset == PRIVATE:
        return []
    return [CATALOGUE[key]["checksum"] for key in catalogue_files(wildcards.dataset)]


def dataset_settings(wildcards):
    """Return the settings of a dataset's loader."""
    if wildcards.dataset in config["custom"]:
        entry = config["custom"][wildcards.dataset]
        return {key: value for key, value in entry.items() if key != "path"}
    return config[wildcards.dataset] if wildcards.dataset in WITH_SETTINGS else {}


def dataset_provenance(wildcards):
    """Return licence and citation of a dataset, as attributes of its prepared file."""
    rows = [CATALOGUE[key] for key in catalogue_files(wildcards.dataset)]
    return {column: rows[0][column] if rows else "" for column in ("licence", "citation")}


def prepare_memory(wildcards, input, attempt):
    """Request memory in MB: some copies of a recording, which a file may hold compressed."""
    return round(1000 + 6 * input.size_mb) * attempt


def optimize_memory(wildcards, input, attempt):
    """Request memory in MB: torch itself, and the products of all seeds and folds."""
    return round(1000 + 60 * config["optimize"]["n_seeds"] * input.size_mb) * attempt


def optimize_runtime(wildcards, input, attempt):
    """Request minutes; the solves of cross-validated ridge regression are the slowest."""
    return round(60 + 60 * input.size_mb) * attempt


def score_memory(wildcards, attempt):
    """Request memory in MB: a few matrices of samples × samples, of at most 8000 samples."""
    return 6000 * attempt


def image_files(wildcards):
    """List the files of the images that networks are trained on; scikit-learn carries the digits."""
    return [f"data/raw/{folder}/{file}" for folder, file in CATALOGUE if folder == LAYERS["images"]]


def networks_to_match():
    """List the recorded layers of all networks, a file per network."""
    return [f"results/layers/networks/{number}.nc" for number in range(1, LAYERS["n_networks"] + 1)]


def match_memory(wildcards, input, attempt):
    """Request memory in MB: all layers in double precision, and their kernels or subspaces."""
    return round(2000 + 7 * input.size_mb) * attempt


def parts_of_table(wildcards):
    """List the files that a table is put together from."""
    table = wildcards.table
    if table == "layers":
        return [f"results/layers/accuracy/{measure}.csv" for measure in LAYERS["measures"]]
    if table in ("scores", "perturbation"):
        return [f"results/{table}/{dataset}.csv" for dataset in DATASETS]
    if table == "decoding":
        return [f"results/decoding/{dataset}/curves.csv" for dataset in LABELLED]
    if table == "references":
        return [f"results/decoding/{dataset}/reference.csv" for dataset in LABELLED]
    parts = [f"results/thresholds/{dataset}/{table}.csv" for dataset in DATASETS]
    if table == "thresholds":
        parts += [f"results/decoding/{dataset}/thresholds.csv" for dataset in LABELLED]
    return parts


def optimized(dataset):
    """List a dataset's optimisation results, a file per measure."""
    return [f"results/optimized/{dataset}/{measure}.nc" for measure in OPTIMIZED]


def figures_to_draw():
    """List every figure as PDF; its PNG and CSV come with it."""
    names = ["thresholds", "trajectories", "scores", "perturbation", "toy"]
    names += [f"capture/{dataset}" for dataset in DATASETS]
    names += ["layers", "layer_maps", "unrelated"]
    if COMPARED:
        names.append("agreement")
    if LABELLED:
        names += ["decoding", "decoding_thresholds"]
    if SWEPT:
        names.append("ridge_sweep")
    names += [f"ranges/{dataset}" for dataset in RANGED]
    if RANGED:
        names.append("range_matrix")
    return [f"results/figures/{name}.pdf" for name in names]


def files_and_paths(dataset):
    """List (file, path) of what a dataset is made from; the path is empty if it is not used."""
    if dataset in config["custom"]:
        return [(path, path) for path in custom_files(dataset)]
    path = config[PRIVATE]["path"] if dataset == PRIVATE else ""
    return [
        (file, (path or f"data/raw/{folder}/{file}") if dataset in DATASETS else "")
        for folder, file in catalogue_files(dataset)
    ] or [("", "")]


def why_left_out(dataset):
    """Say why a dataset takes no part; empty if it does."""
    if dataset in DATASETS:
        return ""
    if dataset in LEFT_OUT:
        return f"offline, and neither in data/raw nor in a folder mirror: {LEFT_OUT[dataset]}"
    if dataset == PRIVATE:
        return f"not public: name its file under `{PRIVATE}` and add it to `datasets`"
    return "not in `datasets`"


def availability_entries():
    """List every file of every known dataset, with what is known of it before it is read."""
    entries = []
    for dataset in known_datasets():
        for file, path in files_and_paths(dataset):
            key = (PUBLISHED if dataset.startswith(SURROGATE) else dataset, file)
            row = CATALOGUE.get(key, {})
            own = dataset in config["custom"] or (dataset == PRIVATE and path)
            used = "made" if dataset in EMBEDDED else "used"
            entries.append(
                {
                    **{name: row.get(name, "") for name in ("checksum", "licence", "citation")},
                    "dataset": dataset,
                    "file": file,
                    "path": path,
                    "status": used if dataset in DATASETS else "left out",
                    "source": path if own else "",
                    "reason": why_left_out(dataset),
                }
            )
    return entries


def decoded_measures(dataset):
    """List the measures along which a dataset's variables are decoded."""
    return list(dict.fromkeys([*OPTIMIZED, *(SWEEP if dataset in SWEPT else [])]))


def decode_memory(wildcards, input, attempt):
    """Request memory in MB: torch itself, and the checkpoints of one measure."""
    return round(1500 + 3 * input.size_mb) * attempt


def decode_runtime(wildcards, input, attempt):
    """Request minutes, by the size of the checkpoints."""
    return round(20 + input.size_mb / 5) * attempt


if SURROGATES and LABELLED:
    logger.info(f"Not decoded, without labels: {', '.join(SURROGATES)}")


def ranged_datasets():
    """List the datasets whose ranges are searched: those of the settings, and the user's own."""
    chosen = config["ranges"]["datasets"]
    unknown = [name for name in chosen if name not in known_datasets()]
    if unknown:
        raise WorkflowError(f"config, ranges → datasets: unknown dataset {unknown[0]!r}")
    return [name for name in DATASETS if name in chosen or name in config["custom"]]


def range_pairs(dataset):
    """List the pairs of measures, as a--b, whose ranges are searched on a dataset."""
    reduced = {"cka", "cka_angular", "nbs", "procrustes_angular", "linreg"}
    return [
        f"{a}--{b}"
        for a, b in config["ranges"]["pairs"]
        if {a, b} <= reduced or dataset in config["ranges"]["full"]["datasets"]
    ]


def range_files(dataset, ending):
    """List a dataset's files of ranges, one per pair."""
    return [f"results/ranges/{dataset}/{pair}{ending}" for pair in range_pairs(dataset)]


def all_range_files(ending):
    """List the files of ranges of all datasets."""
    return [file for dataset in RANGED for file in range_files(dataset, ending)]


def perturb_memory(wildcards, input, attempt):
    """Request memory in MB: torch itself, and some copies of the data."""
    return round(1000 + 15 * input.size_mb) * attempt


def range_settings(wildcards):
    """Return the settings that a range depends on: not which pairs and datasets there are."""
    section = {key: value for key, value in config["ranges"].items() if key not in RANGE_LISTS}
    section["full"] = {key: value for key, value in section["full"].items() if key != "datasets"}
    return section


def range_memory(wildcards, input, attempt):
    """Request memory in MB: torch, all targets with Adam's two moments, and steps of L-BFGS."""
    return round(1500 + 12 * config["ranges"]["joint"]["n_targets"] * input.size_mb) * attempt


RANGE_LISTS = ("pairs", "datasets")
RANGED = [dataset for dataset in ranged_datasets() if range_pairs(dataset)]
