"""Optimise data towards each dataset with each measure."""


rule optimize_dataset:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        "results/optimized/{dataset}/{measure}.nc",
    log:
        "results/logs/optimize_dataset/{dataset}/{measure}.log",
    benchmark:
        "results/benchmarks/optimize_dataset/{dataset}/{measure}.tsv"
    group:
        "optimize-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=optimize_memory,
        runtime=optimize_minutes,
    params:
        code=code_digest("optimize_dataset", measures=measure_of_job),
        gpu=bool(GPU),
        seed=lookup(dpath="seed", within=config),
        measures=measure_of_job,
        settings=lookup(dpath="optimize", within=config),
    script:
        "../scripts/optimize_dataset.py"


if SMALL_DATASETS and OPTIMIZED_MEASURES:

    use rule optimize_dataset as optimize_small_dataset with:
        output:
            expand("results/optimized/{{dataset}}/{measure}.nc", measure=OPTIMIZED_MEASURES),
        log:
            "results/logs/optimize_small_dataset/{dataset}.log",
        benchmark:
            "results/benchmarks/optimize_small_dataset/{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(SMALL_DATASETS),
        params:
            code=code_digest("optimize_dataset", measures=OPTIMIZED_MEASURES),
            gpu=bool(GPU),
            seed=lookup(dpath="seed", within=config),
            measures=OPTIMIZED_MEASURES,
            settings=lookup(dpath="optimize", within=config),

    ruleorder: optimize_small_dataset > optimize_dataset


rule score_synthetic:
    input:
        reference="data/prepared/{dataset}.nc",
        optimized=lambda wildcards: optimized(wildcards.dataset),
    output:
        "results/scores/{dataset}.csv",
    log:
        "results/logs/score_synthetic/{dataset}.log",
    benchmark:
        "results/benchmarks/score_synthetic/{dataset}.tsv"
    group:
        "summaries-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=score_memory,
        runtime=score_minutes,
    params:
        code=code_digest("score_synthetic", measures=config["measures"]),
        measures=config["measures"],
        n_seeds=lookup(dpath="scoring/n_seeds", within=config),
    script:
        "../scripts/score_synthetic.py"
