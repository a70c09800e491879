"""Segmentation: the image encoder under a convolutional decoder (SETR-PUP's, or the method's own), end to end.

Masks are compared on the square films of the shards. The learning rate, the epoch and the threshold are those that are
best on validation; the test part is looked at once, at the end.

Shapes: B batch, N films, S side of the film, T thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from maskray.config.training import SegmentationConfig
from maskray.data.augmentation import augment
from maskray.data.drawn_masks import DrawnMasks, pack
from maskray.data.masks import TrueMasks
from maskray.data.sampler import derive_seed
from maskray.decoders import ConvolutionDecoder
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages, Examples
from maskray.evaluation.measurements import Measurements
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.search import DivergedError, Search
from maskray.methods import Method
from maskray.metrics.segmentation import Counts, count_pixels, dice, iou

# Fixed, since another batch size may change the last bits of a score.
_FILMS_PER_PASS = 32
THRESHOLDS = np.arange(0.05, 1, 0.05)
WITH, WITHOUT = "with the finding", "without"


class Segmenter(nn.Module):
    """A pre-trained method's image encoder under a decoder with one new head."""

    def __init__(self, method: Method, config: SegmentationConfig, seed: int) -> None:
        super().__init__()
        self.encoder = method.image_encoder
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "segmentation head"))
            self.decoder = self._build(method, config)

    def _build(self, method: Method, config: SegmentationConfig) -> ConvolutionDecoder:
        encoder = method.image_encoder
        if config.decoder == "method":
            if method.film_decoder is None:
                raise InputError("segmentation.decoder: this method, or variant, pre-trains no decoder: set setr_pup")
            return method.film_decoder.with_new_head()
        num_blocks = encoder.patch_px.bit_length() - 1
        return ConvolutionDecoder(encoder.width, encoder.grid, encoder.patch_px, [config.channels] * num_blocks, 1)

    def forward(self, films_BSS: Tensor) -> Tensor:
        """Logits of each pixel [B, S, S] of float32 films in 0..1."""
        return self.decoder(self.encoder(films_BSS)[1], 0)


class SegmenterSearch(Search):
    """Of a decoder and the encoder below it. ``masks`` are the true ones, ``method`` the pre-trained one."""

    section = "segmentation"
    config: SegmentationConfig

    def __init__(
        self,
        method: Method,
        images: BenchmarkImages,
        masks: TrueMasks,
        config: SegmentationConfig,
        fraction: float,
        seed: int,
        runtime: Runtime,
    ) -> None:
        self.method, self.masks = method, masks
        super().__init__(method.image_encoder, images, config, fraction, seed, runtime)

    def _build(self, encoder: nn.Module) -> Segmenter:
        return Segmenter(self.method, self.config, self.seed)

    def _loss(self, images_BHW: Tensor, rows: NDArray[np.intp], seeds_B: Tensor) -> Tensor:
        """Cross-entropy of the pixels plus 1 minus the soft Dice of the batch."""
        masks_BSS = self.masks.read([self.train.image_ids[row] for row in rows])
        on_device_BSS = torch.from_numpy(masks_BSS.astype(np.float32)).to(self.runtime.device)
        # The mask is cropped as the film is.
        films_BSS, targets_BSS = augment(images_BHW, on_device_BSS, seeds_B, self.config.augmentation)
        assert targets_BSS is not None
        with self.runtime.autocast():
            logits_BSS = self.model(films_BSS)
        return segmentation_loss(logits_BSS.float(), (targets_BSS >= 0.5).float(), self.config.dice_weight)

    def _quality(self, epoch: int) -> float:
        """Mean Dice on validation at the best threshold."""
        counts_TB = count_at_thresholds(self, self.validation)
        return max(float(dice(*counts).mean()) for counts in counts_TB)


def segmentation_loss(logits_BSS: Tensor, targets_BSS: Tensor, dice_weight: float) -> Tensor:
    """Mean binary cross-entropy of the pixels + dice_weight x (1 - soft Dice over all pixels of the batch)."""
    cross_entropy = F.binary_cross_entropy_with_logits(logits_BSS, targets_BSS)
    shares_BSS = logits_BSS.sigmoid()
    overlap = (2 * (shares_BSS * targets_BSS).sum() + 1) / (shares_BSS.sum() + targets_BSS.sum() + 1)
    return cross_entropy + dice_weight * (1 - overlap)


