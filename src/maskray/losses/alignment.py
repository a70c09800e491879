"""MGCA's alignment of films and reports at three granularities, which MedIM takes over (its Sec. 2.4).

Wang et al., Multi-granularity cross-modal alignment, NeurIPS 2022, https://arxiv.org/abs/2210.06044, Eq. (1) to (8).

Shapes: G global batch, B batch, N queries (words or patches), M keys (patches or words), E joint width, K prototypes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from maskray.losses.precision import in_full_precision


@in_full_precision
def token_alignment(
    queries_BNE: Tensor, keys_BME: Tensor, query_is_real_BN: Tensor, key_is_real_BM: Tensor, tau: float
) -> Tensor:
    """Each query meets what it attends to among the keys of its own pair, against the other queries of the sample.

    Both directions of InfoNCE over the queries of a sample, averaged over its real queries and over the samples. All
    features are L2-normalised first.
    """
    queries_BNE, keys_BME = F.normalize(queries_BNE, dim=2), F.normalize(keys_BME, dim=2)
    scores_BNM = queries_BNE @ keys_BME.transpose(1, 2) / tau
    shares_BNM = scores_BNM.masked_fill(~key_is_real_BM[:, None], float("-inf")).softmax(dim=2)
    attended_BNE = F.normalize(shares_BNM @ keys_BME, dim=2)
    logits_BNN = queries_BNE @ attended_BNE.transpose(1, 2) / tau
    # A finite number: a row of padding has no real column, and its softmax must not become NaN.
    logits_BNN = logits_BNN.masked_fill(~(query_is_real_BN[:, None] & query_is_real_BN[:, :, None]), -1e4)
    targets_BN = torch.arange(logits_BNN.shape[1], device=logits_BNN.device).expand(logits_BNN.shape[:2])
    losses_BN = (
        F.cross_entropy(logits_BNN.transpose(1, 2), targets_BN, reduction="none")
        + F.cross_entropy(logits_BNN, targets_BN, reduction="none")
    ) / 2
    num_real_B = query_is_real_BN.sum(dim=1).clamp(min=1)
    return ((losses_BN * query_is_real_BN).sum(dim=1) / num_real_B).mean()


@torch.no_grad()
@in_full_precision
def sinkhorn(scores_GK: Tensor, epsilon: float, num_iterations: int) -> Tensor:
    """Soft assignment of samples to prototypes that uses all prototypes equally: rows sum to 1, shares_GK.

    Cuturi 2013, as in SwAV (https://arxiv.org/abs/2006.09882): exp(scores / epsilon), columns and rows normalised in
    turn.
    """
    # The largest score cancels in the first normalisation, and keeps the exponential finite.
    shares_GK = ((scores_GK - scores_GK.max()) / epsilon).exp()
    shares_GK = shares_GK / shares_GK.sum()
    num_samples, num_prototypes = shares_GK.shape
    for _ in range(num_iterations):
        shares_GK = shares_GK / shares_GK.sum(dim=0, keepdim=True) / num_prototypes
        shares_GK = shares_GK / shares_GK.sum(dim=1, keepdim=True) / num_samples
    return shares_GK * num_samples


@in_full_precision
def prototype_alignment(
    images_GE: Tensor, texts_GE: Tensor, prototypes_KE: Tensor, tau: float, epsilon: float, num_iterations: int
) -> Tensor:
    """A film predicts its report's prototypes and the other way round: mean of the two cross-entropies.

    The assignments come from :func:`sinkhorn` on the whole batch and carry no gradient; all features and prototypes
    are L2-normalised.
    """
    prototypes_KE = F.normalize(prototypes_KE, dim=1)
    scores = [F.normalize(features_GE, dim=1) @ prototypes_KE.T for features_GE in (images_GE, texts_GE)]
    images_GK, texts_GK = (sinkhorn(scores_GK, epsilon, num_iterations) for scores_GK in scores)
    return (F.cross_entropy(scores[0] / tau, texts_GK) + F.cross_entropy(scores[1] / tau, images_GK)) / 2
