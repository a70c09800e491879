"""Settings of the stages before pre-training: made data, reports, images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from maskray.config.base import Frozen

PositiveFloat = Annotated[float, Field(gt=0)]


class RidgeConfig(Frozen):
    """The ridge filter of Masks & Manuscripts, Sec. 2.1."""

    formula: Literal["paper", "skimage"] = Field(
        "paper",
        description="paper: 0 where lambda2 > 0, else sqrt(lambda1^2 + lambda2^2); skimage: as in its meijering",
    )
    sigmas: tuple[PositiveFloat, ...] = (1, 3, 5, 7, 9)
    scale: Literal["sigma2_max", "sigma2", "none"] = Field(
        "sigma2_max",
        description="Hessian times sigma^2, and each scale divided by its own maximum (paper formula only)",
    )
    bright_ridges: bool = Field(True, description="ribs and vessels are bright on a chest film")


class ImagesConfig(Frozen):
    """How films become shards."""

    size_px: PositiveInt = 224
    ridge: RidgeConfig = RidgeConfig()
    max_pixels: PositiveInt = Field(100_000_000, description="a file that declares more is rejected before decoding")
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01


class ReportsConfig(Frozen):
    """How reports become triplets and manuscripts."""

    triplets: Literal["rules", "radgraph"] = "rules"
    radgraph_model: Literal["radgraph", "radgraph-xl"] = "radgraph-xl"
    radgraph_cache: str | None = Field(None, description="folder with the fetched RadGraph model")
    uncertain: Literal["uncertain", "drop", "positive"] = Field(
        "uncertain", description="how an uncertain observation is answered in the manuscript"
    )


Leak = Literal["nih_copy", "nih_parted_patient", "mimic_parted_patient", "rsna_from_nih", "siim_from_nih"]


class MadeConfig(Frozen):
    """Made data: painted films and written reports in the official layouts."""

    num_studies: dict[str, PositiveInt] = Field(description="studies (or images) per data set")
    image_px: PositiveInt = 256
    seed: int = 0
    leaks: tuple[Leak, ...] = Field((), description="planted on purpose, to see the leakage guard find them")
