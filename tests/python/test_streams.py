"""What happens during a call is told while it happens."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WAIT_FOR_GO = "echo first; echo second >&2; until [ -e go ]; do sleep 0.05; done; echo third"


def processes_with(word):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found += [entry.name] if word in (entry / "cmdline").read_bytes().decode() else []
            except OSError:
                continue
    return found


def gone(word, patience=30):
    deadline = time.monotonic() + patience
    while processes_with(word):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_output_arrives_while_the_command_runs(ws):
    seen = {"stdout": "", "stderr": ""}
    with ws.stream_exec(WAIT_FOR_GO) as stream:
        for event in stream:
            seen[event["kind"]] += event["text"]
            if seen == {"stdout": "first\n", "stderr": "second\n"}:
                ws.write_file("go", "")  # only now can it end
        result = stream.result()
    assert seen == {"stdout": "first\nthird\n", "stderr": "second\n"}
    assert (result["exit_code"], result["stdout"]) == (0, "first\nthird\n")


def test_a_stream_that_nobody_reads_has_its_result_all_the_same(ws):
    with ws.stream_exec("echo one; exit 3") as stream:
        assert stream.result()["exit_code"] == 3
    assert list(stream) == []


def test_leaving_a_stream_early_ends_the_command(ws):
    with ws.stream_exec("echo begun; exec sleep 98761") as stream:
        assert next(stream)["text"] == "begun\n"
    assert gone("98761")
    with pytest.raises(RuntimeError) as caught:
        stream.result()
    assert caught.value.code == "interrupted"


def test_callers_are_told_too_and_may_have_had_enough(pyro, ws):
    texts = []
    pyro.call(
        "workspace_exec",
        {"workspace_id": ws.id, "command": "echo told"},
        on_event=lambda event: texts.append(event["text"]),
    )
    assert texts == ["told\n"]

    def enough(_event):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        pyro.call("workspace_exec", {"workspace_id": ws.id, "command": "echo x; exec sleep 98762"}, on_event=enough)
    assert gone("98762")


def test_errors_come_out_of_streams(pyro):
    with pyro.stream_exec_workspace("nobody", "true") as stream:
        with pytest.raises(ValueError, match="does not exist"):
            stream.result()


def test_an_apply_tells_what_it_does(pyro, place, environment):
    (place / "pyro.yaml").write_text(f"version: 1\nname: t\nenvironment: {{image: '{environment}'}}\n")
    with pyro.stream_apply(directory=place) as stream:
        kinds = [event["kind"] for event in stream]
        assert stream.result()["changed"] is True
    assert "action_start" in kinds


def test_logs_are_followed_until_one_has_seen_enough(ws):
    ws.start_service("counter", "n=0; while true; do n=$((n+1)); echo line $n; sleep 0.05; done")
    lines = []
    with ws.follow("counter") as stream:
        for event in stream:
            lines += [event["text"]] if event["kind"] == "log" else []
            if len(lines) == 5:
                break
    assert lines == [f"line {n}" for n in range(1, 6)]
    assert ws.status_service("counter")["state"] == "running"


def test_following_ends_with_the_workspace(ws):
    ws.start_service("counter", "echo begun; while true; do sleep 60; done")
    lines = []
    with ws.follow() as stream:
        for event in stream:
            if event["kind"] == "log":
                lines.append(event["text"])
                ws.stop()
        assert stream.result()["lines"] == [{"service": "counter", "line": "begun"}]
    assert lines == ["begun"]


def test_control_c_ends_the_command(home, environment):
    program = f"""
from pyro_mcp import Pyro
with Pyro().workspace({environment!r}) as ws:
    ws.start_service("witness", "until [ -e begun ]; do sleep 0.05; done; echo", readiness=None)
    print(ws.id, flush=True)
    ws.exec("touch begun; exec sleep 98763", timeout_seconds=600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        deadline = time.monotonic() + 60
        while not processes_with("98763"):
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    assert gone("98763")
