# Raw folders -> index, splits, shards.
SHARD_PARTS = range(config.get("shard_jobs", 64))
IMAGE_THREADS = jobs.runtime(PLAN, "images")["threads"]


localrules:
    check_data,


rule make_data:
    output:
        manifest=f"{ROOT}/made/{{dataset}}.json",
    log:
        f"{ROOT}/logs/make_data/{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("small"),
    params:
        decisive=lambda wildcards: by_value(jobs.made_stage(PLAN, wildcards.dataset)),
        # Taking `output` makes it a derived parameter: one more made data set makes no other again.
        settings=lambda wildcards, output: by_value(MADE),
        folder=lambda wildcards, output: output.manifest.removesuffix(".json"),
    shell:
        command(
            "make_data",
            "--dataset {wildcards.dataset} --settings {params.settings:q}"
            " --folder {params.folder} --manifest {output.manifest}",
        )


rule index_dataset:
    input:
        made_manifest,
    output:
        index=PATHS.data("{dataset}", "index.parquet"),
    log:
        f"{ROOT}/logs/index_dataset/{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("small"),
    params:
        site=site_flags,
        dataset=lambda wildcards: by_value(jobs.index_stage(PLAN, wildcards.dataset)),
    shell:
        command("index_dataset", "{params.site} --dataset {params.dataset:q} --index {output.index}")


rule shard_images:
    input:
        index=PATHS.data("{dataset}", "index.parquet"),
    output:
        shard=PATHS.data("{dataset}", "shards/part-{part}.h5"),
        rejected=PATHS.data("{dataset}", "shards/part-{part}.rejected.csv"),
    log:
        f"{ROOT}/logs/shard_images/{{dataset}}/{{part}}.log",
    conda:
        ENVIRONMENT
    threads: IMAGE_THREADS
    resources:
        **needs("images"),
    params:
        folder=lambda wildcards, output: PATHS.site(wildcards.dataset).get("folder") or "",
        settings=by_value({k: v for k, v in config.get("images", {}).items() if k != "max_rejected_fraction"}),
        num_parts=len(SHARD_PARTS),
    shell:
        command(
            "shard_images",
            "--site-folder {params.folder:q} --index {input.index} --settings {params.settings:q} --part {wildcards.part}"
            " --num-parts {params.num_parts} --threads {threads}"
            " --shard {output.shard} --rejected {output.rejected}",
        )


rule collect_shards:
    input:
        index=PATHS.data("{dataset}", "index.parquet"),
        shards=expand(PATHS.data("{dataset}", "shards/part-{part}.h5"), part=SHARD_PARTS, allow_missing=True),
        rejected=expand(
            PATHS.data("{dataset}", "shards/part-{part}.rejected.csv"), part=SHARD_PARTS, allow_missing=True
        ),
    output:
        manifest=PATHS.data("{dataset}", "shards/manifest.json"),
        rejected=PATHS.data("{dataset}", "shards/rejected.csv"),
    log:
        f"{ROOT}/logs/collect_shards/{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("small"),
    params:
        max_rejected_fraction=config.get("images", {}).get("max_rejected_fraction", 0.01),
    shell:
        command(
            "collect_shards",
            "--index {input.index} --shards {input.shards} --rejected {input.rejected}"
            " --max-rejected-fraction {params.max_rejected_fraction}"
            " --manifest {output.manifest} --all-rejected {output.rejected}",
        )


rule split_dataset:
    input:
        index=PATHS.data("{dataset}", "index.parquet"),
    output:
        split=PATHS.data("{dataset}", "splits/{protocol}/split.csv"),
        summary=PATHS.data("{dataset}", "splits/{protocol}/summary.json"),
    log:
        f"{ROOT}/logs/split_dataset/{{dataset}}-{{protocol}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("small"),
    params:
        settings=lambda wildcards: by_value(split_stage(split_of(wildcards))),
        lists=lists_flag,
        labels=lambda wildcards: PLAN.labels(wildcards.dataset),
    shell:
        command(
            "split_dataset",
            "--index {input.index} --settings {params.settings:q} {params.lists} --labels {params.labels:q}"
            " --split {output.split} --summary {output.summary}",
        )


rule check_data:
    input:
        [manifest for name in PLAN.datasets for manifest in PATHS.made_manifests(name)],
    # No output: it looks at the world outside and runs whenever it is asked for; and its page stays where it fails.
    log:
        f"{ROOT}/logs/check_data.log",
    conda:
        ENVIRONMENT
    params:
        settings=lambda wildcards: by_value(jobs.check_data_stage(PLAN), in_order=True),
        site=lambda wildcards: by_value({"site": {name: PATHS.site(name) for name in PLAN.datasets}}),
        page=f"{ROOT}/data/check_data",
    shell:
        command(
            "check_data",
            "--settings {params.settings:q} --site {params.site:q}"
            " --html {params.page}.html --markdown {params.page}.md",
            shown=True,
        )
