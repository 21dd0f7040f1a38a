"""Configuration holds for a process, so each of these runs in one of its own."""

import os
import subprocess
import sys

import pytest

from biosense.acquisition.lsl import configure
from biosense.core.errors import BadInput


def run(code, **environment):
    variables = {key: value for key, value in os.environ.items() if key != "BIOSENSE_LSL_SESSION"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout.strip(), done.stderr


def test_the_same_configuration_twice_is_none_at_all(lsl_session):
    assert configure().session == lsl_session
    assert configure(session=lsl_session).session == lsl_session


def test_another_configuration_in_one_process_is_refused():
    with pytest.raises(BadInput, match="start another process"):
        configure(session="elsewhere")
    with pytest.raises(BadInput, match="cannot be changed to the local network"):
        configure(lan=True)


@pytest.mark.parametrize("session", ["a b", "x]\n[lab]", "{}"])
def test_a_session_that_would_change_the_file_is_refused(session):
    with pytest.raises(BadInput, match="letters, digits"):
        configure(session=session)


def test_a_session_of_its_own_is_not_for_the_network():
    with pytest.raises(BadInput, match=r"lsl_api\.cfg"):
        configure(lan=True, session="mine")


def test_the_default_is_this_computer_and_the_environment_names_the_session():
    code = (
        "from biosense.acquisition.lsl.config import settings; import pylsl;"
        "print(settings(), pylsl.StreamOutlet(pylsl.StreamInfo('n', source_id='i'))"
        ".get_info().session_id())"
    )
    answer, _ = run(code)
    assert answer == "this computer only (lan=False), session 'default' default"
    answer, _ = run(code, BIOSENSE_LSL_SESSION="room-7")
    assert answer == "this computer only (lan=False), session 'room-7' room-7"


def test_a_configuration_that_came_too_late_is_noticed():
    code = (
        "import pylsl; pylsl.set_config_content('[log]\\nlevel = -3\\n');"
        "first = pylsl.StreamOutlet(pylsl.StreamInfo('n', source_id='i'));"
        "from biosense.acquisition.lsl import configure;"
        "from biosense.core.types import StreamInfo;"
        "from biosense.live.output.lsl_outlet import LslOutlet;"
        "configure(session='late'); LslOutlet(StreamInfo('m', None, ('m',), 0.0))"
    )
    _, error = run(code)
    assert "BadInput: LSL runs in session 'default' instead of 'late'" in error


def test_importing_the_package_loads_no_lsl():
    answer, _ = run("import biosense.acquisition.lsl, sys; print('pylsl' in sys.modules)")
    assert answer == "False"
