"""Settings of pre-training and of the downstream training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from maskray.config.base import Fraction, Frozen, Share

ClassWeights = Literal["equal", "balanced"]
CLASS_WEIGHTS: ClassWeights = Field(
    "equal", description="of the loss; balanced: by the inverse of how often a class, or yes and no of a label, is seen"
)


class OptimisationConfig(Frozen):
    """Optimiser and schedule. ``batch_size`` is the global one, whatever the number of devices."""

    batch_size: PositiveInt
    num_epochs: NonNegativeFloat = Field(description="0 keeps the initial weights: the random-init baseline")
    learning_rate: PositiveFloat
    group_learning_rates: dict[str, PositiveFloat] = Field({}, description="by the method's parameter group names")
    optimiser: Literal["adamw", "sgd"] = "adamw"
    betas: tuple[Share, Share] = (0.9, 0.999)
    momentum: Share = 0.9
    weight_decay: NonNegativeFloat = 0.05
    phase_steps: tuple[NonNegativeInt, ...] = Field(
        (), description="steps of each phase of the method but the last, which lasts num_epochs"
    )
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_fraction: Share = Field(0.05, description="share of the steps with linear warm-up")
    gradient_clip: PositiveFloat | None = 1.0


class AugmentationConfig(Frozen):
    """One function of (seed, step, sample). No flips: reports say left and right."""

    crop_min_area: Fraction = 0.6
    brightness: Share = 0.1
    contrast: Share = 0.1


class PretrainConfig(Frozen):
    """The pre-training section of a paper file."""

    datasets: tuple[str, ...] = Field(description="data sets of film-report pairs")
    image_datasets: tuple[str, ...] = Field((), description="data sets of films alone, for methods that use them")
    protocol: str = Field(description="split of each data set whose training part is used")
    optimisation: OptimisationConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    definitions: str | None = Field(
        None, description="file of generate_definitions for texts with definitions; null: reports/definitions.json"
    )


class ThreadsConfig(Frozen):
    """What a machine offers to the preparation of films."""

    threads: PositiveInt = 1


class EvaluationRuntime(ThreadsConfig):
    """What a machine offers to the benchmarks. Precision and threads change bits."""

    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class RuntimeConfig(EvaluationRuntime):
    """What a machine offers to pre-training; in config/config.yaml, never in a paper file."""

    devices: PositiveInt = 1
    num_nodes: PositiveInt = 1
    num_workers: Annotated[int, Field(ge=0)] = 0
    micro_batches: PositiveInt = Field(
        1,
        description="parts of a process's batch, one after another, where memory is short: takes about twice the time",
    )
    checkpoint_seconds: PositiveFloat = 600
    wait_minutes: PositiveFloat = Field(
        30, description="processes of a run wait so long for one that is slow or gone, then the job ends"
    )


class DownstreamConfig(Frozen):
    """End-to-end training of the image encoder on a benchmark's labels."""

    num_epochs: PositiveInt | dict[str, PositiveInt] = Field(description="a number, or by fraction: {1%: 50, 100%: 20}")
    learning_rates: tuple[PositiveFloat, ...] = Field(description="more than one: searched on validation")
    batch_size: PositiveInt = 64
    optimiser: Literal["adamw", "sgd"] = "adamw"
    momentum: Share = 0.9
    weight_decay: NonNegativeFloat = 0.05
    schedule: Literal["cosine", "constant"] = "constant"
    warmup_fraction: Share = 0.0
    augmentation: AugmentationConfig = AugmentationConfig()


class FinetuneConfig(DownstreamConfig):
    """End-to-end fine-tuning of the image encoder with a new linear head."""

    class_weights: ClassWeights = CLASS_WEIGHTS


class SegmentationConfig(DownstreamConfig):
    """End-to-end segmentation: the image encoder under a convolutional decoder with one new head."""

    decoder: Literal["setr_pup", "method"] = Field(
        "setr_pup", description="new blocks that double the size one by one; or those that the method has pre-trained"
    )
    channels: PositiveInt = Field(256, description="of each new block")
    dice_weight: NonNegativeFloat = Field(1.0, description="of 1 - soft Dice beside the cross-entropy of the pixels")


class LinearProbeConfig(Frozen):
    """A linear head on frozen features."""

    num_epochs: PositiveInt = 50
    learning_rate: PositiveFloat = 5e-4
    weight_decay: NonNegativeFloat = 1e-6
    batch_size: PositiveInt = 64
    patience: PositiveInt = Field(
        10, description="epochs without a better validation AUROC (of exclusive classes: loss) before stopping"
    )
    class_weights: ClassWeights = CLASS_WEIGHTS


class ZeroshotConfig(Frozen):
    """Zero-shot classification by a pair of prompts per finding; {x} is the finding's phrase."""

    positive: str = "{x}"
    negative: str = "no {x}"
    further: tuple[tuple[str, str], ...] = Field(
        (), description="further pairs (positive, negative): the score is the mean of all pairs' differences"
    )
    phrases: dict[str, str] = Field({}, description="label -> phrase, where the vocabulary's own is not wanted")
    num_members: PositiveInt = Field(1, description="so many pre-training runs of the default variant answer together")
    average: Literal["probabilities", "weights"] = Field("probabilities", description="what is averaged over them")


class RetrievalConfig(Frozen):
    """Retrieval of reports by films and of films by reports, among the studies of the test part."""

    num_candidates: PositiveInt | None = Field(
        None, description="so many studies, drawn by the seed, are queries and candidates; null: all"
    )
    distinct: Literal["no", "labels", "texts"] = Field(
        "no", description="one study of each set of labels, or of each text: no candidate is as right as another"
    )
    seed: int = 0


class GroundingConfig(Frozen):
    """Phrase grounding: where a film resembles a sentence, against the boxes that radiologists drew for it."""

    thresholds: tuple[Annotated[float, Field(gt=-1, lt=1)], ...] = Field(
        (0.1, 0.2, 0.3, 0.4, 0.5), min_length=1, description="mIoU is the mean over them; the map reaches from -1 to 1"
    )
    smoothing_sigma: NonNegativeFloat = Field(1.5, description="of a Gaussian over the map, in patches; 0: none")
    padding: Literal["counted", "left_out"] = Field(
        "counted", description="whether the black bars that make a film square count as outside of the boxes"
    )
    taus: tuple[PositiveFloat, ...] = Field(
        (), description="sweep of the position weights' temperature, for methods that have such weights"
    )
