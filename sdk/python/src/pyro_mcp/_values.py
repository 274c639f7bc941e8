"""Values on their way into an operation: what is left out, what is null, and how Python's become JSON."""

from __future__ import annotations

import enum
import json
import os
from typing import Any, Dict, Mapping, Optional, Sequence, TypeVar, Union

Json = Dict[str, Any]
#: A path of this machine.
StrPath = Union[str, "os.PathLike[str]"]
Value = TypeVar("Value")


class Default(enum.Enum):
    """Stands for the operation's own default where None means something else."""

    DEFAULT = "default"


class _Null(enum.Enum):
    NULL = "null"


DEFAULT = Default.DEFAULT


def nullable(value: Union[Value, None, Default]) -> Union[Value, _Null, None]:
    """None as null, and the default as absent."""
    if value is None:
        return _Null.NULL
    return None if isinstance(value, Default) else value


def given(parameters: Mapping[str, Any]) -> Json:
    """Without those that were left out."""
    return {
        name: None if value is _Null.NULL else value
        for name, value in parameters.items()
        if value is not None
    }


def _plain(value: object) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no value that an operation takes")


def to_json(value: Any) -> bytes:
    """ASCII, so that it is UTF-8 whatever the locale is."""
    return json.dumps(value, default=_plain, allow_nan=False).encode("ascii")


def from_json(text: Optional[bytes]) -> Any:
    return json.loads(text.decode("utf-8")) if text else {}
