"""What goes wrong in pyro, as Python exceptions.

Two classes, by meaning: ``InvalidArgument`` is a ``ValueError`` (a value of the caller, or an id that does not
exist), ``Failed`` is a ``RuntimeError`` (the state of a workspace, or this machine). Both are ``PyroError``.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional


class PyroError(Exception):
    """An error of pyro. ``str()`` is the text that the command line prints.

    code:     a stable name to act on: not_found, bad_state, locked, approval_needed, …
    message:  what went wrong, in one sentence
    context:  what was being done, from the inside out
    hint:     the way out, or ""
    output:   the last lines of whatever failed
    position: {"file", "line", "column"} where it is about a place in a file, else None
    details:  the whole document
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.details: Dict[str, Any] = dict(document)
        self.code: str = str(document.get("code", "failed"))
        self.message: str = str(document.get("message", ""))
        self.context: List[str] = [str(line) for line in document.get("context", [])]
        self.hint: str = str(document.get("hint", ""))
        self.output: List[str] = [str(line) for line in document.get("output", [])]
        position = document.get("position")
        self.position: Optional[Dict[str, Any]] = dict(position) if isinstance(position, Mapping) else None
        super().__init__(self._text())

    def _text(self) -> str:
        text = self.message
        if self.position:
            parts = [str(self.position.get("file", ""))]
            if self.position.get("line"):
                parts += [str(self.position["line"]), str(self.position.get("column", 0))]
            text = ":".join(parts) + ": " + text
        lines = [text]
        lines += ["    " + line for line in self.output]
        lines += ["  " + line for line in self.context]
        if self.hint:
            lines.append("hint: " + self.hint)
        return "\n".join(lines)

    def __reduce__(self) -> Any:  # processes hand exceptions on by pickle
        return type(self), (self.details,)


class InvalidArgument(PyroError, ValueError):
    """A value of the caller that cannot be, or an id that does not exist."""


class Failed(PyroError, RuntimeError):
    """The workspace is not in the state that this needs, or this machine could not do it."""


class LibraryNotFound(Failed):
    """libpyro.so.0 is not there, or is another version's."""
