from collections import Counter, defaultdict

import pytest

from maskray.data.made.labels import CHEXPERT_LABELS, CONFLICTS, NIH_LABELS, chexpert_truth
from maskray.data.made.studies import draw_study, visit_of

NUM_STUDIES = 1200


@pytest.fixture(scope="module")
def studies():
    return [draw_study("mimic", 0, number) for number in range(NUM_STUDIES)]


def test_each_label_is_neither_rare_nor_common(studies):
    counts = Counter(label for study in studies for label in study.labels())
    for label in NIH_LABELS:
        assert 0.05 <= counts[label] / NUM_STUDIES <= 0.20, label


def test_about_a_third_has_no_finding_and_none_more_than_four(studies):
    num_findings = [len(study.labels() - {"Support Devices"}) for study in studies]
    assert 0.27 <= num_findings.count(0) / NUM_STUDIES <= 0.38
    assert max(num_findings) == 4


def test_conflicting_findings_never_meet(studies):
    for study in studies:
        labels = study.labels()
        assert not any(CONFLICTS.get(label, set()) & labels for label in labels)


def test_visits_count_up_within_each_patient():
    visits = defaultdict(list)
    for number in range(100):
        patient, visit, num_visits = visit_of(number)
        visits[patient].append((visit, num_visits))
    assert len(visits) < 100
    for seen in visits.values():
        assert [visit for visit, _ in seen] == list(range(len(seen)))
        assert {num for _, num in seen} == {len(seen)} or len(seen) < seen[0][1]


def test_a_patient_stays_the_same_person(studies):
    sexes = defaultdict(set)
    for study in studies:
        sexes[study.patient].add(study.sex)
    assert all(len(sex) == 1 for sex in sexes.values())


def test_gathered_data_sets_hold_more_of_their_disease():
    def share(dataset, label):
        return sum(label in draw_study(dataset, 0, number).labels() for number in range(600)) / 600

    assert share("siim", "Pneumothorax") > 1.5 * share("nih", "Pneumothorax")
    assert share("rsna", "Pneumonia") > 1.3 * share("nih", "Pneumonia")


@pytest.mark.parametrize(
    ("painted", "positive"),
    [
        ([], {"No Finding"}),
        (["Support Devices"], {"No Finding", "Support Devices"}),
        (["Hernia"], set()),
        (["Nodule"], {"Lung Lesion", "Lung Opacity"}),
        (["Cardiomegaly"], {"Cardiomegaly", "Enlarged Cardiomediastinum"}),
        (["Pneumonia"], {"Pneumonia", "Consolidation", "Lung Opacity"}),
    ],
)
def test_chexpert_labels_include_their_parents(painted, positive):
    assert chexpert_truth(painted) == positive
    assert positive <= set(CHEXPERT_LABELS)
