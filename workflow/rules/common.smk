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
EMBEDDED = ["ultrametric", "simulated-pfc"]
PUBLISHED = "cloos2025-published"
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
    recorded = dict.fromkeys(dataset for dataset, _ in CATALOGUE if dataset != PUBLISHED)
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


def missing_offline(dataset):
    """List the files of a dataset that are neither in data/raw nor in a folder mirror."""
    places = [Path("data/raw"), *folder_mirrors()]
    return [
        f"{folder}/{file}"
        for folder, file in catalogue_files(dataset)
        if not any((place / folder / file).is_file() for place in places)
    ]


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
        if config["offline"] and (missing := missing_offline(dataset)):
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            logger.info(f"Left out offline: {dataset}, which needs {missing[0]}{more}")
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


def check_custom():
    """Refuse a user's dataset that has the name of another or no file."""
    for name, entry in config["custom"].items():
        if name in EMBEDDED or catalogue_files(name) or name.startswith(SURROGATE):
            raise WorkflowError(f"config, custom: the name {name!r} is taken, choose another")
        if not Path(entry["path"]).is_file():
            raise WorkflowError(f"config, custom → {name}: no such file: {entry['path']}")


check_custom()
DATASETS = chosen_datasets()
OPTIMIZED = optimized_measures()
SURROGATES = [dataset for dataset in DATASETS if dataset.startswith(SURROGATE)]


wildcard_constraints:
    dataset="|".join(map(re.escape, known_datasets())),
    measure="|".join(map(re.escape, OPTIMIZED)),
    folder="|".join(sorted({re.escape(folder) for folder, _ in CATALOGUE})),
    file="|".join(sorted({re.escape(file) for _, file in CATALOGUE})),
    table="thresholds|runs|trajectories|scores",


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
        return [config["custom"][wildcards.dataset]["path"]]
    return [f"data/raw/{folder}/{file}" for folder, file in catalogue_files(wildcards.dataset)]


def raw_checksums(wildcards):
    """List the checksums of these files, in their order; none of a user's own."""
    return [CATALOGUE[key]["sha256"] for key in catalogue_files(wildcards.dataset)]


def dataset_settings(wildcards):
    """Return the settings of an embedded dataset."""
    return config.get(wildcards.dataset, {}) if wildcards.dataset in EMBEDDED else {}


def dataset_provenance(wildcards):
    """Return licence and citation of a dataset, as attributes of its prepared file."""
    rows = [CATALOGUE[key] for key in catalogue_files(wildcards.dataset)]
    return {column: rows[0][column] if rows else "" for column in ("licence", "citation")}


def optimize_memory(wildcards, input, attempt):
    """Request memory in MB: torch itself, and the products of all seeds and folds."""
    return round(1000 + 60 * config["optimize"]["n_seeds"] * input.size_mb) * attempt


def optimize_runtime(wildcards, input, attempt):
    """Request minutes; the solves of cross-validated ridge regression are the slowest."""
    return round(60 + 60 * input.size_mb) * attempt


def score_memory(wildcards, attempt):
    """Request memory in MB: a few matrices of samples × samples, of at most 8000 samples."""
    return 6000 * attempt


def table_of(dataset, table):
    """Return where one dataset's part of a table is."""
    folder = "scores" if table == "scores" else f"thresholds/{dataset}"
    return f"results/{folder}/{dataset if table == 'scores' else table}.csv"


def optimized(dataset):
    """List a dataset's optimisation results, a file per measure."""
    return [f"results/optimized/{dataset}/{measure}.nc" for measure in OPTIMIZED]


def figures_to_draw():
    """List every figure as PDF; its PNG and CSV come with it."""
    names = ["thresholds", "trajectories", "scores"]
    names += [f"capture/{dataset}" for dataset in DATASETS]
    if SURROGATES:
        names.append("agreement")
    names += [f"ranges/{dataset}" for dataset in RANGED]
    if RANGED:
        names.append("range_matrix")
    return [f"results/figures/{name}.pdf" for name in names]


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


def range_memory(wildcards, input, attempt):
    """Request memory in MB: torch, all targets with Adam's two moments, and steps of L-BFGS."""
    return round(1500 + 12 * config["ranges"]["joint"]["n_targets"] * input.size_mb) * attempt


RANGED = [dataset for dataset in ranged_datasets() if range_pairs(dataset)]
