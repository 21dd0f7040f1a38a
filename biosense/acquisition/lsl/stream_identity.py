"""Which of the streams within reach is one that was lost: what a restarted sender may change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from biosense.acquisition.lsl.discovery import FoundStream
from biosense.core.types import StreamInfo


class SenderState(StrEnum):
    """Say what is seen of a stream that does not send."""

    AWAY = "away"
    ALIVE = "alive"
    BACK = "back"
    RESHAPED = "reshaped"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class SenderSearch:
    """Hold what is seen of a stream, and those that are seen in its place."""

    state: SenderState
    found: tuple[FoundStream, ...] = ()


def find_sender(
    lost: FoundStream, found: Collection[FoundStream], before: Collection[FoundStream]
) -> SenderSearch:
    """Tell what became of a stream.

    It is alive if its very outlet answers. It is back where exactly one new outlet could be it:
    one of the same name, type, channels, sample type and source_id; else one that differs in its
    name alone; else one of the same computer that differs in its source_id alone (pylsl makes up
    another one at each start where a script gives none). It is reshaped where its sender is back
    with other channels or another sample type. An outlet that was there before, while the stream
    still sent, is another stream.

    Parameters
    ----------
    lost
        The stream as it was last.
    found
        What answers now.
    before
        What was known to be there while the stream sent.

    Returns
    -------
    SenderSearch
        What became of it, and which streams could be it.

    Examples
    --------
    >>> cap = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "uid 1")
    >>> again = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "uid 2")
    >>> find_sender(cap, [cap], []).state.value, find_sender(cap, [again], []).state.value
    ('alive', 'back')
    >>> find_sender(cap, [again], [again]).state.value
    'away'
    """
    if any(each.uid == lost.uid for each in found):
        return SenderSearch(SenderState.ALIVE)
    uids, labels = {each.uid for each in before}, {_label(each) for each in before}
    new = [each for each in found if each.uid not in uids]
    others = [each for each in new if _label(each) not in labels]
    back = (
        [each for each in new if each.is_like(lost)]
        or [each for each in others if lost.source_id and _same_but(lost, each, "name")]
        or [each for each in others if _same_but(lost, each, "source_id")]
    )
    if back:
        return SenderSearch(
            SenderState.BACK if len(back) == 1 else SenderState.UNCLEAR, tuple(back)
        )
    reshaped = tuple(each for each in new if _label(each) == _label(lost))
    return (
        SenderSearch(SenderState.RESHAPED, reshaped) if reshaped else SenderSearch(SenderState.AWAY)
    )


def changes(before: StreamInfo, after: StreamInfo) -> str:
    """Tell in what a stream that is back differs from what it was opened as; empty if in nothing.

    Parameters
    ----------
    before
        The stream as it was opened.
    after
        As it is now.

    Returns
    -------
    str
        The differences in words.

    Examples
    --------
    >>> from dataclasses import replace
    >>> info = StreamInfo("cap", None, ("C3",), 250.0, "uV")
    >>> changes(info, replace(info, sfreq=500.0, unit="mV"))
    'a nominal rate of 500 Hz instead of 250 Hz, unit mV instead of uV'
    """
    parts = []
    if before.sfreq != after.sfreq:
        parts.append(f"a nominal rate of {after.sfreq:g} Hz instead of {before.sfreq:g} Hz")
    if before.unit != after.unit:
        parts.append(f"unit {after.unit or 'unknown'} instead of {before.unit or 'unknown'}")
    if before.channels != after.channels:
        names = ", ".join(after.channels), ", ".join(before.channels)
        parts.append(f"channels {names[0]} instead of {names[1]}")
    return ", ".join(parts)


def _same_but(lost: FoundStream, other: FoundStream, field: str) -> bool:
    here = field == "name" or lost.hostname == other.hostname
    return here and other.is_like(replace(lost, **{field: getattr(other, field)}))


def _label(found: FoundStream) -> tuple[str, str, str]:
    return found.name, found.content_type, found.source_id
