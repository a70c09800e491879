"""Settings of one paper: ``config/papers/<key>.yaml``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from maskray.config.base import Fraction, Frozen
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.config.training import (
    FinetuneConfig,
    GroundingConfig,
    LinearProbeConfig,
    PretrainConfig,
    RetrievalConfig,
    SegmentationConfig,
    ZeroshotConfig,
)

Metric = Literal[
    "auroc",
    "f1",
    "f1_oracle",
    "accuracy",
    "accuracy_oracle",
    "i2t_r1",
    "i2t_r5",
    "i2t_r10",
    "t2i_r1",
    "t2i_r5",
    "t2i_r10",
    "miou",
    "cnr",
    "cnr_signed",
    "pointing_game",
    "box_share",
    "dice",
    "dice_at_half",
    "iou",
    "class_accuracy",
    "class_f1",
]


class BenchmarkConfig(Frozen):
    """How a paper uses a benchmark."""

    protocol: str = Field(description="split of the data set")


class RowConfig(Frozen):
    """One of our rows: a variant of the method. ``name`` is the printed row that it stands against."""

    name: str
    variant: str = "default"
    without: tuple[str, ...] = Field((), description="benchmarks that a row has no means for; its cells stay empty")


class ColumnGroup(Frozen):
    """Columns of one data set. The published key of a cell is ``heading|metric|condition`` in lower case."""

    heading: str = Field(description="as printed")
    benchmark: str = Field(description="data set and task, e.g. rsna_classification")
    metrics: dict[str, Metric] = Field(description="printed name -> our metric")
    fractions: tuple[Fraction, ...] = Field((), description="empty: nothing is trained")
    labels: tuple[str, ...] = Field(
        ("macro",),
        description="macro (mean over labels), macro/<set> (over a label set of the data set), all (mean over all"
        " items), or label names, one column each",
    )
    per_cent: bool = Field(True, description="false: as plain numbers, such as CNR")
    note: str = Field("", description="why the cells are not comparable with the printed ones, if so")


class TableConfig(Frozen):
    """One table in the paper's layout."""

    title: str
    printed: bool = Field(True, description="false: a table of ours that the paper does not have")
    chart: bool = Field(False, description="drawn too, as the paper does")
    on_request: bool = Field(False, description="built only where a run's `tables` names it")
    rows: tuple[RowConfig, ...]
    columns: tuple[ColumnGroup, ...]
    note: str = ""
    compared_with: str = Field("default", description="the variant that all other rows are tested against")


class GalleryConfig(Frozen):
    """The same films under the models of several variants, side by side."""

    title: str
    variants: dict[str, str] = Field(min_length=2, description="name above its columns -> variant, in this order")


class PaperConfig(Frozen):
    """One paper, readable top to bottom beside the paper."""

    title: str
    authors: str
    link: str
    method: dict[str, Any] = Field(description="the method's own knobs; checked against its Config class")
    image_encoder: ImageEncoderConfig
    text_encoder: TextEncoderConfig
    pretrain: PretrainConfig
    finetune: FinetuneConfig
    linear_probe: LinearProbeConfig
    zeroshot: ZeroshotConfig
    retrieval: RetrievalConfig = RetrievalConfig()
    grounding: GroundingConfig = GroundingConfig()
    segmentation: SegmentationConfig | None = Field(None, description="of papers that segment")
    benchmarks: dict[str, BenchmarkConfig]
    tables: dict[str, TableConfig]
    figures: tuple[Literal["weight_maps", "text_mask"], ...] = Field(
        (), description="of the default variant, besides the usual ones"
    )
    galleries: dict[str, GalleryConfig] = Field(
        {},
        description="name, e.g. figure2 -> variants side by side; the report shows those of which the run trains every"
        " variant anyway: a picture trains none. Asked for by its path it is drawn in any case",
    )
    variants: dict[str, dict[str, Any]] = Field({}, description="name -> overlay over this file")
