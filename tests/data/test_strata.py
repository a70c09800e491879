import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.data.strata import Patients, Room, apportion, deal, nested_sizes, people_of, spread


@given(st.integers(1, 500), st.sampled_from([(0.6, 0.2, 0.2), (0.7, 0.1, 0.2), (0.9, 0.1), (0.99, 0.005, 0.005)]))
def test_apportioned_numbers_add_up_and_are_nearest(num_patients, shares):
    counts = apportion(num_patients, shares)
    assert sum(counts) == num_patients
    assert 0 not in counts or num_patients < len(shares)
    if min(num_patients * share for share in shares) >= 1:
        assert all(abs(count - num_patients * share) < 1 for count, share in zip(counts, shares, strict=True))


def test_every_stretch_of_the_spread_order_looks_like_the_whole():
    generator = np.random.default_rng(0)
    labels = pd.DataFrame({"A": generator.random(4000) < 0.3, "B": generator.random(4000) < 0.05}).astype("float32")
    patients = spread(pd.Series([f"p{n}" for n in range(4000)]), labels, "seed")
    for start in range(0, 4000, 500):
        stretch = patients.meets_PN[start : start + 500]
        assert stretch[:, 0].mean() == pytest.approx(labels["A"].mean(), abs=0.02)
        assert stretch[:, 1].mean() == pytest.approx(labels["B"].mean(), abs=0.006)


def test_needs_of_a_patient_are_those_of_any_image():
    labels = pd.DataFrame({"A": [1, 0, np.nan]})
    patients = spread(pd.Series(["p", "p", "q"]), labels, "seed")
    meets = dict(zip(patients.ids_P, patients.meets_PN.tolist(), strict=True))
    assert meets == {"p": [True, True], "q": [False, False]}
    assert dict(zip(patients.ids_P, patients.num_images_P, strict=True)) == {"p": 2, "q": 1}


def people(meets, num_images=None):
    meets_PN = np.array(meets, dtype=bool)
    sizes = np.ones(len(meets), dtype=int) if num_images is None else np.array(num_images)
    return Patients(np.array([f"p{n}" for n in range(len(meets))], dtype=object), sizes, meets_PN)


def test_scarce_patients_are_dealt_one_to_each_part():
    patients = people([[1], [1], [1]] + [[0]] * 7)
    part_P = deal(patients, [Room(6), Room(2), Room(2)])
    assert sorted(part_P[:3]) == [0, 1, 2]
    assert np.bincount(part_P).tolist() == [6, 2, 2]


def test_rooms_are_filled_and_never_overfilled():
    patients = people([[0]] * 10, num_images=[4, 1, 1, 3, 2, 1, 1, 1, 1, 1])
    part_P = deal(patients, [Room(5), Room(5, num_images=6)])
    assert patients.num_images_P[part_P == 1].sum() == 6
    assert (part_P == 1).sum() <= 5


def test_the_smallest_fraction_grows_until_it_meets_all_needs():
    patients = people([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]] + [[1, 0, 0]] * 96)
    order_P, sizes = nested_sizes(patients, [0.01, 0.1, 1.0])
    assert sizes == [3, 10, 100]
    assert sorted(order_P) == list(range(100))
    assert patients.meets_PN[order_P[:3]].any(axis=0).all()


def test_the_smallest_fraction_keeps_its_natural_beginning_where_that_does():
    patients = people([[1, 1]] * 300)
    order_P, sizes = nested_sizes(patients, [0.01, 1.0])
    assert order_P.tolist() == list(range(300))
    assert sizes == [3, 300]


def test_people_are_joined_by_ids_and_by_persons():
    patients = pd.Series(["b", "a", "c", "c", "d"])
    persons = pd.Series(["nih/1", "nih/1", "nih/2", "nih/3", "nih/4"])
    assert list(people_of(patients, persons)) == ["a", "a", "c", "c", "d"]
