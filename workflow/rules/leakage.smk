# The leakage guard: what is taken out of pre-training, and what test films share with films that were trained on.


rule exclude_films:
    input:
        unpack(lambda wildcards: PATHS.exclusion_inputs(wildcards.dataset)),
    output:
        excluded=PATHS.data("{dataset}", "excluded.csv"),
    log:
        f"{ROOT}/logs/exclude_films/{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("images"),
    params:
        settings=lambda wildcards: by_value(exclusion_stage(PLAN, wildcards.dataset)),
    shell:
        command(
            "exclude_films",
            "--settings {params.settings:q} --indexes {input.indexes} --splits {input.splits}"
            " --manifests {input.manifests} --bridges {input.bridges} --excluded {output.excluded}",
        )


rule check_leakage:
    input:
        unpack(lambda wildcards: PATHS.check_inputs(wildcards.tested, wildcards.trained)),
    output:
        verdict=f"{ROOT}/leakage/{{tested}}/{{trained}}.json",
        page=f"{ROOT}/leakage/{{tested}}/{{trained}}.html",
    log:
        f"{ROOT}/logs/check_leakage/{{tested}}/{{trained}}.log",
    # Of the jobs that are ready the check comes first: before hours of training that it may forbid.
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        **needs("images"),
    params:
        settings=check_settings,
    shell:
        command(
            "check_leakage",
            "--settings {params.settings:q} --indexes {input.indexes} --splits {input.splits}"
            " --manifests {input.manifests} --bridges {input.bridges} --excluded {input.excluded}"
            " --verdict {output.verdict} --page {output.page}",
        )
