"""Image encoder: a timm vision transformer, opened between its patches and its blocks so that a mask can act there.

Shapes: B batch, H = W image pixels, N patches (row by row), V visible patches, C width.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from maskray.config.encoders import ImageEncoderConfig
from maskray.encoders.weights import find_image_weights, load_strictly, read_weights
from maskray.errors import InputError
from maskray.postponed import compiler_postponed
from maskray.torchvision_shim import ensure_torchvision_imports

Feature = Literal["class token", "mean of patches"]


class ImageEncoder(nn.Module):
    """A vision transformer on grey images.

    The image goes through in three steps, so that a method can hide patches between them:
    ``embed`` (patches, without positions), ``place`` (adds the positions), ``encode`` (class token and blocks).

    Attributes:
        model: the timm model; its state dict loads with ``timm.create_model(..., num_classes=0, checkpoint_path=...)``.
        grid: patches down and across.
        num_patches: N.
        width: C.
    """

    mean_3: Tensor
    deviation_3: Tensor

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.model = _create_model(config)
        self.grid: tuple[int, int] = self.model.patch_embed.grid_size
        self.num_patches: int = self.model.patch_embed.num_patches
        self.patch_px = config.patch_px
        self.width: int = self.model.embed_dim
        statistics = self.model.pretrained_cfg
        self.register_buffer("mean_3", torch.tensor(statistics["mean"]), persistent=False)
        self.register_buffer("deviation_3", torch.tensor(statistics["std"]), persistent=False)

    def embed(self, images_BHW: Tensor) -> Tensor:
        """Grey values in 0..1 -> patch embeddings without positions, patches_BNC."""
        colour_B3HW = (images_BHW[:, None] - self.mean_3[:, None, None]) / self.deviation_3[:, None, None]
        return self.model.patch_embed(colour_B3HW)

    def place(self, patches_BNC: Tensor) -> Tensor:
        """Add to each patch the embedding of its position; to be done before patches are dropped."""
        return patches_BNC + self.model.pos_embed[:, -self.num_patches :]

    def encode(self, placed_BVC: Tensor) -> Tensor:
        """Run the blocks over the class token and the placed patches: tokens_B(1+V)C, class token first."""
        return self.model.norm(self.model.blocks(self._with_class(placed_BVC)))

    @torch.no_grad()
    def class_attention(self, images_BHW: Tensor) -> Tensor:
        """What share of its attention the class token pays to each patch, mean over the last block's heads, shares_BN.

        The shares of a film and that of the class token itself add up to 1. No gradient flows back.
        """
        *earlier, last = self.model.blocks
        tokens = self._with_class(self.place(self.embed(images_BHW)))
        for block in earlier:
            tokens = block(tokens)
        attention, num_heads = last.attn, last.attn.num_heads
        query, key, _ = attention.qkv(last.norm1(tokens)).unflatten(2, (3, num_heads, -1)).permute(2, 0, 3, 1, 4)
        query, key = attention.q_norm(query[:, :, :1]), attention.k_norm(key)
        shares = (query @ key.transpose(2, 3) * attention.scale).float().softmax(dim=3)
        return shares[:, :, 0, 1:].mean(dim=1)

    def _with_class(self, placed_BVC: Tensor) -> Tensor:
        """What the first block sees: the class token, then the placed patches."""
        class_11C = self.model.cls_token
        if not self.model.no_embed_class:
            class_11C = class_11C + self.model.pos_embed[:, :1]
        tokens = torch.cat([class_11C.expand(len(placed_BVC), -1, -1).to(placed_BVC.dtype), placed_BVC], dim=1)
        return self.model.norm_pre(tokens)

    def forward(self, images_BHW: Tensor) -> tuple[Tensor, Tensor]:
        """The whole image, nothing hidden: class token class_BC and patches_BNC."""
        tokens = self.encode(self.place(self.embed(images_BHW)))
        return tokens[:, 0], tokens[:, 1:]


class ImageFeatures(nn.Module):
    """What fine-tuning and probes put a head on: one feature of an image encoder, before any projection."""

    def __init__(self, image_encoder: ImageEncoder, feature: Feature) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self._feature = feature

    def forward(self, images_BHW: Tensor) -> Tensor:
        """Features_BC of whole films, grey values in 0..1."""
        class_BC, patches_BNC = self.image_encoder(images_BHW)
        return class_BC if self._feature == "class token" else patches_BNC.mean(dim=1)


def _create_model(config: ImageEncoderConfig) -> Any:
    """Build the timm model, without dropout and head, and load its weights."""
    ensure_torchvision_imports()
    with compiler_postponed():
        import timm

    sizes: dict[str, Any] = {"embed_dim": config.width, "depth": config.depth, "num_heads": config.num_heads}
    try:
        model = timm.create_model(
            config.name,
            img_size=config.image_px,
            patch_size=config.patch_px,
            num_classes=0,
            global_pool="token",
            **{name: size for name, size in sizes.items() if size is not None},
        )
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise InputError(f"image_encoder: timm cannot build {config.name} with these sizes: {error}") from None
    if getattr(model, "cls_token", None) is None or getattr(model, "reg_token", None) is not None:
        raise InputError(f"image_encoder: {config.name} is not a vision transformer with a class token alone")
    if config.weights is not None:
        _load_weights(model, config)
    return model


def _load_weights(model: Any, config: ImageEncoderConfig) -> None:
    """Load weights made for ``config.name``; positions of another image size are interpolated."""
    from timm.layers import resample_abs_pos_embed

    path = find_image_weights(config)
    weights = {
        name: value for name, value in read_weights(path).items() if not name.startswith(("head.", "head_dist."))
    }
    positions = weights.get("pos_embed")
    if positions is not None and positions.shape[1] != model.pos_embed.shape[1]:
        weights["pos_embed"] = resample_abs_pos_embed(
            positions,
            new_size=list(model.patch_embed.grid_size),
            num_prefix_tokens=0 if model.no_embed_class else 1,
        )
    load_strictly(model, weights, path)
