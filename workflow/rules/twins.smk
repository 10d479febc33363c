"""Gaussian twins of datasets: does the spectrum alone decide the thresholds?"""


rule draw_twin:
    input:
        recording="data/prepared/{original}.nc",
    output:
        recording="data/prepared/surrogate-{original}-{draw}.nc",
        report="results/data/surrogate-{original}-{draw}.md",
    log:
        "results/logs/draw_twin/{original}-{draw}.log",
    benchmark:
        "results/benchmarks/draw_twin/{original}-{draw}.tsv"
    wildcard_constraints:
        original=one_of(known_datasets()),
        draw=r"[1-9]\d*",
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
        code=code_digest("draw_twin"),
        name=f"{SURROGATE}{{original}}-{{draw}}",
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/draw_twin.py"


rule compare_twins:
    input:
        optimized=lambda wildcards: optimized(wildcards.dataset),
        twins=lambda wildcards: [
            file for twin in TWINS[wildcards.dataset] for file in optimized(twin)
        ],
    output:
        components="results/twins/{dataset}/components.csv",
        summary="results/twins/{dataset}/summary.csv",
    log:
        "results/logs/compare_twins/{dataset}.log",
    benchmark:
        "results/benchmarks/compare_twins/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(TWINS) or "none",
    group:
        "summaries-{dataset}"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB),
        runtime=minutes(),
    params:
        code=code_digest("compare_twins"),
        level=lookup(dpath="thresholds/level", within=config),
    script:
        "../scripts/compare_twins.py"
