"""What a run needs before its first step: pairs, tokenizer, method, batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskray.config.encoders import ImageEncoderConfig
from maskray.config.stages import PretrainStage
from maskray.data.batches import PairBatches
from maskray.data.pairs import Pairs, PairSource, join_pairs
from maskray.data.sampler import BatchOrder
from maskray.data.shard_store import ImageStore
from maskray.data.texts import TokenisedReports, training_texts
from maskray.encoders.weights import find_weights
from maskray.errors import InputError
from maskray.methods import METHODS, Method, Vocabulary, build_method
from maskray.reports.definitions import read_definitions
from maskray.reports.styles import style_words
from maskray.reports.tokens import build_tokenizer, load_tokenizer
from maskray.reports.vocabulary import FINDINGS
from maskray.training.fabric import on_main
from maskray.training.schedule import total_steps
from maskray.training.seeding import seed_initial_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# The vocabulary leaves with the weights: a word of fewer reports may be a name that was left in them.
_MIN_TEXTS = 5


@dataclass(frozen=True)
class Prepared:
    """A method with its initial weights, and the batches of all steps."""

    method: Method
    tokenizer: Any
    batches: PairBatches


def prepare(stage: PretrainStage, sources: Sequence[PairSource], seed: int, resume: Path, fabric: Fabric) -> Prepared:
    """Join the data, make or load the tokenizer, build the method; nothing is trained yet.

    Raises:
        InputError: anything that does not fit together.
    """
    if stage.paper not in METHODS:
        raise InputError(f"paper: no method {stage.paper}; there are: {', '.join(METHODS)}")
    # One kind of batch today: a method with a second stream must fail here, not train without it.
    (stream,) = METHODS[stage.paper].streams
    stores = [ImageStore(source.manifest.parent) for source in sources]
    _check_sizes(stores, sources, stage.image_encoder)
    pairs = join_pairs(sources, stores, stream.text)
    tokenizer = _tokenizer(stage, pairs, stream.text, resume, fabric)
    seed_initial_weights(seed)
    method = build_method(stage.paper, stage.method, stage.image_encoder, stage.text_encoder, vocabulary_of(tokenizer))
    optimisation = stage.pretrain.optimisation
    order = BatchOrder(len(pairs), optimisation.batch_size, seed, fabric.global_rank, fabric.world_size)
    max_tokens = stage.text_encoder.max_tokens
    texts = TokenisedReports(pairs.reports, stream.text, tokenizer, max_tokens, stage.pretrain.definitions)
    num_steps = total_steps(optimisation, order.num_steps_per_epoch)
    return Prepared(method, tokenizer, PairBatches(pairs, stores, texts, order, num_steps, stream.needs_ridge))


def vocabulary_of(tokenizer: Any) -> Vocabulary:
    """What a method must know of a tokenizer: how many pieces, which are special, which is the full stop."""
    return Vocabulary(
        size=len(tokenizer),
        mask_id=tokenizer.mask_token_id,
        special_ids=tuple(sorted(tokenizer.all_special_ids)),
        stop_id=tokenizer.convert_tokens_to_ids("."),
    )


def _check_sizes(stores: Sequence[ImageStore], sources: Sequence[PairSource], encoder: ImageEncoderConfig) -> None:
    for store, source in zip(stores, sources, strict=True):
        if store.size_px != encoder.image_px:
            raise InputError(
                f"{source.manifest}: films of {store.size_px} px, but image_encoder.image_px is {encoder.image_px}: "
                "set images.size_px to the same"
            )


def _tokenizer(stage: PretrainStage, pairs: Pairs, text: str, resume: Path, fabric: Fabric) -> Any:
    """The tokenizer of the pre-trained text encoder, or one built from the training reports and the findings."""
    config = stage.text_encoder
    if config.weights is not None:
        return load_tokenizer(find_weights(config.weights))
    folder = resume / "tokenizer"

    def build() -> None:
        knowledge = style_words(text, read_definitions(stage.pretrain.definitions))
        phrases = [*(finding.phrase for finding in FINDINGS.values()), *knowledge]
        texts = training_texts(pairs.reports)
        build_tokenizer(texts, config.vocabulary_size, folder, always=phrases, min_texts=_MIN_TEXTS)

    on_main(fabric, build)
    return load_tokenizer(folder)
