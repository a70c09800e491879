"""Retrieval between films and reports: at which rank a query finds its own partner.

Shapes: N film-report pairs, T distinct reports, E joint width, C films of a chunk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Similarities at a time: 50 MB of float32, however many candidates there are.
_PER_CHUNK = 12_500_000


class Ranks(NamedTuple):
    """Ranks from 1 [N] of the own report among all reports, and of the own film among all films.

    A rank is one more than the number of candidates that are strictly more similar: ties are hits.
    """

    image_to_text_N: NDArray[np.int64]
    text_to_image_N: NDArray[np.int64]


def rank_pairs(
    images_NE: NDArray[np.float32], texts_TE: NDArray[np.float32], text_of_pair_N: NDArray[np.intp]
) -> Ranks:
    """Ranks in both directions by dot product; every pair is a query and a candidate.

    Reports that read the same are given once, and ``text_of_pair_N`` tells whose each is: they tie to the last bit, as
    they would not where a batch is padded otherwise. No N x N array is made.

    Raises ValueError where a feature is not a finite number: nothing is larger than NaN, and all would be hits.
    """
    if not (np.isfinite(images_NE).all() and np.isfinite(texts_TE).all()):
        raise ValueError("a feature is not a finite number")
    num_pairs, num_texts = len(images_NE), len(texts_TE)
    num_pairs_of_text_T = np.bincount(text_of_pair_N, minlength=num_texts)
    own_N = np.empty(num_pairs, np.float32)
    better_texts_N, better_images_N = np.zeros(num_pairs, np.int64), np.zeros(num_pairs, np.int64)
    size = max(1, _PER_CHUNK // max(num_pairs, num_texts))
    chunks = [slice(start, min(start + size, num_pairs)) for start in range(0, num_pairs, size)]
    for chunk in chunks:
        similarity_CT = images_NE[chunk] @ texts_TE.T
        own_N[chunk] = similarity_CT[np.arange(len(similarity_CT)), text_of_pair_N[chunk]]
        better_texts_N[chunk] = (similarity_CT > own_N[chunk, None]) @ num_pairs_of_text_T
    for chunk in chunks:
        # The same product again gives the same bits: a film never beats itself.
        similarity_CN = (images_NE[chunk] @ texts_TE.T)[:, text_of_pair_N]
        better_images_N += (similarity_CN > own_N).sum(axis=0)
    return Ranks(1 + better_texts_N, 1 + better_images_N)


def hits(ranks_N: NDArray[np.int64], k: int) -> NDArray[np.float32]:
    """1 where the partner is among the ``k`` best, else 0; their mean is recall at ``k``."""
    return (ranks_N <= k).astype(np.float32)
