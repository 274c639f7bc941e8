"""What the generated methods call."""

from __future__ import annotations

from typing import Any, Mapping

from .._calls import AsyncStream, Calls, Stream
from .._values import Json


class OperationsBase:
    """Calls that wait for their result."""

    _calls: Calls

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> Json:
        return self._calls.call(operation, parameters)

    def _stream(self, operation: str, parameters: Mapping[str, Any]) -> Stream:
        return Stream(self._calls, operation, parameters)


class AsyncOperationsBase:
    """Calls that an event loop waits for."""

    _calls: Calls

    async def _call(self, operation: str, parameters: Mapping[str, Any]) -> Json:
        return await self._calls.call_async(operation, parameters)

    def _stream(self, operation: str, parameters: Mapping[str, Any]) -> AsyncStream:
        return AsyncStream(self._calls, operation, parameters)


class BoundBase(OperationsBase):
    """The same for one workspace."""

    id: str


class AsyncBoundBase(AsyncOperationsBase):
    """The same for one workspace."""

    id: str
