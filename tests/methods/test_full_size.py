"""One step of each method at the papers' size: ViT-B/16 at 224 px, a 12-layer text encoder 768 wide, random weights.

On the CPU in float32 (slow), on a GPU in bf16; settings are those of ``config/papers``.
"""

import dataclasses
from pathlib import Path

import pytest
import torch

from maskray.batch import Batch
from maskray.config.encoders import ImageEncoderConfig, TextEncoderConfig
from maskray.files import read_yaml
from maskray.methods import METHODS, Vocabulary, build_method
from tests.methods.made_methods import without_text

BERT = Vocabulary(size=28996, mask_id=103, special_ids=(0, 100, 101, 102, 103), stop_id=119)
CLIP = Vocabulary(size=49408, mask_id=-1, special_ids=(49406, 49407), stop_id=269)


def full_size(repository: Path, name: str):
    """The method of a paper's file, its weights random."""
    paper = read_yaml(repository / "config/papers" / f"{name}.yaml")
    method = METHODS[name]
    text = TextEncoderConfig.model_validate(paper["text_encoder"] | {"weights": None})
    if text.kind == "clip":
        text = text.model_copy(update={"width": 512, "num_heads": 8})  # As CLIP-base.
    prompts = tuple(
        (1, 400 + number, 2) for number in range(len(method.prompts(method.Config.parse(paper["method"], name))))
    )
    vocabulary = dataclasses.replace(CLIP if text.kind == "clip" else BERT, prompts=prompts)
    image = ImageEncoderConfig.model_validate(paper["image_encoder"] | {"weights": None})
    torch.manual_seed(0)
    return build_method(name, paper["method"], image, text, vocabulary), text.max_tokens


def full_batch(method, num_tokens: int, num: int) -> tuple[Batch, ...]:
    """Random films of 224 px with full texts, a batch for each stream."""
    generator = torch.Generator().manual_seed(0)
    ids_BL = torch.randint(200, 20000, (num, num_tokens), generator=generator)
    if method.text_kind == "clip":
        ids_BL[:, 0], ids_BL[:, -1] = method.vocabulary.special_ids
    place_BL = torch.arange(num_tokens).expand(num, -1)
    batch = Batch(
        images_BHW=torch.rand(num, 224, 224, generator=generator),
        ridge_BHW=torch.rand(num, 224, 224, generator=generator) ** 4,
        token_ids_BL=ids_BL,
        token_is_real_BL=torch.ones_like(ids_BL, dtype=torch.bool),
        token_is_answer_BL=place_BL % 9 == 3,
        token_is_guide_BL=place_BL % 7 == 2,
        token_sentence_BL=place_BL // 12 + 1,
        token_word_BL=place_BL // 2 + 1,
        sample_seeds_B=torch.arange(num),
    )
    return tuple(batch if stream.text else without_text(batch) for stream in method.streams(method.config))


def check_one_step(method, batches) -> None:
    """Finite losses, finite gradients of all that is trained, and weights that move."""
    losses = method(*batches)
    assert all(bool(term.isfinite()) for term in losses.terms.values()), losses.terms
    losses.total().backward()
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    assert all(parameter.grad is not None and bool(parameter.grad.isfinite().all()) for parameter in trained)
    before = method.image_encoder.model.patch_embed.proj.weight.detach().clone()
    torch.optim.AdamW(trained, lr=1e-4).step()
    method.after_update()
    assert not torch.equal(before, method.image_encoder.model.patch_embed.proj.weight)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_one_step_on_the_cpu(repository, name):
    method, num_tokens = full_size(repository, name)
    check_one_step(method, full_batch(method, num_tokens, 16 if name == "maco" else 4))  # MaCo's groups have 16.


@pytest.mark.gpu
@pytest.mark.parametrize("name", METHODS)
def test_one_step_on_a_gpu_in_bf16(repository, name):
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    method, num_tokens = full_size(repository, name)
    batches = tuple(batch.to("cuda") for batch in full_batch(method, num_tokens, 32))
    with torch.autocast("cuda", torch.bfloat16):
        check_one_step(method.to("cuda"), batches)
