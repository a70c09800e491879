"""Head, order, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maskray.errors import InputError
from maskray.evaluation.images import Examples
from maskray.evaluation.supervised import (
    check_stated,
    new_head,
    shuffled_batches,
)

NAN = float("nan")


def examples_of(labels):
    labels = np.array(labels, np.float32)
    return Examples([str(i) for i in range(len(labels))], ["p"] * len(labels), labels)


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 3), st.integers(1, 3))
def test_every_image_stands_once_in_each_epoch(num_images, batch_size, seed, epoch):
    batches = list(shuffled_batches(num_images, batch_size, seed, epoch))
    assert sorted(np.concatenate(batches)) == list(range(num_images))
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        return np.concatenate(list(shuffled_batches(30, 4, seed, epoch))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_heads_follow_the_seed_alone():
    torch.manual_seed(5)
    first = new_head(6, 2, 0).weight
    torch.manual_seed(7)
    assert torch.equal(first, new_head(6, 2, 0).weight)
    assert not torch.equal(first, new_head(6, 2, 1).weight)


def test_a_part_without_a_stated_label_is_refused():
    with pytest.raises(InputError, match=r"split\.csv: no image of train has a stated label"):
        check_stated("train", examples_of([[NAN], [NAN]]), "split.csv")
