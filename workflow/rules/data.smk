"""Fetch recordings and bring every dataset into one form."""

keep_raw_files()


rule fetch_dataset:
    output:
        ensure("data/raw/{folder}/{file}", sha256=sha256_of_raw_file),
    log:
        "results/logs/fetch_dataset/{folder}/{file}.log",
    benchmark:
        "results/benchmarks/fetch_dataset/{folder}/{file}.tsv"
    wildcard_constraints:
        folder=one_of(folders_of_catalogue("sha256", "")),
    localrule: True
    conda:
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=PLAIN_MB,
        runtime=fetch_minutes,
    params:
        urls=lambda wildcards: catalogue_entry("url")(wildcards).split(),
        checksum=catalogue_entry("checksum"),
        n_bytes=catalogue_entry("bytes"),
        lock=prefixed(CHECKSUM_LOCK),
    script:
        "../scripts/fetch_dataset.py"


# Of these files the owner publishes SHA-1, which `ensure` of the lowest Snakemake does not know: the
# script checks it.
use rule fetch_dataset as fetch_dataset_with_sha1 with:
    output:
        "data/raw/{folder}/{file}",
    wildcard_constraints:
        folder=one_of(folders_of_catalogue("sha1")),


# `snakemake --cores N data` fetches the files of the chosen datasets, and does nothing else.


rule data:
    input:
        files_to_fetch(),
    localrule: True


rule prepare_dataset:
    input:
        raw=raw_files,
    output:
        recording="data/prepared/{dataset}.nc",
        report="results/data/{dataset}.md",
    log:
        "results/logs/prepare_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of([name for name in known_datasets() if name not in TASK_NETWORKS]),
    group:
        "prepare"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=prepare_memory,
        runtime=minutes(0.2),
    params:
        code=code_digest("prepare_dataset", modules=loader_of_job),
        checksums=raw_checksums,
        states=states_of_files,
        lock=prefixed(CHECKSUM_LOCK),
        settings=dataset_settings,
        provenance=dataset_provenance,
        custom=lambda wildcards: wildcards.dataset in USER_DATASETS,
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/prepare_dataset.py"


rule collect_availability:
    input:
        raw=[path for dataset in DATASETS_TO_READ for _, path in files_and_paths(dataset) if path],
    output:
        "results/tables/availability.csv",
    log:
        "results/logs/collect_availability.log",
    benchmark:
        "results/benchmarks/collect_availability.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=PLAIN_MB,
        runtime=LEAST_MINUTES,
    params:
        code=code_digest("collect_availability"),
        entries=availability_entries(),
        lock=prefixed(CHECKSUM_LOCK),
    script:
        "../scripts/collect_availability.py"
