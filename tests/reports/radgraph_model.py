"""A tiny RadGraph with random weights in a cache folder: it exercises the real class, and its answers mean nothing."""

import json
from pathlib import Path

NER = [
    "Observation::definitely present",
    "Observation::definitely absent",
    "Observation::uncertain",
    "Anatomy::definitely present",
]
RELATIONS = ["located_at", "modify", "suggestive_of"]
WIDTH = 8


def write_model(cache: Path) -> None:
    """Write ``cache/radgraph-xl`` and its base encoder beside it."""
    import torch

    from maskray.reports.radgraph_source import complete_tokenizers
    from maskray.reports.tokens import build_tokenizer
    from maskray.torchvision_shim import ensure_torchvision_imports

    ensure_torchvision_imports()
    complete_tokenizers()
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    base = cache / "base"
    size = len(build_tokenizer(["small left pleural effusion . no pneumothorax"], 200, base))
    BertModel(
        BertConfig(
            vocab_size=size,
            hidden_size=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
        )
    ).save_pretrained(base)
    folder = cache / "radgraph-xl"
    vocabulary = folder / "vocabulary"
    vocabulary.mkdir(parents=True)
    (vocabulary / "non_padded_namespaces.txt").write_text("*labels\n*tags\n")
    (vocabulary / "radgraph-xl__ner_labels.txt").write_text("\n" + "\n".join(NER) + "\n")
    (vocabulary / "radgraph-xl__relation_labels.txt").write_text("\n" + "\n".join(RELATIONS) + "\n")
    (folder / "config.json").write_text(json.dumps(_config(str(base))))
    torch.save(_random_weights(str(base), vocabulary), folder / "weights.th")


def _config(base: str) -> dict:
    bert = {"type": "pretrained_transformer_mismatched", "model_name": base, "max_length": 64}
    return {
        "dataset_reader": {"max_span_width": 3, "token_indexers": {"bert": bert}},
        "model": {
            "type": "dygie", "initializer": {}, "module_initializer": {},
            "embedder": {"token_embedders": {"bert": bert}},
            **_settings(),
        },
    }  # fmt: skip


def _settings() -> dict:
    return {
        "feature_size": 4, "max_span_width": 3, "target_task": "relation",
        "loss_weights": {"ner": 1.0, "relation": 1.0, "coref": 0.0, "events": 0.0},
        "feedforward_params": {"num_layers": 1, "hidden_dims": 8, "dropout": 0.0},
        "modules": {
            "ner": {}, "relation": {"spans_per_word": 0.5},
            "coref": {"spans_per_word": 0.3, "max_antecedents": 2},
            "events": {
                "trigger_spans_per_word": 0.3, "argument_spans_per_word": 0.3,
                "loss_weights": {"trigger": 0.0, "arguments": 0.0},
            },
        },
    }  # fmt: skip


def _random_weights(base: str, vocabulary: Path) -> dict:
    from radgraph.allennlp.data import Vocabulary
    from radgraph.allennlp.modules import text_field_embedders, token_embedders
    from radgraph.dygie.models import dygie

    embedder = token_embedders.PretrainedTransformerMismatchedEmbedder(model_name=base, max_length=64)
    model = dygie.DyGIE(
        vocab=Vocabulary.from_files(str(vocabulary)),
        embedder=text_field_embedders.BasicTextFieldEmbedder({"bert": embedder}),
        **_settings(),
    )
    return model.state_dict()
