"""Texts of the evaluation (prompts, phrases) as word pieces. Shapes: B texts, T tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from maskray.evaluation.runtime import Runtime
from maskray.reports.tokens import encode


def pad_texts(tokenizer: Any, max_tokens: int, texts: Sequence[str], runtime: Runtime) -> tuple[Tensor, Tensor]:
    """token_ids_BT and is_real_BT on the runtime's device, padded to the longest."""
    tokens = [encode(tokenizer, text, max_tokens).ids for text in texts]
    longest = max(len(ids) for ids in tokens)
    token_ids_BT = torch.full((len(tokens), longest), tokenizer.pad_token_id, dtype=torch.int64)
    is_real_BT = torch.zeros((len(tokens), longest), dtype=torch.bool)
    for row, ids in enumerate(tokens):
        token_ids_BT[row, : len(ids)] = torch.tensor(ids)
        is_real_BT[row, : len(ids)] = True
    return token_ids_BT.to(runtime.device), is_real_BT.to(runtime.device)
