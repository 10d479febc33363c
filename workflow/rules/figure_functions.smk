"""What the rules of figures take from the registry of figures."""

FIGURE_REGISTRY = load_module(SCRIPTS / "scorebounds/figures/registry.py")
FIGURES = FIGURE_REGISTRY.FIGURES
FIGURES_BY_DATASET = [name for name, entry in FIGURES.items() if entry.by_dataset]
FIGURES_OF_ALL = [name for name, entry in FIGURES.items() if not entry.by_dataset]


def setting(path):
    """Return a value of the settings, named section/key."""
    value = config
    for key in path.split("/"):
        value = value[key]
    return value


def contents(path):
    """List what a table or a folder in results/ has something of; nothing if it is not made."""
    folder, _, table = path.removeprefix("results/").partition("/")
    name = table.removesuffix(".csv") if folder == "tables" else folder
    known = CONTENTS_OF_TABLES if folder == "tables" else CONTENTS_OF_FOLDERS
    if name not in known:
        raise WorkflowError(
            f"figures/registry.py: expected an input that a rule makes, got {path!r}; enter new "
            f"tables and folders in workflow/rules/products.smk"
        )
    return known[name]


def figure_datasets(figure):
    """List the datasets that have all inputs of a figure that there is per dataset."""
    inputs = FIGURES[figure].inputs.values()
    return [dataset for dataset in DATASETS if all(dataset in contents(path) for path in inputs)]


def figure_has_content(figure):
    """Tell whether there is anything that a figure of all datasets can show."""
    if figure == "ridge_sweep" and not RIDGE_SWEEP_DATASETS:
        return False
    return all(map(contents, FIGURES[figure].inputs.values()))


def figure_files(figure):
    """List a figure as PDF: one, or one per dataset; its PNG and CSV come with it."""
    if FIGURES[figure].by_dataset:
        datasets = figure_datasets(figure)
        return [f"results/figures/{figure}/{dataset}.pdf" for dataset in datasets]
    return [f"results/figures/{figure}.pdf"]


def expand_pattern(pattern, dataset):
    """Return the path of a table, or the list of paths that a pattern of the registry stands for."""
    names = set(re.findall(r"{(\w+)}", pattern)) - {"dataset"}
    if not names:
        return pattern.format(dataset=dataset)
    if names == {"pair"}:
        return expand(pattern, dataset=dataset, pair=range_pairs(dataset))
    if names == {"stage"}:
        stages = [
            stage for stage in ("thresholds", "decoding") if dataset in CONTENTS_OF_FOLDERS[stage]
        ]
        return expand(pattern, dataset=dataset, stage=stages)
    if names == {"measure"}:
        return expand(pattern, measure=LAYERS["measures"])
    if names == {"model"} and dataset:
        return expand(pattern, dataset=dataset, model=models_of_dataset(dataset))
    if names == {"model"}:
        return expand(pattern, model=TASK_NETWORKS)
    raise WorkflowError(
        f"figures/registry.py: expected an input with a wildcard among dataset, stage, pair, "
        f"measure and model, got {pattern!r}"
    )


def figure_tables(wildcards):
    """Return the tables of a figure by the names of its arguments, without those that are not made."""
    dataset = wildcards.get("dataset", "")
    inputs = FIGURES[wildcards.figure].inputs
    tables = {name: expand_pattern(pattern, dataset) for name, pattern in inputs.items()}
    return {name: paths for name, paths in tables.items() if paths}


def figure_modules(wildcards):
    """List the module that draws a figure."""
    return [FIGURES[wildcards.figure].module]


def figure_function(wildcards):
    """Return the module and the function that draw a figure."""
    return FIGURES[wildcards.figure].function


def figure_settings(wildcards):
    """Return the settings that a figure depends on, by the names of its arguments."""
    paths = FIGURES[wildcards.figure].settings
    return {name: setting(path) for name, path in paths.items()}


def figure_caption(wildcards):
    """Return the caption of a figure."""
    entry = FIGURES[wildcards.figure]
    paths = {**entry.settings, **entry.caption_settings}
    values = {name: setting(path) for name, path in paths.items()}
    return FIGURE_REGISTRY.caption(
        wildcards.figure, {**values, "dataset": wildcards.get("dataset")}
    )


def figure_category(wildcards):
    """Return the section of the report that a figure stands in."""
    return FIGURES[wildcards.figure].category


def figure_labels(wildcards):
    """Return what the report says of a figure."""
    dataset = wildcards.get("dataset", "all")
    return {"dataset": dataset, "figure": FIGURES[wildcards.figure].title}
