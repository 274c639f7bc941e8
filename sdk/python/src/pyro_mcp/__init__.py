"""pyro from Python: declarative, disposable workspaces.

    from pyro_mcp import Pyro

    pyro = Pyro()
    with pyro.workspace("host", seed_path=".") as ws:
        print(ws.exec(["ls"])["stdout"])

Pyro has every operation as a method, AsyncPyro the same for asyncio. Errors are in pyro_mcp.errors, and pytest finds
the fixture `pyro_workspace` by itself (pyro_mcp.pytest_plugin). The library libpyro.so.0 does the work: it comes with
the Debian package of pyro.
"""

from __future__ import annotations

from ._calls import AsyncStream, Stream
from ._values import DEFAULT
from .api import AsyncPyro, Pyro
from .errors import Failed, InvalidArgument, LibraryNotFound, PyroError
from .vm_manager import VmManager
from .workspace import AsyncWorkspace, Shell, Workspace

__version__ = "0.1.0"

__all__ = [
    "DEFAULT",
    "AsyncPyro",
    "AsyncStream",
    "AsyncWorkspace",
    "Failed",
    "InvalidArgument",
    "LibraryNotFound",
    "Pyro",
    "PyroError",
    "Shell",
    "Stream",
    "VmManager",
    "Workspace",
    "__version__",
]
