"""The benchmarks at tiny sizes: the shape of the table, and that both sides compute the same; never the clock."""

import dataclasses
import json

import pytest
import torch

from maskray.benchmarks import run_all
from maskray.benchmarks.measure import MIN_REPEATS, Row, Sizes, Spread, compare
from maskray.benchmarks.memory import measure_memory
from maskray.benchmarks.projection import project
from maskray.benchmarks.starts import first_step
from maskray.benchmarks.steps import PEER, measure_steps
from maskray.benchmarks.table import render
from maskray.benchmarks.training import full_trainings, measure_training
from maskray.errors import InputError
from tests.scripts.programs import TOP, run_program

TINY = Sizes(
    film_px=48,
    num_ridge_films=3,
    file_px=160,
    painted_px=80,
    num_files=5,
    num_stored_films=12,
    batch_size=8,
    num_reports=20,
    num_training_steps=1,
    measures_starts=False,
    num_probe_films=40,
    num_step_images=0,
    num_memory_items=0,
    memory_film_px=64,
)
NUM_PAPERS = 5  # of config/demo.yaml


@pytest.fixture(scope="module")
def results():
    threads = torch.get_num_threads()
    measured = run_all(TOP, 1e-6, TINY)
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)
    return measured | {"command": "python scripts/benchmark.py"}


def row_of(results, what, peer=""):
    """The first of these rows."""
    return next(row for row in results["rows"] if row["what"].startswith(what) and peer in row["peer_name"])


def test_every_part_is_measured(results):
    assert [row["what"].split(",")[0] for row in results["rows"]] == [
        "ridge filter",
        *["films to shards"] * 4,
        *["reading a shuffled batch"] * 2,
        "sections to manuscripts",
        "sections to manuscripts",
        "linear probe",
        *["training step"] * NUM_PAPERS,
    ]
    assert all(row["ours"]["lower"] <= row["ours"]["median"] <= row["ours"]["upper"] for row in results["rows"])
    assert [row["num_repeats"] for row in results["rows"]] == [MIN_REPEATS] * 10 + [
        TINY.num_training_steps
    ] * NUM_PAPERS


def test_only_the_training_steps_have_no_peer(results):
    for row in results["rows"]:
        has_peer = not row["what"].startswith("training")
        assert [row["peer"] is not None, row["ratio"] is not None, row["peer_name"] != ""] == [has_peer] * 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_its_benchmark_says_so():
    with pytest.raises(InputError, match="no GPU"):
        run_all(TOP, 1e-6, TINY, on_gpu=True)


@pytest.mark.gpu
def test_the_gpu_is_measured():
    rows = run_all(TOP, 1e-6, Sizes(num_ridge_films=4, num_step_images=16), on_gpu=True)["rows"]
    assert [row["what"].endswith("on the GPU") for row in rows] == [True] * (1 + 2 * NUM_PAPERS)


def test_both_sides_compute_the_same(results):
    assert row_of(results, "linear probe")["agreement"]["largest difference of a probability"] < 1e-5
    assert row_of(results, "ridge")["agreement"]["largest difference"] < 1e-5
    for peer in ("DataLoader", "webdataset"):
        assert row_of(results, "reading", peer)["agreement"]["largest difference of a film's mean, of 255"] < 0.1
    assert row_of(results, "sections")["agreement"]["answers shared"] > 0.7
    for peer in ("skimage resize", "Pillow resize"):
        differences = row_of(results, "films", peer)["agreement"]
        assert differences["mean difference of 255 (images)"] < 3
        assert differences["mean difference of 255 (ridge)"] < 12


def test_sentences_can_be_made_unlike_all_others(results):
    repeated, unlike = (
        row_of(results, what)["agreement"]["different sentences"]
        for what in ("sections to manuscripts", "sections to manuscripts, no")
    )
    assert repeated < unlike
    assert unlike > 0.8


def test_the_table_is_markdown_with_a_line_for_each_row(results):
    table, notes = render(results).split("\n\n")
    lines = table.splitlines()
    assert len(lines) == 2 + len(results["rows"])
    assert {line.count("|") for line in lines} == {8}
    assert all(line.startswith("- ") for line in notes.splitlines())
    assert results["machine"]["cpu"] in notes
    assert f"torch {torch.__version__.split('+')[0]}" in notes


