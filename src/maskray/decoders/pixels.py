"""From tokens back to pixels: a transformer decoder over all patches, as in MAE (DOI 10.1109/CVPR52688.2022.01553).

Shapes: B batch, H = W image pixels, N patches (row by row), C width of the encoder, D width of the decoder,
P values per patch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def patchify(images_BHW: Tensor, patch_px: int) -> Tensor:
    """Cut images into patches, row by row, each flattened row by row: patches_BNP."""
    grid_BhpWp = images_BHW.unflatten(2, (-1, patch_px)).unflatten(1, (-1, patch_px))
    return grid_BhpWp.transpose(2, 3).flatten(3).flatten(1, 2)


def unpatchify(patches_BNP: Tensor, grid: tuple[int, int]) -> Tensor:
    """Undo ``patchify`` on a grid of patches down and across: images_BHW."""
    patch_px = round(patches_BNP.shape[2] ** 0.5)
    grid_Bhwpp = patches_BNP.unflatten(1, grid).unflatten(3, (patch_px, patch_px))
    return grid_Bhwpp.transpose(2, 3).flatten(3).flatten(1, 2)


def fill_hidden(images_BHW: Tensor, predicted_BNP: Tensor, hidden_BN: Tensor, grid: tuple[int, int]) -> Tensor:
    """The images with their hidden patches (True) as predicted, for the eye: images_BHW in 0..1."""
    seen_BNP = patchify(images_BHW, images_BHW.shape[1] // grid[0])
    mixed_BNP = torch.where(hidden_BN[:, :, None], predicted_BNP.to(seen_BNP.dtype), seen_BNP)
    return unpatchify(mixed_BNP.clamp(0, 1), grid)


def sine_positions(grid: tuple[int, int], width: int) -> Tensor:
    """Fixed positions_ND: half of the width for the row, half for the column, sines then cosines."""
    if width % 4:
        raise ValueError(f"the decoder's width must be a multiple of 4, not {width}")
    rates = 1.0 / 10000 ** (torch.arange(width // 4) / (width // 4))
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    angles = [places.flatten()[:, None] * rates for places in (rows, columns)]
    return torch.cat([part for angle in angles for part in (angle.sin(), angle.cos())], dim=1)


class PatchDecoder(nn.Module):
    """Transformer blocks over all patches, then one linear layer to the values of each.

    ``embed`` comes first and apart, so that mask tokens can be put in at the decoder's width. Depth 0 leaves
    the linear layers alone.
    """

    positions_ND: Tensor

    def __init__(
        self,
        encoder_width: int,
        grid: tuple[int, int],
        patch_values: int,
        width: int,
        depth: int,
        num_heads: int,
    ) -> None:
        super().__init__()
        self.width = width
        self.embed = nn.Linear(encoder_width, width)
        self.register_buffer("positions_ND", sine_positions(grid, width), persistent=False)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, num_heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.to_values = nn.Linear(width, patch_values)

    def forward(self, embedded_BND: Tensor) -> Tensor:
        """Values of every patch, patches_BNP, from the embedded tokens of all patches."""
        tokens_BND = embedded_BND + self.positions_ND
        for block in self.blocks:
            tokens_BND = block(tokens_BND)
        return self.to_values(self.norm(tokens_BND))
