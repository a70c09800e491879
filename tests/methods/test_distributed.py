"""Two processes, each with half of a batch, have the losses and gradients of one with the whole."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from maskray.methods import METHODS
from tests.methods.made_methods import made_batch, made_batches, made_method, part_of

# MedIM's decoder has batch norm, which sees the global batch on GPUs alone: here its alignment is compared.
WITHOUT_BATCH_NORM = {"medim": {"guides": []}}


def step(name, batches):
    method = made_method(name, **WITHOUT_BATCH_NORM.get(name, {}))
    losses = method(*batches)
    losses.total().backward()
    gradients = {key: p.grad for key, p in method.named_parameters() if p.grad is not None}
    return {key: value.detach() for key, value in losses.terms.items()}, gradients


def half_of(batch, rank):
    """Four samples, padded no further than their own longest text: the processes differ in it."""
    rows = slice(4 * rank, 4 * rank + 4)
    longest = int(batch.token_is_real_BL[rows].any(dim=0).sum())
    is_text = {name: name.startswith("token") for name in batch.__dataclass_fields__}
    half = part_of(batch, rows)
    return type(batch)(**{n: getattr(half, n)[:, :longest] if is_text[n] else getattr(half, n) for n in is_text})


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    for name in METHODS:
        terms, gradients = step(name, [half_of(batch, rank) for batch in made_batches(name)])
        for value in (*terms.values(), *gradients.values()):
            dist.all_reduce(value)
            value /= 2
        if rank == 0:
            torch.save({"terms": terms, "gradients": gradients}, f"{folder}/{name}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def of_two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    # They meet over a file: a free port may be another program's by the time that they take it.
    mp.spawn(work, (str(folder),), nprocs=2)
    return {name: torch.load(folder / f"{name}.pt", weights_only=True) for name in METHODS}


def test_the_halves_differ_in_padding():
    lengths = {half_of(made_batch(), rank).token_ids_BL.shape[1] for rank in range(2)}
    assert len(lengths) == 2


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
@pytest.mark.parametrize("name", METHODS)
def test_two_processes_equal_one(of_two_processes, name):
    terms, gradients = step(name, made_batches(name))
    joined = of_two_processes[name]
    for key, value in terms.items():
        assert torch.allclose(joined["terms"][key], value, rtol=1e-5), key
    assert set(joined["gradients"]) == set(gradients)
    for key, gradient in gradients.items():
        assert torch.allclose(joined["gradients"][key], gradient, rtol=1e-3, atol=1e-5), key
