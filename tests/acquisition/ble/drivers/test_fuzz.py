"""Damaged packets: every decoder refuses them with PacketError, or keeps the contract of blocks."""

from __future__ import annotations

import pytest

from benchmarks.acquisition.fuzz_decoders import SUBJECTS
from biosense.acquisition.ble.drivers.registry import DRIVERS
from biosense.testing.decoder_checks import DECODER_CHECKS

DECODERS = [name for name, subject in SUBJECTS.items() if subject.make()[1]]
GIVE_BLOCKS, SURVIVE_DAMAGE = DECODER_CHECKS


@pytest.mark.parametrize("name", DECODERS)
def test_packets_give_blocks(name: str) -> None:
    GIVE_BLOCKS(SUBJECTS[name].example(0, 1))


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_decoder_survives_damaged_packets(name: str) -> None:
    SURVIVE_DAMAGE(SUBJECTS[name].example(20_000, 1))


def test_every_driver_is_fuzzed() -> None:
    assert {subject.driver for subject in SUBJECTS.values()} == set(DRIVERS)
