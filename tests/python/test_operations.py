"""The methods are those of the operation table, all of them, and say so."""

import ast
import inspect
import json
import subprocess
import sys

import pytest
from conftest import SOURCE

from pyro_mcp import AsyncPyro, AsyncWorkspace, Pyro, Workspace
from pyro_mcp._handles import library

SDK = SOURCE / "sdk/python"
sys.path.insert(0, str(SDK))
import generate  # noqa: E402

TABLE = json.loads((SOURCE / "schemas/operations/operations.json").read_text())["operations"]

# What users of the Python tool know.
KNOWN = (
    "create_workspace push_workspace_sync exec_workspace diff_workspace export_workspace logs_workspace "
    "status_workspace delete_workspace list_workspaces update_workspace start_workspace stop_workspace "
    "list_workspace_files read_workspace_file write_workspace_file apply_workspace_patch "
    "create_snapshot list_snapshots delete_snapshot reset_workspace "
    "open_shell read_shell write_shell signal_shell close_shell "
    "start_service list_services status_service logs_service stop_service "
    "create_vm start_vm exec_vm stop_vm delete_vm status_vm network_info_vm reap_expired run_in_vm "
    "list_environments pull_environment inspect_environment prune_environments plan apply"
).split()


def test_the_checked_in_files_are_what_the_generator_writes():
    done = subprocess.run(
        [sys.executable, SDK / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + "run sdk/python/generate.py"


def test_the_library_has_the_same_table():
    told = library().operations()["operations"]
    assert [name for name in TABLE.keys() | told.keys() if TABLE.get(name) != told.get(name)] == []


@pytest.mark.parametrize("kind", [Pyro, AsyncPyro])
@pytest.mark.parametrize("name", KNOWN)
def test_known_names_are_there(kind, name):
    assert callable(getattr(kind, name))


@pytest.mark.parametrize("kind", [Pyro, AsyncPyro])
@pytest.mark.parametrize("operation", TABLE)
def test_every_operation_is_a_method_with_every_parameter(kind, operation):
    method = getattr(kind, generate.sdk_name(operation))
    assert inspect.iscoroutinefunction(method) == (kind is AsyncPyro)
    schema = TABLE[operation]["parameters"]
    parameters = dict(inspect.signature(method).parameters)
    del parameters["self"]
    assert set(parameters) == set(schema.get("properties", {}))
    for name in schema.get("required", []):
        assert parameters[name].default is inspect.Parameter.empty
    assert TABLE[operation]["summary"] in inspect.getdoc(method)


@pytest.mark.parametrize("kind", [Workspace, AsyncWorkspace])
def test_every_operation_on_a_workspace_is_a_method_of_it(kind):
    for operation, entry in TABLE.items():
        if "workspace_id" in entry["parameters"].get("properties", {}):
            assert callable(getattr(kind, generate.bound_name(generate.sdk_name(operation)))), operation


@pytest.mark.parametrize("kind", [Pyro, AsyncPyro])
def test_workspaces_are_made_with_the_parameters_of_create(kind):
    made, created = (inspect.signature(method) for method in (kind.workspace, kind.create_workspace))
    assert made.parameters == created.parameters


def test_the_oldest_python_reads_it():
    for path in SDK.glob("src/**/*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_types_are_complete():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict"],
        cwd=SDK, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pydoc_reads_well():
    text = subprocess.check_output([sys.executable, "-m", "pydoc", "pyro_mcp.Pyro.exec_workspace"], text=True)
    for part in ("A text for /bin/sh -c, or a list", "exit_code (the command's; 124 timeout", "timeout_seconds:"):
        assert part in text
