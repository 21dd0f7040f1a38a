"""Configuration of liblsl, which reads it once in the life of a process, at its first use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from biosense.core.errors import BadInput

SESSION_VARIABLE = "BIOSENSE_LSL_SESSION"
"""Environment variable that names the session where `configure` is not told: it is inherited by
child processes, so a run and its window, or the processes of a test, see only each other."""

# 127.0.0.1 is unicast: of several programs behind port 16571 only one gets a query. KnownPeers
# probes every port of the range instead (liblsl pull request 282). The range is wide because each
# stream takes a port of its own. Waves and clock probes are sent faster than on a network, where
# the defaults (0.5 s a wave, 0.64 s for the first clock offset) allow for slow replies. A wave that
# begins as a search ends is not cancelled with it and holds it up for MaxRTT (5 s by default).
_LOOPBACK = """\
[ports]
BasePort = 16572
PortRange = 256
IPv6 = disable
[multicast]
ResolveScope = machine
MachineAddresses = {{127.0.0.1}}
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session}
[tuning]
MulticastMinRTT = 0.1
MulticastMaxRTT = 0.3
UnicastMinRTT = 0.1
UnicastMaxRTT = 0.3
TimeProbeInterval = 0.02
[log]
level = -3
"""


@dataclass(frozen=True)
class LslSettings:
    """Say how this process uses LSL.

    Parameters
    ----------
    lan
        True where streams of other computers are looked for.
    session
        Only streams of the same session see each other; empty where lsl_api.cfg decides.
    """

    lan: bool
    session: str

    @property
    def pass_seconds(self) -> float:
        """Seconds in which a query reaches every sender: a multicast and a unicast wave.

        The end lies between two waves, see the race described above.
        """
        return 1.25 if self.lan else 0.25

    def __str__(self) -> str:
        if self.lan:
            return "the local network (lan=True)"
        return f"this computer only (lan=False), session {self.session!r}"


# liblsl can be configured once per process and cannot be asked: this mirrors what it was told.
_settings: LslSettings | None = None


def configure(*, lan: bool = False, session: str | None = None) -> LslSettings:
    """Configure LSL for this process, before any other use of it.

    Parameters
    ----------
    lan
        False: only this computer is reached, nothing leaves its loopback interface. True: discovery
        is left to the user's own lsl_api.cfg, or to the defaults of LSL (the whole local network).
    session
        Isolates: only streams with the same session are seen. None takes the environment variable
        `BIOSENSE_LSL_SESSION`, or else "default", which is what other LSL programs use. With
        `lan`, the session is that of lsl_api.cfg.

    Raises
    ------
    BadInput
        If this process was configured otherwise before, or the session cannot be written down.
    """
    global _settings
    wanted = _wanted(lan, session)
    if _settings is None:
        _apply(wanted)
        _settings = wanted
    elif wanted != _settings:
        raise BadInput(
            f"LSL is configured for {_settings} in this process and cannot be changed to {wanted}: "
            f"configure it once, before anything else uses it, or start another process"
        )
    return _settings


def settings() -> LslSettings:
    """Return how this process uses LSL; the default is this computer only."""
    return _settings or configure()


def _wanted(lan: bool, session: str | None) -> LslSettings:
    if lan:
        if session is not None:
            raise BadInput(
                f"session={session!r} cannot be combined with lan=True: "
                f"write SessionID into the [lab] section of lsl_api.cfg instead"
            )
        return LslSettings(True, "")
    session = session or os.environ.get(SESSION_VARIABLE) or "default"
    if not re.fullmatch(r"[\w.-]+", session, re.ASCII):
        raise BadInput(f"session={session!r} may hold letters, digits and . _ - only")
    return LslSettings(False, session)


def _apply(wanted: LslSettings) -> None:
    import pylsl

    if not wanted.lan:
        pylsl.set_config_content(_LOOPBACK.format(session=wanted.session))
