# One rule per benchmark, one target per benchmark; predicting and scoring apart.
THREADS = jobs.runtime(PLAN, "evaluate")["threads"]
INPUT_FLAGS = (
    "--settings {params.settings:q} --pretrained {params.pretrained} --index {input.index} --split {input.split}"
    " --manifest {input.manifest} --provenance {output.provenance}"
)

for benchmark in PLAN.benchmarks():
    dataset, task = task_of(benchmark)

    if task in ("finetune", "segment"):

        rule:
            name:
                f"{task}_{benchmark}"
            input:
                unpack(benchmark_inputs(benchmark)),
                # A check must have passed; a check done again predicts nothing again.
                checks=ancient(benchmark_checks(benchmark)),
            output:
                **segment_output(benchmark),
                predictions=f"{MODEL}/{benchmark}/{{fraction}}/seed{{seed}}/predictions.parquet",
                provenance=f"{MODEL}/{benchmark}/{{fraction}}/seed{{seed}}/provenance.json",
            log:
                f"{ROOT}/logs/{task}/{benchmark}/{{paper}}-{{variant}}-{{pretrain_seed}}-{{fraction}}-{{seed}}.log",
            group:
                "tune_{paper}_{variant}_{pretrain_seed}"
            conda:
                ENVIRONMENT
            threads: THREADS
            resources:
                **needs("evaluate"),
            params:
                # Shell commands are put together when the job runs, after the loop: nothing of the loop may stand there.
                script=task,
                settings=benchmark_settings(benchmark),
                masks=segment_flags(benchmark),
                pretrained=pretrained_folders,
            shell:
                command(
                    "{params.script}",
                    f"{INPUT_FLAGS} {{params.masks}} --fraction {{wildcards.fraction}} --seed {{wildcards.seed}}"
                    " --predictions {output.predictions}",
                )

    elif task == "linear_probe":

        rule:
            name:
                f"probe_{benchmark}"
            input:
                unpack(benchmark_inputs(benchmark)),
                # A check must have passed; a check done again predicts nothing again.
                checks=ancient(benchmark_checks(benchmark)),
            output:
                predictions=PATHS.runs(benchmark, "predictions.parquet"),
                provenance=f"{MODEL}/{benchmark}/provenance.json",
            log:
                f"{ROOT}/logs/linear_probe/{benchmark}/{{paper}}-{{variant}}-{{pretrain_seed}}.log",
            conda:
                ENVIRONMENT
            threads: THREADS
            resources:
                **needs("evaluate"),
            params:
                settings=benchmark_settings(benchmark),
                pretrained=pretrained_folders,
                folder=lambda wildcards, output: str(Path(output.provenance).parent),
            shell:
                command("linear_probe", f"{INPUT_FLAGS} --folder {{params.folder}}")

    else:

        rule:
            name:
                f"predict_{benchmark}"
            input:
                unpack(benchmark_inputs(benchmark)),
                # A check must have passed; a check done again predicts nothing again.
                checks=ancient(benchmark_checks(benchmark)),
            output:
                predictions=f"{MODEL}/{benchmark}/predictions.parquet",
                provenance=f"{MODEL}/{benchmark}/provenance.json",
            log:
                f"{ROOT}/logs/{task}/{benchmark}/{{paper}}-{{variant}}-{{pretrain_seed}}.log",
            conda:
                ENVIRONMENT
            threads: THREADS
            resources:
                **needs("evaluate"),
            params:
                script=task,
                settings=benchmark_settings(benchmark),
                pretrained=pretrained_folders,
                reports=lambda wildcards, input: f"--reports {input.reports}" if "reports" in input.keys() else "",
            shell:
                command(
                    "{params.script}",
                    f"{INPUT_FLAGS} {{params.reports}} --predictions {{output.predictions}}",
                )

    rule:
        name:
            f"score_{benchmark}"
        input:
            predictions=PATHS.runs(benchmark, "predictions.parquet"),
        output:
            metrics=PATHS.runs(benchmark, "metrics.json"),
            bootstrap=PATHS.runs(benchmark, "bootstrap.npz"),
        log:
            f"{ROOT}/logs/score/{benchmark}/{{paper}}-{{variant}}-{{pretrain_seed}}.log",
        group:
            "score_{paper}_{variant}_{pretrain_seed}"
        conda:
            ENVIRONMENT
        resources:
            **needs("small"),
        params:
            settings=by_value(config.get("score", {})),
        shell:
            command(
                "score",
                "--predictions {input.predictions} --settings {params.settings:q}"
                " --metrics {output.metrics} --bootstrap {output.bootstrap}",
            )

    rule:
        name:
            benchmark
        input:
            PATHS.of_cells([cell for cell in PLAN.all_cells() if cell.benchmark == benchmark], "predictions.parquet"),
            PATHS.of_cells([cell for cell in PLAN.all_cells() if cell.benchmark == benchmark], "metrics.json"),
