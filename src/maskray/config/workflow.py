"""Settings of a run: ``config/config.yaml`` and the overlays laid over it with ``--configfile``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from maskray.config.base import Fraction, Frozen
from maskray.config.leakage import LeakageConfig
from maskray.config.preprocessing import CheckDataConfig, GenerationConfig, ImagesConfig, MadeConfig, ReportsConfig
from maskray.config.stages import ScoreStage
from maskray.config.training import EvaluationRuntime, RuntimeConfig, ThreadsConfig


class SiteFolders(Frozen):
    """Where one data set lies on this machine. Read at run time only: moving data reruns nothing."""

    folder: str | None = None
    reports: str | None = Field(None, description="MIMIC-CXR's reports, which are not part of MIMIC-CXR-JPG")
    annotations: str | None = Field(
        None, description="what a data set adds to another one's films (`images_of`), whose folder it then shares"
    )


class SeedsConfig(Frozen):
    """A paper's five runs are five fine-tuning seeds on pre-training seed 0."""

    pretrain: tuple[int, ...] = (0,)
    finetune: tuple[int, ...] = (0, 1, 2, 3, 4)


class RuntimesConfig(Frozen):
    """What the machine offers to each kind of job."""

    images: ThreadsConfig = ThreadsConfig()
    pretrain: RuntimeConfig = RuntimeConfig()
    evaluate: EvaluationRuntime = EvaluationRuntime()


class NeedConfig(Frozen):
    """What a batch system reserves for one job of a kind. New numbers run nothing again."""

    mem_gb: PositiveFloat = Field(description="of a node; a job that is tried again gets so much more each time")
    hours: PositiveFloat = Field(description="time limit")


class GpuNeedConfig(NeedConfig):
    """The same for jobs that may use GPUs."""

    gpu: bool = Field(description="one for each process; false: these models are small enough for CPUs")


class NeedsConfig(Frozen):
    """Memory, time and GPUs by kind of job; CPUs follow ``runtime``."""

    small: NeedConfig = Field(description="indexes, splits, scores")
    images: NeedConfig = Field(description="films to shards, one of shard_jobs; leakage checks")
    reports: NeedConfig = Field(description="structured reports, one of report_jobs; pictures of examples")
    pretrain: GpuNeedConfig = Field(description="at the time limit it saves and is submitted again")
    evaluate: GpuNeedConfig = Field(description="fine-tuning, probes, predictions")


class SlurmConfig(Frozen):
    """This cluster's names, in config/site.yaml; what is left out is the cluster's default."""

    account: str | None = Field(None, description="sbatch --account")
    partition: str | None = Field(None, description="of jobs without GPU")
    gpu_partition: str | None = Field(None, description="of jobs with GPU; null: the same")
    gpu_model: str | None = Field(None, description="e.g. a100, where Slurm lists models; null: any")
    qos: str | None = Field(None, description="sbatch --qos")
    constraint: str | None = Field(None, description="sbatch --constraint")
    extra: str = Field("", description="further sbatch options, e.g. --exclude=node7")


class LeftOut(Frozen):
    """Cells of the tables that this run does not compute; they say so."""

    benchmarks: tuple[str, ...] = Field((), description="of all papers, e.g. padchest_zeroshot")
    fractions: dict[str, tuple[Fraction, ...]] = Field({}, description="benchmark -> of its labels, e.g. 0.01")
    variants: dict[str, tuple[str, ...]] = Field({}, description="paper -> its variants")


class WorkflowConfig(Frozen):
    """What to build, from which data, and where to put it."""

    results_root: str = Field(
        pattern=r"^\S+$", description="no spaces; all outputs; runs on different data must not share it"
    )
    data_note: str = Field(description="printed on every table and figure: which data these results stand on")
    papers: tuple[str, ...] = Field(min_length=1, description="keys of config/papers/")
    datasets: tuple[str, ...] = Field(min_length=1, description="keys of config/datasets/ that this run may use")
    tables: dict[str, tuple[str, ...]] = Field({}, description="paper -> tables to build; a paper left out: all of its")
    variants: dict[str, tuple[str, ...]] = Field(
        {}, description="paper -> variants built for the report's figures besides those in its tables"
    )
    left_out: LeftOut = LeftOut()
    seeds: SeedsConfig = SeedsConfig()
    shard_jobs: PositiveInt = Field(64, description="jobs that turn one data set's films into shards")
    report_jobs: PositiveInt = Field(64, description="jobs that structure one data set's reports")
    images: ImagesConfig = ImagesConfig()
    reports: ReportsConfig = ReportsConfig()
    check_data: CheckDataConfig = CheckDataConfig()
    generate_definitions: GenerationConfig = GenerationConfig()
    score: ScoreStage = ScoreStage()
    num_gallery_images: PositiveInt = 6
    weights_folder: str = Field(
        "weights", pattern=r"^\S+$", description="no spaces; where fetch_weights puts pre-trained weights"
    )
    runtime: RuntimesConfig = RuntimesConfig()
    resources: NeedsConfig
    slurm: SlurmConfig = SlurmConfig()
    batch_system: Literal["slurm"] | None = Field(
        None,
        description="said by slurm/config.yaml: the names of `slurm` are then looked up before anything is planned",
    )
    made: MadeConfig | None = Field(None, description="paint the data instead of reading site folders")
    overlay: dict[str, dict[str, Any]] = Field(
        {}, description="laid over the paper files: `all`, then the paper's key; the report lists every change"
    )
    site: dict[str, SiteFolders] = {}
    splits: dict[str, dict[str, dict[str, Any]]] = Field(
        {},
        description="data set -> protocol -> settings laid over its split, e.g. lists: a folder of your own id lists",
    )
    leakage: LeakageConfig = LeakageConfig()


class SiteConfig(Frozen):
    """``config/site.yaml``, or the folders of one run as the workflow hands them over."""

    site: dict[str, SiteFolders]
