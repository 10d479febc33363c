"""Fetch recordings and bring every dataset into one form."""


rule fetch_dataset:
    output:
        "data/raw/{folder}/{file}",
    log:
        "results/logs/fetch_dataset/{folder}/{file}.log",
    benchmark:
        "results/benchmarks/fetch_dataset/{folder}/{file}.tsv"
    localrule: True
    conda:
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    params:
        url=catalogue_entry("url"),
        sha256=catalogue_entry("sha256"),
    script:
        "../scripts/fetch_dataset.py"


rule prepare_dataset:
    input:
        raw=raw_files,
        library=library("prepare_dataset"),
    output:
        "data/prepared/{dataset}.nc",
    log:
        "results/logs/prepare_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_dataset/{dataset}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=30,
    params:
        sha256=raw_checksums,
        settings=dataset_settings,
        provenance=dataset_provenance,
        custom=lambda wildcards: wildcards.dataset in config["custom"],
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/prepare_dataset.py"
