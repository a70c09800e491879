# The plan, the paths, and how a rule calls its script. The only file of the workflow with functions.
import shlex
import sys

from maskray.config import cluster, jobs
from maskray.config.check import check
from maskray.config.checks import Check, check_stage, checks_of, exclusion_stage, split_named
from maskray.config.galleries import gallery
from maskray.config.jobs import by_value
from maskray.config.paths import Paths
from maskray.config.plan import Plan, task_of
from maskray.config.split_rules import split_stage
from maskray.errors import InputError

TOP = Path(workflow.basedir)
try:
    check(config, TOP / "workflow/schemas/workflow.schema.json", "config")
    PLAN = Plan(config, TOP)
    PATHS = Paths(PLAN)
    REPORT_INPUTS = PATHS.report_inputs()
    if workflow.is_main_process:
        cluster.check_cluster(config, workflow.group_settings.group_components)
except InputError as error:
    raise WorkflowError(str(error)) from None  # one clear line for the user, not a stack of ours

ROOT = PATHS.root
MODEL = PATHS.model
MADE = config.get("made")
ENVIRONMENT = str(TOP / "envs/main.yaml")
# The running snakemake's own Python: whatever is first on PATH may be another one, above all in cluster jobs.
PYTHON = "python" if "conda" in str(workflow.deployment_settings.deployment_method).lower() else sys.executable


def needs(kind):
    """The resources of a rule: what a job of its kind needs, and where this cluster runs it."""
    return cluster.needs(PLAN, kind)


def site_flags(wildcards, output):
    """Where the raw data lie. Taking `output` makes it a derived parameter: moving data to scratch reruns nothing."""
    folders = PATHS.site(wildcards.dataset)
    apart = [f"--{key}-folder {shlex.quote(folders[key])}" for key in ("reports", "annotations") if folders.get(key)]
    return " ".join([f"--site-folder {shlex.quote(folders.get('folder') or '')}", *apart])


def command(script, arguments, shown=False):
    """The shell command of a rule; long work is shown on the terminal besides being logged."""
    program = f"{shlex.quote(str(PYTHON))} {shlex.quote(str(TOP / 'scripts'))}/{script}.py"
    return f"{program} {arguments} " + ("2>&1 | tee {log}" if shown else "> {log} 2>&1")


def made_manifest(wildcards):
    """The made data that a reader needs first; nothing where the data are real."""
    return PATHS.made_manifests(wildcards.dataset)


def split_of(wildcards):
    """One protocol's split of a data set, in this run."""
    return PLAN.datasets[wildcards.dataset]["splits"][wildcards.protocol]


def lists_flag(wildcards, output):
    """Where the user's own lists of a split lie; as with `site_flags`, moving them reruns nothing."""
    folder = split_of(wildcards).get("lists")
    return f"--lists {shlex.quote(folder)}" if folder else ""


def benchmark_inputs(benchmark):
    """An input function: what a benchmark of a pre-trained model reads."""
    return lambda w: PATHS.benchmark_inputs(w.paper, w.variant, w.pretrain_seed, benchmark)


def pretrained_folders(wildcards, input):
    """A params function: the folder of a pre-trained model, or those of all members of an ensemble."""
    return [str(Path(file).parent) for file in input.weights]


def benchmark_settings(benchmark):
    """A params function: the settings of a benchmark of one variant."""
    return lambda w: by_value(jobs.evaluation_stage(PLAN, w.paper, w.variant, benchmark))


def segment_output(benchmark):
    """What a segmentation writes besides its predictions: the masks of the test films."""
    drawn = f"{MODEL}/{benchmark}/{{fraction}}/seed{{seed}}/drawn.parquet"
    return {"drawn": drawn} if task_of(benchmark)[1] == "segment" else {}


def segment_flags(benchmark):
    """A params function: the masks to write, and where the true ones lie if they are files.

    As with `site_flags`, moving them reruns nothing.
    """
    dataset, task = task_of(benchmark)
    folder = PATHS.site(dataset).get("folder")
    masks = f" --masks {shlex.quote(folder)}" if folder else ""
    return lambda wildcards, output: f"--drawn {output.drawn}{masks}" if task == "segment" else ""


def benchmark_checks(benchmark):
    """An input function: the leakage checks that must have passed before a benchmark is run."""
    return lambda w: PATHS.verdicts(checks_of(PLAN, w.paper, w.variant, benchmark))


def check_settings(wildcards):
    """One leakage check by value."""
    return by_value(check_stage(PLAN, Check(split_named(wildcards.tested), split_named(wildcards.trained))))


def pretrain_inputs(wildcards):
    """What pre-training reads."""
    return PATHS.pretrain_inputs(wildcards.paper, wildcards.variant)


def gallery_inputs(wildcards):
    """The first pre-training data set, from which the pictures are drawn."""
    return PATHS.gallery_inputs(wildcards.paper, wildcards.variant)


def side_by_side_inputs(wildcards):
    """The same for several variants, with their weights."""
    return PATHS.side_by_side_inputs(wildcards.paper, wildcards.gallery)


def report_flag(wildcards):
    """Whether those pictures show reports: a patient's report is in none."""
    is_made = PLAN.is_made(PLAN.pretrain_splits(wildcards.paper, wildcards.variant)[0][0])
    return "--show-reports" if is_made else ""


def grounding_inputs(w):
    """What a picture of phrase grounding is drawn from."""
    return PATHS.benchmark_inputs(w.paper, w.variant, w.pretrain_seed, f"{w.dataset}_grounding")


def segmentation_inputs(w):
    """What a picture of segmentation is drawn from: the masks of the first run of each fraction."""
    return PATHS.drawn_masks(w.paper, w.variant, w.pretrain_seed, f"{w.dataset}_segmentation")


def table_cells(wildcards, file):
    """One file of every run that a table shows."""
    return PATHS.of_cells(PLAN.cells(wildcards.paper, wildcards.table), file)
