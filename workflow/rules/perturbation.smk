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
    group:
        "summaries-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=memory(TORCH_MB, 30),
        runtime=perturb_minutes,
    params:
        code=code_digest("perturb_components"),
        seed=lookup(dpath="seed", within=config),
        settings=lookup(dpath="perturbation", within=config),
    script:
        "../scripts/perturb_components.py"
