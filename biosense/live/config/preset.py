"""Presets: what a lab records, with which settings, in a file of its own (TOML)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from biosense.core.errors import BadInput
from biosense.core.mains import DEFAULT_MAINS_HZ, MAINS_LIMITS_HZ
from biosense.core.types import Modality
from biosense.live.config.adapted_source import StreamChange
from biosense.live.config.preflight_settings import OnProblem, PreflightSettings
from biosense.live.config.toml_table import TomlTable, is_number, is_text
from biosense.processing.registry import PLACES, ExtraStage

_NO_MODEL = "none"


class StreamKind(StrEnum):
    """Name where a stream comes from."""

    LSL = "lsl"
    BLE = "ble"
    CAMERA = "camera"
    SIMULATE = "simulate"
    SOURCE = "source"


@dataclass(frozen=True)
class StreamPreset:
    """Describe one source that is wanted.

    Parameters
    ----------
    kind, target
        Where it comes from, and which one: an LSL stream as in `--lsl`, a sensor as in `--ble`, a
        camera as in `--camera`, the seed of a simulated participant, a registered source as in
        `--source`.
    name
        What its stream is called in the run (what the names of its streams begin with, for a sensor
        or camera); empty for its own name.
    required
        Whether the run must not begin without it.
    signals
        Of a sensor or a simulated participant, which signals; empty for all.
    change
        What is changed of each of its streams.
    delays
        Delays in seconds of single signals, by signal, in place of that of `change`.
    options
        Of a sensor: settings of its driver, a list as a tuple. Of a registered source: what it
        takes, likewise. Of a camera: "face_model", the path
        of a Face Landmarker `.task` file.
    """

    kind: StreamKind
    target: str | int
    name: str = ""
    required: bool = False
    signals: tuple[str, ...] = ()
    change: StreamChange = field(default_factory=StreamChange)
    delays: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RunPreset:
    """Hold how a run is made, whoever takes part; as the options of `biosense live`.

    `model` is empty for none. Paths are meant from the folder in which the command is given.
    """

    model: str = "default"
    mains_hz: float = DEFAULT_MAINS_HZ
    patience: float = 1.0
    features: bool = False
    seconds: float | None = None
    record: Path | None = None
    lan: bool = False


@dataclass(frozen=True)
class Preset:
    r"""Hold what a preset says; `preflight` is None where it says nothing of it.

    Examples
    --------
    >>> preset = parse_preset('[[stream]]\nble = "Polar H10"\nrequired = true', Path("h10.toml"))
    >>> preset.streams[0].target, preset.streams[0].required, preset.run.mains_hz
    ('Polar H10', True, 50.0)
    """

    streams: tuple[StreamPreset, ...] = ()
    run: RunPreset = field(default_factory=RunPreset)
    preflight: PreflightSettings | None = None
    text: str = field(default="", repr=False)
    stages: tuple[ExtraStage, ...] = ()


def load_preset(path: Path) -> Preset:
    """Read a preset.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    Preset
        What it says.

    Raises
    ------
    BadInput
        If there is no such file, it is no TOML, or says what no preset can; the message names the
        file and the key, what was found and what is wanted.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the preset {path}: {error}") from error
    return parse_preset(text, path)


