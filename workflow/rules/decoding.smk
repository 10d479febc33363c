"""Decode the task variables along each score, and draw from which score on they are there."""


rule decode_reference:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        "results/decoding/{dataset}/reference.csv",
    log:
        "results/logs/decode_reference/{dataset}.log",
    benchmark:
        "results/benchmarks/decode_reference/{dataset}.tsv"
    # Labels that cannot be decoded are better refused before the long work.
    priority: 10
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=decode_memory,
        runtime=decode_minutes,
    params:
        code=code_digest("decode_reference"),
        seed=lookup(dpath="seed", within=config),
        settings=lookup(dpath="decoding", within=config),
    script:
        "../scripts/decode_reference.py"


rule decode_variables:
    input:
        reference="data/prepared/{dataset}.nc",
        optimized="results/optimized/{dataset}/{measure}.nc",
    output:
        "results/decoding/{dataset}/{measure}.csv",
    log:
        "results/logs/decode_variables/{dataset}/{measure}.log",
    benchmark:
        "results/benchmarks/decode_variables/{dataset}/{measure}.tsv"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=decode_memory,
        runtime=decode_minutes,
    params:
        code=code_digest("decode_variables"),
        seed=lookup(dpath="seed", within=config),
        settings={
            name: value for name, value in config["decoding"].items() if name != "n_permutations"
        },
    script:
        "../scripts/decode_variables.py"


rule find_decoding_thresholds:
    input:
        reference="results/decoding/{dataset}/reference.csv",
        accuracies=lambda wildcards: [
            f"results/decoding/{wildcards.dataset}/{measure}.csv"
            for measure in decoded_measures(wildcards.dataset)
        ],
    output:
        thresholds="results/decoding/{dataset}/thresholds.csv",
        curves="results/decoding/{dataset}/curves.csv",
    log:
        "results/logs/find_decoding_thresholds/{dataset}.log",
    benchmark:
        "results/benchmarks/find_decoding_thresholds/{dataset}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("find_decoding_thresholds"),
    script:
        "../scripts/find_decoding_thresholds.py"


rule plot_decoding:
    input:
        curves="results/tables/decoding.csv",
        references="results/tables/references.csv",
        thresholds="results/tables/thresholds.csv",
    output:
        pdf="results/figures/decoding.pdf",
        png=report(
            "results/figures/decoding.png",
            caption="../report/decoding.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "task variables along the score"},
        ),
        csv="results/figures/decoding.csv",
    log:
        "results/logs/plot_decoding.log",
    benchmark:
        "results/benchmarks/plot_decoding.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_decoding"),
        measures=OPTIMIZED,
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
        left_out=SURROGATES,
    script:
        "../scripts/plot_decoding.py"


rule plot_decoding_thresholds:
    input:
        thresholds="results/tables/thresholds.csv",
        references="results/tables/references.csv",
    output:
        pdf="results/figures/decoding_thresholds.pdf",
        png=report(
            "results/figures/decoding_thresholds.png",
            caption="../report/decoding_thresholds.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "score at which each task variable is decoded"},
        ),
        csv="results/figures/decoding_thresholds.csv",
    log:
        "results/logs/plot_decoding_thresholds.log",
    benchmark:
        "results/benchmarks/plot_decoding_thresholds.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_decoding_thresholds"),
        measures=OPTIMIZED,
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_decoding_thresholds.py"


rule plot_ridge_sweep:
    input:
        curves="results/tables/decoding.csv",
        references="results/tables/references.csv",
    output:
        pdf="results/figures/ridge_sweep.pdf",
        png=report(
            "results/figures/ridge_sweep.png",
            caption="../report/ridge_sweep.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "task variables along ridge regression"},
        ),
        csv="results/figures/ridge_sweep.csv",
    log:
        "results/logs/plot_ridge_sweep.log",
    benchmark:
        "results/benchmarks/plot_ridge_sweep.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_ridge_sweep"),
        datasets=SWEPT,
        measures=SWEEP,
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_ridge_sweep.py"


rule figure_decoding:
    input:
        "results/figures/decoding.pdf",
    localrule: True


rule figure_decoding_thresholds:
    input:
        "results/figures/decoding_thresholds.pdf",
    localrule: True


rule figure_ridge_sweep:
    input:
        "results/figures/ridge_sweep.pdf",
    localrule: True
