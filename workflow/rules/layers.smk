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


rule plot_layers:
    input:
        layers="results/tables/layers.csv",
    output:
        pdf="results/figures/layers.pdf",
        png=report(
            "results/figures/layers.png",
            caption="../report/layers.rst",
            category="5. Which measures find corresponding layers?",
            labels={"dataset": "networks", "figure": "corresponding layers found"},
        ),
        csv="results/figures/layers.csv",
    log:
        "results/logs/plot_layers.log",
    benchmark:
        "results/benchmarks/plot_layers.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_layers"),
        settings=lookup(dpath="layers", within=config),
    script:
        "../scripts/plot_layers.py"


rule plot_layer_maps:
    input:
        tables=expand("results/layers/maps/{measure}.csv", measure=LAYERS["measures"]),
    output:
        pdf="results/figures/layer_maps.pdf",
        png=report(
            "results/figures/layer_maps.png",
            caption="../report/layer_maps.rst",
            category="5. Which measures find corresponding layers?",
            labels={"dataset": "networks", "figure": "similarity of layers"},
        ),
        csv="results/figures/layer_maps.csv",
    log:
        "results/logs/plot_layer_maps.log",
    benchmark:
        "results/benchmarks/plot_layer_maps.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_layer_maps"),
        settings=lookup(dpath="layers", within=config),
    script:
        "../scripts/plot_layer_maps.py"


rule plot_unrelated:
    input:
        scores="results/layers/unrelated.csv",
    output:
        pdf="results/figures/unrelated.pdf",
        png=report(
            "results/figures/unrelated.png",
            caption="../report/unrelated.rst",
            category="5. Which measures find corresponding layers?",
            labels={"dataset": "networks", "figure": "unrelated data, few samples"},
        ),
        csv="results/figures/unrelated.csv",
    log:
        "results/logs/plot_unrelated.log",
    benchmark:
        "results/benchmarks/plot_unrelated.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_unrelated"),
        n_draws=lookup(dpath="layers/unrelated/n_draws", within=config),
    script:
        "../scripts/plot_unrelated.py"


rule figure_layers:
    input:
        "results/figures/layers.pdf",
        "results/figures/layer_maps.pdf",
        "results/figures/unrelated.pdf",
    localrule: True
