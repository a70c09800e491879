"""Settings of one data set: ``config/datasets/<name>.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from maskray.config.base import Fraction, Frozen
from maskray.config.split_rules import why_impossible


class SplitConfig(Frozen):
    """One protocol's split: drawn by patient, or by the data set's official lists, or by lists of the user's own."""

    train: Fraction | None = Field(None, description="share of the patients; null where lists decide")
    validation: float = Field(
        0, ge=0, description="share (below 1) or number of images (1 and above) held out for validation"
    )
    test: Fraction | None = Field(None, description="share of the patients; null where lists decide")
    official_parts: tuple[Literal["train", "validation", "test"], ...] = Field(
        (), description="shares are drawn from these parts of the owners alone; empty: from all images"
    )
    official_test: bool = Field(False, description="take the owners' test part; validation is drawn from the rest")
    official_test_part: Literal["test", "validation", "validation_and_test"] = Field(
        "test", description="the owners' part that serves as test part"
    )
    official_validation: bool = Field(False, description="take the owners' validation part instead of drawing one")
    whole_test: bool = Field(False, description="every image is in the test part: nothing is trained on this data set")
    test_studies: PositiveInt | None = Field(
        None, description="draw so many studies, one image each, from the test part; its other patients are validation"
    )
    frontal_only: bool = Field(False, description="leave out lateral films and films of unknown view")
    positive_only: str | None = Field(None, description="use only images that are positive for this label")
    lists: str | None = Field(
        None, description="folder with train.txt, validation.txt and test.txt, which then decide instead of all shares"
    )
    lists_of: Literal["image", "study", "patient"] = Field("image", description="whose ids stand in the lists")
    shared_patients: Literal["refuse", "declare", "drop"] = Field(
        "refuse",
        description="patients whom lists, official or the user's, put into two parts: an error, or counted and kept"
        " (the paper's own protocol), or taken out of training and validation",
    )
    fractions: tuple[Fraction, ...] = Field((0.01, 0.1, 1.0), description="nested label fractions of the training part")
    seed: int = 0
    note: str = Field("", description="printed under tables: how far this split is comparable with the paper's")

    @model_validator(mode="after")
    def _settings_go_together(self) -> SplitConfig:
        if problem := why_impossible(self.model_dump()):
            raise ValueError(problem)
        return self


class ExpectedCounts(Frozen):
    """How many a complete copy has; a partial copy is said, not refused."""

    images: int | None = None
    patients: int | None = None
    studies: int | None = None


class DatasetConfig(Frozen):
    """One data set as its owners distribute it."""

    name: str
    title: str
    reader: str = Field(description="key of maskray.data.registry.READERS")
    licence: str
    access: str = Field(description="where and how to get it")
    images_of: str | None = Field(
        None, description="data set whose films and ids these are (MIMIC-CXR's, for Edema severity and MS-CXR)"
    )
    made: bool = Field(False, description="true where the data are painted by maskray, not real")
    labels: tuple[str, ...] = Field(
        (),
        description="label columns of the index, in the official order and spelling; empty: all of them",
    )
    scored: tuple[str, ...] = Field(
        (),
        description="labels that splits are balanced by, and that benchmarks score unless there are label_sets; empty:"
        " all of them",
    )
    exclusive: bool = Field(False, description="each image shows exactly one of the labels: they are its classes")
    label_sets: dict[str, tuple[str, ...]] | Literal["seen_and_unseen"] = Field(
        {},
        description="sets of labels by name; benchmarks then score the labels of all sets, and tables show the mean of"
        " one (macro/<name>). seen_and_unseen: as MMCLIP sorts PadChest's, by how often a test image has them",
    )
    uncertain: Literal["positive", "negative", "ignore"] = Field("ignore", description="policy for labels coded -1")
    not_stated: Literal["negative", "ignore"] = Field("ignore", description="policy for blank label cells")
    has_reports: bool = False
    expected: ExpectedCounts | None = None
    splits: dict[str, SplitConfig] = {}
    films_from: tuple[str, ...] = Field(
        (), description="data sets out of which films of this one were taken, under other names (RSNA's are NIH's)"
    )
