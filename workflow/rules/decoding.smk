"""Decode the task variables from optimised data, and draw the scores at which they are decodable."""


rule decode_reference:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        references="results/decoding/{dataset}/reference.csv",
        times="results/decoding/{dataset}/times.csv",
    log:
        "results/logs/decode_reference/{dataset}.log",
    benchmark:
        "results/benchmarks/decode_reference/{dataset}.tsv"
    # Labels that cannot be decoded are better refused before the long work.
    priority: 10
    group:
        "references"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=reference_memory,
        runtime=decode_minutes,
    params:
        code=code_digest("decode_reference"),
        seed=lookup(dpath="seed", within=config),
        settings=lookup(dpath="decoding", within=config),
    script:
        "../scripts/decode_reference.py"


rule project_targeted:
    input:
        references=[f"data/prepared/{dataset}.nc" for dataset in TARGETED_DATASETS],
    output:
        "results/tables/targeted.csv",
    log:
        "results/logs/project_targeted.log",
    benchmark:
        "results/benchmarks/project_targeted.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 6),
        runtime=minutes(),
    params:
        code=code_digest("project_targeted"),
    script:
        "../scripts/project_targeted.py"


rule decode_variables:
    input:
        reference="data/prepared/{dataset}.nc",
        optimized=optimized_to_decode,
    output:
        "results/decoding/{dataset}/accuracies/{part}.csv",
    log:
        "results/logs/decode_variables/{dataset}/{part}.log",
    benchmark:
        "results/benchmarks/decode_variables/{dataset}/{part}.tsv"
    group:
        "optimize-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
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
            f"results/decoding/{wildcards.dataset}/accuracies/{part}.csv"
            for part in decoding_parts(wildcards.dataset)
        ],
    output:
        thresholds="results/decoding/{dataset}/thresholds.csv",
        seeds="results/decoding/{dataset}/seeds.csv",
        curves="results/decoding/{dataset}/curves.csv",
    log:
        "results/logs/find_decoding_thresholds/{dataset}.log",
    benchmark:
        "results/benchmarks/find_decoding_thresholds/{dataset}.tsv"
    group:
        "summaries-{dataset}"
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
