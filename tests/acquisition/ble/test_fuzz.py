"""Damaged packets: every decoder refuses them with PacketError, or keeps the contract of blocks."""

from __future__ import annotations

import pytest

from benchmarks.acquisition.fuzz_decoders import SUBJECTS, fuzz
from biosense.acquisition.ble.registry import DRIVERS

PACKETS = 20_000


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_decoder_survives_damaged_packets(name: str) -> None:
    found = fuzz(SUBJECTS[name], PACKETS, seed=1)
    assert found.accepted + found.refused == PACKETS
    assert min(found.accepted, found.refused) > PACKETS / 10, "both ways are to be tried"


def test_every_driver_is_fuzzed() -> None:
    assert {subject.driver for subject in SUBJECTS.values()} == set(DRIVERS)
