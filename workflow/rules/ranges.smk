"""Find which pairs of scores can occur, and draw it."""


rule range_pair:
    input:
        reference="data/prepared/{dataset}.nc",
    output:
        region=["results/ranges/{dataset}/{a}--{b}.csv"],
        guides=["results/ranges/{dataset}/{a}--{b}.guides.csv"],
        trajectories=["results/ranges/{dataset}/{a}--{b}.trajectories.csv"],
        bounds=["results/ranges/{dataset}/{a}--{b}.bounds.csv"],
    log:
        "results/logs/range_pair/{dataset}/{a}--{b}.log",
    benchmark:
        "results/benchmarks/range_pair/{dataset}/{a}--{b}.tsv"
    wildcard_constraints:
        a=r"[a-z][a-z0-9_.]*",
        b=r"[a-z][a-z0-9_]*(\.\d+)?",
    # Score cards and the explorer wait for it; started last, it would run alone at the end.
    priority: 5
    group:
        "ranges-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=range_memory,
        runtime=range_minutes,
    params:
        code=code_digest("range_pair", measures=measures_of_pair),
        gpu=bool(GPU),
        pairs=pairs_of_job,
        seed=lookup(dpath="seed", within=config),
        settings=range_settings,
    script:
        "../scripts/range_pair.py"


if SMALL_DATASETS_WITH_RANGES and REDUCED_PAIRS:

    # The pairs of one dataset have most of the search in common.
    use rule range_pair as range_small_dataset with:
        output:
            region=reduced_range_files(".csv"),
            guides=reduced_range_files(".guides.csv"),
            trajectories=reduced_range_files(".trajectories.csv"),
            bounds=reduced_range_files(".bounds.csv"),
        log:
            "results/logs/range_small_dataset/{dataset}.log",
        benchmark:
            "results/benchmarks/range_small_dataset/{dataset}.tsv"
        wildcard_constraints:
            dataset=one_of(SMALL_DATASETS_WITH_RANGES),
        params:
            code=code_digest("range_pair", measures=measures_of_reduced_pairs()),
            gpu=bool(GPU),
            pairs=pairs_of_job,
            seed=lookup(dpath="seed", within=config),
            settings=range_settings,

    ruleorder: range_small_dataset > range_pair


rule range_others:
    input:
        reference="data/prepared/{dataset}.nc",
        guides=lambda wildcards: range_files(wildcards.dataset, ".guides.csv"),
    output:
        "results/ranges/{dataset}/other_pairs.csv",
    log:
        "results/logs/range_others/{dataset}.log",
    benchmark:
        "results/benchmarks/range_others/{dataset}.tsv"
    group:
        "ranges-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **ATTEMPT,
        mem_mb=memory(TORCH_MB, 30),
        runtime=other_pairs_minutes,
    params:
        code=code_digest("range_others", measures=reduced_measures()),
        seed=lookup(dpath="seed", within=config),
        measures=reduced_measures(),
        settings=range_settings,
    script:
        "../scripts/range_others.py"


rule collect_ranges:
    input:
        regions=all_range_files(".csv"),
        guides=all_range_files(".guides.csv")
        + [f"results/ranges/{dataset}/other_pairs.csv" for dataset in DATASETS_WITH_RANGES],
    output:
        ranges="results/tables/ranges.csv",
        guides="results/tables/range_guides.csv",
    log:
        "results/logs/collect_ranges.log",
    benchmark:
        "results/benchmarks/collect_ranges.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("collect_ranges"),
    script:
        "../scripts/collect_ranges.py"
