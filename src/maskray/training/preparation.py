"""What a run needs before its first step: pairs, tokenizer, method, batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskray.config.encoders import ImageEncoderConfig
from maskray.config.stages import PretrainStage
from maskray.data.batches import Batches, StreamBatches
from maskray.data.pairs import Pairs, PairSource, join_films, join_pairs
from maskray.data.sampler import BatchOrder, derive_seed
from maskray.data.shard_store import ImageStore
from maskray.data.texts import TokenisedReports, training_texts
from maskray.encoders.weights import find_weights
from maskray.errors import InputError
from maskray.methods import METHODS, Method, Stream, Vocabulary, build_method
from maskray.reports.byte_pairs import build_byte_pairs
from maskray.reports.definitions import read_definitions
from maskray.reports.marks import MarkedText
from maskray.reports.styles import style_words
from maskray.reports.tokens import build_tokenizer, encode_many, load_tokenizer
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
    batches: Batches


def prepare(stage: PretrainStage, sources: Sequence[PairSource], seed: int, resume: Path, fabric: Fabric) -> Prepared:
    """Join the data, make or load the tokenizer, build the method; nothing is trained yet.

    Raises:
        InputError: anything that does not fit together.
    """
    if stage.paper not in METHODS:
        raise InputError(f"paper: no method {stage.paper}; there are: {', '.join(METHODS)}")
    kind = METHODS[stage.paper]
    streams = kind.streams(kind.Config.parse(stage.method, f"method {stage.paper}"))
    joined = [_join(stream, sources, stage.image_encoder) for stream in streams]
    tokenizer = _tokenizer(stage, joined[0][0], streams[0].text or "", resume, fabric)
    seed_initial_weights(seed)
    vocabulary = vocabulary_of(tokenizer, stage)
    method = build_method(stage.paper, stage.method, stage.image_encoder, stage.text_encoder, vocabulary)
    optimisation = stage.pretrain.optimisation
    batches = []
    for number, (stream, (pairs, stores)) in enumerate(zip(streams, joined, strict=True)):
        # A stream of its own order: films that have met once do not meet in every epoch.
        order_seed = derive_seed(seed, stream.name) if number else seed
        order = BatchOrder(len(pairs), optimisation.batch_size, order_seed, fabric.global_rank, fabric.world_size)
        texts = None
        if stream.text:
            max_tokens, definitions = stage.text_encoder.max_tokens, stage.pretrain.definitions
            texts = TokenisedReports(pairs.reports, stream.text, tokenizer, max_tokens, definitions, stream.guides)
        batches.append(StreamBatches(pairs, stores, texts, order, stream.needs_ridge))
    num_steps = total_steps(optimisation, batches[0].order.num_steps_per_epoch)
    return Prepared(method, tokenizer, Batches(batches, num_steps))


def _join(stream: Stream, sources: Sequence[PairSource], encoder: ImageEncoderConfig) -> tuple[Pairs, list[ImageStore]]:
    """The pairs or films of one stream, and their shards; :class:`InputError` where no data set is of its kind."""
    chosen = [source for source in sources if (source.reports is not None) == (stream.text is not None)]
    if not chosen:
        key = "datasets" if stream.text else "image_datasets"
        raise InputError(f"pretrain.{key}: the method needs a data set for its stream {stream.name}, and none is given")
    stores = [ImageStore(source.manifest.parent) for source in chosen]
    _check_sizes(stores, chosen, encoder)
    return (
        join_pairs(chosen, stores, stream.text, stream.guides) if stream.text else join_films(chosen, stores)
    ), stores


def vocabulary_of(tokenizer: Any, stage: PretrainStage) -> Vocabulary:
    """What a method must know of a tokenizer: sizes, special pieces, and the pieces of the method's own prompts."""
    kind = METHODS[stage.paper]
    prompts = kind.prompts(kind.Config.parse(stage.method, f"method {stage.paper}"))
    # All with the same truncation: a tokenizer keeps its last one in what it saves.
    texts = [MarkedText(text) for text in (".", *prompts)]
    stop, *pieces = encode_many(tokenizer, texts, stage.text_encoder.max_tokens)
    return Vocabulary(
        size=len(tokenizer),
        mask_id=-1 if tokenizer.mask_token_id is None else tokenizer.mask_token_id,
        special_ids=tuple(sorted(tokenizer.all_special_ids)),
        stop_id=stop.ids[1],
        prompts=tuple(tuple(each.ids) for each in pieces),
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
        return load_tokenizer(find_weights(config.weights), config.kind)
    folder = resume / "tokenizer"

    def make() -> None:
        knowledge = style_words(text, read_definitions(stage.pretrain.definitions))
        phrases = [*(finding.phrase for finding in FINDINGS.values()), *knowledge]
        texts = training_texts(pairs.reports)
        build = {"bert": build_tokenizer, "clip": build_byte_pairs}[config.kind]
        build(texts, config.vocabulary_size, folder, always=phrases, min_texts=_MIN_TEXTS)

    on_main(fabric, make)
    return load_tokenizer(folder, config.kind)
