"""Is a model's score good? Chance, noise ceiling, place on the curve, what it allows."""


rule score_model:
    input:
        reference="data/prepared/{dataset}.nc",
        model="data/prepared/{model}.nc",
    output:
        scores="results/scorecards/{dataset}/{model}.scores.csv",
        components="results/scorecards/{dataset}/{model}.components.csv",
        replicates="results/scorecards/{dataset}/{model}.replicates.csv",
    log:
        "results/logs/score_model/{dataset}/{model}.log",
    benchmark:
        "results/benchmarks/score_model/{dataset}/{model}.tsv"
    group:
        "cards-{dataset}"
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        **GPU,
        **ATTEMPT,
        mem_mb=score_memory,
        runtime=card_minutes,
    params:
        code=code_digest("score_model", measures=config["measures"]),
        measures=lookup(dpath="measures", within=config),
        match=lambda wildcards: MODEL_ENTRIES[wildcards.model].get("match"),
        settings=lookup(dpath="scorecards", within=config),
        gpu=bool(GPU),
        seed=lookup(dpath="seed", within=config),
    script:
        "../scripts/score_model.py"


rule compare_models:
    input:
        scores=lambda wildcards: cards(wildcards.dataset, ".scores.csv"),
        replicates=lambda wildcards: cards(wildcards.dataset, ".replicates.csv"),
    output:
        "results/comparisons/{dataset}.csv",
    log:
        "results/logs/compare_models/{dataset}.log",
    benchmark:
        "results/benchmarks/compare_models/{dataset}.tsv"
    group:
        "cards-{dataset}"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("compare_models"),
        models=lambda wildcards: models_of_dataset(wildcards.dataset),
    script:
        "../scripts/compare_models.py"


rule judge_model:
    input:
        scores="results/scorecards/{dataset}/{model}.scores.csv",
        components="results/scorecards/{dataset}/{model}.components.csv",
        comparison="results/comparisons/{dataset}.csv",
        thresholds=thresholds_of_dataset,
        regions=regions_of_dataset,
        measures="results/tables/measures.csv",
    output:
        card="results/scorecards/{dataset}/{model}.csv",
        allowed="results/scorecards/{dataset}/{model}.allowed.csv",
        page=report(
            "results/scorecards/{dataset}/{model}.html",
            caption="../report/scorecard.rst",
            category="6. Is a model's score good?",
            labels={"dataset": "{dataset}", "figure": "score card of {model}"},
        ),
    log:
        "results/logs/judge_model/{dataset}/{model}.log",
    benchmark:
        "results/benchmarks/judge_model/{dataset}/{model}.tsv"
    group:
        "cards-{dataset}"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("judge_model"),
        # What the paragraph on methods states.
        facts=lambda wildcards: {
            "seed": config["seed"],
            "match": MODEL_ENTRIES[wildcards.model].get("match", "order"),
            "n_permutations": config["scorecards"]["n_permutations"],
            "n_groups": config["scorecards"]["n_groups"],
        },
        layer_of=lambda wildcards: model_of_layer(wildcards.model),
    script:
        "../scripts/judge_model.py"


rule build_profile:
    input:
        table="results/profiles/{dataset}/{layered}.csv",
        picture="results/profiles/{dataset}/{layered}.png",
    output:
        report(
            "results/profiles/{dataset}/{layered}.html",
            caption="../report/profile.rst",
            category="6. Is a model's score good?",
            labels={"dataset": "{dataset}", "figure": "layers of {layered}"},
        ),
    log:
        "results/logs/build_profile/{dataset}/{layered}.log",
    benchmark:
        "results/benchmarks/build_profile/{dataset}/{layered}.tsv"
    localrule: True
    conda:
        "../../envs/pages.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("build_profile"),
        layers=lambda wildcards: LAYERS_OF_MODELS[wildcards.layered],
    script:
        "../scripts/build_profile.py"


rule describe_measures:
    output:
        "results/tables/measures.csv",
    log:
        "results/logs/describe_measures.log",
    benchmark:
        "results/benchmarks/describe_measures.tsv"
    localrule: True
    conda:
        "../../envs/optimize.yaml"
    threads: 1
    resources:
        mem_mb=memory(TORCH_MB),
        runtime=minutes(),
    params:
        code=code_digest("describe_measures", measures=config["measures"]),
        measures=lookup(dpath="measures", within=config),
    script:
        "../scripts/describe_measures.py"
