"""Batches by step."""

import numpy as np
import pytest
import torch

from maskray.config.training import AugmentationConfig
from maskray.data.batches import Batches, StreamBatches, batches_from, finish
from maskray.data.pairs import join_films, join_pairs
from maskray.data.sampler import BatchOrder
from maskray.data.shard_store import ImageStore
from maskray.data.texts import TokenisedReports, training_texts
from maskray.errors import InputError
from maskray.reports.tokens import build_tokenizer, load_tokenizer
from tests.made_studies import make_source, write_shard_file


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return [make_source(folder / name, 12, side=16, name=name) for name in ("one", "two")]


@pytest.fixture(scope="module")
def tokenizer(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    pairs = join_pairs(sources, stores_of(sources), "sentences")
    build_tokenizer(list(training_texts(pairs.reports)), 300, folder)
    return load_tokenizer(folder)


def stores_of(sources):
    return [ImageStore(source.manifest.parent) for source in sources]


def make_batches(sources, tokenizer, rank=0, num_ranks=1, needs_ridge=True, num_steps=8):
    stores = stores_of(sources)
    pairs = join_pairs(sources, stores, "sentences")
    texts = TokenisedReports(pairs.reports, "sentences", tokenizer, 40)
    order = BatchOrder(len(pairs), 6, 11, rank, num_ranks)
    return Batches([StreamBatches(pairs, stores, texts, order, needs_ridge)], num_steps), pairs, stores


def equal(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_films_and_reports_belong_together(sources, tokenizer):
    batches, pairs, stores = make_batches(sources, tokenizer)
    (batch,) = batches[2]
    for row, pair in enumerate(batches.order.pairs(2)):
        images, ridge = stores[pairs.sources[pair]].read([str(pairs.image_ids[pair])])
        assert np.array_equal(batch.images_BSS[row].numpy(), images[0])
        assert np.array_equal(batch.ridge_BSS[row].numpy(), ridge[0])
        report = set(tokenizer(pairs.reports["findings"].iloc[pairs.studies[pair]])["input_ids"])
        assert set(batch.token_ids_BL[row][batch.token_is_real_BL[row]].tolist()) <= report


def test_two_ranks_hold_the_two_halves(sources, tokenizer):
    (whole,) = make_batches(sources, tokenizer)[0][3]
    halves = [make_batches(sources, tokenizer, rank, 2)[0][3][0] for rank in range(2)]
    for name in ("images_BSS", "ridge_BSS", "sample_seeds_B"):
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(whole, name))


@pytest.mark.parametrize("num_workers", [1, 2])
def test_workers_change_nothing(sources, tokenizer, num_workers):
    batches, _, _ = make_batches(sources, tokenizer)
    plain = list(batches_from(batches, 3, 0, pin_memory=False))
    assert len(plain) == 5
    for ours, theirs in zip(plain, batches_from(batches, 3, num_workers, pin_memory=False), strict=True):
        assert equal(ours[0], theirs[0])
    assert equal(plain[0][0], batches[3][0])


def test_ridge_only_where_needed(sources, tokenizer):
    batches, _, _ = make_batches(sources, tokenizer, needs_ridge=False)
    (stored,) = batches[0]
    assert stored.ridge_BSS is None
    assert torch.equal(stored.images_BSS, make_batches(sources, tokenizer)[0][0][0].images_BSS)
    batch = finish(stored, AugmentationConfig(), torch.device("cpu"))
    assert batch.ridge_BHW.shape == batch.images_BHW.shape
    assert not batch.ridge_BHW.any()


def test_finished_batches_are_augmented_and_repeatable(sources, tokenizer):
    batches, _, _ = make_batches(sources, tokenizer)
    first, second = (finish(batches[1][0], AugmentationConfig(), torch.device("cpu")) for _ in range(2))
    assert first.images_BHW.dtype == torch.float32
    assert 0 <= float(first.images_BHW.min()) <= float(first.images_BHW.max()) <= 1
    assert torch.equal(first.images_BHW, second.images_BHW)
    assert torch.equal(first.ridge_BHW, second.ridge_BHW)
    assert not torch.equal(first.images_BHW, batches[1][0].images_BSS / 255)


def test_a_second_stream_has_films_alone_in_an_order_of_its_own(sources, tokenizer):
    stores = stores_of(sources)
    films = join_films(sources, stores)
    joined = join_pairs(sources, stores, "sentences")
    pairs = StreamBatches(joined, stores, None, BatchOrder(len(joined), 6, 11), False)
    alone = StreamBatches(films, stores, None, BatchOrder(len(films), 6, 12), False)
    first, second = Batches([pairs, alone], 8)[1]
    assert second.token_ids_BL.shape == (6, 0)
    assert not torch.equal(first.sample_seeds_B, second.sample_seeds_B)
    expected = [str(name) for name in films.image_ids[alone.order.pairs(1)]]
    for row, (name, source) in enumerate(zip(expected, films.sources[alone.order.pairs(1)], strict=True)):
        assert np.array_equal(second.images_BSS[row].numpy(), stores[source].read_images([name])[0])
    assert finish(second, AugmentationConfig(), torch.device("cpu")).token_is_real_BL.shape == (6, 0)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_damage_arrives_as_an_input_error_without_a_traceback(tmp_path, tokenizer, num_workers):
    source = make_source(tmp_path / "one", 12, side=16, name="one")
    batches, _, _ = make_batches([source], tokenizer)
    films = np.zeros((12, 16, 16), np.uint8)
    ids = [f"one-{number:03d}" for number in range(12)]
    shard = source.manifest.parent / "part-0.h5"
    write_shard_file(shard, ids, films)
    import h5py

    with h5py.File(shard, "r+") as file:
        file["checksum"][:] = 1
    (first, *_) = batches_from(batches, 0, num_workers, pin_memory=False)
    assert isinstance(first, InputError)
    assert "part-0.h5" in str(first)
    assert "Traceback" not in str(first)
