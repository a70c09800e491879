"""The learned mask: exact size, randomness by the sample, and a gradient against the reconstruction."""

import torch

from maskray.losses.reconstruction import hidden_l1
from maskray.masking.apply import replace
from maskray.masking.generator import MaskGenerator


def build(tau=1.0):
    torch.manual_seed(0)
    return MaskGenerator(width=8, grid=(4, 4), tau=tau)


def patches(num=3):
    return torch.randn(num, 16, 8, generator=torch.Generator().manual_seed(1))


def test_weights_are_exactly_0_or_1_and_as_many_as_asked():
    weights = build()(patches(), torch.arange(3), 0.75)
    assert set(weights.unique().tolist()) == {0.0, 1.0}
    assert (weights.sum(dim=1) == 12).all()


def test_a_mask_belongs_to_its_sample():
    generator = build()
    whole = generator(patches(), torch.arange(3), 0.5)
    assert torch.equal(whole[1:], generator(patches()[1:], torch.arange(1, 3), 0.5))
    assert not torch.equal(whole, generator(patches(), torch.arange(3) + 10, 0.5))


def test_high_scores_are_hidden_more_often():
    generator = build()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.zero_()
        generator.scorer[0].weight[:, 0, 1, 1] = 10.0
        generator.scorer[2].weight.fill_(0.1)
    tokens = torch.zeros(1, 16, 8)
    tokens[0, 5, 0] = 1.0
    counts = sum(generator(tokens, torch.tensor([seed]), 0.25)[0] for seed in range(100))
    assert counts[5] > 60
    assert counts.sum() == 400
    assert max(counts[n].item() for n in range(16) if n != 5) < 45


def test_a_hidden_token_is_replaced_exactly_and_a_visible_one_kept():
    tokens, token = patches(), torch.randn(8)
    weights = build()(tokens, torch.arange(3), 0.5)
    assert torch.equal(replace(tokens, weights, token), replace(tokens, weights.bool(), token))


def test_the_generator_learns_to_hide_what_is_hard_and_the_model_to_restore_it():
    """Patch 3 alone is badly predicted: its score rises; the prediction's own gradient is as without a generator."""
    generator, tokens, seeds = build(), patches(1), torch.tensor([2])
    error = torch.full((1, 16, 1), 0.1)
    error[0, 3] = 5.0
    optimiser = torch.optim.SGD(generator.parameters(), lr=0.5)

    def score_of(patch):
        features = tokens.transpose(1, 2).unflatten(2, (4, 4))
        return generator.scorer(features).flatten(1).softmax(dim=1)[0, patch].item()

    before = score_of(3)
    for step in range(30):
        weights = generator(tokens, seeds + step, 0.5)
        prediction = error.clone().requires_grad_()
        loss = hidden_l1(prediction, torch.zeros_like(prediction), weights)
        optimiser.zero_grad()
        loss.backward()
        expected = weights.detach() / 8
        torch.testing.assert_close(prediction.grad[:, :, 0], expected)
        optimiser.step()
    assert score_of(3) > 2 * before


def test_errors_of_visible_patches_teach_nothing():
    generator, tokens = build(), patches(1)
    gradients = []
    for visible_error in (0.0, 100.0):
        generator.zero_grad()
        weights = generator(tokens, torch.tensor([4]), 0.5)
        error = torch.where(weights.detach().bool(), torch.arange(16.0), torch.tensor(visible_error))[:, :, None]
        hidden_l1(error, torch.zeros_like(error), weights).backward()
        gradients.append(generator.scorer[0].weight.grad.clone())
    assert torch.equal(*gradients)
    assert gradients[0].any()


def test_no_gradient_reaches_the_patches():
    tokens = patches().requires_grad_()
    build()(tokens, torch.arange(3), 0.5).pow(2).sum().backward()
    assert tokens.grad is None
