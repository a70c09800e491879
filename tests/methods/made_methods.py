"""Small methods and made batches for the tests of this folder."""

import dataclasses

import torch

from maskray.batch import Batch
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.methods import METHODS, Vocabulary, build_method

IMAGE = ImageEncoderConfig(weights=None, image_px=32, patch_px=8, width=32, depth=2, num_heads=2)
TEXT = TextEncoderConfig(weights=None, max_tokens=24, width=48, depth=2, num_heads=2)
PROMPTS = ((2, 10, 11, 3), (2, 10, 12, 13, 3), (2, 10, 14, 3))
VOCABULARY = Vocabulary(size=60, mask_id=4, special_ids=(0, 1, 2, 3, 4), stop_id=5, prompts=PROMPTS)
DECODER = {"decoder_width": 32, "decoder_depth": 1, "decoder_num_heads": 2}
SMALL = {
    "mnm": {"latent_width": 48, "cross_depth": 2, "cross_num_heads": 2, **DECODER},
    "maco": {"group_size": 4, **DECODER},
    "dmlm": {"latent_width": 48, "cross_depth": 2, "cross_num_heads": 2},
    "medim": {"joint_width": 16, "decoder_channels": [16, 8, 4], "num_prototypes": 6},
    "mmclip": {"joint_width": 32, "text_decoder_depth": 1, "text_decoder_num_heads": 2, **DECODER},
}


def build(name, text_feature="token", **knobs):
    """A small method with its kind of text encoder."""
    text = TEXT.model_copy(update={"kind": METHODS[name].text_kind, "feature": text_feature})
    return build_method(name, SMALL.get(name, {}) | knobs, IMAGE, text, VOCABULARY)


def made_method(name, **knobs):
    """The same with weights from a fixed seed."""
    torch.manual_seed(0)
    return build(name, **knobs)


def made_batches(name, num=8, seed=0, **knobs):
    """A batch for each of a method's streams; those without text have films alone."""
    config = METHODS[name].Config.parse(SMALL.get(name, {}) | knobs, name)
    batches = [made_batch(num, seed + 500 * number) for number in range(len(METHODS[name].streams(config)))]
    streams = METHODS[name].streams(config)
    return tuple(b if stream.text else without_text(b) for stream, b in zip(streams, batches, strict=True))


def without_text(batch):
    """The same films, whose texts have length 0."""
    texts = {name: getattr(batch, name)[:, :0] for name in batch.__dataclass_fields__ if name.startswith("token")}
    return dataclasses.replace(batch, **texts)


def made_batch(num=8, seed=0):
    """Random films and texts; every text differs."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(10, 25, (num,), generator=generator)
    is_real = torch.arange(24) < lengths[:, None]
    ids = torch.randint(5, 60, (num, 24), generator=generator)
    ids[:, 0] = 2
    ids[torch.arange(num), lengths - 1] = 3
    is_inner = is_real & (ids > 3)
    films = torch.rand(num, 32, 32, generator=generator)
    return Batch(
        images_BHW=films,
        ridge_BHW=torch.rand(num, 32, 32, generator=generator) ** 4,
        token_ids_BL=ids.masked_fill(~is_real, 0),
        token_is_real_BL=is_real,
        token_is_answer_BL=is_inner & (torch.rand(num, 24, generator=generator) < 0.1),
        token_is_guide_BL=is_inner & (torch.rand(num, 24, generator=generator) < 0.2),
        token_sentence_BL=(torch.arange(24).expand(num, -1) // 5 + 1) * is_inner,
        # Two pieces a word.
        token_word_BL=(torch.arange(24).expand(num, -1) + 1) // 2 * is_inner,
        sample_seeds_B=torch.arange(num) + 1000 * seed,
    )


def part_of(batch, rows):
    """The same samples in a smaller batch."""
    return Batch(**{name: getattr(batch, name)[rows] for name in batch.__dataclass_fields__})
