"""Looks for a text everywhere inside a sandbox: environments, arguments and memory of its processes, and files.

    seek.py HEX

prints a line for each place that has it. The bytes of the text come with their bits turned, so that it is in nobody's
arguments for our sake; our own memory is left out, the rest is not."""

import base64
import os
import pathlib
import re
import sys

wanted = bytes(byte ^ 0xFF for byte in bytes.fromhex(sys.argv[1]))
forms = [wanted, base64.b64encode(wanted), wanted.hex().encode()]
PIECE = 1 << 20


def holds(data):
    return any(form in data for form in forms)


def pieces(file, size):
    last = b""
    while size > 0:
        data = file.read(min(PIECE, size))
        if not data:
            return
        yield last + data
        last = data[-4 * len(wanted):]
        size -= len(data)


def memory(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not found:
                continue
            begin, end = (int(n, 16) for n in found.groups())
            try:
                mem.seek(begin)
                if any(holds(data) for data in pieces(mem, end - begin)):
                    print(f"memory of {pid}: {line.strip()}")
            except (OSError, ValueError, OverflowError):
                pass


looked = 0
for process in pathlib.Path("/proc").iterdir():
    if not process.name.isdigit():
        continue
    for name in ("environ", "cmdline"):
        try:
            if holds((process / name).read_bytes()):
                print(process / name)
        except OSError:
            pass
    if int(process.name) != os.getpid():
        try:
            memory(process.name)
            looked += 1
        except OSError:
            pass
for top in ("/etc", "/run", "/tmp", "/var", "/root", "/home", "/workspace", "/dev/shm", "/opt", "/srv"):
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            try:
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        if any(holds(data) for data in pieces(file, os.path.getsize(path))):
                            print(path)
            except OSError:
                pass
print(f"looked at the memory of {looked} other processes")
