"""A decoder that breaks a promise is told which, with what was got and wanted and what to do."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biosense.acquisition.ble.driver import Advertisement, Block, Decoded
from biosense.acquisition.ble.drivers.registry import DRIVERS, recognise
from biosense.core.errors import BadInput
from biosense.testing.contract import ContractBroken
from biosense.testing.decoder_checks import check_decoder
from tests.support.examples import registered, template

MODULE: Any = template("own_ble_driver")
Sound: Any = MODULE.DewdropDecoder
PACKETS = [(MODULE.DATA, struct.pack("<9H", 8 * n, *range(8)).hex()) for n in range(5)]


def of(blocks: Sequence[Decoded], **changes: Any) -> list[Decoded]:
    return [replace(block, **changes) for block in blocks if isinstance(block, Block)]


class Trusting(Sound):  # type: ignore[misc]
    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        values = struct.unpack("<9H", packet)[1:]
        return [Block("eda", np.arange(8.0), np.array(values, np.float32)[:, None], arrived)]


class Wide(Sound):  # type: ignore[misc]
    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        return of(super().feed(uuid, packet, arrived), data=np.zeros((8, 2), np.float32))


class Standing(Sound):  # type: ignore[misc]
    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        return of(super().feed(uuid, packet, arrived), stamps=np.full(8, arrived))


class Unknown(Sound):  # type: ignore[misc]
    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        return of(super().feed(uuid, packet, arrived), signal="ecg")


class Silent(Sound):  # type: ignore[misc]
    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        super().feed(uuid, packet, arrived)
        return []


def check(decoder: Any) -> None:
    check_decoder(lambda: (decoder(), (MODULE.EDA,)), PACKETS, damaged=2000)


def test_a_sound_decoder_passes() -> None:
    check(Sound)


@pytest.mark.parametrize(
    ("decoder", "wanted"),
    {
        Wide: r"data \(8, 2\) of eda, wanted \(8, 1\)",
        Standing: "finite ones that rise",
        Unknown: "got a block of 'ecg'",
        Silent: "got no samples",
    }.items(),
)
def test_a_broken_promise_is_named(decoder: Any, wanted: str) -> None:
    with pytest.raises(ContractBroken, match=wanted) as caught:
        check(decoder)
    assert decoder.__name__ in str(caught.value)
    assert "What to do: " in str(caught.value)


def test_another_error_than_packet_error_comes_with_the_packet() -> None:
    with pytest.raises(struct.error) as caught:
        check(Trusting)
    assert any("upon" in note for note in caught.value.__notes__)
    assert any("raise PacketError for any other" in note for note in caught.value.__notes__)


def test_a_registered_driver_knows_its_sensor_and_goes_before_the_plain_strap() -> None:
    strap = "0000180d-0000-1000-8000-00805f9b34fb"
    heard = Advertisement("a", "Dewdrop 7", (strap,))
    before = recognise(heard)
    assert before is not None
    assert before.family == "Heart rate strap"
    with registered("own_ble_driver") as module:
        assert recognise(heard) is module.Dewdrop
        assert recognise(Advertisement("b", "Polar H10 1", (strap,))) is DRIVERS["polar"]


def test_what_is_no_driver_is_refused_when_it_is_registered() -> None:
    with pytest.raises(BadInput, match="it lacks family, keep_alive_every"):
        DRIVERS.register("odd", Sound)
