"""Small methods and made batches for the tests of this folder."""

import torch

from maskray.batch import Batch
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.methods import Vocabulary, build_method

IMAGE = ImageEncoderConfig(weights=None, image_px=32, patch_px=8, width=32, depth=2, num_heads=2)
TEXT = TextEncoderConfig(weights=None, max_tokens=24, width=48, depth=2, num_heads=2)
VOCABULARY = Vocabulary(size=60, mask_id=4, special_ids=(0, 1, 2, 3, 4), stop_id=5)
DECODER = {"decoder_width": 32, "decoder_depth": 1, "decoder_num_heads": 2}
SMALL = {
    "mnm": {"latent_width": 48, "cross_depth": 2, "cross_num_heads": 2, **DECODER},
    "maco": {"group_size": 4, **DECODER},
    "dmlm": {"latent_width": 48, "cross_depth": 2, "cross_num_heads": 2},
    "medim": {"joint_width": 16, "decoder_channels": [16, 8, 4], "num_prototypes": 6},
}


def made_method(name, **knobs):
    """A small method with weights from a fixed seed."""
    torch.manual_seed(0)
    return build_method(name, SMALL.get(name, {}) | knobs, IMAGE, TEXT, VOCABULARY)


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
