"""Threads and forks of one program."""

import multiprocessing
import os
import random
import threading
import time

THREADS = 32
WORKSPACES = 8
# With PYRO_TEST_LONG a minute, else as long as every thread needs for a few rounds.
SECONDS = 60 if os.environ.get("PYRO_TEST_LONG") else 0
ROUNDS = 3


def test_threads_share_workspaces_without_a_wrong_answer(pyro, environment):
    """Each thread knows what it wrote where, so it sees an answer that is somebody else's."""
    workspaces = [pyro.workspace(environment, name=f"shared-{n}") for n in range(WORKSPACES)]
    until = time.monotonic() + SECONDS
    wrong, rounds = [], [0] * THREADS

    def work(number):
        dice = random.Random(number)
        try:
            while rounds[number] < ROUNDS or time.monotonic() < until:
                ws = dice.choice(workspaces)
                token = f"{number}-{rounds[number]}"
                ws.write_file(f"of-{number}", token)
                said = ws.exec(["sh", "-c", f"echo {token}; cat of-{number}; exit {number}"])
                if (said["exit_code"], said["stdout"]) != (number, f"{token}\n{token}"):
                    wrong.append((token, said))
                read = ws.read_file(f"of-{number}")["content"]
                if read != token or ws.status()["workspace_id"] != ws.id:
                    wrong.append((token, read))
                try:
                    pyro.status_workspace(f"nobody-{token}")
                    wrong.append((token, "no error"))
                except ValueError as error:
                    if f"nobody-{token}" not in str(error):
                        wrong.append((token, error))
                rounds[number] += 1
        except Exception as error:  # it would only be printed otherwise
            wrong.append((number, error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert min(rounds) >= ROUNDS
    counts = sum(ws.status()["command_count"] for ws in workspaces)
    assert counts == sum(rounds)
    for ws in workspaces:
        ws.delete()


def _in_a_child(pyro, workspace_id, number):
    return pyro.exec_workspace(workspace_id, ["echo", str(number)])["stdout"]


def test_forked_children_call_with_what_they_inherited(pyro, ws):
    assert ws.exec("true")["exit_code"] == 0  # the parent's handle is open
    fork = multiprocessing.get_context("fork")
    with fork.Pool(3) as pool:
        calls = [pool.apply_async(_in_a_child, (pyro, ws.id, number)) for number in range(6)]
        assert [call.get(timeout=300) for call in calls] == [f"{number}\n" for number in range(6)]
    assert ws.exec("echo still")["stdout"] == "still\n"


def test_a_child_that_was_forked_while_threads_call(pyro, ws):
    stop = threading.Event()

    def call():
        while not stop.is_set():
            pyro.status_workspace(ws.id)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    status = 0 if pyro.status_workspace(ws.id)["workspace_id"] == ws.id else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
