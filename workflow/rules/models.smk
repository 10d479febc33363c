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
    group:
        "networks"
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
        checkpoint=prefixed("results/models/{model}/checkpoint.pt"),
        settings=lookup(dpath="task-networks", within=config),
        gpu=bool(GPU),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/train_model.py"
