"""What does a score lose when one principal component is replaced?"""


rule perturb_components:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        "results/perturbation/{dataset}.csv",
    log:
        "results/logs/perturb_components/{dataset}.log",
    benchmark:
        "results/benchmarks/perturb_components/{dataset}.tsv"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=memory(TORCH_MB, 30),
        runtime=perturb_minutes,
    params:
        code=code_digest("perturb_components", measures=config["perturbation"]["measures"]),
        seed=lookup(dpath="seed", within=config),
        settings=lookup(dpath="perturbation", within=config),
    script:
        "../scripts/perturb_components.py"


rule plot_perturbation:
    input:
        perturbation="results/tables/perturbation.csv",
    output:
        pdf="results/figures/perturbation.pdf",
        png=report(
            "results/figures/perturbation.png",
            caption="../report/perturbation.rst",
            category="1. What must a score be?",
            labels={"dataset": "all", "figure": "one component replaced"},
        ),
        csv="results/figures/perturbation.csv",
    log:
        "results/logs/plot_perturbation.log",
    benchmark:
        "results/benchmarks/plot_perturbation.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_perturbation"),
        n_draws=lookup(dpath="perturbation/n_draws", within=config),
    script:
        "../scripts/plot_perturbation.py"


rule figure_perturbation:
    input:
        "results/figures/perturbation.pdf",
    localrule: True
