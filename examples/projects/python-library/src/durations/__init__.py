"""Reads durations as people write them: "1h 30m", "90s"."""
import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"\s*(\d+)\s*([smhd])")


def seconds(text):
    """The number of seconds; ValueError where the text is no duration."""
    total, at = 0, 0
    while match := _PART.match(text, at):
        total += int(match[1]) * _SECONDS[match[2]]
        at = match.end()
    if at == 0 or text[at:].strip():
        raise ValueError(f"no duration: {text!r}")
    return total
