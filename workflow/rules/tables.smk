"""Collect the results of all datasets, and compare them with the published numbers."""


rule collect_table:
    input:
        tables=parts_of_table,
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
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("collect_table"),
    script:
        "../scripts/collect_table.py"


rule collect_published:
    input:
        thresholds="results/tables/thresholds.csv",
        runs="results/tables/runs.csv",
        trajectories="results/tables/trajectories.csv",
        published=[f"data/raw/{folder}/{file}" for folder, file in published_files()],
        decoding=lambda wildcards: table_if_made("published_decoding_thresholds"),
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
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("collect_published"),
        compared=PUBLISHED_COUNTERPARTS,
        checksums=checksums_of(published_files()),
        lock=prefixed(CHECKSUM_LOCK),
    script:
        "../scripts/collect_published.py"


rule collect_published_decoding:
    input:
        thresholds="results/tables/thresholds.csv",
        published=[f"data/raw/{folder}/{file}" for folder, file in published_files()],
    output:
        curves="results/tables/published_decoding.csv",
        thresholds="results/tables/published_decoding_thresholds.csv",
    log:
        "results/logs/collect_published_decoding.log",
    benchmark:
        "results/benchmarks/collect_published_decoding.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("collect_published_decoding"),
        counterparts=decoding_counterparts(),
        checksums=checksums_of(published_files()),
        lock=prefixed(CHECKSUM_LOCK),
    script:
        "../scripts/collect_published_decoding.py"
