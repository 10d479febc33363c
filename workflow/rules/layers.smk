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
    group:
        "networks"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=train_memory,
        runtime=train_minutes,
    params:
        code=code_digest("train_network"),
        lock=prefixed(CHECKSUM_LOCK),
        gpu=bool(GPU),
        settings=network_settings,
    script:
        "../scripts/train_network.py"


rule match_layers:
    input:
        networks=networks_to_match(),
    output:
        "results/layers/scores/{part}.csv",
    log:
        "results/logs/match_layers/{part}.log",
    benchmark:
        "results/benchmarks/match_layers/{part}.tsv"
    wildcard_constraints:
        part=one_of(LAYER_PARTS),
    group:
        "layers"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=match_memory,
        runtime=match_minutes,
    params:
        code=code_digest("match_layers", measures=measures_of_part),
        gpu=bool(GPU),
        measures=measures_of_part,
        blocks=blocks_of_layers,
        n_untrained=lookup(dpath="layers/n_untrained", within=config),
    script:
        "../scripts/match_layers.py"


rule summarize_layers:
    input:
        tables=expand("results/layers/scores/{part}.csv", part=LAYER_PARTS),
    output:
        layers="results/tables/layers.csv",
        maps="results/layers/maps.csv",
    log:
        "results/logs/summarize_layers.log",
    benchmark:
        "results/benchmarks/summarize_layers.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("summarize_layers"),
    script:
        "../scripts/summarize_layers.py"


rule compare_networks:
    input:
        networks=networks_to_match(),
    output:
        components="results/layers/components.csv",
        states="results/layers/states.csv",
        families="results/layers/families.csv",
        classes="results/layers/classes.csv",
        images="results/layers/images.csv",
    log:
        "results/logs/compare_networks.log",
    benchmark:
        "results/benchmarks/compare_networks.tsv"
    group:
        "layers"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=memory(TORCH_MB, 7),
        runtime=minutes(0.04),
    params:
        code=code_digest("compare_networks", measures=["cka", "cka_debiased"]),
        n_untrained=lookup(dpath="layers/n_untrained", within=config),
    script:
        "../scripts/compare_networks.py"


rule score_unrelated:
    input:
        network=networks_to_match()[0],
    output:
        "results/layers/unrelated.csv",
    log:
        "results/logs/score_unrelated.log",
    benchmark:
        "results/benchmarks/score_unrelated.tsv"
    group:
        "layers"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=memory(TORCH_MB, 7),
        runtime=minutes(0.02),
    params:
        code=code_digest("score_unrelated", measures=LAYERS["unrelated"]["measures"]),
        measures=lookup(dpath="layers/unrelated/measures", within=config),
        n_draws=lookup(dpath="layers/unrelated/n_draws", within=config),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/score_unrelated.py"
