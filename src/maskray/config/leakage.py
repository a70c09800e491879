"""Settings of the leakage guard, and what its jobs are told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maskray.config.base import Frozen

Policy = Literal["declare", "error"]


class LeakagePolicies(Frozen):
    """What becomes of test films that were trained on: the cell says so (declare), or the run stops (error)."""

    image: Policy = Field("declare", description="the same film, by its name or by the maps between data sets")
    patient: Policy = Field("declare", description="another film of the same patient")
    picture: Policy = Field("declare", description="a film that looks the same, of a patient with another name")


class TaskPolicies(LeakagePolicies):
    """Between the parts of one split, whose films and patients must be apart."""

    image: Policy = "error"
    patient: Policy = "error"


class LeakageConfig(Frozen):
    """What is compared, and what becomes of what is found."""

    pictures: bool = Field(True, description="compare pictures too, not only names; needs the shards")
    max_hash_distance: int = Field(24, ge=0, le=31, description="bits of 256 in which copies may differ")
    min_correlation: float = Field(
        0.98, gt=0, le=1, description="of the grey values at 64 px; below it two films do not look the same"
    )
    task: TaskPolicies = Field(TaskPolicies(), description="between training, validation and test part of one split")
    pretraining: LeakagePolicies = Field(
        LeakagePolicies(), description="between a pre-training part and the test part of another split or data set"
    )
    drop: dict[str, tuple[str, ...]] = Field(
        {}, description="data set -> protocols whose test films and patients are taken out of all pre-training"
    )


class CheckedSplit(Frozen):
    """One data set under one protocol."""

    dataset: str
    protocol: str
    title: str
    owner: str = Field(description="data set whose films and ids these are: its own name, or its `images_of`")
    shares_patients: bool = Field(False, description="true where the split says `shared_patients: declare`")

    @property
    def name(self) -> str:
        """As in paths."""
        return f"{self.dataset}-{self.protocol}"


class CheckStage(Frozen):
    """One check: a pre-training part against the test part of another split, or the parts of one split."""

    trained: CheckedSplit
    tested: CheckedSplit
    relation: str = Field("", description="why films of the one are known to be in the other")
    bridges: tuple[str, ...] = Field((), description="owners of the films of the bridging indexes, in their order")
    leakage: LeakageConfig

    @property
    def task(self) -> LeakagePolicies:
        """Between the parts of the split: what it says of its own patients goes before what is said of all splits."""
        policies = self.leakage.task
        return policies.model_copy(update={"patient": "declare"}) if self.tested.shares_patients else policies


class ExclusionStage(Frozen):
    """What is taken out of one pre-training data set."""

    trained: CheckedSplit = Field(description="the protocol does not matter: the whole index is searched")
    tested: tuple[CheckedSplit, ...]
    bridges: tuple[str, ...] = ()
    leakage: LeakageConfig
