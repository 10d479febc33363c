"""What the chosen analyses make: tables, figures, score cards and reports of datasets."""

TOY = ["two-fans"] if "toy" in ANALYSES else []
# All task networks are shown together, where any of them takes part.
TASK_NETWORKS_SHOWN = [name for name in TASK_NETWORKS if set(TASK_NETWORKS) & set(ACTIVE_DATASETS)]
OPTIMIZED_DATASETS = list(dict.fromkeys([*DATASETS_WITH_THRESHOLDS, *LABELLED_DATASETS]))
# Recordings and networks with the variables of scorebounds.decoding.targeted.
TARGETED_DATASETS = [
    dataset
    for dataset in ("mante2013", "mante2013-subset", "simulated-pfc", *TASK_NETWORKS)
    if dataset in ACTIVE_DATASETS
    and dataset not in ("rnn-reaching", "rnn-reaching-untrained")
    and "decoding" in ANALYSES
]
# What each table of results/tables/ has rows of.
CONTENTS_OF_TABLES = {
    "thresholds": OPTIMIZED_DATASETS,
    "seed_thresholds": OPTIMIZED_DATASETS,
    "runs": DATASETS_WITH_THRESHOLDS,
    "trajectories": DATASETS_WITH_THRESHOLDS,
    "scores": DATASETS_WITH_THRESHOLDS,
    "published": DATASETS_WITH_THRESHOLDS,
    "agreement": PUBLISHED_COUNTERPARTS,
    "decoding": LABELLED_DATASETS,
    "decoding_times": LABELLED_DATASETS,
    "published_decoding": LABELLED_DATASETS,
    "published_decoding_thresholds": LABELLED_DATASETS,
    "references": LABELLED_DATASETS,
    "targeted": TARGETED_DATASETS,
    "ranges": DATASETS_WITH_RANGES,
    "range_guides": DATASETS_WITH_RANGES,
    "perturbation": DATASETS if "perturbation" in ANALYSES else [],
    "layers": LAYERS["measures"] if "layers" in ANALYSES else [],
    "twins": TWINS,
    "twin_differences": TWINS,
    "scorecards": SCORED_PAIRS,
    "comparisons": SCORED_PAIRS,
    "measures": SCORED_PAIRS,
    "availability": known_datasets(),
}
# What each folder of results/ has files of.
CONTENTS_OF_FOLDERS = {
    "thresholds": DATASETS_WITH_THRESHOLDS,
    "decoding": LABELLED_DATASETS,
    "ranges": DATASETS_WITH_RANGES,
    # Thresholds of PCs, of variables, or both; a figure can do without them.
    "{stage}": DATASETS,
    "perturbation": CONTENTS_OF_TABLES["perturbation"],
    "layers": CONTENTS_OF_TABLES["layers"],
    "toy": TOY,
    "twins": TWINS,
    "architectures": ["maps"] if "architectures" in ANALYSES else [],
    "models": TASK_NETWORKS_SHOWN,
    "scorecards": DATASETS_WITH_MODELS,
    "comparisons": DATASETS_WITH_MODELS,
}


def tables_to_make():
    """List the tables that have rows, and the one that is written together with such a table."""
    names = [name for name, rows in CONTENTS_OF_TABLES.items() if rows]
    if "published" in names and "agreement" not in names:
        names.append("agreement")
    return [f"results/tables/{name}.csv" for name in names]


def figures_to_draw():
    """List every figure that has something to show, as PDF, PNG and CSV, and the animation."""
    drawn = [*FIGURES_BY_DATASET, *filter(figure_has_content, FIGURES_OF_ALL)]
    files = [file for figure in drawn for file in figure_files(figure)]
    endings = (".pdf", ".png", ".csv")
    all_files = [file.removesuffix(".pdf") + ending for file in files for ending in endings]
    return all_files + ["results/figures/toy.gif" for _ in TOY]


def score_cards():
    """List the pages and tables of all score cards."""
    endings = (".html", ".csv", ".allowed.csv")
    return [
        card
        for dataset in DATASETS_WITH_MODELS
        for ending in endings
        for card in cards(dataset, ending)
    ]


def profiles():
    """List the profile over the layers of every model that has several: a page, figure and table."""
    endings = (".html", ".pdf", ".png", ".csv")
    return [
        f"results/profiles/{dataset}/{model}{ending}"
        for dataset, model in PROFILED_PAIRS
        for ending in endings
    ]


def reports_of_datasets():
    """List what was found in each dataset, also where others are made from it or compared with it."""
    twins = [twin for draws in TWINS.values() for twin in draws]
    originals = filter(None, map(original_of, ACTIVE_DATASETS))
    names = dict.fromkeys([*ACTIVE_DATASETS, *originals, *TASK_NETWORKS_SHOWN, *TOY, *twins])
    return [f"results/data/{name}.md" for name in names]


PROFILED_PAIRS = profiled_pairs()
EXPLORED = ("thresholds", "seed_thresholds", "decoding", "references", "scorecards", "ranges")


def explored_tables():
    """List the tables that the explorer shows, as far as they are made."""
    return [path for name in EXPLORED for path in table_if_made(name)]


def explorer_pages():
    """List the explorer, where it is made and has something to show."""
    return ["results/explorer.html"] if "explorer" in ANALYSES and explored_tables() else []


def products():
    """List everything that the chosen analyses make; the index lists all of it."""
    files = tables_to_make() + figures_to_draw() + score_cards() + profiles()
    return files + reports_of_datasets() + explorer_pages()


def table_if_made(name):
    """Return a table as a list of one path, or of none where it is not made."""
    path = f"results/tables/{name}.csv"
    return [path] if path in tables_to_make() else []
