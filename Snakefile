# maskray: five papers on guided masked vision-language pre-training, from raw data to the printed tables.
#   snakemake -n                                  the whole plan (no data needed)
#   snakemake --cores 2 --configfile config/demo.yaml        made data, minutes on a laptop
#   snakemake results/tables/maco/table1.md       one table and just what it needs
#   snakemake rsna_classification                 one benchmark of all papers
from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


# What is site-specific and untracked: where the raw data lie on this machine.
if Path("config/site.yaml").exists():

    configfile: "config/site.yaml"


include: "workflow/rules/common.smk"


onstart:
    # Snakemake 9 limits starts to 100 a second, and for that looks once a second again at all that waits, once more for
    # each job that has ended: a sixth of a core after some hundred jobs. A limit of one's own stays.
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


localrules:
    all,
    tables,
    report,
    metrics,


rule all:
    default_target: True
    input:
        # Predictions besides the tables, so that a deleted prediction is made again, and only that.
        PATHS.of_cells(PLAN.all_cells(), "predictions.parquet"),
        PATHS.all_tables(),
        PATHS.comparisons(),
        f"{ROOT}/metrics.parquet",
        f"{ROOT}/report.html",


rule tables:
    input:
        PATHS.of_cells(PLAN.all_cells(), "predictions.parquet"),
        PATHS.all_tables(),
        PATHS.comparisons(),


rule report:
    input:
        f"{ROOT}/report.html",


rule metrics:
    input:
        f"{ROOT}/metrics.parquet",


include: "workflow/rules/data.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/leakage.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/comparisons.smk"
include: "workflow/rules/grounding.smk"
include: "workflow/rules/segmentation.smk"
