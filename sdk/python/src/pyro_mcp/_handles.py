"""Open handles of the library: one for all that use the same options in this process.

Operations run in a process of the handle that has the environment variables of the moment when it was opened. So
a handle serves as long as they are as they were; where the program has changed one, the next call opens another.
After fork() the child opens its own: the parent's is not the child's to close.
"""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional, Tuple

from ._library import Library
from ._values import to_json


class _Handle:
    def __init__(self, library: Library, options: Any, variables: Dict[str, str]) -> None:
        self.library = library
        self.variables = variables
        self.pointer = library.open(options)
        self.calls = 0
        self.is_retired = False

    def close_if_unused(self) -> None:
        if self.is_retired and self.calls == 0:
            self.library.close(self.pointer)


_lock = threading.Lock()
_libraries: Dict[Optional[str], Library] = {}
_current: Dict[Tuple[Optional[str], bytes], _Handle] = {}


def library(path: Optional[str] = None) -> Library:
    """Loaded once for each path."""
    named = path or os.environ.get("PYRO_LIBRARY")
    with _lock:
        if named not in _libraries:
            _libraries[named] = Library(named)
        return _libraries[named]


def _retire(handle: _Handle) -> None:
    handle.is_retired = True
    handle.close_if_unused()


@contextmanager
def opened(path: Optional[str], options: Any) -> Iterator[_Handle]:
    """A handle that stays open for the length of the block."""
    loaded = library(path)
    key = (loaded.path, to_json(options))
    variables = dict(os.environ)
    with _lock:
        handle = _current.get(key)
        if handle is None or handle.variables != variables:
            made = _Handle(loaded, options, variables)
            if handle is not None:
                _retire(handle)
            handle = _current[key] = made
        handle.calls += 1
    try:
        yield handle
    finally:
        with _lock:
            handle.calls -= 1
            handle.close_if_unused()


def _forget_those_of_the_parent() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it
    _current.clear()


def _close_all() -> None:
    with _lock:
        for handle in _current.values():
            _retire(handle)
        _current.clear()


os.register_at_fork(after_in_child=_forget_those_of_the_parent)
atexit.register(_close_all)
