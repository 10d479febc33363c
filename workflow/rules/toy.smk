"""A toy of two neurons, to watch what a score captures first."""


use rule optimize_dataset as optimize_toy with:
    input:
        reference="data/prepared/two-fans.nc",
    output:
        [f"results/optimized/two-fans/{measure}.nc" for measure in TOY_MEASURES],
    log:
        "results/logs/optimize_toy.log",
    benchmark:
        "results/benchmarks/optimize_toy.tsv"
    group:
        "optimize-two-fans"
    params:
        code=code_digest("optimize_dataset", measures=TOY_MEASURES),
        gpu=bool(GPU),
        seed=lookup(dpath="seed", within=config),
        measures=TOY_MEASURES,
        settings=lookup(dpath="optimize", within=config),


ruleorder: optimize_toy > optimize_dataset


rule trace_toy:
    input:
        reference="data/prepared/two-fans.nc",
        optimized=[f"results/optimized/two-fans/{measure}.nc" for measure in TOY_MEASURES],
    output:
        curves="results/toy/curves.csv",
        frames="results/toy/frames.csv",
    log:
        "results/logs/trace_toy.log",
    benchmark:
        "results/benchmarks/trace_toy.tsv"
    group:
        "figures"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("trace_toy"),
    script:
        "../scripts/trace_toy.py"


rule animate_toy:
    input:
        frames="results/toy/frames.csv",
    output:
        report(
            "results/figures/toy.gif",
            caption="../report/animation.rst",
            category=FIGURES["toy"].category,
            labels={"dataset": "two-fans", "figure": "animation"},
        ),
    log:
        "results/logs/animate_toy.log",
    benchmark:
        "results/benchmarks/animate_toy.tsv"
    group:
        "figures"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("animate_toy"),
    script:
        "../scripts/animate_toy.py"
