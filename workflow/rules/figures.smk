"""Draw tables. Every figure comes as PDF, PNG and the CSV of what it shows."""


rule plot_thresholds:
    input:
        thresholds="results/tables/thresholds.csv",
        published="results/tables/published.csv",
    output:
        pdf="results/figures/thresholds.pdf",
        png=report(
            "results/figures/thresholds.png",
            caption="../report/thresholds.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "score at which each component is captured"},
        ),
        csv="results/figures/thresholds.csv",
    log:
        "results/logs/plot_thresholds.log",
    benchmark:
        "results/benchmarks/plot_thresholds.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_thresholds"),
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_thresholds.py"


rule plot_capture:
    input:
        capture="results/thresholds/{dataset}/capture.csv",
    output:
        pdf="results/figures/capture/{dataset}.pdf",
        png=report(
            "results/figures/capture/{dataset}.png",
            caption="../report/capture.rst",
            category="1. What must a score be?",
            labels={"dataset": "{dataset}", "figure": "components along the score"},
        ),
        csv="results/figures/capture/{dataset}.csv",
    log:
        "results/logs/plot_capture/{dataset}.log",
    benchmark:
        "results/benchmarks/plot_capture/{dataset}.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_capture"),
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_capture.py"


rule plot_trajectories:
    input:
        trajectories="results/tables/trajectories.csv",
    output:
        pdf="results/figures/trajectories.pdf",
        png=report(
            "results/figures/trajectories.png",
            caption="../report/trajectories.rst",
            category="2. How was it found?",
            labels={"dataset": "all", "figure": "score against step"},
        ),
        csv="results/figures/trajectories.csv",
    log:
        "results/logs/plot_trajectories.log",
    benchmark:
        "results/benchmarks/plot_trajectories.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_trajectories"),
        settings=lookup(dpath="optimize", within=config),
    script:
        "../scripts/plot_trajectories.py"


rule plot_scores:
    input:
        scores="results/tables/scores.csv",
    output:
        pdf="results/figures/scores.pdf",
        png=report(
            "results/figures/scores.png",
            caption="../report/scores.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "what one high score says of the others"},
        ),
        csv="results/figures/scores.csv",
    log:
        "results/logs/plot_scores.log",
    benchmark:
        "results/benchmarks/plot_scores.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_scores"),
        n_seeds=lookup(dpath="scoring/n_seeds", within=config),
        stop_score=lookup(dpath="optimize/stop_score", within=config),
    script:
        "../scripts/plot_scores.py"


rule plot_agreement:
    input:
        published="results/tables/published.csv",
        agreement="results/tables/agreement.csv",
    output:
        pdf="results/figures/agreement.pdf",
        png=report(
            "results/figures/agreement.png",
            caption="../report/agreement.rst",
            category="3. Does it reproduce the paper?",
            labels={"dataset": "surrogates", "figure": "published against reproduced"},
        ),
        csv="results/figures/agreement.csv",
    log:
        "results/logs/plot_agreement.log",
    benchmark:
        "results/benchmarks/plot_agreement.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_agreement"),
        n_seeds=lookup(dpath="optimize/n_seeds", within=config),
    script:
        "../scripts/plot_agreement.py"


# Named targets: `snakemake --cores N figure_thresholds` draws that figure and what it needs.
rule figure_thresholds:
    input:
        "results/figures/thresholds.pdf",
    localrule: True


rule figure_capture:
    input:
        expand("results/figures/capture/{dataset}.pdf", dataset=DATASETS),
    localrule: True


rule figure_trajectories:
    input:
        "results/figures/trajectories.pdf",
    localrule: True


rule figure_scores:
    input:
        "results/figures/scores.pdf",
    localrule: True


rule figure_agreement:
    input:
        "results/figures/agreement.pdf",
    localrule: True
