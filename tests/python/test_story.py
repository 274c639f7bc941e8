"""The example: create, exec, snapshot, break, reset, diff, export."""

import inspect
import os
import subprocess
import sys

import pytest
from conftest import SOURCE

EXAMPLE = SOURCE / "examples/python_workspace.py"


@pytest.fixture(params=["root", "here"])
def directory(request, place):
    return place if request.param == "here" else "/"


def test_the_example_does_what_it_says(home, environment, seed, place, directory):
    output = place / "result"
    done = subprocess.run(
        [sys.executable, EXAMPLE, environment, seed, output],
        cwd=directory, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+++ b/build/app" in done.stdout
    assert (output / "app").read_text() == "compiled\n"
    assert list(seed.iterdir()) == [seed / "note.txt"]


def test_the_story_is_short():
    text = EXAMPLE.read_text().splitlines()
    begin = text.index("def story(environment, checkout, output):")
    assert text.index("if __name__ == \"__main__\":") - begin <= 20


def test_the_package_says_it_too(monkeypatch, home, environment, seed):
    """The few lines at the top of the package."""
    import pyro_mcp

    lines = inspect.getdoc(pyro_mcp).splitlines()
    code = "\n".join(line[4:] for line in lines if line.startswith("    "))
    monkeypatch.chdir(seed)
    done = subprocess.run(
        [sys.executable, "-c", code.replace('"host"', repr(environment))],
        env=dict(os.environ), capture_output=True, text=True, check=False,
    )
    assert done.stdout.split() == ["note.txt"], done.stderr
