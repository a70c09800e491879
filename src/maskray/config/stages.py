"""What one job is told, typed: :mod:`maskray.config.jobs` builds the values, the scripts validate them here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from maskray.config.base import Frozen
from maskray.config.dataset import DatasetConfig
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.config.paper import TableConfig
from maskray.config.preprocessing import CheckDataConfig, ImagesConfig
from maskray.config.training import (
    FinetuneConfig,
    GroundingConfig,
    LinearProbeConfig,
    PretrainConfig,
    RetrievalConfig,
    SegmentationConfig,
    ZeroshotConfig,
)

Precision = Literal["32-true", "bf16-mixed"]


class PretrainStage(Frozen):
    """Pre-training: all that decides the weights, except the seed."""

    paper: str
    variant: str
    method: dict[str, Any]
    image_encoder: ImageEncoderConfig
    text_encoder: TextEncoderConfig
    pretrain: PretrainConfig
    threads: PositiveInt
    precision: Precision


class BenchmarkStage(Frozen):
    """What all benchmarks share. ``labels`` are columns of the index, in the order of the data set.

    Where there are ``label_sets``, the labels of all sets are scored instead.
    """

    benchmark: str
    dataset: str
    labels: tuple[str, ...]
    exclusive: bool = False
    label_sets: dict[str, tuple[str, ...]] | Literal["seen_and_unseen"] = {}
    threads: PositiveInt
    precision: Precision


class FinetuneStage(BenchmarkStage):
    """Fine-tuning on one label fraction with one seed, which are flags of their own."""

    finetune: FinetuneConfig


class LinearProbeStage(BenchmarkStage):
    """Linear probes: one job writes all fractions and seeds."""

    linear_probe: LinearProbeConfig
    fractions: tuple[float, ...]
    seeds: tuple[int, ...]


class ZeroshotStage(BenchmarkStage):
    """Zero-shot classification."""

    zeroshot: ZeroshotConfig

    @model_validator(mode="after")
    def _is_possible(self) -> ZeroshotStage:
        if self.exclusive:
            raise ValueError("exclusive: prompts ask for one finding at a time, not for one of several classes")
        return self


class RetrievalStage(BenchmarkStage):
    """Retrieval between films and reports."""

    retrieval: RetrievalConfig


class GroundingStage(BenchmarkStage):
    """Phrase grounding."""

    grounding: GroundingConfig


class SegmentationStage(BenchmarkStage):
    """Segmentation on one label fraction with one seed, which are flags of their own."""

    segmentation: SegmentationConfig


class ScoreStage(Frozen):
    """Metrics and intervals."""

    num_replicates: PositiveInt = 1000
    confidence: float = 0.95
    seed: int = 0


class TableStage(Frozen):
    """One table, and what its header must say about the data."""

    paper: str
    table_name: str
    table: TableConfig
    data_note: str
    made: bool
    split_notes: dict[str, str] = Field({}, description="benchmark or data set -> how far its split is comparable")
    dataset_titles: dict[str, str] = {}
    not_run: dict[str, str] = Field({}, description="benchmark, with or without fraction, or variant -> why not")
    checks: dict[str, dict[str, tuple[str, ...]]] = Field(
        {}, description="variant -> benchmark -> the leakage checks whose flags its cells carry"
    )
    trained: dict[str, dict[str, str]] = Field(
        {}, description="variant -> what printed tables tell of a row's pre-training: epoch, pretrain-dataset"
    )


class ReportedPaper(Frozen):
    """How a paper is named in the report."""

    title: str
    authors: str = ""
    link: str = ""


class ReportedDataset(Frozen):
    """How a data set is named in the report."""

    title: str
    licence: str = ""


class ReportStage(Frozen):
    """What the report says beside its tables and figures."""

    title: str = "maskray: results"
    data_note: str = Field(description="which data this run stands on")
    made: bool = Field(description="true where the data are painted by maskray")
    papers: dict[str, ReportedPaper] = {}
    datasets: dict[str, ReportedDataset] = {}
    changes: dict[str, dict[str, tuple[Any, Any]]] = Field(
        {}, description="paper -> dotted path -> (as in the paper file, as in this run)"
    )
    seeds: dict[str, tuple[int, ...]] = Field({}, description="pretrain and finetune -> the seeds of this run")


class CheckDataStage(Frozen):
    """All data sets of a run, and how far to look into their films."""

    data_note: str = ""
    made: bool = Field(False, description="true where the data are painted by maskray")
    datasets: dict[str, DatasetConfig]
    images: ImagesConfig = ImagesConfig()
    check_data: CheckDataConfig = CheckDataConfig()
    threads: PositiveInt = 1
