"""Settings of the stages before pre-training: made data, reports, images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from maskray.config.base import Frozen, Share


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
    max_rejected_fraction: Share = 0.01


UncertainPolicy = Literal["uncertain", "drop", "positive", "probable"]


class MeshConfig(Frozen):
    """Which words of a report are Medical Subject Headings (MedIM, Sec. 2.2)."""

    source: str = Field(
        "thoracic", description="thoracic: the list in reports/mesh_thoracic.yaml; else the path of a file of NLM"
    )
    words: Literal["phrases", "single"] = Field(
        "phrases",
        description="phrases: one or more words, singular or plural, and radiological additions; "
        "single: terms of one word, as they are written",
    )


class ReportsConfig(Frozen):
    """How reports become triplets and manuscripts."""

    triplets: Literal["rules", "radgraph", "graphs"] = Field(
        "rules", description="graphs: looked up in the published graphs of RadGraph 1.0.0 (PhysioNet)"
    )
    radgraph_model: Literal["radgraph", "radgraph-xl"] = "radgraph-xl"
    radgraph_cache: str | None = Field(None, description="folder with the fetched RadGraph model")
    graphs: str | None = Field(None, description="MIMIC-CXR_graphs.json or CheXpert_graphs.json of RadGraph 1.0.0")
    entities: Literal["rules", "scispacy"] = "rules"
    scispacy_model: str = Field("en_core_sci_md", description="name or folder of a spaCy pipeline with entities")
    scispacy_python: str = Field(
        ".venv-scispacy/bin/python", description="the Python of scispaCy's own environment (make setup-scispacy)"
    )
    uncertain: UncertainPolicy = Field(
        "uncertain",
        description="how an uncertain observation is answered: Uncertain (uncertain); left out (drop); Yes (positive); "
        "Yes where it is likely or one of two alternatives, and else left out (probable)",
    )
    uncertain_by_finding: dict[str, UncertainPolicy] = Field(
        {}, description="findings, named as in reports/findings.yaml, whose uncertain observations go another way"
    )
    mesh: MeshConfig = MeshConfig()


class GenerationConfig(Frozen):
    """Which language model writes definitions (D-MLM, Sec. 2.1) where ours are not wanted."""

    model: str = Field("", description="folder of a Hugging Face causal model, or the model's name at the endpoint")
    endpoint: str = Field("", description="base URL of an OpenAI-compatible service; empty: a local model")
    key_variable: str = Field("MASKRAY_API_KEY", description="environment variable that holds the service's key")


class CheckDataConfig(Frozen):
    """How far ``check_data`` looks into the films."""

    decode: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        50, description="films of each data set to decode whole, drawn with the seed; of all others the header alone"
    )
    seed: int = 0


Leak = Literal[
    "nih_copy", "nih_parted_patient", "mimic_parted_patient", "rsna_from_nih", "siim_from_nih", "covidx_from_rsna"
]


class MadeConfig(Frozen):
    """Made data: painted films and written reports in the official layouts."""

    num_studies: dict[str, PositiveInt] = Field(description="studies (or images) per data set")
    image_px: PositiveInt = 256
    seed: int = 0
    leaks: tuple[Leak, ...] = Field((), description="planted on purpose, to see the leakage guard find them")
