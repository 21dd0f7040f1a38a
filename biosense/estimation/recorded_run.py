"""A recording again through the processor, with what it says of its live run; without torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.types import Chunk, Record
from biosense.estimation.estimate_stream import EstimateHeader, estimate_header
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.estimation.run_processor import process


def recorded_header(reader: XdfReader) -> EstimateHeader | None:
    """Return what a recording says of the run that made its estimates; None without one.

    Parameters
    ----------
    reader
        Of the recording.

    Returns
    -------
    EstimateHeader or None
    """
    for info in reader.infos:
        if info.name == AFFECT:
            return estimate_header(info)
    return None


def recorded_settings(
    header: EstimateHeader | None, mains_hz: float | None = None
) -> ProcessorSettings:
    """Return the settings of the live run, the usual ones where a recording names none.

    Parameters
    ----------
    header
        Of the live run.
    mains_hz
        Mains frequency, Hz, in place of the recorded one.

    Returns
    -------
    ProcessorSettings
    """
    settings = header.settings if header is not None else ProcessorSettings()
    return settings if mains_hz is None else replace(settings, mains_hz=mains_hz)


def process_recording(
    reader: XdfReader, processor: Processor, header: EstimateHeader | None
) -> Iterator[Outcome]:
    """Push a recording through a processor, exactly as a live run would have.

    Parameters
    ----------
    reader
        Of the recording; what the run itself computed is left out.
    processor
        Fresh.
    header
        Of the live run, where the recording has one: streams begin at the samples that it names.

    Returns
    -------
    iterator of Outcome
        As `Processor.push` gives them.
    """
    first = header.first_samples if header is not None else {}
    infos = [info for info in reader.infos if not info.name.startswith(OWN_PREFIX)]
    return process(from_first(reader.items(), first), infos, processor)


def from_first(items: Iterable[Record], first: dict[str, float]) -> Iterator[Record]:
    """Leave out what came before the live estimates began to use a stream.

    Parameters
    ----------
    items
        Of a recording, in order of arrival.
    first
        Session time of the first sample used of each stream, seconds.

    Yields
    ------
    Record
        The items, chunks cut where they must be.
    """
    for item in items:
        if isinstance(item, Chunk) and item.info.name in first and item.n:
            start = int(np.searchsorted(item.times, first[item.info.name]))
            yield item if start == 0 else item.slice(start, item.n)
        else:
            yield item
