"""What an encoder makes of all images of a part.

Shapes: B batch, N images, H height, W width of the film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.runtime import Runtime
from maskray.training.progress import Progress

# Fixed, since another batch size may change the last bits of a feature.
_IMAGES_PER_PASS = 64


@torch.no_grad()
def compute_for_all(
    encode: Callable[[Tensor], Tensor],
    images: BenchmarkImages,
    image_ids: Sequence[str],
    runtime: Runtime,
    what: str | None = None,
) -> Tensor:
    """``encode`` of every image [N, ...], float32 on the host; ``what`` names the progress line, None is silent.

    ``encode`` takes float32 films in 0..1 [B, H, W] on the runtime's device.
    """
    encoded: list[Tensor] = []
    with Progress(what, len(image_ids)) if what else nullcontext() as progress:
        for start in range(0, len(image_ids), _IMAGES_PER_PASS):
            batch = image_ids[start : start + _IMAGES_PER_PASS]
            images_BHW = images.read(batch).to(runtime.device).float() / 255
            with runtime.autocast():
                encoded.append(encode(images_BHW).float().cpu())
            if progress is not None:
                progress.advance(len(batch))
    return torch.cat(encoded)
