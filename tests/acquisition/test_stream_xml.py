"""Stream headers: what LSL writes is understood, what we write is read back as it was."""

from dataclasses import replace

import pytest

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.stream_xml import description_text, modality_of, parse_info, parse_xml
from biosense.core.errors import BadInput
from biosense.core.types import TEXT, Modality, StreamInfo

HEADER = """<?xml version="1.0"?><info><name>{name}</name><type>{type}</type>
<channel_count>{count}</channel_count><channel_format>{format}</channel_format>
<source_id>id-1</source_id><nominal_srate>{srate}</nominal_srate>{desc}</info>"""


def header(name="amp", type="EEG", count="2", format="float32", srate="256", desc="") -> str:
    return HEADER.format(name=name, type=type, count=count, format=format, srate=srate, desc=desc)


def channels(*pairs: tuple[str, str]) -> str:
    inner = "".join(
        f"<channel><label>{label}</label><unit>{unit}</unit></channel>" for label, unit in pairs
    )
    return f"<desc><channels>{inner}</channels></desc>"


def test_a_header_of_another_program_is_understood() -> None:
    info = parse_info(header(desc=channels(("Cz", "microvolts"), ("Pz", "microvolts"))))
    assert (info.name, info.channels, info.unit) == ("amp", ("Cz", "Pz"), "microvolts")
    assert (info.sfreq, info.dtype, info.source_id) == (256.0, "float32", "id-1")
    assert (info.modality, info.content_type, info.lossy) == (Modality.EEG, "EEG", False)


def test_channels_without_labels_are_numbered() -> None:
    assert parse_info(header(desc=channels(("Cz", "uV")))).channels == ("Cz", "ch2")
    assert parse_info(header()).channels == ("ch1", "ch2")


def test_units_that_differ_are_called_mixed() -> None:
    assert parse_info(header(desc=channels(("Cz", "uV"), ("trigger", "")))).unit == "mixed"
    assert parse_info(header()).unit == ""


@pytest.mark.parametrize(
    ("channel_format", "dtype"),
    [
        ("double64", "float64"),
        ("float32", "float32"),
        ("int8", "int8"),
        ("int16", "int16"),
        ("int32", "int32"),
        ("int64", "int64"),
        ("string", TEXT),
    ],
)
def test_every_channel_format_has_its_dtype(channel_format: str, dtype: str) -> None:
    info = parse_info(header(format=channel_format))
    assert info.dtype == dtype
    assert f"<channel_format>{channel_format}</channel_format>" in header_xml(info)


