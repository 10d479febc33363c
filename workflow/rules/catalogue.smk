"""Which datasets there are, where their files come from, and which of them take part."""

import contextlib
import csv
import re
from urllib.parse import unquote, urlparse

from snakemake.logging import logger

SCRIPTS = WORKFLOW / "workflow/scripts"
# Trained by the workflow, and copies of them as they were before; recorded like any population.
TASKS = ["rnn-context", "rnn-reaching"]
TASK_NETWORKS = [task + state for task in TASKS for state in ("", "-untrained")]
LOADERS = SCRIPTS / "scorebounds/datasets"
# Made by the workflow: a module of this name each, with `_` for `-`.
MADE = sorted(file.stem.replace("_", "-") for file in (LOADERS / "made").glob("[a-z]*.py"))
EMBEDDED = [*MADE, *TASK_NETWORKS]
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
    return [*EMBEDDED, *recorded, *surrogates, *USER_DATASETS]


def original_of(dataset):
    """Return the dataset that a name like surrogate-<dataset>-<draw> is a twin of; empty for others."""
    found = re.fullmatch(rf"{SURROGATE}(.+)-[1-9]\d*", dataset)
    return found[1] if found and found[1] in known_datasets() else ""


def is_known(dataset):
    """Tell whether a name is one of a dataset, or of the Gaussian twin of one."""
    return dataset in known_datasets() or bool(original_of(dataset))


def loader_file(dataset):
    """Return the path of the module that loads a recording."""
    return LOADERS / (dataset.replace("-", "_") + ".py")


def require_loaders():
    """Refuse a catalogue with a dataset that no module loads."""
    for dataset in dict.fromkeys(dataset for dataset, _ in CATALOGUE):
        path = loader_file(dataset)
        if dataset not in (PUBLISHED, IMAGES) and not path.is_file():
            raise WorkflowError(
                f"data/datasets.tsv: the dataset {dataset!r} has no loader; write "
                f"{path.relative_to(WORKFLOW)} with a function load(files)"
            )


def loader_module(dataset):
    """Return the module of the library that reads or makes a dataset."""
    if dataset in USER_DATASETS:
        return "scorebounds.datasets.readers.custom"
    if dataset.startswith(SURROGATE):
        return "scorebounds.datasets.surrogates"
    package = "scorebounds.datasets.made" if dataset in MADE else "scorebounds.datasets"
    return f"{package}.{dataset.replace('-', '_')}"


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


def keep_raw_files():
    """Give every raw file a second name in data/raw/.kept, which Snakemake does not remove.

    Before a job runs again, Snakemake deletes its output; fetch_dataset then takes the file from
    there if its checksum matches.
    """
    raw = Path(prefixed("data/raw"))
    for folder, file in CATALOGUE:
        kept = raw / ".kept" / folder / file
        if (raw / folder / file).is_file() and not kept.exists():
            # Where it cannot be done, a file that is lost is fetched again.
            with contextlib.suppress(OSError):
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.hardlink_to(raw / folder / file)


def files_to_fetch():
    """List the files of the chosen datasets, and of the published results that they are compared with."""
    return list(
        dict.fromkeys(file for dataset in DATASETS_TO_READ for file in fetched_files(dataset))
    )


def missing_offline(dataset):
    """List the files of a dataset that are neither in data/raw nor in a folder mirror."""
    dataset = original_of(dataset) or dataset
    places = [Path(prefixed("data/raw")), *folder_mirrors()]
    return [
        f"{folder}/{file}"
        for folder, file in ([] if dataset == PRIVATE else catalogue_files(dataset))
        if not any((place / folder / file).is_file() for place in places)
    ]


def reasons_to_leave_out():
    """Tell by name why a dataset that was asked for is left out: offline, and not available."""
    reasons = {}
    for dataset in dict.fromkeys([*config["datasets"], *config["custom"]]):
        if config["offline"] and (missing := missing_offline(dataset)):
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            reasons[dataset] = f"{missing[0]}{more}"
    return reasons


