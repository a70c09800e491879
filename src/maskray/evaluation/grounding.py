"""Phrase grounding: where a film resembles a sentence, against the boxes that radiologists drew for it.

The map of a method (cosines of patches and phrase, weighed by position where the method learns that) is smoothed over
the patches as BioViL does it, brought to the size of the film bilinearly, and stretched to -1..1 for the thresholds of
mIoU.

Shapes: B phrases, h, w patches down and across, S side of the square film.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from maskray.config.training import GroundingConfig
from maskray.data.phrases import Phrase, edges_of_box, mask_of_boxes, read_phrases
from maskray.errors import InputError
from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.measurements import Measurements
from maskray.evaluation.runtime import Runtime
from maskray.evaluation.texts import pad_texts
from maskray.metrics.grounding import measure_map
from maskray.training.export import LoadedMethod
from maskray.training.progress import Progress

# Fixed, since another batch size may change the last bits of a map.
_PHRASES_PER_PASS = 32
_SWEPT = ("miou", "cnr", "cnr_signed", "pointing_game")


@dataclass(frozen=True)
class GroundedPhrase:
    """A phrase on its film. ``maps`` has the map under the method's own settings ("") and under each ``tau=<tau>``.

    Attributes:
        film_SS: grey values in 0..1.
        content: the film's place in its square: top, left, height, width.
    """

    phrase: Phrase
    film_SS: NDArray[np.floating]
    content: tuple[int, int, int, int]
    maps: dict[str, NDArray[np.floating]]

    @property
    def edges(self) -> list[tuple[int, int, int, int]]:
        """Top, left, bottom and right of each box in the square."""
        return [edges_of_box(box, self.content) for box in self.phrase.boxes]

    def measure(self, config: GroundingConfig) -> dict[str, float]:
        """Every measure, those of the sweep as ``<metric>/tau=<tau>``."""
        top, left, height, width = self.content
        inside = mask_of_boxes(self.phrase.boxes, self.content, len(self.film_SS))
        area = np.s_[:, :] if config.padding == "counted" else np.s_[top : top + height, left : left + width]
        measured: dict[str, float] = {}
        for condition, map_SS in self.maps.items():
            try:
                values = measure_map(map_SS[area], inside[area], config.thresholds)
            except ValueError as error:
                raise InputError(f"phrase {self.phrase.item_id}: {error}; did the pre-training diverge?") from None
            names = _SWEPT if condition else values
            measured |= {f"{name}/{condition}" if condition else name: values[name] for name in names}
        return measured


def measure_grounding(
    loaded: LoadedMethod, images: BenchmarkImages, config: GroundingConfig, runtime: Runtime
) -> Measurements:
    """Measure every phrase of the test part.

    Raises InputError where there is none, or a sweep of tau is asked of a method that weighs no positions.
    """
    phrases = phrases_of(images)
    measured: list[dict[str, float]] = []
    with Progress("phrases", len(phrases)) as progress:
        for grounded in ground(loaded, images, phrases, config, runtime):
            measured.append(grounded.measure(config))
            progress.advance()
    return Measurements(
        [phrase.item_id for phrase in phrases],
        [phrase.patient_id for phrase in phrases],
        [phrase.label for phrase in phrases],
        {name: np.array([values[name] for values in measured], np.float32) for name in measured[0]},
        config.model_dump(mode="json"),
    )


def phrases_of(images: BenchmarkImages) -> list[Phrase]:
    """The phrases of the test part whose films the shards hold."""
    return read_phrases(images.index_rows(images.examples("test").image_ids), images.index_path)


def spread_phrases(phrases: Sequence[Phrase], num: int) -> list[Phrase]:
    """Up to ``num`` phrases, evenly spaced over the categories."""
    ordered = sorted(phrases, key=lambda phrase: (phrase.label, phrase.item_id))
    num = min(num, len(ordered))
    return [ordered[len(ordered) * place // num] for place in range(num)]


@torch.no_grad()
def ground(
    loaded: LoadedMethod,
    images: BenchmarkImages,
    phrases: Sequence[Phrase],
    config: GroundingConfig,
    runtime: Runtime,
) -> Iterator[GroundedPhrase]:
    """Each phrase with its film and maps, in the given order."""
    method = loaded.method.to(runtime.device).eval()
    if config.taus and not method.weighs_positions:
        raise InputError(
            f"grounding.taus: {loaded.stage.paper} ({loaded.stage.variant}) weighs no positions: leave out"
        )
    taus: dict[str, float | None] = {"": None} | {f"tau={tau:g}": tau for tau in config.taus}
    for start in range(0, len(phrases), _PHRASES_PER_PASS):
        batch = phrases[start : start + _PHRASES_PER_PASS]
        image_ids = [phrase.image_id for phrase in batch]
        films_BSS = images.read(image_ids).float() / 255
        texts = [phrase.text for phrase in batch]
        tokens = pad_texts(loaded.tokenizer, loaded.stage.text_encoder.max_tokens, texts, runtime)
        with runtime.autocast():
            cosines_Bhw = method.patch_text_cosines(films_BSS.to(runtime.device), *tokens).float()
        maps = {
            name: enlarge(method.weigh_positions(cosines_Bhw, tau).cpu(), images.store.size_px, config.smoothing_sigma)
            for name, tau in taus.items()
        }
        contents_B4 = images.store.read_contents(image_ids)
        for row, phrase in enumerate(batch):
            content: Any = tuple(contents_B4[row].tolist())
            yield GroundedPhrase(
                phrase, films_BSS[row].numpy(), content, {name: maps_BSS[row] for name, maps_BSS in maps.items()}
            )


def enlarge(maps_Bhw: Tensor, size_px: int, sigma: float) -> NDArray[np.float64]:
    """Maps over patches as maps over pixels [B, S, S]: smoothed (``sigma`` in patches), then bilinear."""
    smooth_Bhw = gaussian_filter(maps_Bhw.double().numpy(), (0, sigma, sigma)) if sigma else maps_Bhw.double().numpy()
    large_B1SS = torch.nn.functional.interpolate(
        torch.from_numpy(smooth_Bhw)[:, None], (size_px, size_px), mode="bilinear", align_corners=False
    )
    return large_B1SS[:, 0].numpy()
