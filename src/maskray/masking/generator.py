"""A mask that is learned against the reconstruction, after AutoMAE (https://arxiv.org/abs/2303.06583).

Shapes: B batch, N patches (row by row), C width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskray.masking.randomness import uniform
from maskray.masking.select import count_of, top_fraction


class MaskGenerator(nn.Module):
    """Scores each patch from itself and its neighbours, and draws a mask of fixed size by the scores (Gumbel-softmax).

    It is trained by the gradient of the reconstruction loss with its sign reversed, and so seeks patches that are hard
    to restore. AutoMAE also tells its masks from object-centred ones by a discriminator; films have no such prior, and
    there is none here.
    """

    def __init__(self, width: int, grid: tuple[int, int], tau: float) -> None:
        super().__init__()
        self._grid = grid
        self._tau = tau
        self.scorer = nn.Sequential(
            nn.Conv2d(width, width // 4, kernel_size=3, padding=1), nn.GELU(), nn.Conv2d(width // 4, 1, kernel_size=1)
        )

    def forward(self, patches_BNC: Tensor, seeds_B: Tensor, fraction: float) -> Tensor:
        """Exactly 1 on hidden patches and 0 on the others, weights_BN; the same number in every row.

        No gradient reaches ``patches_BNC``. Of the weights only those of hidden patches pass one on: what is predicted
        for visible patches is no part of the loss.
        """
        features_BChw = patches_BNC.detach().transpose(1, 2).unflatten(2, self._grid)
        scores_BN = self.scorer(features_BChw).flatten(1).float()
        draws_BN = uniform(seeds_B, scores_BN.shape[1], "generator").to(scores_BN.device)
        noisy_BN = scores_BN - torch.log(-torch.log(draws_BN.clamp(min=1e-9)))
        # The highest noisy scores are a draw without replacement in proportion to exp(score).
        hidden_BN = top_fraction(noisy_BN.detach(), fraction).float()
        relaxed_BN = count_of(fraction, scores_BN.shape[1]) * (noisy_BN / self._tau).softmax(dim=1)
        return hidden_BN - hidden_BN * (relaxed_BN - relaxed_BN.detach())
