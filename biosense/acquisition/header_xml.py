"""Write the header of a stream as LSL and XDF want it, with what the sender said kept in it."""

from __future__ import annotations

from xml.etree import ElementTree

from biosense.acquisition.stream_xml import (
    FORMATS,
    MIXED,
    NOT_XML,
    Description,
    Element,
    channel_labels,
    channel_unit,
    parse_xml,
    says_can_drop,
)
from biosense.core.types import StreamInfo


def header_xml(info: StreamInfo, *, extra_desc: Description | str = "") -> str:
    """Write a stream header: the fields that are known, in the order of liblsl.

    `parse_info` of the result gives `info` again. The children of `info.description` are kept;
    labels, units, `can_drop_samples` and the modality are added where they are not in it.

    Parameters
    ----------
    info
        The stream.
    extra_desc
        More children of `<desc>`: names and texts (or names and texts again), or XML.

    Returns
    -------
    str
        The header, an XML document.

    Examples
    --------
    >>> from biosense.acquisition.stream_xml import parse_info
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV", lossy=True)
    >>> parse_info(header_xml(info)) == info
    True
    """
    root = Element("info")
    for tag, text in (
        ("name", info.name),
        ("type", info.content_type),
        ("channel_count", str(info.n_channels)),
        ("channel_format", FORMATS[info.dtype]),
        ("source_id", info.source_id),
        ("nominal_srate", repr(float(info.sfreq))),
    ):
        _add(root, tag, text)
    desc = parse_xml(info.description) if info.description else Element("desc")
    desc.tag, desc.tail = "desc", None
    for stale in desc.findall("biosense"):
        desc.remove(stale)
    _extend(desc, extra_desc)
    known = {child.tag for child in desc}
    _write_channels(desc, info)
    _write_can_drop(desc, info)
    own = _add(desc, "biosense")
    _add(own, "modality", "" if info.modality is None else str(info.modality))
    # What was added is named, so that reading the header gives the sender's description again.
    _add(own, "added", " ".join(child.tag for child in desc if child.tag not in known))
    root.append(desc)
    return '<?xml version="1.0"?>' + ElementTree.tostring(root, encoding="unicode")


def _add(parent: Element, tag: str, text: str = "") -> Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = NOT_XML.sub("\ufffd", text)
    return child


def _extend(desc: Element, extra: Description | str) -> None:
    if isinstance(extra, str):
        desc.extend(parse_xml(f"<desc>{extra}</desc>"))
        return
    for tag, value in extra.items():
        if isinstance(value, str):
            _add(desc, tag, value)
        else:
            _extend(_add(desc, tag), value)


def _write_channels(desc: Element, info: StreamInfo) -> None:
    if (
        channel_labels(desc, info.n_channels) != info.channels
        or channel_unit(desc, info.n_channels) != info.unit
    ):
        channels = _child(desc, "channels")
        missing = info.n_channels - len(channels.findall("channel"))
        for _ in range(missing):
            _add(channels, "channel")
        kind = info.content_type or ("" if info.modality is None else info.modality.upper())
        for channel, label in zip(channels.findall("channel"), info.channels, strict=False):
            _set(channel, "label", label)
            if info.unit != MIXED or missing > 0:
                _set(channel, "unit", info.unit)
            _child(channel, "type", kind)


def _write_can_drop(desc: Element, info: StreamInfo) -> None:
    if says_can_drop(desc) != info.lossy:
        _set(_child(desc, "synchronization"), "can_drop_samples", str(info.lossy).lower())


def _child(parent: Element, tag: str, text: str = "") -> Element:
    found = parent.find(tag)
    return _add(parent, tag, text) if found is None else found


def _set(parent: Element, tag: str, text: str) -> None:
    _child(parent, tag).text = NOT_XML.sub("\ufffd", text)