def test_text_streams_are_never_a_modality() -> None:
    assert parse_info(header(type="EEG", format="string")).modality is None


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<info><name>x</name>", "must be XML"),
        ("", "must be XML"),
        (header(count="0"), "0 channels"),
        (header(count="-3"), "channels"),
        (header(count="many"), "channel_count='many'"),
        (header(count="1e9"), "channels"),
        (header(srate=""), "nominal_srate=''"),
        (header(srate="nan"), "nominal_srate='nan'"),
        (header(srate="-1"), "sfreq=-1.0"),
        (header(format="complex"), "channel_format='complex'"),
        (header(name=""), "needs a name"),
        ('<!DOCTYPE x [<!ENTITY a "a">]>' + header(), "document type"),
        ("<info>" + "<a>" * 5000 + "</a>" * 5000 + "</info>", "nested"),
    ],
)
def test_an_unusable_header_is_refused_with_the_reason(xml: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse_info(xml)


@pytest.mark.parametrize(
    "info",
    [
        StreamInfo("chest", Modality.ECG, ("ecg",), 130.0, "uV", "polar-1", "int32", True, "ECG"),
        StreamInfo("x<&>\"' ü 心", None, ("a<b", "ß"), 0.0, "°C & <k>", "id & id", "int64"),
        StreamInfo("markers", None, ("ch1",), 0.0, dtype=TEXT, content_type="Markers"),
        StreamInfo("features", None, ("a", "b", "c"), 1 / 3, "mixed", content_type="Features"),
        StreamInfo("odd", Modality.PPG, ("eeg",), 64.0, content_type="EEG"),
        StreamInfo(
            "kept",
            Modality.EEG,
            ("Cz",),
            250.0,
            "uV",
            description="<desc>\n\t<channels>\n\t\t<channel><label>Cz</label><unit>uV</unit>"
            "<impedance>3</impedance></channel></channels><cap><size>54</size></cap></desc>",
        ),
    ],
    ids=lambda info: info.name,
)
def test_what_we_write_is_read_back_as_it_was(info: StreamInfo) -> None:
    assert parse_info(header_xml(info)) == info
    assert parse_info(header_xml(parse_info(header_xml(info)))) == info


def test_children_stand_in_the_order_of_liblsl() -> None:
    root = parse_xml(header_xml(StreamInfo("a", Modality.EDA, ("eda",), 4.0, "S", "id")))
    assert [child.tag for child in root] == [
        "name",
        "type",
        "channel_count",
        "channel_format",
        "source_id",
        "nominal_srate",
        "desc",
    ]
    assert root.findtext("desc/channels/channel/label") == "eda"
    assert root.findtext("desc/channels/channel/unit") == "S"
    assert root.findtext("desc/channels/channel/type") == "EDA"


def test_a_lossy_stream_says_so_where_readers_look() -> None:
    info = StreamInfo("cam", Modality.FACE, ("x",), 30.0, lossy=True)
    path = "desc/synchronization/can_drop_samples"
    assert parse_xml(header_xml(info)).findtext(path) == "true"
    assert parse_xml(header_xml(replace(info, lossy=False))).findtext(path) is None


def test_renamed_channels_keep_what_the_sender_said_about_them() -> None:
    info = parse_info(header(desc=channels(("1", "uV"), ("2", "uV"))))
    renamed = replace(info, channels=("Cz", "Pz"))
    again = parse_info(header_xml(renamed))
    assert (again.channels, again.unit) == (("Cz", "Pz"), "uV")


def test_extra_description_is_found_again() -> None:
    info = StreamInfo("affect", None, ("valence",), 4.0)
    xml = header_xml(info, extra_desc={"first": {"chest": "12.5"}, "model": "a<b"})
    assert description_text(parse_info(xml), "first/chest") == "12.5"
    assert description_text(parse_info(xml), "model") == "a<b"
    assert description_text(parse_info(xml), "absent") == ""
    xml = header_xml(info, extra_desc="<first><chest>1</chest></first><second/>")
    assert description_text(parse_info(xml), "first/chest") == "1"


def test_characters_that_no_xml_may_hold_do_not_make_the_file_unreadable() -> None:
    info = StreamInfo("bell\x07\x00\ud800", None, ("a\x1b",), 1.0)
    assert parse_info(header_xml(info)).name == "bell\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    ("content_type", "name", "labels", "modality"),
    [
        ("EEG", "", [], Modality.EEG),
        ("eeg", "ECG amp", [], Modality.EEG),
        ("EKG", "", [], Modality.ECG),
        ("Skin Conductance", "", [], Modality.EDA),
        ("BVP", "", [], Modality.PPG),
        ("Pulse", "", [], Modality.PPG),
        ("rPPG", "", [], Modality.RPPG),
        ("Face", "", [], Modality.FACE),
        ("RSP", "", [], Modality.RESP),
        ("breathing", "", [], Modality.RESP),
        ("Temperature", "", [], Modality.TEMP),
        ("EMG", "", [], Modality.EMG),
        ("", "Polar H10 ECG", ["1"], Modality.ECG),
        ("ExG", "amp", ["ECG1", "ECG2"], Modality.ECG),
        ("ExG", "amp", ["ECG", "EMG"], None),
        ("", "EEG and ECG", [], None),
        ("Markers", "EEG", ["EEG"], None),
        ("Gaze", "EEG", [], None),
        ("EEG Quality", "EEG", [], None),
        ("Features", "eda", ["eda"], None),
        ("", "", [], None),
    ],
)
def test_a_modality_is_told_only_where_it_is_clear(
    content_type: str, name: str, labels: list[str], modality: Modality | None
) -> None:
    assert modality_of(content_type, name, labels) == modality
