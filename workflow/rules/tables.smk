"""Gather the results of all datasets, and put the published numbers beside them."""


rule collect_table:
    input:
        tables=lambda wildcards: table_parts(wildcards.table),
        library=library("collect_table"),
    output:
        "results/tables/{table}.csv",
    log:
        "results/logs/collect_table/{table}.log",
    benchmark:
        "results/benchmarks/collect_table/{table}.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    script:
        "../scripts/collect_table.py"


rule collect_published:
    input:
        thresholds="results/tables/thresholds.csv",
        runs="results/tables/runs.csv",
        trajectories="results/tables/trajectories.csv",
        published=[
            f"data/raw/{folder}/{file}"
            for dataset in SURROGATES
            for folder, file in catalogue_files(dataset)
        ],
        library=library("collect_published"),
    output:
        published="results/tables/published.csv",
        agreement="results/tables/agreement.csv",
    log:
        "results/logs/collect_published.log",
    benchmark:
        "results/benchmarks/collect_published.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=10,
    params:
        surrogates=SURROGATES,
    script:
        "../scripts/collect_published.py"
