"""Versions as people write them: "1.10" is later than "1.9"."""


def parse(text):
    return tuple(text.split("."))


def latest(texts):
    return max(texts, key=parse)