def test_the_cost_of_a_full_pre_training_is_projected_from_the_measured_step(results):
    steps = [
        Row(f"training step, {name}, ViT-B/16, 512 word pieces, on the CPU", "images/s", Spread(2.0, 2.0, 2.0), 4, 3)
        for name in ("maco", "mmclip")
    ]
    maco, mmclip = sorted(project(steps, TOP), key=lambda each: each.paper)
    assert maco.num_images == 30 * 368_960
    assert maco.hours == pytest.approx(30 * 368_960 / 2 / 3600)
    assert mmclip.num_images == 15_000 * 64 + 30 * 368_960
    _, table, _ = render(results | {"projections": [maco.as_values(), mmclip.as_values()]}).split("\n\n")
    assert "15,000 steps x 64 + 30 epochs x 368,960 films = 12,028,800 images" in table


@pytest.mark.slow
def test_peak_memory_is_a_table_of_its_own(results, tmp_path):
    peaks = measure_memory(tmp_path, TOP, dataclasses.replace(TINY, num_memory_items=64))
    # Python with torch alone takes more than 100 MiB.
    assert all(100 < peak.mib < 2000 and 100 < peak.mib_more < 2000 for peak in peaks)
    _, memory, _ = render(results | {"memory": [peak.as_values() for peak in peaks]}).split("\n\n")
    lines = memory.splitlines()
    assert len(lines) == 2 + len(peaks) == 6
    assert {line.count("|") for line in lines} == {7}


def test_stored_results_give_the_same_table(results):
    assert render(json.loads(json.dumps(results))) == render(results)


@pytest.mark.parametrize(("load", "words"), [(0.2, "was quiet"), (1.7, "other work may have run beside it")])
def test_a_busy_machine_is_told(results, load, words):
    assert words in render(results | {"load_before": load})


def test_the_two_sides_alternate_and_take_turns_in_being_first():
    calls = []

    def contender(name):
        return lambda repeat: lambda: calls.append((repeat, name))

    options = {"peer_name": "peer", "num_items": 2, "seconds": 1e-9, "agreement": {}}
    row = compare("work", "things/s", contender("ours"), contender("peer"), **options)
    assert row.num_repeats == MIN_REPEATS
    assert [name for _, name in calls] == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert [repeat for repeat, _ in calls] == [0, 0, 1, 1, 2, 2]


def test_the_spread_is_median_and_quartiles():
    assert Spread.of([4, 1, 2, 3, 5]) == Spread(median=3, lower=2, upper=4)


def test_help_answers():
    result = run_program("benchmark", "--help")
    assert result.returncode == 0
    assert "--seconds-per-part" in result.stdout


def test_a_time_of_nothing_is_refused_and_leaves_nothing(tmp_path):
    result = run_program("benchmark", "--seconds-per-part", "0", "--output", str(tmp_path / "benchmarks.json"))
    assert result.returncode != 0
    assert "--seconds-per-part must be above 0" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_start_ends_when_the_first_step_is_done(tmp_path):
    assert "images/s" in first_step(tmp_path, TOP)(0)()
    assert not (tmp_path / "0/log.csv").exists()


@pytest.mark.slow
def test_the_training_loop_runs_at_the_size_of_the_papers(tmp_path):
    trainings = full_trainings(TOP, Sizes(num_step_images=2, num_training_steps=1))
    (medim,) = (each for each in trainings if "medim" in each.what)
    (row,) = measure_training(tmp_path, [medim])
    assert row.num_items == 2
    assert 0 <= row.agreement["share of a step waiting for data"] < 1


@pytest.mark.slow
def test_a_step_at_the_size_of_the_papers_equals_the_plain_one():
    rows = measure_steps(TOP, Sizes(num_step_images=2), 1e-6, torch.device("cpu"))
    assert [row.peer_name for row in rows] == [PEER] * NUM_PAPERS
    for row in rows:
        assert row.agreement["loss difference"] < 0.005
        assert 0 < row.limits["the bf16 matrix rate"] < 1