def parse_preset(text: str, path: Path) -> Preset:
    """Read the text of a preset; `path` is for messages. Raises as `load_preset`.

    Parameters
    ----------
    text
        TOML.
    path
        For messages.

    Returns
    -------
    Preset
        What it says.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    whole = TomlTable(path, "the preset", values)
    streams, stages = (_tables(whole, path, key) for key in ("stream", "stage"))
    run = TomlTable(path, "[run]", whole.whatever("run", _is_table, "a table: [run]") or {})
    asked = whole.whatever("preflight", _is_table, "a table: [preflight]")
    preflight = None if asked is None else _preflight(TomlTable(path, "[preflight]", asked))
    whole.text("title", "")  # for people who choose among presets
    whole.end()
    extra = tuple(map(_stage, stages))
    return Preset(tuple(map(_stream, streams)), _run(run), preflight, text, extra)


def _tables(whole: TomlTable, path: Path, key: str) -> list[TomlTable]:
    found = whole.whatever(key, lambda value: isinstance(value, list), f"tables: [[{key}]]") or []
    return [TomlTable(path, f"[[{key}]] number {k}", each) for k, each in enumerate(found, 1)]


def _stream(table: TomlTable) -> StreamPreset:
    kind, target = _target(table)
    nameless = kind in (StreamKind.SIMULATE, StreamKind.SOURCE)
    name = "" if nameless else table.text("name", "")
    several = kind in (StreamKind.BLE, StreamKind.SIMULATE)
    signals = table.texts("signals") if several else ()
    if kind is StreamKind.SIMULATE and not set(signals) <= set(Modality):
        raise table.wrong(f"has signals {list(signals)}, wanted some of {', '.join(Modality)}")
    required = table.flag("required", False)
    delay, delays = _delays(table)
    try:
        foreign = kind in (StreamKind.LSL, StreamKind.SOURCE)
        change = _change(table, delay) if foreign else StreamChange(delay=delay)
        for each in delays.values():
            StreamChange(delay=each)
    except BadInput as error:
        raise table.wrong(str(error)) from error
    options = _options(table) if kind in (StreamKind.BLE, StreamKind.SOURCE) else {}
    if kind is StreamKind.CAMERA and (face_model := table.text("face_model", "")):
        options["face_model"] = face_model
    table.end()
    return StreamPreset(kind, target, name, required, signals, change, delays, options)


def _stage(table: TomlTable) -> ExtraStage:
    name, modality = table.text("name", ""), table.choice("modality", Modality)
    at = table.choice("at", PLACES) or "signal"
    options = _options(table)
    table.end()
    if not name or modality is None:
        raise table.wrong('must have name = "of a registered stage" and modality = "ecg"')
    return ExtraStage(modality, name, at, tuple(options.items()))


def _target(table: TomlTable) -> tuple[StreamKind, str | int]:
    given = {
        StreamKind.LSL: table.text("lsl", ""),
        StreamKind.BLE: table.text("ble", ""),
        StreamKind.CAMERA: table.whatever("camera", _is_camera, "an index, a file or an address"),
        StreamKind.SIMULATE: table.whatever("simulate", _is_seed, "a seed: 0, 1, .."),
        StreamKind.SOURCE: table.text("source", ""),
    }
    kinds = [kind for kind in StreamKind if kind in table]
    if len(kinds) != 1:
        there = " and ".join(kinds) or "none"
        raise table.wrong(f"must have one of {', '.join(StreamKind)}; it has {there}")
    return kinds[0], given[kinds[0]]


def _change(table: TomlTable, delay: float) -> StreamChange:
    wanted = 'a table of new labels by the sender\'s: { ch1 = "Fp1" }'
    unit = table.whatever("unit", lambda value: isinstance(value, str), 'a unit: "uV"')
    return StreamChange(
        modality=table.choice("modality", Modality),
        unit=unit,
        channels=table.texts("channels"),
        rename=table.mapping("rename", is_text, wanted),
        delay=delay,
    )


def _delays(table: TomlTable) -> tuple[float, dict[str, float]]:
    def fits(value: object) -> bool:
        return is_number(value) or (isinstance(value, dict) and all(map(is_number, value.values())))

    wanted = "milliseconds, or a table of them by signal: { ecg = 12 }"
    given = table.whatever("delay_ms", fits, wanted)
    if isinstance(given, dict):
        return 0.0, {key: value / 1000 for key, value in given.items()}
    return (given or 0.0) / 1000, {}


def _options(table: TomlTable) -> dict[str, object]:
    wanted = 'a table of settings: { modality = "ecg" }'
    given = table.mapping("options", lambda _: True, wanted)
    return {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}


def _run(table: TomlTable) -> RunPreset:
    defaults = RunPreset()
    mains = table.number("mains_hz", defaults.mains_hz)
    if not MAINS_LIMITS_HZ[0] <= mains <= MAINS_LIMITS_HZ[1]:
        raise table.wrong(f"has mains_hz = {mains:g}, wanted the mains frequency: 50 or 60")
    patience = table.seconds("patience", defaults.patience) or defaults.patience
    model, record = table.text("model", "default"), table.text("record", "")
    run = RunPreset(
        "" if model == _NO_MODEL else model,
        mains,
        patience,
        table.flag("features", False),
        table.seconds("seconds", None),
        Path(record) if record else None,
        table.flag("lan", False),
    )
    table.end()
    return run


def _preflight(table: TomlTable) -> PreflightSettings:
    defaults = PreflightSettings()
    seconds = table.number("seconds", defaults.seconds)
    limits = {
        each.name: table.number(each.name, getattr(defaults, each.name))
        for each in fields(PreflightSettings)
        if each.name not in ("seconds", "on_problem")
    }
    on_problem = table.choice("on_problem", OnProblem) or defaults.on_problem
    table.end()
    try:
        return PreflightSettings(seconds, on_problem, **limits)
    except BadInput as error:
        raise table.wrong(str(error)) from error


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_camera(value: object) -> bool:
    return is_text(value) or _is_seed(value)


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
