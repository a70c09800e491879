# Reports -> sentences, triplets, manuscripts.
REPORT_PARTS = range(config.get("report_jobs", 64))


rule structure_reports:
    input:
        made_manifest,
    output:
        reports=f"{ROOT}/reports/{{dataset}}/parts/{{part}}.parquet",
        failed=f"{ROOT}/reports/{{dataset}}/parts/{{part}}.failed.csv",
    log:
        f"{ROOT}/logs/structure_reports/{{dataset}}/{{part}}.log",
    conda:
        ENVIRONMENT
    params:
        site=site_flags,
        dataset=lambda wildcards: by_value(PLAN.datasets[wildcards.dataset]),
        settings=by_value(config.get("reports", {})),
        num_parts=len(REPORT_PARTS),
    shell:
        command(
            "structure_reports",
            "{params.site} --dataset {params.dataset:q} --settings {params.settings:q} --part {wildcards.part}"
            " --num-parts {params.num_parts} --reports {output.reports} --failed {output.failed}",
        )


rule collect_reports:
    input:
        parts=expand(f"{ROOT}/reports/{{dataset}}/parts/{{part}}.parquet", part=REPORT_PARTS, allow_missing=True),
        failed=expand(f"{ROOT}/reports/{{dataset}}/parts/{{part}}.failed.csv", part=REPORT_PARTS, allow_missing=True),
    output:
        reports=f"{ROOT}/reports/{{dataset}}/reports.parquet",
        failed=f"{ROOT}/reports/{{dataset}}/failed.csv",
    log:
        f"{ROOT}/logs/collect_reports/{{dataset}}.log",
    conda:
        ENVIRONMENT
    shell:
        command(
            "collect_reports",
            "--parts {input.parts} --failed {input.failed}" " --reports {output.reports} --all-failed {output.failed}",
        )


GENERATION = {"model": "", "endpoint": "", "key_variable": "MASKRAY_API_KEY"} | config.get("generate_definitions", {})


localrules:
    generate_definitions,


# Uses the network where an endpoint is named. No target asks for it but pretrain.definitions of a paper.
rule generate_definitions:
    output:
        definitions=f"{ROOT}/definitions.json",
    log:
        f"{ROOT}/logs/generate_definitions.log",
    conda:
        ENVIRONMENT
    params:
        **GENERATION,
    shell:
        command(
            "generate_definitions",
            "--model={params.model:q} --endpoint={params.endpoint:q} --key-variable={params.key_variable:q}"
            " --definitions {output.definitions}",
        )
