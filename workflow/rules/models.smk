"""Networks that are trained on the tasks of recordings, and recorded as these are."""


rule train_model:
    output:
        recording="data/prepared/{model}.nc",
        report="results/data/{model}.md",
        learning="results/models/{model}/learning.csv",
        psychometric="results/models/{model}/psychometric.csv",
    log:
        "results/logs/train_model/{model}.log",
    benchmark:
        "results/benchmarks/train_model/{model}.tsv"
    wildcard_constraints:
        model=one_of(TASK_NETWORKS),
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=memory(TORCH_MB),
        runtime=minutes(),
    params:
        code=code_digest("train_model"),
        # Where training goes on after its job was killed; gone when it is done.
        checkpoint=placed("results/models/{model}/checkpoint.pt"),
        settings=lookup(dpath="task-networks", within=config),
        device=lookup(dpath="device", within=config),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/train_model.py"


rule plot_task_networks:
    input:
        learning=expand("results/models/{model}/learning.csv", model=TASK_NETWORKS),
        psychometric=expand("results/models/{model}/psychometric.csv", model=TASK_NETWORKS),
    output:
        pdf="results/figures/task_networks.pdf",
        png=report(
            "results/figures/task_networks.png",
            caption="../report/task_networks.rst",
            category="6. Is a model's score good?",
            labels={"dataset": "task networks", "figure": "what the networks learned"},
        ),
        csv="results/figures/task_networks.csv",
    log:
        "results/logs/plot_task_networks.log",
    benchmark:
        "results/benchmarks/plot_task_networks.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_task_networks"),
        settings=lookup(dpath="task-networks", within=config),
    script:
        "../scripts/plot_task_networks.py"


rule figure_task_networks:
    input:
        "results/figures/task_networks.pdf",
    localrule: True
