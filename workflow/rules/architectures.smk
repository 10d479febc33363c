"""What changes in the layers of a network with its width, its depth and with shortcuts?"""


use rule train_network as train_variant with:
    output:
        "results/architectures/networks/{variant}/{network}.nc",
    log:
        "results/logs/train_variant/{variant}/{network}.log",
    benchmark:
        "results/benchmarks/train_variant/{variant}/{network}.tsv"
    wildcard_constraints:
        variant=one_of(VARIANTS) or "none",
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=variant_memory,
        runtime=variant_minutes,
    params:
        code=code_digest("train_network"),
        lock=prefixed(CHECKSUM_LOCK),
        gpu=bool(GPU),
        settings=lambda wildcards: {
            **network_settings(wildcards),
            "untrained": wildcards.variant in ARCHITECTURES.HALVES,
            "variant": wildcards.variant,
            "probes": True,
        },


rule compare_architectures:
    input:
        networks=networks_of_variants(),
    output:
        maps="results/architectures/maps.csv",
        widths="results/architectures/widths.csv",
        other_data="results/architectures/other_data.csv",
        probes="results/architectures/probes.csv",
    log:
        "results/logs/compare_architectures.log",
    benchmark:
        "results/benchmarks/compare_architectures.tsv"
    group:
        "layers"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=architectures_memory,
        runtime=minutes(0.2),
    params:
        code=code_digest("compare_architectures", measures=["cka"]),
        variants=VARIANTS,
        n_networks=lookup(dpath="architectures/n_networks", within=config),
    script:
        "../scripts/compare_architectures.py"
