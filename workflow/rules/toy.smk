"""A toy of two neurons, to watch what a score captures first."""


rule trace_toy:
    input:
        reference="data/prepared/two-fans.nc",
        optimized=[f"results/optimized/two-fans/{measure}.nc" for measure in TOY],
    output:
        curves="results/toy/curves.csv",
        frames="results/toy/frames.csv",
    log:
        "results/logs/trace_toy.log",
    benchmark:
        "results/benchmarks/trace_toy.tsv"
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


rule plot_toy:
    input:
        curves="results/toy/curves.csv",
        frames="results/toy/frames.csv",
    output:
        pdf="results/figures/toy.pdf",
        png=report(
            "results/figures/toy.png",
            caption="../report/toy.rst",
            category="2. How was it found?",
            labels={"dataset": "two-fans", "figure": "what is captured first"},
        ),
        csv="results/figures/toy.csv",
        gif=report(
            "results/figures/toy.gif",
            caption="../report/toy.rst",
            category="2. How was it found?",
            labels={"dataset": "two-fans", "figure": "animation"},
        ),
    log:
        "results/logs/plot_toy.log",
    benchmark:
        "results/benchmarks/plot_toy.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_toy"),
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_toy.py"


rule figure_toy:
    input:
        "results/figures/toy.pdf",
    localrule: True
