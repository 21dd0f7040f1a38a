"""From what a person asks for, in a preset and by options, to the sources of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.live.config.adapted_source import AdaptedSource, StreamChange
from biosense.live.config.preset import Preset, StreamKind, StreamPreset

if TYPE_CHECKING:
    from biosense.acquisition.ble.link.radio import Radio
    from biosense.acquisition.lsl.poller import Poller
    from biosense.core.clock import Clock
    from biosense.core.source import Source


@dataclass
class RunSources:
    """Hold the sources of a run: all, those that it publishes itself, those it can do without."""

    all: list[Source] = field(default_factory=list)
    own: list[Source] = field(default_factory=list)
    optional: list[Source] = field(default_factory=list)


def wanted_streams(
    preset: Preset,
    lsl: Sequence[str],
    ble: Sequence[str],
    camera: str | None,
    seed: int | None,
    source: Sequence[str] = (),
) -> tuple[StreamPreset, ...]:
    """Return the streams of a preset, and those named by options: they are required.

    One that is in the preset already becomes required; `camera` takes the place of the preset's.

    Examples
    --------
    >>> [str(each.target) for each in wanted_streams(Preset(), ["cap"], ["Polar H10"], None, None)]
    ['cap', 'Polar H10']
    """
    streams = list(preset.streams)
    named = [StreamPreset(StreamKind.LSL, each, required=True) for each in lsl]
    named += [StreamPreset(StreamKind.BLE, each, required=True) for each in ble]
    if camera is not None:
        named.append(StreamPreset(StreamKind.CAMERA, camera, required=True))
    if seed is not None:
        named.append(StreamPreset(StreamKind.SIMULATE, seed, required=True))
    named += [StreamPreset(StreamKind.SOURCE, each, required=True) for each in source]
    for each in named:
        same = [at for at, known in enumerate(streams) if _is_same(known, each)]
        if same:
            streams[same[0]] = replace(streams[same[0]], target=each.target, required=True)
        else:
            streams.append(each)
    return tuple(streams)


def with_face_model(
    streams: Sequence[StreamPreset], face_model: Path | None
) -> tuple[StreamPreset, ...]:
    """Return the streams, their cameras with this Face Landmarker file; None changes nothing.

    Parameters
    ----------
    streams
        Of a run.
    face_model
        A Face Landmarker `.task` file, or None.

    Returns
    -------
    tuple of StreamPreset
        The streams to open.

    Raises
    ------
    BadInput
        There is no camera among them.
    """
    if face_model is None:
        return tuple(streams)
    if all(each.kind is not StreamKind.CAMERA for each in streams):
        raise BadInput("--face-model is for a camera, and there is none: add --camera INDEX")
    chosen = {"face_model": str(face_model)}
    return tuple(
        replace(each, options={**each.options, **chosen})
        if each.kind is StreamKind.CAMERA
        else each
        for each in streams
    )


def make_sources(
    streams: Sequence[StreamPreset], *, clock: Clock, preview: Callable[[bytes], None]
) -> RunSources:
    """Make the sources; nothing is opened yet."""
    make, sources = _SourceFactory(clock, preview), RunSources()
    for stream in streams:
        source = make.source(stream)
        if stream.change != StreamChange() or stream.delays:
            source = AdaptedSource(source, stream.change, stream.delays)
        sources.all.append(source)
        if stream.kind is not StreamKind.LSL:
            sources.own.append(source)
        if not stream.required:
            sources.optional.append(source)
    return sources


def _is_same(known: StreamPreset, named: StreamPreset) -> bool:
    if named.kind in (StreamKind.CAMERA, StreamKind.SIMULATE):
        return known.kind is named.kind
    return (known.kind, known.target) == (named.kind, named.target)


@dataclass
class _SourceFactory:
    """Makes sources; what they need is loaded only then, and shared by those of a kind."""

    clock: Clock
    preview: Callable[[bytes], None]

    @cached_property
    def radio(self) -> Radio:
        from biosense.acquisition.ble.link.radio import Radio

        return Radio()

    @cached_property
    def poller(self) -> Poller:
        from biosense.acquisition.lsl.poller import Poller

        return Poller()

    def source(self, stream: StreamPreset) -> Source:
        """Make one source."""
        makers = {
            StreamKind.LSL: self._lsl,
            StreamKind.BLE: self._ble,
            StreamKind.CAMERA: self._camera,
            StreamKind.SIMULATE: self._simulated,
            StreamKind.SOURCE: self._registered,
        }
        return makers[stream.kind](stream)

    def _lsl(self, stream: StreamPreset) -> Source:
        from biosense.acquisition.lsl.source import LslSource

        target = str(stream.target)
        return LslSource(target, clock=self.clock, name=stream.name, poller=self.poller)

    def _ble(self, stream: StreamPreset) -> Source:
        from biosense.acquisition.ble.streams.source import BleSource

        return BleSource(
            str(stream.target),
            radio=self.radio,
            clock=self.clock,
            name=stream.name,
            signals=stream.signals or None,
            driver_options=_driver_options(stream),
        )

    def _camera(self, stream: StreamPreset) -> Source:
        from biosense.acquisition.camera.preview import Preview
        from biosense.acquisition.camera.source import CameraSource

        name, preview = stream.name or "camera", Preview(self.preview)
        if "face_model" not in stream.options:
            return CameraSource(stream.target, clock=self.clock, name=name, on_frame=preview)
        from biosense.acquisition.camera.tracking.landmarker_backend import LandmarkerFactory

        return CameraSource(
            stream.target,
            clock=self.clock,
            name=name,
            on_frame=preview,
            backend_factory=LandmarkerFactory(Path(str(stream.options["face_model"]))),
        )

    def _simulated(self, stream: StreamPreset) -> Source:
        from biosense.acquisition.simulated.source import SimulatedSource

        seed = int(stream.target)
        if not stream.signals:
            return SimulatedSource(seed, clock=self.clock)
        modalities = tuple(map(Modality, stream.signals))
        return SimulatedSource(seed, clock=self.clock, modalities=modalities)

    def _registered(self, stream: StreamPreset) -> Source:
        from biosense.acquisition.registry import open_source

        return open_source(str(stream.target), clock=self.clock, options=stream.options)


def _driver_options(stream: StreamPreset) -> dict[str, object]:
    words = {str(modality): modality for modality in Modality}
    options = dict(stream.options)
    if "modality" in options:
        options["modality"] = words.get(str(options["modality"]), options["modality"])
    return options
