"""Climb each measure towards each dataset."""


rule optimize_dataset:
    input:
        reference="data/prepared/{dataset}.nc",
        library=library("optimize_dataset"),
    output:
        "results/optimized/{dataset}/{measure}.nc",
    log:
        "results/logs/optimize_dataset/{dataset}/{measure}.log",
    benchmark:
        "results/benchmarks/optimize_dataset/{dataset}/{measure}.tsv"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=optimize_memory,
        runtime=optimize_runtime,
    params:
        seed=lookup(dpath="seed", within=config),
        settings=lookup(dpath="optimize", within=config),
    script:
        "../scripts/optimize_dataset.py"
