"""Find which pairs of scores can occur, and draw it."""


rule range_pair:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        region="results/ranges/{dataset}/{a}--{b}.csv",
        guides="results/ranges/{dataset}/{a}--{b}.guides.csv",
        trajectories="results/ranges/{dataset}/{a}--{b}.trajectories.csv",
    log:
        "results/logs/range_pair/{dataset}/{a}--{b}.log",
    benchmark:
        "results/benchmarks/range_pair/{dataset}/{a}--{b}.tsv"
    wildcard_constraints:
        a=r"[a-z][a-z0-9_.]*",
        b=r"[a-z][a-z0-9_]*(\.\d+)?",
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=range_memory,
        runtime=range_minutes,
    params:
        code=code_digest("range_pair", measures=measures_of_pair),
        device=lookup(dpath="device", within=config),
        seed=lookup(dpath="seed", within=config),
        settings=range_settings,
    script:
        "../scripts/range_pair.py"


rule range_others:
    input:
        reference="data/prepared/{dataset}.nc",
        guides=lambda wildcards: range_files(wildcards.dataset, ".guides.csv"),
    output:
        "results/ranges/{dataset}/other_pairs.csv",
    log:
        "results/logs/range_others/{dataset}.log",
    benchmark:
        "results/benchmarks/range_others/{dataset}.tsv"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=memory(TORCH_MB, 30),
        runtime=other_pairs_minutes,
    params:
        code=code_digest("range_others", measures=reduced_measures()),
        seed=lookup(dpath="seed", within=config),
        measures=reduced_measures(),
        settings=range_settings,
    script:
        "../scripts/range_others.py"


rule collect_ranges:
    input:
        regions=all_range_files(".csv"),
        guides=all_range_files(".guides.csv")
        + [f"results/ranges/{dataset}/other_pairs.csv" for dataset in RANGED],
    output:
        ranges="results/tables/ranges.csv",
        guides="results/tables/range_guides.csv",
    log:
        "results/logs/collect_ranges.log",
    benchmark:
        "results/benchmarks/collect_ranges.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("collect_ranges"),
    script:
        "../scripts/collect_ranges.py"


rule plot_ranges:
    input:
        ranges=lambda wildcards: range_files(wildcards.dataset, ".csv"),
        guides=lambda wildcards: range_files(wildcards.dataset, ".guides.csv"),
        trajectories=lambda wildcards: range_files(wildcards.dataset, ".trajectories.csv"),
    output:
        pdf="results/figures/ranges/{dataset}.pdf",
        png=report(
            "results/figures/ranges/{dataset}.png",
            caption="../report/ranges.rst",
            category="4. Which pairs of scores are possible?",
            labels={"dataset": "{dataset}", "figure": "allowable ranges"},
        ),
        csv="results/figures/ranges/{dataset}.csv",
    log:
        "results/logs/plot_ranges/{dataset}.log",
    benchmark:
        "results/benchmarks/plot_ranges/{dataset}.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_ranges"),
        guide=lookup(dpath="ranges/guide", within=config),
        joint=lookup(dpath="ranges/joint", within=config),
    script:
        "../scripts/plot_ranges.py"


rule plot_range_matrix:
    input:
        guides="results/tables/range_guides.csv",
    output:
        pdf="results/figures/range_matrix.pdf",
        png=report(
            "results/figures/range_matrix.png",
            caption="../report/range_matrix.rst",
            category="4. Which pairs of scores are possible?",
            labels={"dataset": "all", "figure": "what a high score leaves to the others"},
        ),
        csv="results/figures/range_matrix.csv",
    log:
        "results/logs/plot_range_matrix.log",
    benchmark:
        "results/benchmarks/plot_range_matrix.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_range_matrix"),
        guide=lookup(dpath="ranges/guide", within=config),
    script:
        "../scripts/plot_range_matrix.py"


rule figure_ranges:
    input:
        expand("results/figures/ranges/{dataset}.pdf", dataset=RANGED),
    localrule: True


rule figure_range_matrix:
    input:
        "results/figures/range_matrix.pdf",
    localrule: True
