import logging

import pytest

from maskray.data.readers.covid_rural import read_index
from maskray.errors import InputError
from tests.data.layouts import COVID_FILMS, dataset, label, touch, write_covid_rural


def test_films_with_masks(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        index = read_index({"folder": write_covid_rural(tmp_path)}, dataset("covid_rural", expected={"images": 221}))
    assert list(index["image_id"]) == list(COVID_FILMS[:3])
    assert set(index["patient_id"]) == {"COVID-19-AR-90000001"}
    assert list(index["study_id"].str[-10:]) == ["01-08-2012", "01-15-2012", "01-15-2012"]
    assert index["path"][0] == f"covid_rural_annot/jpgs/{COVID_FILMS[0]}.jpg"
    assert index["mask"][0] == f"covid_rural_annot/pngs_masks/{COVID_FILMS[0]}.png"
    assert index["mask"][2] == f"covid_rural_annot/pngs_masks/{COVID_FILMS[2]}.jpg.png"
    assert label(index, "COVID-19") == [1, 1, 1]
    assert "covid_rural: 1 of 4 films have no mask and are left out" in caplog.text
    assert "3 images; a complete copy has 221" in caplog.text


def test_the_official_folder_itself_may_be_the_site_folder(tmp_path):
    outside = read_index({"folder": write_covid_rural(tmp_path)}, dataset("covid_rural"))
    inside = read_index({"folder": tmp_path / "covid_rural_annot"}, dataset("covid_rural"))
    assert list("covid_rural_annot/" + inside["mask"]) == list(outside["mask"])
    assert inside.drop(columns=["path", "mask"]).equals(outside.drop(columns=["path", "mask"]))


@pytest.mark.parametrize("name", ["{}_mask.png", "{}-Mask.PNG", "{}.jpeg.png", "{}.JPG.png"])
def test_masks_may_be_called_a_little_differently(tmp_path, name):
    top = write_covid_rural(tmp_path) / "covid_rural_annot"
    touch(top / "pngs_masks" / name.format(COVID_FILMS[3]))
    index = read_index({"folder": tmp_path}, dataset("covid_rural"))
    assert index["mask"][3] == f"covid_rural_annot/pngs_masks/{name.format(COVID_FILMS[3])}"


def test_a_mask_of_another_film_of_the_day_is_not_taken(tmp_path, caplog):
    top = write_covid_rural(tmp_path) / "covid_rural_annot"
    touch(top / "pngs_masks" / f"{COVID_FILMS[3]}-2.png")
    index = read_index({"folder": tmp_path}, dataset("covid_rural"))
    assert COVID_FILMS[3] not in set(index["image_id"])
    assert f"1 mask(s) have no film in jpgs, e.g. covid_rural_annot/pngs_masks/{COVID_FILMS[3]}-2.png" in caplog.text


def test_two_masks_of_one_film_are_refused(tmp_path):
    top = write_covid_rural(tmp_path) / "covid_rural_annot"
    touch(top / "pngs_masks" / f"{COVID_FILMS[0]}_mask.png")
    with pytest.raises(InputError, match=r"XR_mask.png: .*XR.png is for the same film; delete one"):
        read_index({"folder": tmp_path}, dataset("covid_rural"))


def test_a_name_that_does_not_tell_the_patient_is_refused(tmp_path):
    top = write_covid_rural(tmp_path) / "covid_rural_annot"
    touch(top / "jpgs/film.jpg", top / "pngs_masks/film.png")
    with pytest.raises(InputError, match=r"film.jpg: its name does not tell patient and day"):
        read_index({"folder": tmp_path}, dataset("covid_rural"))


def test_missing_masks_are_named(tmp_path):
    touch(tmp_path / "jpgs" / f"{COVID_FILMS[0]}.jpg")
    with pytest.raises(InputError, match=r"pngs_masks: missing: the opacity masks"):
        read_index({"folder": tmp_path}, dataset("covid_rural"))
    (tmp_path / "pngs_masks").mkdir()
    with pytest.raises(InputError, match=r"covid_rural: no image is left"):
        read_index({"folder": tmp_path}, dataset("covid_rural"))
