"""Counts the words of a text."""

import collections
import re


def count(text: str) -> dict[str, int]:
    return dict(collections.Counter(re.findall(r"[a-z']+", text.lower())))
