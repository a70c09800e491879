"""Masks of test films on disk."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from maskray.data.drawn_masks import DrawnMasks, pack, read_drawn_masks, write_drawn_masks
from maskray.errors import InputError


def made(order, seed=0):
    """Three films of 5 px (25 bits: no whole number of bytes) in some order."""
    masks = np.random.default_rng(seed).random((2, 3, 5, 5)) > 0.5
    true, drawn = (pack(half[order]) for half in masks)
    return DrawnMasks([f"film-{row}" for row in order], true, drawn, 5, 0.1), masks


def test_what_is_read_is_what_was_written_in_whatever_order(tmp_path):
    given, masks = made([2, 0, 1])
    write_drawn_masks(tmp_path / "a.parquet", given)
    write_drawn_masks(tmp_path / "b.parquet", made([0, 1, 2])[0])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    read = read_drawn_masks(tmp_path / "a.parquet")
    assert (read.image_ids, read.size_px, read.fraction) == (["film-0", "film-1", "film-2"], 5, 0.1)
    for row, image_id in enumerate(read.image_ids):
        np.testing.assert_array_equal(read.of(image_id), masks[:, row])


def test_files_that_are_no_masks_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no\.parquet: no such file; run the segmentation first"):
        read_drawn_masks(tmp_path / "no.parquet")
    (tmp_path / "text.parquet").write_text("text")
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name in ("text", "other"):
        with pytest.raises(InputError, match=rf"{name}\.parquet: not a file of drawn masks"):
            read_drawn_masks(tmp_path / f"{name}.parquet")
    given, _ = made([0, 1, 2])
    write_drawn_masks(tmp_path / "size.parquet", DrawnMasks(given.image_ids, given.true, given.drawn, 6, 0.1))
    with pytest.raises(InputError, match=r"size\.parquet: a mask is not one of 6 px"):
        read_drawn_masks(tmp_path / "size.parquet")
