"""A toy world for the models, see `biosense.testing.model_inputs`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from biosense.models.sequences import LabelledSequence
from biosense.testing.model_inputs import toy_sequences

MakeToy = Callable[..., list[LabelledSequence]]


@pytest.fixture(scope="session")
def make_toy() -> MakeToy:
    return toy_sequences
