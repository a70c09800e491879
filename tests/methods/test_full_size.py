"""One step of each method at the papers' size: ViT-B/16 at 224 px, a 12-layer text encoder 768 wide, random weights.

On the CPU in float32 (slow), on a GPU in bf16; settings are those of ``config/papers``.
"""

import pytest
import torch

from maskray.benchmarks.full_size import full_size_batches, full_size_method
from maskray.methods import METHODS


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
    method, num_tokens = full_size_method(repository, name)
    check_one_step(method, full_size_batches(method, num_tokens, 16 if name == "maco" else 4))  # MaCo's groups have 16.


@pytest.mark.gpu
@pytest.mark.parametrize("name", METHODS)
def test_one_step_on_a_gpu_in_bf16(repository, name):
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    method, num_tokens = full_size_method(repository, name)
    batches = tuple(batch.to("cuda") for batch in full_size_batches(method, num_tokens, 32))
    with torch.autocast("cuda", torch.bfloat16):
        check_one_step(method.to("cuda"), batches)
