"""From the grid of patches back to the film by convolutions (MedIM, Sec. 2.3).

Shapes: B batch, N patches (row by row), C width, h, w patches down and across, H, W pixels, D channels.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class ConvolutionDecoder(nn.Module):
    """Blocks of convolution, batch norm, ReLU and two-fold upsampling; one for each halving from pixels to patches.

    At patches of 16 px: four blocks, as printed. ``heads`` 1 x 1 convolutions end it, one per reconstruction.
    """

    def __init__(
        self, width: int, grid: tuple[int, int], patch_px: int, channels: Sequence[int], num_heads: int
    ) -> None:
        super().__init__()
        if 2 ** len(channels) != patch_px:
            raise ValueError(f"{len(channels)} blocks double the grid to 1/{2 ** len(channels)}, not to {patch_px} px")
        self._grid = grid
        widths = [width, *channels]
        self.blocks = nn.Sequential(*(_block(*pair) for pair in pairwise(widths)))
        self._last_width = widths[-1]
        self.heads = nn.ModuleList(nn.Conv2d(widths[-1], 1, kernel_size=1) for _ in range(num_heads))

    def with_new_head(self) -> ConvolutionDecoder:
        """The same blocks, copied, under one new head."""
        other = copy.deepcopy(self)
        other.heads = nn.ModuleList([nn.Conv2d(self._last_width, 1, kernel_size=1)])
        return other

    def features(self, patches_BNC: Tensor) -> Tensor:
        """Features of the film's size, features_BDHW."""
        return self.blocks(patches_BNC.transpose(1, 2).unflatten(2, self._grid))

    def forward(self, patches_BNC: Tensor, head: int) -> Tensor:
        """A film by one of the heads, images_BHW."""
        return self.heads[head](self.features(patches_BNC))[:, 0]


def _block(num_in: int, num_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(num_out),
        nn.ReLU(inplace=True),
        nn.Upsample(scale_factor=2, mode="nearest"),
    )
