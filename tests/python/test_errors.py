"""What goes wrong is a ValueError or a RuntimeError, with a code and the text of the command line."""

import os
import pickle
import subprocess
from pathlib import Path

import pytest

from pyro_mcp import Failed, InvalidArgument, LibraryNotFound, Pyro


def test_an_unknown_id_is_a_value_error(pyro):
    with pytest.raises(ValueError, match="does not exist") as caught:
        pyro.status_workspace("nobody")
    assert isinstance(caught.value, InvalidArgument)
    assert not isinstance(caught.value, RuntimeError)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("name", "value"), [("mem_mib", 64), ("vcpu_count", 0), ("ttl_seconds", 30)]
)
def test_limits_are_value_errors(pyro, environment, name, value):
    with pytest.raises(ValueError, match=f"{name} must be between"):
        pyro.create_workspace(environment, **{name: value})


def test_a_wrong_state_is_a_runtime_error(ws):
    ws.stop()
    with pytest.raises(RuntimeError, match="must be in 'started' state") as caught:
        ws.exec("true")
    assert isinstance(caught.value, Failed)
    assert caught.value.code == "bad_state"


def test_a_missing_file_of_pyros_own_is_a_runtime_error(pyro, ws, home):
    ws.exec("echo kept > kept")
    ws.create_snapshot("one")
    ws.stop()
    layers = home / "store" / "layers"
    aside = layers.with_name("aside")
    layers.rename(aside)
    layers.mkdir(mode=0o700)
    with pytest.raises(RuntimeError) as caught:
        ws.start()
    assert caught.value.code != "not_found"
    layers.rmdir()
    aside.rename(layers)
    ws.start()


def test_a_directory_of_the_caller_that_is_gone_is_a_runtime_error(pyro, home, place, monkeypatch):
    gone = place / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(RuntimeError):
        pyro.validate(directory=".")


def test_the_text_is_the_command_lines(pyro, home):
    program = Path(os.environ["PYRO_LIBRARY"]).parent / "pyro"
    told = subprocess.run(
        [program, "workspace", "status", "nobody"], capture_output=True, text=True, check=False
    )
    with pytest.raises(ValueError) as caught:
        pyro.status_workspace("nobody")
    assert told.stderr == f"pyro: error: {caught.value}\n"


def test_a_place_in_a_file_is_told(pyro, place):
    (place / "pyro.yaml").write_text("version: 1\nenvironment: {image: host}\nsede: {from: .}\n")
    with pytest.raises(RuntimeError) as caught:
        pyro.plan(directory=place)
    assert caught.value.position["line"] == 3
    assert str(caught.value).startswith(f"{caught.value.position['file']}:3:1: ")
    assert "seed" in str(caught.value)


def test_parameters_are_checked(pyro):
    with pytest.raises(ValueError, match="nonsense"):
        pyro.call("workspace_list", {"nonsense": 1})
    with pytest.raises(ValueError, match="workspace_lits"):
        pyro.call("workspace_lits", {})
    with pytest.raises(TypeError, match="set"):
        pyro.call("workspace_list", {"labels": {"a"}})


def test_errors_travel_between_processes(pyro):
    with pytest.raises(ValueError) as caught:
        pyro.status_workspace("nobody")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.code) == (type(caught.value), str(caught.value), caught.value.code)


def test_a_missing_library_says_where_it_was_looked_for(place):
    with pytest.raises(LibraryNotFound, match="libpyro0") as caught:
        Pyro(library=place / "libpyro.so.0").version()
    assert str(place / "libpyro.so.0") in str(caught.value)


def test_another_library_says_what_it_lacks():
    with pytest.raises(LibraryNotFound, match="has no pyro_open"):
        Pyro(library="/lib/x86_64-linux-gnu/libc.so.6").version()
