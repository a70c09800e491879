"""Traps that others fell into: what catches each.

- SIIM split by row of its table, not by image: test_siim_is_split_by_image
- lists that put one image into training and test: test_lists_that_leak_are_refused_and_the_images_named
- CheXpert validation drawn by row: test_chexpert_validation_is_drawn_by_patient
- RSNA split by "patientId", which names an image: test_rsna_is_split_by_the_patient_of_nih
- two ids of one person in a joined data set: tests/data/test_splits.py::test_two_ids_of_one_person_are_never_parted
- label fractions redrawn, not nested: test_fractions_are_nested_and_drawn_once
- a subset without a stored seed: test_the_summary_is_enough_to_draw_the_subset_again
- numbers over different test sets: test_splits_with_other_test_images_say_so
- MONOCHROME1 shown inverted: tests/images/test_dicom.py::test_monochrome1_is_inverted
- lossless JPEG read wrongly: tests/images/test_dicom.py::test_lossless_jpeg_and_jpeg_ls_change_nothing
- 16-bit PNG cut by the wrong end: tests/images/test_decode.py::test_16_bit_png_is_scaled_by_its_own_range
- missing, empty or black files taken for films:
  tests/images/test_decode.py::test_empty_missing_folder_text_and_constant_files_are_refused_with_the_reason
- films of one data set inside another are the leakage guard's matter, lists without a header the COVIDx reader's
"""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from maskray.config.dataset import DatasetConfig, SplitConfig
from maskray.data.readers import chexpert, rsna, siim
from maskray.data.splits import draw, hash_of_ids, split, summarise
from maskray.errors import InputError
from tests.data.layouts import CHEXPERT_HEADER, dataset, touch, write
from tests.data.test_splits import LABELS, SHARES, index_of


def parts_of(index, config, labels, seed):
    """Image -> part."""
    return split(index, config.model_copy(update={"seed": seed}), labels).set_index("image_id")["part"]


def test_every_test_that_the_list_above_names_exists(repository):
    for place, name in re.findall(r"(tests/\S+\.py)?(?:::)?(test_\w+)(?!\.py|\w|/)", __doc__):
        assert f"def {name}(" in (repository / (place or "tests/data/test_traps.py")).read_text(), name


@pytest.mark.parametrize("seed", range(5))
def test_siim_is_split_by_image(tmp_path, seed):
    rows = [f"1.{n}, {start} 5" for n in range(20) for start in (100, 900, 4000)] + [
        f"1.{n}, -1" for n in range(20, 60)
    ]
    np.random.default_rng(seed).shuffle(rows)
    write(tmp_path / "train-rle.csv", ["ImageId, EncodedPixels", *rows])
    touch(*(tmp_path / f"dicom-images-train/9.{n}/8.{n}/1.{n}.dcm" for n in range(60)))
    index = siim.read_index({"folder": tmp_path}, dataset("siim"))
    part = parts_of(index, SHARES, ["Pneumothorax"], seed)
    assert len(rows) == 100
    assert part.index.is_unique
    assert part.value_counts().to_dict() == {"train": 36, "test": 12, "validation": 12}


def test_lists_that_leak_are_refused_and_the_images_named(tmp_path):
    """As published twice: 494 of 672 positive test images are training images."""
    index = index_of([1] * 2000)
    ids = list(index["image_id"])
    for name, listed in {"train": ids[:1200], "validation": ids[1200:1400], "test": ids[706:1378]}.items():
        write(tmp_path / f"{name}.txt", listed)
    with pytest.raises(
        InputError, match=r"672 id\(s\) stand in two parts: i00706 \(train\.txt, line 707 and test\.txt"
    ):
        split(index, SplitConfig(lists=str(tmp_path)), LABELS)


@pytest.mark.parametrize("seed", range(5))
def test_chexpert_validation_is_drawn_by_patient(tmp_path, seed):
    top = tmp_path / "CheXpert-v1.0"
    for part, patients in (("train", range(1, 41)), ("valid", range(41, 46))):
        names = [f"CheXpert-v1.0/{part}/patient{n:05}/study{s}/v.jpg" for n in patients for s in (1, 2, 3)]
        write(top / f"{part}.csv", [CHEXPERT_HEADER, *(f"{name},Male,50,Frontal,AP{',1.0' * 14}" for name in names)])
        touch(*(tmp_path / name for name in names))
    index = chexpert.read_index({"folder": tmp_path}, dataset("chexpert"))
    config = SplitConfig(official_test=True, official_test_part="validation", validation=0.2)
    part = parts_of(index, config, ["Edema"], seed)
    assert part.value_counts().to_dict() == {"train": 96, "validation": 24, "test": 15}
    patients = index.set_index("image_id")["patient_id"].groupby(part).agg(set)
    assert not any(patients[one] & patients[other] for one in patients.index for other in patients.index if one < other)


@pytest.mark.parametrize("seed", range(5))
def test_rsna_is_split_by_the_patient_of_nih(tmp_path, seed):
    """Ids are scattered over the patients, three each; without the mappings they would be parted."""
    write(
        tmp_path / "stage_2_train_labels.csv",
        ["patientId,x,y,width,height,Target", *(f"i{n},,,,,0" for n in range(60))],
    )
    touch(*(tmp_path / f"stage_2_train_images/i{n}.dcm" for n in range(60)))
    apart = parts_of(rsna.read_index({"folder": tmp_path}, dataset("rsna")), SHARES, ["Pneumonia"], seed)
    entries = [{"subset_img_id": f"i{n}", "img_id": f"{n % 20 + 1:08}_{n // 20:03}.png"} for n in range(60)]
    (tmp_path / rsna.MAPPINGS).write_text(json.dumps(entries))
    index = rsna.read_index({"folder": tmp_path}, dataset("rsna"))
    together = parts_of(index, SHARES, ["Pneumonia"], seed)
    person = index.set_index("image_id")["person"]
    assert together.groupby(person).nunique().max() == 1
    assert apart.groupby(person).nunique().max() > 1


def test_fractions_are_nested_and_drawn_once():
    index = index_of([1, 2, 3] * 200)
    drawn = split(index, SHARES, LABELS)
    subsets = [set(drawn["image_id"][drawn["fraction"] <= share]) for share in (0.01, 0.1, 1.0)]
    assert all(small < large for small, large in pairwise(subsets))
    assert split(index[::-1], SHARES, LABELS).equals(drawn)


def test_the_summary_is_enough_to_draw_the_subset_again():
    index, config = index_of([1] * 500), SHARES.model_copy(update={"seed": 7})
    summary = summarise(draw(index, config, LABELS), index, config, LABELS)
    again = split(index, SHARES.model_copy(update={"seed": summary["seed"]}), LABELS)
    assert hash_of_ids(again["image_id"][again["fraction"] <= 0.01]) == summary["fractions"]["0.01"]["sha256"]
    other = split(index, SHARES, LABELS)
    assert hash_of_ids(other["image_id"][other["fraction"] <= 0.01]) != summary["fractions"]["0.01"]["sha256"]


def test_splits_with_other_test_images_say_so(repository):
    for path in sorted((repository / "config/datasets").glob("*.yaml")):
        assert all(split.note for split in DatasetConfig.read(path).splits.values()), path
    nih = DatasetConfig.read(repository / "config/datasets/nih.yaml").splits
    assert "tested on the official list" in nih["official"].note
    assert "not the official test list" in nih["maco"].note
    rsna_splits = DatasetConfig.read(repository / "config/datasets/rsna.yaml").splits
    assert "not comparable" in rsna_splits["maco"].note
    assert "not comparable" not in rsna_splits["maco_release"].note
