"""What the machine still holds of a pyro state directory: asked of the kernel, not of pyro."""

import os
import time
from pathlib import Path


def _processes(home: str):
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended
            continue
        if home in command and "pytest" not in command:
            yield f"process {entry.name}: {command}"


def _mounts(home: str):
    return (f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines() if home in line)


def _groups(ids):
    for directory, folders, _ in os.walk("/sys/fs/cgroup"):
        for folder in folders:
            if any(workspace in folder for workspace in ids):
                yield f"cgroup {directory}/{folder}"


def leftovers(home: Path, ids, patience: float = 30.0):
    """Lines about what is left. What is ending may take its time."""
    deadline = time.monotonic() + patience
    while True:
        found = [*_processes(str(home)), *_mounts(str(home)), *_groups(ids)]
        workspaces = home / "workspaces"
        if workspaces.is_dir():
            found += [f"record {path}" for path in workspaces.iterdir()]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
