"""Every data set crossed with every check of `biosense.testing.check_dataset`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from biosense.datasets.registry import DATASETS
from biosense.testing.contract import Check
from biosense.testing.dataset_checks import DATASET_CHECKS
from biosense.testing.dataset_example import DatasetExample

PEOPLE, SEED = 2, 7


@pytest.fixture(scope="module", params=sorted(DATASETS))
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatasetExample]:
    kind, folder = DATASETS[request.param], tmp_path_factory.mktemp("miniature")
    kind.miniature(folder, PEOPLE, SEED)
    yield DatasetExample(kind, folder, PEOPLE, SEED, name=request.param)
    shutil.rmtree(folder)


@pytest.mark.parametrize("check", DATASET_CHECKS, ids=str)
def test_every_data_set_keeps_every_promise(
    example: DatasetExample, check: Check[DatasetExample]
) -> None:
    check(example)
