"""Waiting for what comes about by itself."""

import time


def eventually(question, patience=60):
    deadline = time.monotonic() + patience
    while not question():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
