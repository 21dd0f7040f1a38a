import numpy as np
import pylsl
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.streams import (
    chunks,
    collect,
    count,
    describe,
    ready,
    samples,
    source_of,
)


async def test_a_description_arrives_as_it_was_given():
    info = describe(
        "gsr <left> & more",
        modality=Modality.EDA,
        channels=("tonic", "phasic"),
        unit="uS",
        lossy=True,
        content_type="EDA",
        description="<desc><acquisition><model>X1</model></acquisition></desc>",
    )
    with LslOutlet(info):
        async with source_of("type=EDA") as source:
            (got,) = source.infos
    assert got == StreamInfo(**{**vars(info), "description": got.description})
    assert "<model>X1</model>" in got.description


async def test_a_stream_without_source_id_gets_a_lasting_one_and_int64_becomes_float64():
    info = describe("counter", source_id="", dtype="int64", channels=("n",))
    with LslOutlet(info) as outlet:
        assert outlet.info.source_id == "biosense:counter"
        async with source_of("counter") as source:
            assert source.infos[0].dtype == "float64"
            await ready(outlet)
            outlet.push(Chunk.of(info, [5.0], [[2**40 + 1]]))
            (chunk,) = chunks(await collect(source, lambda items: count(items) == 1))
    assert chunk.data[0, 0] == 2**40 + 1


async def test_every_sample_keeps_its_own_stamp():
    info = describe("jittery")
    steps = np.random.default_rng(3).uniform(0.001, 0.05, 50)
    times = pylsl.local_clock() - np.cumsum(steps)[::-1]  # a young machine's clock is near 0
    with LslOutlet(info) as outlet:
        async with source_of("jittery") as source:
            await ready(outlet)
            outlet.push(Chunk.of(info, times, np.zeros((50, 2))))
            got = chunks(await collect(source, lambda items: count(items) == 50))
    np.testing.assert_array_equal(np.concatenate([chunk.stamps for chunk in got]), times)


def test_what_does_not_fit_is_refused_with_both_sides_named():
    info = describe("strict")
    with LslOutlet(info) as outlet:
        with pytest.raises(BadInput, match="sends 2 channels of float32, got 1 channels"):
            outlet.push(samples(describe("narrow", channels=("a",)), 3))
        with pytest.raises(BadInput, match="got 2 channels of str"):
            outlet.push(samples(describe("words", dtype="str"), 3))
        for time in (0.0, -1.0, np.nan):
            with pytest.raises(BadInput, match="must be positive session times"):
                outlet.push(Chunk.of(info, [time], [[1, 2]]))
        outlet.push(samples(info, 0))
    with pytest.raises(BadInput, match="'strict' is closed"):
        outlet.push(samples(info, 1))


def test_nobody_listens_at_first():
    with LslOutlet(describe("lonely")) as outlet:
        assert not outlet.has_readers