def chosen_datasets():
    """List the datasets to work on; offline, those whose files are available."""
    require_known("datasets", config["datasets"])
    chosen = []
    for dataset in dict.fromkeys([*config["datasets"], *config["custom"]]):
        if dataset in MISSING_OFFLINE:
            logger.info(f"Left out offline: {dataset}, which needs {MISSING_OFFLINE[dataset]}")
        else:
            chosen.append(dataset)
    if not chosen:
        raise WorkflowError("config, datasets: none is left to work on")
    return chosen


def require_known(section, names):
    """Refuse a name that is none of a dataset."""
    for name in names:
        if not is_known(name):
            if loader_file(name).is_file():
                raise WorkflowError(
                    f"config, {section}: the dataset {name!r} has a loader and no files; add a "
                    "row for each of its files to data/datasets.tsv"
                )
            close = difflib.get_close_matches(name, known_datasets(), n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise WorkflowError(
                f"config, {section}: unknown dataset {name!r}{meant}; "
                f"expected one of: {', '.join(known_datasets())}"
            )


def models_to_score():
    """List (dataset, model) of every score card: of the references that take part."""
    scored = []
    if "scorecards" not in ANALYSES:
        return scored
    for model, entry in MODEL_ENTRIES.items():
        require_known(f"models → {model} → references", entry["references"])
        if "path" not in entry and not is_known(model):
            raise WorkflowError(
                f"config, models → {model}: expected the `path` of its activations, or the name "
                "of a dataset"
            )
        if config["offline"] and (missing := missing_offline(model)):
            logger.info(f"Left out offline: model {model}, which needs {missing[0]}")
            continue
        scored += [(dataset, model) for dataset in entry["references"] if dataset in DATASETS]
    return sorted(scored, key=lambda pair: DATASETS.index(pair[0]))


def compared_datasets():
    """Name the published results of each dataset that has some, surrogate or recording."""
    compared = {}
    for dataset in DATASETS_WITH_THRESHOLDS:
        surrogate = dataset.startswith(SURROGATE) and not original_of(dataset)
        name = dataset.removeprefix(SURROGATE) if surrogate else PUBLISHED_NAMES.get(dataset)
        if name and not (config["offline"] and missing_offline(SURROGATE + name)):
            compared[dataset] = name
    return compared


def twins_to_compare():
    """List the Gaussian twins that the settings compare with a dataset, by its name."""
    section = config["twins"]
    require_known("twins → datasets", section["datasets"])
    draws = range(1, section["n_draws"] + 1)
    return {
        dataset: [f"{SURROGATE}{dataset}-{draw}" for draw in draws]
        for dataset in DATASETS_WITH_THRESHOLDS
        if dataset in section["datasets"]
    }


require_loaders()
# A model with several layers is a model of this name for each of them.
LAYERS_OF_MODELS = layers_of_models()
MODEL_ENTRIES = model_entries()
USER_DATASETS = own_entries()
check_custom()
MISSING_OFFLINE = reasons_to_leave_out()
ANALYSES = config["analyses"]
DATASETS = chosen_datasets()
DATASETS_WITH_THRESHOLDS = DATASETS if "thresholds" in ANALYSES else []
TWINS = twins_to_compare()
PUBLISHED_COUNTERPARTS = compared_datasets()
SCORED_PAIRS = models_to_score()
MODELS = list(dict.fromkeys(model for _, model in SCORED_PAIRS))
ACTIVE_DATASETS = list(dict.fromkeys([*DATASETS, *MODELS]))
# Files are read of these: published results also where just the recording is worked on.
DATASETS_TO_READ = list(
    dict.fromkeys(
        [
            *ACTIVE_DATASETS,
            *filter(None, map(original_of, ACTIVE_DATASETS)),
            *(SURROGATE + name for name in PUBLISHED_COUNTERPARTS.values()),
        ]
    )
)
SURROGATES = [dataset for dataset in DATASETS if dataset.startswith(SURROGATE)]
# A user's own may turn out to have no labels; its decoding tables are then empty.
LABELLED_DATASETS = [
    dataset for dataset in DATASETS if "decoding" in ANALYSES and dataset not in SURROGATES
]
