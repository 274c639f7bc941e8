"""Pyro and AsyncPyro: every operation as a method, and what is made of several."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ._calls import AsyncStream, Calls, EventSink, Stream
from ._values import Json, StrPath
from .operations import AsyncOperations, Operations
from .operations.async_made import AsyncMakesWorkspaces
from .operations.made import MakesWorkspaces
from .workspace import AsyncWorkspace, Workspace


class Pyro(MakesWorkspaces, Operations):
    """Declarative, disposable workspaces. Any thread may call; a call holds up no other.

    Every operation of the command line is a method: `pyro workspace exec` is exec_workspace(), `pyro apply` is
    apply(). Results are plain dicts. A wrong value or an unknown id is a ValueError, what the state of things
    does not allow a RuntimeError; both have a `code`, see pyro_mcp.errors.

    Methods that are about a pyro.yaml take whose workspace they are about:

    directory: of the pyro.yaml; default: the working directory or above
    file:      its name, relative to directory; default: pyro.yaml
    profile:   the profile to lay over it
    vars:      values of declared variables
    workspace: instead of these, a workspace by name, id or id prefix

    base:         state directory; default: PYRO_HOME, else the user's own
    trust:        may calls take from this machine what a pyro.yaml wants? default: yes where PYRO_TRUST=1, else
                  only what somebody agreed to with `pyro trust`
    lock_timeout: how long to wait for a workspace that somebody else changes; default 60s
    launcher:     path of pyro-launcher; default: that of the library
    library:      path of libpyro.so.0; default: PYRO_LIBRARY, else the system's, else that beside `pyro`
    """

    def __init__(
        self,
        *,
        base: Optional[StrPath] = None,
        trust: Optional[bool] = None,
        lock_timeout: Optional[str] = None,
        launcher: Optional[StrPath] = None,
        library: Optional[StrPath] = None,
    ) -> None:
        self._calls = Calls(
            base=base, trust=trust, lock_timeout=lock_timeout, launcher=launcher, library=library
        )

    def call(
        self, operation: str, parameters: Mapping[str, Any], *, on_event: Optional[EventSink] = None
    ) -> Json:
        """An operation by its name in the table, telling `on_event` what happens meanwhile."""
        return self._calls.call(operation, parameters, on_event)

    def stream(self, operation: str, parameters: Mapping[str, Any]) -> Stream:
        """An operation by its name in the table, as an iterator over what happens meanwhile."""
        return Stream(self._calls, operation, parameters)

    def attach(self, workspace_id: str) -> Workspace:
        """A workspace that is there already, as an object; ``with`` leaves it there."""
        return Workspace(self._calls, self.status_workspace(workspace_id))

    def reap_expired(self) -> Json:
        """Remove the one-shot VMs and the workspaces made by hand whose time is over.

        Returns a dict: count, vms, workspaces (the ids of those removed)
        """
        vms = self.reap_vms()
        workspaces = self.reap_workspaces()
        return {
            "count": vms["count"] + workspaces["count"],
            "vms": vms["vms"],
            "workspaces": workspaces["workspaces"],
        }


class AsyncPyro(AsyncMakesWorkspaces, AsyncOperations):
    """Pyro for asyncio: the same methods, to be awaited. The event loop goes on meanwhile.

    Cancelling the task interrupts the operation and waits for its end.
    """

    def __init__(
        self,
        *,
        base: Optional[StrPath] = None,
        trust: Optional[bool] = None,
        lock_timeout: Optional[str] = None,
        launcher: Optional[StrPath] = None,
        library: Optional[StrPath] = None,
    ) -> None:
        self._calls = Calls(
            base=base, trust=trust, lock_timeout=lock_timeout, launcher=launcher, library=library
        )

    async def call(
        self, operation: str, parameters: Mapping[str, Any], *, on_event: Optional[EventSink] = None
    ) -> Json:
        """An operation by its name in the table, telling `on_event` what happens meanwhile."""
        return await self._calls.call_async(operation, parameters, on_event)

    def stream(self, operation: str, parameters: Mapping[str, Any]) -> AsyncStream:
        """An operation by its name in the table, as an iterator over what happens meanwhile."""
        return AsyncStream(self._calls, operation, parameters)

    async def attach(self, workspace_id: str) -> AsyncWorkspace:
        """A workspace that is there already, as an object; ``async with`` leaves it there."""
        return AsyncWorkspace(self._calls, await self.status_workspace(workspace_id))

    async def reap_expired(self) -> Json:
        """As Pyro.reap_expired()."""
        vms = await self.reap_vms()
        workspaces = await self.reap_workspaces()
        return {
            "count": vms["count"] + workspaces["count"],
            "vms": vms["vms"],
            "workspaces": workspaces["workspaces"],
        }
