"""A wild stamp over real LSL: harmless live, and the recording gives the same times again."""

from dataclasses import replace

import numpy as np
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.types import EventKind
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.streams import (
    BUSY_S,
    CLOCK,
    chunks,
    collect,
    count,
    describe,
    events,
    ready,
    samples,
    source_of,
)


async def test_one_wild_stamp_is_replaced_before_it_is_recorded_and_used(tmp_path):
    info = describe("wild", channels=("n",))
    sent = samples(info, 300, time=CLOCK.now() - 4.0)
    stamps = sent.times.copy()
    stamps[100] = 1e7
    with LslOutlet(info) as outlet:
        async with source_of(info.name) as source:
            await ready(outlet)
            for start in range(0, 300, 60):
                outlet.push(replace(sent, times=stamps).slice(start, start + 60))
            items = await collect(source, lambda items: count(items) == 300)
    live = np.concatenate([chunk.times for chunk in chunks(items)])
    late = live - sent.times
    assert np.ptp(late) < 0.002
    assert abs(late.mean()) < BUSY_S
    assert "bad time stamps" in events(items, EventKind.ERROR)[0].text
    with Recorder(tmp_path, [info], clock=CLOCK) as recorder:
        for item in items:
            recorder.put(item)
    offline = np.concatenate([chunk.times for chunk in chunks(list(XdfReader(tmp_path).items()))])
    np.testing.assert_array_equal(offline, live)
    (path,) = tmp_path.glob("*.xdf")
    streams, _ = pyxdf.load_xdf(path, dejitter_timestamps=False, synchronize_clocks=False)
    (stream,) = [each for each in streams if each["info"]["name"] == [info.name]]
    assert np.abs(stream["time_stamps"] - sent.times).max() < 1e-6
