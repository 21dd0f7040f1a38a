"""The conditions of the bench of the camera pulse: every axis on which such methods fail."""

from __future__ import annotations

from benchmarks.parts.rppg_scene import SWINGS, Scene

_TONES = {"skin I-II": 0.6, "III-IV": 0.4, "V-VI": 0.2}
CLEAN = Scene("pulse 0.5 %, skin I-II")


def _amplitudes() -> list[Scene]:
    return [
        Scene(f"pulse {size:.1%}, {tone}{word}", _size_group(size, tone), size, red, noise)
        for noise, word, sizes in (
            (0.0003, "", (0.01, 0.005, 0.002, 0.001)),
            (0.0008, ", noisy", (0.005, 0.002)),
        )
        for size in sizes
        for tone, red in _TONES.items()
    ]


def _size_group(size: float, tone: str) -> str:
    if size >= 0.005:
        return "strong"
    return "dark" if size == 0.002 and tone == "V-VI" else "weak"


def _motions() -> list[Scene]:
    slow = [
        Scene(f"{kind} {size:.0%}", "motion", motion=size, motion_kind=kind)
        for kind in ("translate", "rotate", "talk")
        for size in (0.02, 0.05)
    ]
    hard = [
        Scene(f"translate 5 %, {at} the heart rate", "adversary", motion=0.05, motion_at=at)
        for at in ("near", "half", "double")
    ]
    return slow + hard


def _lights() -> list[Scene]:
    return [
        Scene("specular 2 %", "motion", specular=0.02),
        Scene("specular 5 %", "motion", specular=0.05),
        Scene("mains beat 2 %, 0.5-2 Hz", "motion", flicker=0.02),
        Scene("exposure steps 20 %", "motion", exposure_steps=0.2),
        Scene("white-balance steps 10 %", "motion", white_steps=0.1),
        Scene("no background in view", "motion", background=False),
        *(
            Scene(f"{name} {size:.1%} {where}", "swing", swing=size, swing_colour=c, swing_on=where)
            for where, size in (("room", 0.005), ("face", 0.02))
            for name, c in SWINGS.items()
        ),
    ]


def _frames() -> list[Scene]:
    return [
        Scene("jitter 8 ms, 5 % dropped", "frames", jitter_s=0.008, drops=0.05),
        Scene("bursts of 10 lost, 3 a minute", "frames", bursts=0.05),
        *(Scene(f"{fps:g} frames a second", "frames", fps=fps) for fps in (15.0, 24.0, 60.0)),
        Scene("face gone for 10 s", "absent", absent=(25.0, 35.0)),
        Scene("ramp 60 to 100 bpm", "ramp", ramp=True),
    ]


def _nothing() -> list[Scene]:
    still = [
        Scene("still photo", "none", 0.0),
        Scene("still photo, V-VI, noisy", "none", 0.0, 0.2, 0.0008),
        Scene("photo, moved 5 %, slow", "none", 0.0, motion=0.05),
        Scene("photo, moved 5 %, 45-150 bpm", "none", 0.0, motion=0.05, motion_at="any"),
        Scene("photo, turned 5 %", "none", 0.0, motion=0.05, motion_kind="rotate", motion_at="any"),
        Scene("mask that talks 5 %", "none", 0.0, motion=0.05, motion_kind="talk"),
        Scene("photo, specular 5 %", "none", 0.0, specular=0.05),
        Scene("photo, mains beat 2 %", "none", 0.0, flicker=0.02),
        *(
            Scene(
                f"photo, white {size:.1%} face",
                "none",
                0.0,
                swing=size,
                swing_colour=(1.0, 1.0, 1.0),
                swing_on="face",
                swing_at="any",
            )
            for size in (0.005, 0.02)
        ),
        Scene("photo, exposure steps 20 %", "none", 0.0, exposure_steps=0.2),
        Scene("photo, white-balance steps 10 %", "none", 0.0, white_steps=0.1),
        Scene("photo, jitter and drops", "none", 0.0, jitter_s=0.008, drops=0.05),
        Scene("empty chair", "none", 0.0, absent=(-1.0, 99.0)),
    ]
    swings = [
        Scene(
            f"photo, {name} {size:.1%} {where}",
            "none",
            0.0,
            swing=size,
            swing_colour=colour,
            swing_on=where,
            swing_at="any",
        )
        for where, sizes in (("room", (0.005, 0.02)), ("face", (0.02,)), ("sway", (0.02,)))
        for name, colour in SWINGS.items()
        for size in sizes
    ]
    return still + swings


CASES = (*_amplitudes(), *_motions(), *_lights(), *_frames(), *_nothing())
QUICK = tuple(
    scene
    for scene in CASES
    if "noisy" not in scene.name and scene.pulse in (0.0, 0.005, 0.002) and "2.0%" not in scene.name
)
