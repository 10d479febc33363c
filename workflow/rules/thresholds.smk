"""Find the score at which each principal component is captured."""


rule find_thresholds:
    input:
        optimized=lambda wildcards: optimized(wildcards.dataset),
    output:
        thresholds="results/thresholds/{dataset}/thresholds.csv",
        seeds="results/thresholds/{dataset}/seeds.csv",
        runs="results/thresholds/{dataset}/runs.csv",
        trajectories="results/thresholds/{dataset}/trajectories.csv",
        capture="results/thresholds/{dataset}/capture.csv",
    log:
        "results/logs/find_thresholds/{dataset}.log",
    benchmark:
        "results/benchmarks/find_thresholds/{dataset}.tsv"
    group:
        "summaries-{dataset}"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB),
        runtime=minutes(),
    params:
        code=code_digest("find_thresholds"),
        level=lookup(dpath="thresholds/level", within=config),
    script:
        "../scripts/find_thresholds.py"
