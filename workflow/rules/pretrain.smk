# Fetched weights, and the pre-training of every variant.
WEIGHTS = config.get("weights_folder", "weights")


localrules:
    fetch_weights,
    weights,


rule fetch_weights:
    output:
        fetched=f"{WEIGHTS}/{{name}}/fetched.json",
    log:
        f"{ROOT}/logs/fetch_weights/{{name}}.log",
    conda:
        ENVIRONMENT
    shell:
        command("fetch_weights", "--weights {wildcards.name} --fetched {output.fetched}")


rule weights:
    input:
        [file for model in PLAN.models() for file in PATHS.fetched_weights(model.paper, model.variant)],


rule pretrain:
    input:
        lambda wildcards: PATHS.fetched_weights(wildcards.paper, wildcards.variant),
        unpack(pretrain_inputs),
        # What can be known before: patients on both sides of the split itself. Passed once is enough.
        checks=ancient(lambda wildcards: PATHS.verdicts_of_parts(wildcards.paper, wildcards.variant)),
    output:
        weights=f"{MODEL}/pretrain/weights.safetensors",
        image_encoder=f"{MODEL}/pretrain/image_encoder.safetensors",
        method=f"{MODEL}/pretrain/method.yaml",
        history=f"{MODEL}/pretrain/log.csv",
        maps=f"{MODEL}/pretrain/maps.csv",
        provenance=f"{MODEL}/pretrain/provenance.json",
    log:
        f"{ROOT}/logs/pretrain/{{paper}}-{{variant}}-seed{{pretrain_seed}}.log",
    conda:
        ENVIRONMENT
    threads: jobs.runtime(PLAN, "pretrain")["threads"]
    resources:
        **needs("pretrain"),
    params:
        settings=lambda wildcards: by_value(jobs.pretrain_stage(PLAN, wildcards.paper, wildcards.variant)),
        folder=lambda wildcards, output: str(Path(output.weights).parent),
    shell:
        # The program looks for fetched weights where fetch_weights has put them.
        f"MASKRAY_WEIGHTS={shlex.quote(WEIGHTS)} {cluster.launcher(PLAN)}"
        + command(
            "pretrain",
            "--settings {params.settings:q} --indexes {input.indexes} --splits {input.splits}"
            " --manifests {input.manifests} --reports {input.reports} --excluded {input.excluded}"
            " --seed {wildcards.pretrain_seed}"
            f" --folder {{params.folder}} --provenance {{output.provenance}} {jobs.machine_flags(PLAN)}",
            shown=True,
        )
