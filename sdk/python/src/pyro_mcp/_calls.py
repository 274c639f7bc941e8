"""How operations are called: at once, as a stream of events, and without blocking an event loop."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from typing import Any, Callable, Mapping, Optional

from . import _handles
from ._library import Library
from ._values import Json, StrPath, given, to_json

EventSink = Callable[[Json], None]


class _Cancel:
    """A wish to stop that any thread may utter; free() once nobody can any more."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._cancel: Optional[int] = library.new_cancel()
        self.pointer = self._cancel

    def request(self) -> None:
        with self._lock:
            if self._cancel is not None:
                self._library.request_cancel(self._cancel)

    def free(self) -> None:
        with self._lock:
            if self._cancel is not None:
                self._library.free_cancel(self._cancel)
                self._cancel = None


class Calls:
    """Who calls: the options of a handle, and which library.

    base:         state directory; default: PYRO_HOME, else the user's own
    trust:        may calls take from this machine what a pyro.yaml wants? default: PYRO_TRUST=1, else only what
                  somebody agreed to with `pyro trust`
    lock_timeout: how long to wait for a workspace that somebody else changes, "60s"
    launcher:     path of pyro-launcher; default: beside the library
    library:      path of libpyro.so.0; default: PYRO_LIBRARY, the loader's, that beside `pyro`
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
        home = base if base is not None else os.environ.get("PYRO_HOME") or None
        self.options = given(
            {
                "base": os.path.abspath(home) if home is not None else None,
                "trust": trust if trust is not None else os.environ.get("PYRO_TRUST") == "1",
                "lock_timeout": lock_timeout,
                "launcher": os.path.abspath(launcher) if launcher is not None else None,
            }
        )
        self.library_path = os.fspath(library) if library is not None else None

    def library(self) -> Library:
        return _handles.library(self.library_path)

    def run(
        self,
        operation: str,
        parameters: bytes,
        on_event: Optional[EventSink] = None,
        cancel: Optional[int] = None,
    ) -> Json:
        """On this thread, which cannot be interrupted meanwhile."""
        with _handles.opened(self.library_path, self.options) as handle:
            result: Json = handle.library.call(handle.pointer, operation, parameters, on_event, cancel)
        return result

    def call(
        self, operation: str, parameters: Mapping[str, Any], on_event: Optional[EventSink] = None
    ) -> Json:
        if on_event is None and threading.current_thread() is not threading.main_thread():
            return self.run(operation, to_json(given(parameters)))
        # The main thread is the one that gets KeyboardInterrupt, which waits for nothing but C.
        with Stream(self, operation, parameters, with_events=on_event is not None) as stream:
            for event in stream:
                if on_event is not None:
                    on_event(event)
            return stream.result()

    async def call_async(
        self, operation: str, parameters: Mapping[str, Any], on_event: Optional[EventSink] = None
    ) -> Json:
        async with AsyncStream(self, operation, parameters, with_events=on_event is not None) as stream:
            async for event in stream:
                if on_event is not None:
                    on_event(event)
            return await stream.result()


class _Outcome:
    """What a call on a thread of its own came to."""

    def __init__(
        self,
        calls: Calls,
        operation: str,
        parameters: Mapping[str, Any],
        event: Optional[EventSink],
        done: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._operation = operation
        self._parameters = to_json(given(parameters))
        self._event = event
        self._done = done
        self._result: Optional[Json] = None
        self._error: Optional[BaseException] = None
        self.cancel = _Cancel(calls.library())
        self.thread = threading.Thread(target=self._run, name=f"pyro {operation}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._result = self._calls.run(
                self._operation, self._parameters, self._event, self.cancel.pointer
            )
        except BaseException as error:  # raised where the result is asked for
            self._error = error
        finally:
            self.cancel.free()
            self._done()

    def get(self) -> Json:
        if self._error is not None:
            raise self._error
        assert self._result is not None, "asked before the end"
        return self._result


class Stream:
    """A call that runs while its events are looked at::

        with pyro.stream_exec_workspace(workspace_id, ["make"]) as stream:
            for event in stream:
                print(event["text"], end="")
            code = stream.result()["exit_code"]

    An event is a dict with kind ("stdout" and "stderr" of commands, else what pyro does), address, text and data.
    Leaving the block before the end interrupts the call and waits for that.
    """

    def __init__(
        self, calls: Calls, operation: str, parameters: Mapping[str, Any], with_events: bool = True
    ) -> None:
        self._queue: "queue.SimpleQueue[Optional[Json]]" = queue.SimpleQueue()
        self._is_over = False
        tell = self._queue.put
        self._outcome = _Outcome(
            calls, operation, parameters, tell if with_events else None, lambda: tell(None)
        )

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Json:
        event = None if self._is_over else self._queue.get()
        if event is None:
            self._is_over = True
            raise StopIteration
        return event

    def result(self) -> Json:
        """Waits for the end. The dict that the call without events returns, or its exception."""
        for _ in self:
            pass
        return self._outcome.get()

    def cancel(self) -> None:
        """Asks it to stop; a command gets SIGINT, and SIGKILL two seconds later."""
        self._outcome.cancel.request()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.cancel()
        self._outcome.thread.join()


class AsyncStream:
    """The same with ``async with`` and ``async for``; the event loop goes on meanwhile."""

    def __init__(
        self, calls: Calls, operation: str, parameters: Mapping[str, Any], with_events: bool = True
    ) -> None:
        loop = asyncio.get_running_loop()
        self._queue: "asyncio.Queue[Optional[Json]]" = asyncio.Queue()
        self._is_over = False

        def tell(event: Optional[Json]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._queue.put_nowait, event)

        self._outcome = _Outcome(
            calls, operation, parameters, tell if with_events else None, lambda: tell(None)
        )

    def __aiter__(self) -> "AsyncStream":
        return self

    async def __anext__(self) -> Json:
        event = None if self._is_over else await self._queue.get()
        if event is None:
            self._is_over = True
            raise StopAsyncIteration
        return event

    async def result(self) -> Json:
        """Waits for the end. The dict that the call without events returns, or its exception."""
        async for _ in self:
            pass
        return self._outcome.get()

    def cancel(self) -> None:
        """Asks it to stop; a command gets SIGINT, and SIGKILL two seconds later."""
        self._outcome.cancel.request()

    async def _end(self) -> None:
        async for _ in self:
            pass

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self.cancel()
        await asyncio.shield(asyncio.ensure_future(self._end()))
