"""libpyro.so.0 through ctypes: where it is found, and its functions with their types."""

from __future__ import annotations

import ctypes
import os
import shutil
import sysconfig
from typing import Any, Callable, List, Optional, Tuple

from ._values import from_json, to_json
from .errors import Failed, InvalidArgument, LibraryNotFound, PyroError

_SONAME = "libpyro.so.0"
_INVALID = 1

#: void (*)(void *user, const char *event_json)
EventFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class CallOptions(ctypes.Structure):
    """struct pyro_call_options"""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("on_event", EventFunction),
        ("user", ctypes.c_void_p),
        ("cancel", ctypes.c_void_p),
    ]


def candidates(path: Optional[str]) -> List[str]:
    """Where the library may be, the first that there is counts. A path that somebody named is the only one."""
    named = path or os.environ.get("PYRO_LIBRARY")
    if named:
        return [os.path.abspath(named)]
    places = [_SONAME]
    program = shutil.which("pyro")
    if program:
        beside = os.path.dirname(os.path.realpath(program))
        libraries = os.path.join(os.path.dirname(beside), "lib")
        folders = [libraries, os.path.join(libraries, sysconfig.get_config_var("MULTIARCH") or ""), beside]
        places += [os.path.join(folder, _SONAME) for folder in folders]
    return places


def _load(path: Optional[str]) -> Tuple[str, ctypes.CDLL]:
    reasons = []
    for place in candidates(path):
        try:
            return place, ctypes.CDLL(place)
        except OSError as error:
            reasons.append(str(error))
    raise LibraryNotFound(
        {
            "code": "unavailable",
            "message": f"{_SONAME} cannot be loaded",
            "context": reasons,
            "hint": "install the Debian package libpyro0, or name the file in PYRO_LIBRARY",
        }
    )


class Library:
    """The functions of pyro.h. Errors are raised; texts of the library are freed here."""

    def __init__(self, path: Optional[str] = None) -> None:
        self.path, self._c = _load(path)
        text, handle = ctypes.c_void_p, ctypes.c_void_p
        out = ctypes.POINTER(ctypes.c_void_p)
        self._declare("pyro_open", handle, [ctypes.c_char_p, out])
        self._declare(
            "pyro_call",
            ctypes.c_int,
            [handle, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(CallOptions), out],
        )
        self._declare("pyro_operations", text, [])
        self._declare("pyro_cancel_new", handle, [])
        self._declare("pyro_cancel_request", None, [handle])
        self._declare("pyro_cancel_free", None, [handle])
        self._declare("pyro_version", ctypes.c_char_p, [])
        self._declare("pyro_free", None, [text])
        self._declare("pyro_close", None, [handle])

    def _declare(self, name: str, result: Any, arguments: List[Any]) -> None:
        try:
            function = getattr(self._c, name)
        except AttributeError:
            raise LibraryNotFound(
                {"code": "unavailable", "message": f"{self.path} has no {name}: it is another library, or older"}
            ) from None
        function.restype = result
        function.argtypes = arguments

    def version(self) -> str:
        return bytes(self._c.pyro_version()).decode("utf-8")

    def operations(self) -> Any:
        """The operation table, as schemas/operations/operations.json has it."""
        return from_json(self._taken(ctypes.c_void_p(self._c.pyro_operations())))

    def open(self, options: Any) -> int:
        error = ctypes.c_void_p()
        handle = self._c.pyro_open(to_json(options), ctypes.byref(error))
        document = self._taken(error)
        if not handle:
            raise _error_of(_INVALID if _is_about_a_value(document) else 0, document)
        return int(handle)

    def close(self, handle: int) -> None:
        self._c.pyro_close(handle)

    def new_cancel(self) -> int:
        return int(self._c.pyro_cancel_new())

    def request_cancel(self, cancel: int) -> None:
        self._c.pyro_cancel_request(cancel)

    def free_cancel(self, cancel: int) -> None:
        self._c.pyro_cancel_free(cancel)

    def call(
        self,
        handle: int,
        operation: str,
        parameters: bytes,
        on_event: Optional[Callable[[Any], None]] = None,
        cancel: Optional[int] = None,
    ) -> Any:
        """Blocks this thread, without Python's lock; `on_event` is called from it and must not raise."""
        options = CallOptions(size=ctypes.sizeof(CallOptions), cancel=cancel)
        if on_event is not None:
            notify = on_event
            options.on_event = EventFunction(lambda _user, text: notify(from_json(text)))
        result = ctypes.c_void_p()
        status = self._c.pyro_call(
            handle, operation.encode("utf-8"), parameters, ctypes.byref(options), ctypes.byref(result)
        )
        document = self._taken(result)
        if status != 0:
            raise _error_of(status, document)
        return from_json(document)

    def _taken(self, text: ctypes.c_void_p) -> Optional[bytes]:
        if not text.value:
            return None
        try:
            return ctypes.string_at(text.value)
        finally:
            self._c.pyro_free(text)


def _is_about_a_value(document: Optional[bytes]) -> bool:
    return from_json(document).get("code") in ("invalid_argument", "usage", "not_found")


def _error_of(status: int, document: Optional[bytes]) -> PyroError:
    parsed = from_json(document)
    parsed = parsed.get("error", parsed)
    return InvalidArgument(parsed) if status == _INVALID else Failed(parsed)
