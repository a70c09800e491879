from dataclasses import replace

import numpy as np
import pytest

from maskray.data.made.frontal import PAINTERS, paint_frontal
from maskray.data.made.labels import NIH_LABELS, SITES
from maskray.data.made.lateral import paint_lateral
from maskray.data.made.marks import GRID
from maskray.data.made.studies import Finding, draw_study

SIZE = 96
# Findings that change the shape of the chest move vessels and ribs outside their boxes too.
COVERED = {"Emphysema": 0.75, "Fibrosis": 0.75, "Enlarged Cardiomediastinum": 0.65, "Cardiomegaly": 0.9}
DEVICE = Finding("Support Devices", kind="left pectoral pacemaker")


def a_finding(label, side=None):
    if label == "Support Devices":
        return DEVICE
    sides, zones = SITES[label]
    side = side or (sides[0] if sides else "")
    return Finding(label, side=side, zone=zones[0] if zones else "", size=0.6, grade=2 if label == "Edema" else 0)


def changed(study, finding):
    film = paint_frontal(replace(study, findings=(finding,)), SIZE)
    without = paint_frontal(replace(study, findings=()), SIZE)
    return np.abs(film.pixels.astype(int) - without.pixels) > 15, film


def inside(boxes):
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    scale = SIZE / GRID
    for x, y, width, height in boxes:
        rows = slice(int(y * scale), int(np.ceil((y + height) * scale)))
        mask[rows, int(x * scale) : int(np.ceil((x + width) * scale))] = True
    return mask


@pytest.mark.parametrize("label", PAINTERS)
def test_boxes_cover_what_the_finding_changes(label):
    for number in (2, 3):
        pixels, film = changed(draw_study("nih", 0, number), a_finding(label))
        boxes = inside(film.boxes[label])
        assert pixels.sum() >= 10
        assert (pixels & boxes).sum() >= COVERED.get(label, 0.9) * pixels.sum()
        assert pixels[boxes].mean() > 0.05


@pytest.mark.parametrize("label", [label for label, (sides, _) in SITES.items() if "right" in sides])
@pytest.mark.parametrize(("side", "image_half"), [("right", "left"), ("left", "right")])
def test_the_patients_right_is_the_left_of_the_image(label, side, image_half):
    pixels, film = changed(draw_study("nih", 0, 4), a_finding(label, side))
    columns = np.nonzero(pixels)[1] / SIZE
    assert (columns.mean() < 0.5) == (image_half == "left")
    assert all((x + width / 2 < GRID / 2) == (image_half == "left") for x, _, width, _ in film.boxes[label])


def test_bilateral_findings_have_a_box_on_each_side():
    film = paint_frontal(replace(draw_study("nih", 0, 1), findings=(a_finding("Effusion", "bilateral"),)), SIZE)
    left_of_image, right_of_image = sorted(film.boxes["Effusion"])
    assert left_of_image[0] + left_of_image[2] <= right_of_image[0] + GRID / SIZE


def test_boxes_do_not_depend_on_the_size_of_the_film():
    study = replace(draw_study("nih", 0, 1), findings=(a_finding("Mass"),))
    small, large = (paint_frontal(study, size).boxes["Mass"][0] for size in (64, 256))
    np.testing.assert_allclose(small, large, atol=2 * GRID / 64)


def test_films_are_a_pure_function_of_the_study():
    study = draw_study("nih", 5, 11)
    again = paint_frontal(draw_study("nih", 5, 11), SIZE)
    assert np.array_equal(paint_frontal(study, SIZE).pixels, again.pixels)
    for other in (draw_study("nih", 5, 12), draw_study("nih", 6, 11), draw_study("siim", 5, 11)):
        assert not np.array_equal(paint_frontal(other, SIZE).pixels, again.pixels)


def test_a_mask_is_where_its_labels_are_painted():
    study = draw_study("siim", 0, 0)
    air = paint_frontal(replace(study, findings=(a_finding("Pneumothorax", "left"),)), SIZE).mask(["Pneumothorax"])
    assert 0.01 < air.mean() < 0.25
    assert np.nonzero(air)[1].mean() > SIZE / 2
    assert not paint_frontal(replace(study, findings=(a_finding("Effusion"),)), SIZE).mask(["Pneumothorax"]).any()


def test_a_mask_of_several_labels_is_their_union():
    study = replace(draw_study("covid_rural", 0, 0), findings=(a_finding("Pneumonia"), a_finding("Infiltration")))
    film = paint_frontal(study, SIZE)
    both = film.mask(["Pneumonia", "Infiltration", "Mass"])
    assert np.array_equal(both, film.mask(["Pneumonia"]) | film.mask(["Infiltration"]))
    assert both.any()


def test_edema_whitens_with_its_grade():
    study = draw_study("mimic", 0, 0)
    means = [
        paint_frontal(replace(study, findings=(replace(a_finding("Edema"), grade=grade),)), SIZE).pixels.mean()
        for grade in (1, 2, 3)
    ]
    assert means == sorted(set(means))


def test_every_nih_label_has_a_painter():
    assert set(NIH_LABELS) <= set(PAINTERS)


def test_lateral_film_shows_fluid_and_is_repeatable():
    study = replace(draw_study("mimic", 0, 0), findings=())
    plain = paint_lateral(study, SIZE)
    assert plain.shape == (SIZE, SIZE)
    assert np.array_equal(plain, paint_lateral(study, SIZE))
    wet = paint_lateral(replace(study, findings=(a_finding("Effusion"),)), SIZE)
    assert (wet.astype(int) - plain > 20).sum() > 20
