"""Stream headers as XML, the form in which LSL and XDF describe a stream, and StreamInfo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

from biosense.core.errors import BadInput
from biosense.core.types import TEXT, Modality, StreamInfo

MIXED = "mixed"  # StreamInfo.unit of a stream whose channels have different units

FORMATS = {
    "float64": "double64",
    "float32": "float32",
    TEXT: "string",
    "int32": "int32",
    "int16": "int16",
    "int8": "int8",
    "int64": "int64",
}
_DTYPES = {name: dtype for dtype, name in FORMATS.items()}

_WORDS = {
    "eeg": Modality.EEG,
    "ecg": Modality.ECG,
    "ekg": Modality.ECG,
    "eda": Modality.EDA,
    "gsr": Modality.EDA,
    "electrodermal": Modality.EDA,
    "skinconductance": Modality.EDA,
    "ppg": Modality.PPG,
    "bvp": Modality.PPG,
    "pulse": Modality.PPG,
    "rppg": Modality.RPPG,
    "face": Modality.FACE,
    "resp": Modality.RESP,
    "rsp": Modality.RESP,
    "respiration": Modality.RESP,
    "breathing": Modality.RESP,
    "temp": Modality.TEMP,
    "temperature": Modality.TEMP,
    "emg": Modality.EMG,
}
# Content types that say nothing: only behind these may a name or labels decide.
_GENERIC = {"", "exg", "physio", "physiological", "biosignal", "biosignals", "signal", "data"}
# Characters that no XML 1.0 document may hold: one of them makes a whole file unreadable.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_DEPTH = 100  # deeper nesting describes nothing and overflows the stack of XML writers

Element = ElementTree.Element
Description = Mapping[str, "str | Description"]


def parse_info(xml: str) -> StreamInfo:
    """Read a stream header of LSL or XDF.

    Parameters
    ----------
    xml
        The `<info>` document.

    Returns
    -------
    StreamInfo
        `description` holds the sender's `<desc>`, without what `header_xml` added to it.

    Raises
    ------
    BadInput
        If the XML is malformed, declares a document type, or describes no usable stream.

    Examples
    --------
    >>> info = parse_info(
    ...     "<info><name>chest</name><type>ECG</type><channel_count>1</channel_count>"
    ...     "<channel_format>float32</channel_format><nominal_srate>130</nominal_srate></info>"
    ... )
    >>> info.modality, info.sfreq, info.channels
    (<Modality.ECG: 'ecg'>, 130.0, ('ch1',))
    """
    root = parse_xml(xml)
    name, content_type = _text(root, "name"), _text(root, "type")
    channel_format = _text(root, "channel_format").strip()
    if channel_format not in _DTYPES:
        raise BadInput(
            f"channel_format={channel_format!r} of stream {name!r} must be one of "
            f"{', '.join(_DTYPES)}"
        )
    count = int(_number(root, "channel_count", name))
    if not 0 < count <= 100_000:
        raise BadInput(f"stream {name!r} has {count} channels, at least 1 is needed")
    desc = root.find("desc")
    desc = Element("desc") if desc is None else desc
    labels = channel_labels(desc, count)
    return StreamInfo(
        name,
        _modality(desc, _DTYPES[channel_format], content_type, name, labels),
        labels,
        _number(root, "nominal_srate", name),
        channel_unit(desc, count),
        _text(root, "source_id"),
        _DTYPES[channel_format],
        says_can_drop(desc),
        content_type,
        _senders(desc),
    )


def description_text(info: StreamInfo, path: str) -> str:
    """Return the text at `path` ("a/b") below `<desc>` of a stream, empty if there is none.

    Parameters
    ----------
    info
        The stream.
    path
        Names of elements, with slashes between them.

    Returns
    -------
    str
        The text, without blanks around it.
    """
    return _text(parse_xml(info.description), path) if info.description else ""


def modality_of(content_type: str, name: str, channels: Iterable[str]) -> Modality | None:
    """Tell what a stream measures from what its sender calls it; None where that is not clear.

    The content type decides. Only where it says nothing ("", "ExG", ..) a name or labels that
    speak of exactly one modality do.

    Examples
    --------
    >>> modality_of("GSR", "Shimmer", ["1"]), modality_of("Markers", "eeg triggers", ["1"])
    (<Modality.EDA: 'eda'>, None)
    """
    kind = "".join(_tokens(content_type))
    if kind not in _GENERIC:
        return _WORDS.get(kind)
    labels = list(channels)
    for words in (_tokens(name), [word for label in labels for word in _tokens(label)]):
        found = {_WORDS[word] for word in words if word in _WORDS}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def parse_xml(xml: str) -> Element:
    """Parse XML from outside; a document type is refused, since its entities can be bombs.

    Parameters
    ----------
    xml
        A document of another program.

    Returns
    -------
    Element
        Its root.

    Raises
    ------
    BadInput
        If it is no XML, declares a document type, or is nested too deep.
    """
    if "<!doctype" in xml.lower():
        raise BadInput("the XML declares a document type; stream headers need none: refused")
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise BadInput(f"a stream header must be XML, got {xml[:60]!r}: {error}") from error
    level, depth = [root], 0
    while level:
        depth += 1
        level = [child for element in level for child in element]
    if depth > _MAX_DEPTH:
        raise BadInput(f"the XML is nested {depth} deep, at most {_MAX_DEPTH} is accepted")
    return root


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _text(element: Element, path: str) -> str:
    return element.findtext(path) or ""


def _number(root: Element, tag: str, name: str) -> float:
    text = _text(root, tag)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise BadInput(f"{tag}={text!r} of stream {name!r} must be a finite number")
    return value


def channel_labels(desc: Element, count: int) -> tuple[str, ...]:
    """Return the labels of the channels; "ch1", .. where there are none."""
    labels = [_text(channel, "label") for channel in desc.findall("channels/channel")[:count]]
    labels += [""] * (count - len(labels))
    return tuple(label or f"ch{number}" for number, label in enumerate(labels, 1))


def channel_unit(desc: Element, count: int) -> str:
    """Return the unit of the channels; `MIXED` where they differ."""
    units = {_text(channel, "unit") for channel in desc.findall("channels/channel")[:count]}
    return MIXED if len(units) > 1 else "".join(units)


def says_can_drop(desc: Element) -> bool:
    """Tell whether a header says that samples can be lost on the way."""
    return _text(desc, "synchronization/can_drop_samples").strip().lower() == "true"


def _modality(
    desc: Element, dtype: str, content_type: str, name: str, labels: tuple[str, ...]
) -> Modality | None:
    stated = desc.findtext("biosense/modality")
    if stated is None:
        return None if dtype == TEXT else modality_of(content_type, name, labels)
    known = {str(modality): modality for modality in Modality}
    return known.get(stated)


def _senders(desc: Element) -> str:
    own = desc.find("biosense")
    if own is not None:
        for tag in _text(own, "added").split():
            for child in desc.findall(tag):
                desc.remove(child)
    desc.tail = None
    if len(desc) == 0 and not (desc.text or "").strip():
        return ""
    return ElementTree.tostring(desc, encoding="unicode")
