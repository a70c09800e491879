"""The tiny benchmark, opened."""

import pytest
import torch

from maskray.evaluation.images import BenchmarkImages
from maskray.evaluation.runtime import Runtime
from tests.made_benchmark import CLASSES, LABELS, one_class, write_benchmark


@pytest.fixture
def runtime():
    return Runtime(torch.device("cpu"), "32-true")


@pytest.fixture
def open_images(tmp_path):
    """Write a benchmark with these options and open it."""

    def open_it(**options):
        paths = write_benchmark(tmp_path / "benchmark", **options)
        return BenchmarkImages(paths.index, paths.split, paths.manifest, LABELS)

    return open_it


@pytest.fixture
def open_classes(tmp_path):
    """The same films, of which each is of one of four classes."""

    def open_it(**options):
        paths = write_benchmark(tmp_path / "classes", **{"labels_of": one_class, "label_names": CLASSES} | options)
        return BenchmarkImages(paths.index, paths.split, paths.manifest, CLASSES, exclusive=True)

    return open_it
