"""One workspace as an object: every operation on it without its id, and ``with`` to remove it at the end."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type

from ._calls import AsyncStream, Calls, Stream
from ._values import Json
from .operations import AsyncBoundOperations, BoundOperations


class Workspace(BoundOperations):
    """A workspace that is there. ``with`` removes it at the end if ``pyro.workspace()`` made it::

        with pyro.workspace("host", seed_path=".") as ws:
            ws.exec(["make", "check"])
            print(ws.diff()["patch"])

    id:       its id
    document: what create_workspace() or status_workspace() said of it when this object was made
    """

    def __init__(self, calls: Calls, document: Mapping[str, Any], *, is_ours: bool = False) -> None:
        self._calls = calls
        self.document: Json = dict(document)
        self.id: str = str(document["workspace_id"])
        self._is_ours = is_ours

    def __repr__(self) -> str:
        return f"<Workspace {self.document.get('name') or self.id}>"

    def follow(self, service_name: Optional[str] = None, *, tail: Optional[int] = None) -> Stream:
        """What its services write, as they do: events of kind "log", until the workspace stops or one leaves."""
        return Stream(
            self._calls,
            "logs",
            {"workspace": self.id, "service": service_name, "tail": tail, "follow": True},
        )

    def service_lines(
        self, service_name: Optional[str] = None, *, tail: Optional[int] = None
    ) -> List[Dict[str, str]]:
        """The last lines that its services have written: dicts with service and line."""
        parameters = {"workspace": self.id, "service": service_name, "tail": tail}
        lines: List[Dict[str, str]] = self._calls.call("logs", parameters)["lines"]
        return lines

    def shell(
        self, *, cwd: Optional[str] = None, env: Optional[Mapping[str, str]] = None
    ) -> "Shell":
        """Opens a terminal that ``with`` closes."""
        return Shell(self, self.open_shell(cwd=cwd, env=env))

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(
        self,
        _type: Optional[Type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        if self._is_ours:
            self.delete()


class Shell:
    """A terminal in a workspace. Reading goes on where the last reading ended."""

    def __init__(self, workspace: Workspace, document: Mapping[str, Any]) -> None:
        self.workspace = workspace
        self.id: str = str(document["shell_id"])
        self.cursor = 0

    def write(self, text: str, *, append_newline: bool = True) -> None:
        self.workspace.write_shell(self.id, text, append_newline=append_newline)

    def read(self, *, plain: bool = True, wait_for_idle_ms: int = 300) -> str:
        """What it has written since the last time."""
        read = self.workspace.read_shell(
            self.id, cursor=self.cursor, plain=plain, wait_for_idle_ms=wait_for_idle_ms
        )
        self.cursor = int(read["next_cursor"])
        return str(read["output"])

    def signal(self, name: str = "INT") -> None:
        self.workspace.signal_shell(self.id, name)

    def close(self) -> None:
        self.workspace.close_shell(self.id)

    def __enter__(self) -> "Shell":
        return self

    def __exit__(
        self,
        _type: Optional[Type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.close()


class AsyncWorkspace(AsyncBoundOperations):
    """The same for asyncio: ``async with await pyro.workspace("host") as ws: await ws.exec("true")``."""

    def __init__(self, calls: Calls, document: Mapping[str, Any], *, is_ours: bool = False) -> None:
        self._calls = calls
        self.document: Json = dict(document)
        self.id: str = str(document["workspace_id"])
        self._is_ours = is_ours

    def __repr__(self) -> str:
        return f"<AsyncWorkspace {self.document.get('name') or self.id}>"

    async def service_lines(
        self, service_name: Optional[str] = None, *, tail: Optional[int] = None
    ) -> List[Dict[str, str]]:
        """The last lines that its services have written: dicts with service and line."""
        parameters = {"workspace": self.id, "service": service_name, "tail": tail}
        lines: List[Dict[str, str]] = (await self._calls.call_async("logs", parameters))["lines"]
        return lines

    def follow(self, service_name: Optional[str] = None, *, tail: Optional[int] = None) -> AsyncStream:
        """What its services write, as they do: events of kind "log", until the workspace stops or one leaves."""
        return AsyncStream(
            self._calls,
            "logs",
            {"workspace": self.id, "service": service_name, "tail": tail, "follow": True},
        )

    async def __aenter__(self) -> "AsyncWorkspace":
        return self

    async def __aexit__(
        self,
        _type: Optional[Type[BaseException]],
        _error: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        if self._is_ours:
            await self.delete()