@torch.no_grad()
def probabilities_of(search: SegmenterSearch, image_ids: list[str]) -> NDArray[np.float32]:
    """Probability of each pixel [B, S, S]; raises DivergedError where one is not finite."""
    search.model.eval()
    films_BSS = search.images.read(image_ids).to(search.runtime.device).float() / 255
    with search.runtime.autocast():
        logits_BSS = search.model(films_BSS)
    shares_BSS = logits_BSS.float().sigmoid().cpu().numpy()
    if not np.isfinite(shares_BSS).all():
        raise DivergedError("the scores of validation are not finite")
    return shares_BSS


def passes(search: SegmenterSearch, examples: Examples) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Probabilities and true masks [B, S, S] of all films, some at a time."""
    for start in range(0, len(examples), _FILMS_PER_PASS):
        image_ids = examples.image_ids[start : start + _FILMS_PER_PASS]
        yield probabilities_of(search, image_ids), search.masks.read(image_ids)


def count_at_thresholds(search: SegmenterSearch, examples: Examples) -> list[Counts]:
    """The counts of :func:`count_pixels` of each film [N] at each of the thresholds."""
    found: list[list[Counts]] = [[] for _ in THRESHOLDS]
    for shares_BSS, masks_BSS in passes(search, examples):
        for counts, threshold in zip(found, THRESHOLDS, strict=True):
            counts.append(count_pixels(shares_BSS >= threshold, masks_BSS))
    return [_joined(counts) for counts in found]


def _joined(counts: list[Counts]) -> Counts:
    both, predicted, true = (np.concatenate(parts) for parts in zip(*counts, strict=True))
    return both, predicted, true


@dataclass(frozen=True)
class Segmentation:
    """What one run found on the test films: how good its masks are, and the masks."""

    measured: Measurements
    masks: DrawnMasks


def segment(
    method: Method,
    images: BenchmarkImages,
    config: SegmentationConfig,
    fraction: float,
    seed: int,
    runtime: Runtime,
    folder: Path | None = None,
) -> Segmentation:
    """Train on one label fraction (0..1) and measure every test film; ``folder`` holds masks that are files.

    Raises InputError where training diverges with every learning rate, or a mask cannot be read.
    """
    parts = {name: images.examples(name) for name in ("train", "validation", "test")}
    image_ids = [image_id for part in parts.values() for image_id in part.image_ids]
    contents_N4 = images.store.read_contents(image_ids)
    masks = TrueMasks(images.index_rows(image_ids), contents_N4, images.store.size_px, folder)
    search = SegmenterSearch(method, images, masks, config, fraction, seed, runtime)
    best = search.search()
    search.model.load_state_dict(best.state)
    on_validation = [float(dice(*counts).mean()) for counts in count_at_thresholds(search, search.validation)]
    chosen = int(np.argmax(on_validation))
    settings = {
        "threshold": round(float(THRESHOLDS[chosen]), 2),
        "learning_rate": best.learning_rate,
        "best_epoch": best.epoch,
        "validation_dice": on_validation[chosen],
        "num_train_images": len(search.train),
    }
    return _measure(search, parts["test"], THRESHOLDS[chosen], fraction, settings)


def _measure(
    search: SegmenterSearch, test: Examples, threshold: np.float64, fraction: float, settings: dict[str, float]
) -> Segmentation:
    """The masks of the test films at the threshold, measured; and their Dice at 0.5."""
    chosen: list[Counts] = []
    at_half: list[Counts] = []
    true: list[bytes] = []
    drawn: list[bytes] = []
    for shares_BSS, masks_BSS in passes(search, test):
        drawn_BSS = shares_BSS >= threshold
        chosen.append(count_pixels(drawn_BSS, masks_BSS))
        at_half.append(count_pixels(shares_BSS >= 0.5, masks_BSS))
        true += pack(masks_BSS)
        drawn += pack(drawn_BSS)
    counts, half = _joined(chosen), _joined(at_half)
    values = {"dice": dice(*counts), "iou": iou(*counts), "dice_at_half": dice(*half)}
    measured = Measurements(
        test.image_ids,
        test.patient_ids,
        [WITH if num_true else WITHOUT for num_true in counts[2]],
        {name: values_N.astype(np.float32) for name, values_N in values.items()},
        settings,
    )
    return Segmentation(measured, DrawnMasks(test.image_ids, true, drawn, search.images.store.size_px, fraction))
