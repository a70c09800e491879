"""Settings of one data set: ``config/datasets/<name>.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from maskray.config.base import Frozen

Fraction = Annotated[float, Field(gt=0, le=1)]


class SplitConfig(Frozen):
    """One protocol's split: drawn by patient, or the data set's official lists."""

    train: Fraction | None = Field(None, description="share of the patients; null where the official lists decide")
    validation: float = Field(
        0, ge=0, description="share (below 1) or number of images (1 and above) held out for validation"
    )
    test: Fraction | None = Field(None, description="share of the patients; null where the official lists decide")
    official_test: bool = Field(False, description="take the owners' test part; validation is drawn from the rest")
    official_test_part: Literal["test", "validation"] = Field(
        "test", description="the owners' part that serves as test part"
    )
    official_validation: bool = Field(False, description="take the owners' validation part instead of drawing one")
    frontal_only: bool = Field(False, description="leave out lateral films and films of unknown view")
    fractions: tuple[Fraction, ...] = Field((0.01, 0.1, 1.0), description="nested label fractions of the training part")
    seed: int = 0
    note: str = Field("", description="printed under tables: how far this split is comparable with the paper's")

    @model_validator(mode="after")
    def _shares_add_up(self) -> SplitConfig:
        if not self.official_test and (self.train is None or self.test is None):
            raise ValueError("give train and test as shares, or official_test: true")
        if not self.official_test and abs(self.train + self.validation + self.test - 1) > 1e-6:  # type: ignore[operator]
            raise ValueError("train, validation and test must add up to 1")
        if self.official_validation and not (self.official_test and self.official_test_part == "test"):
            raise ValueError("official_validation goes with official_test and official_test_part: test")
        if self.validation == 0 and not self.official_validation:
            raise ValueError("give validation as a share or a number of images, or official_validation: true")
        return self


class ExpectedCounts(Frozen):
    """How many a complete copy has; a partial copy is said, not refused."""

    images: int
    patients: int | None = None
    studies: int | None = None


class DatasetConfig(Frozen):
    """One data set as its owners distribute it."""

    name: str
    title: str
    reader: str = Field(description="key of maskray.data.READERS")
    licence: str
    access: str = Field(description="where and how to get it")
    images_of: str | None = Field(
        None, description="data set whose films and ids these are (MIMIC-CXR's, for Edema severity and MS-CXR)"
    )
    made: bool = Field(False, description="true where the data are painted by maskray, not real")
    labels: tuple[str, ...] = Field((), description="label columns of the index, in the official order and spelling")
    scored: tuple[str, ...] = Field((), description="labels that benchmarks score; empty: all of them")
    uncertain: Literal["positive", "negative", "ignore"] = Field("ignore", description="policy for labels coded -1")
    not_stated: Literal["negative", "ignore"] = Field("ignore", description="policy for blank label cells")
    has_reports: bool = False
    expected: ExpectedCounts | None = None
    splits: dict[str, SplitConfig] = {}
    films_from: tuple[str, ...] = Field(
        (), description="data sets out of which films of this one were taken, under other names (RSNA's are NIH's)"
    )
