"""Skin conductance through the live pipeline, in chunks of a quarter of a second."""

from __future__ import annotations

import time
from typing import Any

from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI


def online(
    stage: Stage[Any, Any], times: Floats, eda: Floats, sfreq: float
) -> tuple[list[Any], float]:
    """Return what the live pipeline gives, and the seconds that it took."""
    info = StreamInfo("palm", Modality.EDA, ("eda",), sfreq, "uS")
    pipeline = Pipeline(ToSI(), Regularise(order=1), stage)
    pipeline.start(info)
    step = max(1, round(sfreq / 4))
    chunks = [
        Chunk.of(info, times[at : at + step], eda[at : at + step, None])
        for at in range(0, len(times), step)
    ]
    began = time.process_time()
    results = [result for chunk in chunks for result in pipeline.push(chunk)] + pipeline.flush()
    return results, time.process_time() - began
