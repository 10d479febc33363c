"""Digests of the code behind a job, in `params` of every rule that runs a script."""

from dataclasses import replace


def measure_module(measure):
    """Return the module that declares a measure."""
    return f"scorebounds.measures.{MEASURE_TABLE.entry_of(measure).module}"


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
