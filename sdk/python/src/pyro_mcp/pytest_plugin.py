"""pytest: the fixture `pyro_workspace`, a workspace of its own for each test.

It is a fork of a named snapshot of the project's workspace: services run, the content is as the snapshot has it,
whatever tests before did. `pyro.yaml` is applied first, once; agree to what it wants of this machine with
`pyro trust`, or set PYRO_TRUST=1. Forks are removed at the end, also under pytest-xdist, where each worker has its own.

    def test_orders(pyro_workspace):
        pyro_workspace.exec(["./load", "orders.sql"])
        assert pyro_workspace.exec(["./count"])["stdout"] == "3\n"

--pyro-file FILE      whose workspace; default: pyro.yaml of the root directory (ini: pyro_file)
--pyro-snapshot NAME  what is forked; default: as `pyro reset` (ini: pyro_snapshot)
--pyro-scope test     a fork for each test; `module`: one for each module, reset between its tests (ini: pyro_scope)

Where a test fails, its report has the changes in its workspace and the last lines that were logged there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generator, Iterator, List, Optional

import pytest

from .api import Pyro
from .errors import PyroError
from .workspace import Workspace

_SCOPES = ("test", "module")
_DIFF_LINES = 200
_LOG_LINES = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pyro", "workspaces of pyro")
    texts = {
        "file": "pyro.yaml whose workspace the fixture pyro_workspace forks; default: that of the root directory",
        "snapshot": "the snapshot that is forked; default: as `pyro reset`",
        "scope": "test: a fork for each test (default); module: one for each module, reset between tests",
    }
    for name, text in texts.items():
        choices = _SCOPES if name == "scope" else None
        group.addoption(f"--pyro-{name}", dest=f"pyro_{name}", default=None, choices=choices, help=text)
        parser.addini(f"pyro_{name}", text)


def _option(config: pytest.Config, name: str) -> Optional[str]:
    given = config.getoption(f"pyro_{name}")
    if given is None:
        ini = config.getini(f"pyro_{name}")
        if ini and name == "file":  # relative to where it is written
            return str(config.rootpath / ini)
        given = ini or None
    return None if given is None else str(given)


def _scope(config: pytest.Config) -> str:
    scope = _option(config, "scope") or "test"
    if scope not in _SCOPES:
        raise pytest.UsageError(f"pyro_scope is {' or '.join(_SCOPES)}, not {scope!r}")
    return scope


@dataclass(frozen=True)
class PyroProject:
    """The applied pyro.yaml.

    file:         its path
    workspace_id: of its own workspace, which tests leave alone
    snapshot:     what is forked for them
    """

    file: Path
    workspace_id: str
    snapshot: str


@pytest.fixture(scope="session")
def pyro_client() -> Pyro:
    """The Pyro that the fixtures use."""
    # Workers wait for the one whose apply builds what all of them need.
    return Pyro(lock_timeout="1h")


@pytest.fixture(scope="session")
def pyro_project(pyro_client: Pyro, pytestconfig: pytest.Config) -> PyroProject:
    """The pyro.yaml, applied."""
    file = Path(_option(pytestconfig, "file") or pytestconfig.rootpath / "pyro.yaml").absolute()
    if not file.is_file():
        raise pytest.UsageError(f"there is no {file}; name the file with --pyro-file")
    applied = pyro_client.apply(directory=file.parent, file=file.name)
    snapshot = _option(pytestconfig, "snapshot")
    if snapshot is None:
        effective = pyro_client.config(directory=file.parent, file=file.name)
        snapshot = effective.get("reset", {}).get("to") or "baseline"
    return PyroProject(file, applied["workspace_id"], snapshot)


def _forked(pyro: Pyro, project: PyroProject) -> Workspace:
    forked = pyro.fork_workspace(project.workspace_id, snapshot=project.snapshot)
    if forked["failed"]:
        raise RuntimeError(f"{project.file} cannot be forked: {forked['failed'][0]}")
    return Workspace(pyro._calls, forked["workspaces"][0], is_ours=True)


class _ModuleFork:
    """The one of a module: as it was forked, or in need of a reset."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._is_used = False

    def fresh(self) -> Workspace:
        if self._is_used:
            self._workspace.reset()
        self._is_used = True
        return self._workspace


@pytest.fixture(scope="module")
def _pyro_module_fork(pyro_client: Pyro, pyro_project: PyroProject) -> Iterator[_ModuleFork]:
    with _forked(pyro_client, pyro_project) as workspace:
        yield _ModuleFork(workspace)


@pytest.fixture
def pyro_workspace(
    request: pytest.FixtureRequest, pyro_client: Pyro, pyro_project: PyroProject
) -> Iterator[Workspace]:
    """A workspace as the snapshot has it, for this test alone."""
    if _scope(request.config) == "module":
        fork: _ModuleFork = request.getfixturevalue("_pyro_module_fork")
        yield fork.fresh()
        return
    with _forked(pyro_client, pyro_project) as workspace:
        yield workspace


def _last(lines: List[str], count: int) -> str:
    left_out = len(lines) - count
    shown = lines[-count:] if left_out > 0 else lines
    return "\n".join(([f"… {left_out} lines before"] if left_out > 0 else []) + shown)


def _changes(workspace: Workspace) -> str:
    diff = workspace.diff()
    lines = str(diff["patch"] or "").splitlines()
    lines += [
        f"{entry['status']} {entry['path']}" for entry in diff["entries"] if entry.get("text_patch") is None
    ]
    if len(lines) > _DIFF_LINES:
        lines = lines[:_DIFF_LINES] + [f"… {len(lines) - _DIFF_LINES} lines more"]
    return "\n".join(lines)


def _log(workspace: Workspace) -> str:
    lines = []
    for entry in workspace.logs(limit=5)["entries"]:
        lines.append(f"$ {entry['command']}  # exit {entry['exit_code']}")
        lines += (entry["stdout"] + entry["stderr"]).splitlines()
    services = workspace.service_lines(tail=_LOG_LINES)
    lines += [f"{line['service']} | {line['line']}" for line in services]
    return _last(lines, 2 * _LOG_LINES)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    workspace = getattr(item, "funcargs", {}).get("pyro_workspace")
    if report.when != "call" or not report.failed or not isinstance(workspace, Workspace):
        return
    for title, tell in (("changes in", _changes), ("log of", _log)):
        try:
            text = tell(workspace)
        except PyroError as error:  # the test may have stopped or removed it
            text = str(error)
        report.sections.append((f"{title} pyro workspace {workspace.id}", text or "(none)"))
