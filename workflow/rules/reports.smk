# Reports -> sentences, triplets, manuscripts, entities.
REPORT_PARTS = range(config.get("report_jobs", 64))
REPORTS = config.get("reports", {})
# structure_reports finds entities by rules; annotate_entities replaces them, and reruns alone when its settings change.
ANNOTATION = {"entities", "scispacy_model", "scispacy_python"}
STRUCTURED = f"{ROOT}/reports/{{dataset}}/parts/{{part}}.parquet"
ANNOTATED = f"{ROOT}/reports/{{dataset}}/annotated/{{part}}.parquet"


rule structure_reports:
    input:
        made_manifest,
    output:
        reports=STRUCTURED,
        failed=f"{ROOT}/reports/{{dataset}}/parts/{{part}}.failed.csv",
    log:
        f"{ROOT}/logs/structure_reports/{{dataset}}/{{part}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("reports"),
    params:
        site=site_flags,
        dataset=lambda wildcards: by_value(PLAN.datasets[wildcards.dataset]),
        settings=by_value({name: value for name, value in REPORTS.items() if name not in ANNOTATION}),
        num_parts=len(REPORT_PARTS),
    shell:
        command(
            "structure_reports",
            "{params.site} --dataset {params.dataset:q} --settings {params.settings:q} --part {wildcards.part}"
            " --num-parts {params.num_parts} --reports {output.reports} --failed {output.failed}",
        )


rule annotate_entities:
    input:
        part=STRUCTURED,
    output:
        annotated=ANNOTATED,
    log:
        f"{ROOT}/logs/annotate_entities/{{dataset}}/{{part}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("reports"),
    params:
        model=REPORTS.get("scispacy_model", "en_core_sci_md"),
        # Taking `output` makes it a derived parameter: another place of the same environment reruns nothing.
        python=lambda wildcards, output: REPORTS.get("scispacy_python", ".venv-scispacy/bin/python"),
    shell:
        command(
            "annotate_entities",
            "--part {input.part} --model {params.model:q} --python {params.python:q} --annotated {output.annotated}",
        )


rule collect_reports:
    input:
        parts=expand(
            ANNOTATED if REPORTS.get("entities") == "scispacy" else STRUCTURED, part=REPORT_PARTS, allow_missing=True
        ),
        failed=expand(f"{ROOT}/reports/{{dataset}}/parts/{{part}}.failed.csv", part=REPORT_PARTS, allow_missing=True),
    output:
        reports=f"{ROOT}/reports/{{dataset}}/reports.parquet",
        failed=f"{ROOT}/reports/{{dataset}}/failed.csv",
    log:
        f"{ROOT}/logs/collect_reports/{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("reports"),
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
