"""Which measures find the corresponding layer of a network that was trained from another seed?"""


rule train_network:
    input:
        images=image_files,
    output:
        "results/layers/networks/{network}.nc",
    log:
        "results/logs/train_network/{network}.log",
    benchmark:
        "results/benchmarks/train_network/{network}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        **GPU,
        mem_mb=memory(TORCH_MB, 20),
        runtime=train_minutes,
    params:
        code=code_digest("train_network"),
        images=lookup(dpath="layers/images", within=config),
        checksums=checksums_of([key for key in CATALOGUE if key[0] == LAYERS["images"]]),
        lock=prefixed(CHECKSUM_LOCK),
        n_images=lookup(dpath="layers/n_images", within=config),
        training=lookup(dpath="layers/training", within=config),
        device=lookup(dpath="device", within=config),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/train_network.py"


rule match_layers:
    input:
        networks=networks_to_match(),
    output:
        scores="results/layers/{measure}.csv",
        accuracy="results/layers/accuracy/{measure}.csv",
        maps="results/layers/maps/{measure}.csv",
    log:
        "results/logs/match_layers/{measure}.log",
    benchmark:
        "results/benchmarks/match_layers/{measure}.tsv"
    wildcard_constraints:
        measure=one_of(LAYERS["measures"]),
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=memory(TORCH_MB, 7),
        runtime=minutes(0.02),
    params:
        code=code_digest("match_layers", measures=measure_of_job),
        n_untrained=lookup(dpath="layers/n_untrained", within=config),
    script:
        "../scripts/match_layers.py"


rule score_unrelated:
    input:
        network=networks_to_match()[0],
    output:
        "results/layers/unrelated.csv",
    log:
        "results/logs/score_unrelated.log",
    benchmark:
        "results/benchmarks/score_unrelated.tsv"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=memory(TORCH_MB, 7),
        runtime=minutes(0.02),
    params:
        code=code_digest("score_unrelated", measures=LAYERS["unrelated"]["measures"]),
        measures=lookup(dpath="layers/unrelated/measures", within=config),
        n_draws=lookup(dpath="layers/unrelated/n_draws", within=config),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/score_unrelated.py"
