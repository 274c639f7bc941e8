"""The variants for asyncio hold up nothing."""

import asyncio

import pytest
from test_streams import gone

from pyro_mcp import AsyncPyro


def run(main):
    return asyncio.run(main)


def test_the_loop_goes_on_while_operations_run(home, environment, seed):
    async def main():
        pyro = AsyncPyro()
        async with await pyro.workspace(environment, seed_path=seed) as ws:
            waits = [
                asyncio.create_task(ws.exec(f"until [ -e go ]; do sleep 0.05; done; echo {n}", timeout_seconds=300))
                for n in range(5)
            ]
            ticks = 0
            while not all(wait.done() for wait in waits):
                await asyncio.sleep(0.01)
                ticks += 1
                if ticks == 10:  # none of them can have ended
                    assert not any(wait.done() for wait in waits)
                    await ws.write_file("go", "")
            return [(await wait)["stdout"] for wait in waits], await ws.status()

    told, status = run(main())
    assert told == [f"{n}\n" for n in range(5)]
    assert status["command_count"] == 5


def test_cancelling_the_task_ends_the_command(home, environment):
    async def main():
        pyro = AsyncPyro()
        async with await pyro.workspace(environment) as ws:
            begun = asyncio.Event()
            task = asyncio.create_task(
                pyro.call(
                    "workspace_exec",
                    {"workspace_id": ws.id, "command": "echo begun; exec sleep 98764", "timeout_seconds": 600},
                    on_event=lambda _event: begun.set(),
                )
            )
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert gone("98764")
            assert (await ws.exec("echo alive"))["stdout"] == "alive\n"

    run(main())


def test_streams(home, environment):
    async def main():
        pyro = AsyncPyro()
        async with await pyro.workspace(environment) as ws:
            text = ""
            async with ws.stream_exec("echo first; until [ -e go ]; do sleep 0.05; done; echo second") as stream:
                async for event in stream:
                    text += event["text"]
                    if text == "first\n":
                        await ws.write_file("go", "")
                assert (await stream.result())["exit_code"] == 0
            assert text == "first\nsecond\n"
            await ws.start_service("said", "echo it", readiness={"type": "log", "text": "it"})
            assert [line["line"] for line in await ws.service_lines("said")] == ["it"]

    run(main())


def test_errors_are_the_same(home):
    async def main():
        pyro = AsyncPyro()
        with pytest.raises(ValueError, match="does not exist"):
            await pyro.attach("nobody")
        assert await pyro.reap_expired() == {"count": 0, "vms": [], "workspaces": []}

    run(main())
