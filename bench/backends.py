#!/usr/bin/env python3
"""Virtual machines beside namespaces and beside a bare boot of the same kernel, in one run.

    bench/backends.py --pyro build/release/bin/pyro [--rounds 5] [--json FILE]

Needs an environment debian:12-base and its guest kernel (`pyro env pull debian:12-base`). Absolute times of an emulated
processor say little about KVM; the ratios of one run are what to look at.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SPEC = """version: 1
name: bench
backend: {backend}
environment: {{image: "debian:12-base", resources: {{memory: 512MiB}}}}
seed: {{from: seed}}
{more}"""

# A small server, ready when it can be connected to; kept in memory where the backend can.
SERVICE = """services:
  web:
    command: [perl, -MIO::Socket::INET, -e, "my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5); $s->accept while 1"]
    readiness: {tcp: 8080}
snapshots: {ready: {at: ready}}
reset: {to: ready}
"""


def cache_directory():
    given = os.environ.get("PYRO_ENVIRONMENT_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    return given or os.path.join(home, "pyro")


class Project:
    """A directory with a pyro.yaml and a state directory of its own."""

    def __init__(self, pyro, backend, root, more=""):
        self.pyro = pyro
        name = backend + ("-service" if more else "")
        self.directory = os.path.join(root, name)
        os.makedirs(os.path.join(self.directory, "seed"))
        with open(os.path.join(self.directory, "pyro.yaml"), "w", encoding="utf-8") as spec:
            spec.write(SPEC.format(backend=backend, more=more))
        for number in range(200):
            with open(os.path.join(self.directory, "seed", f"f{number}"), "w", encoding="utf-8") as file:
                file.write("text\n" * 20)
        self.env = dict(os.environ, PYRO_HOME=os.path.join(root, name + "-home"))

    def run(self, *words, env=None, check=True):
        start = time.monotonic()
        done = subprocess.run([self.pyro, *words], cwd=self.directory, env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(words)}: {done.stderr}")
        return (time.monotonic() - start) * 1000, done.stdout

    def status(self):
        return json.loads(self.run("status", "--json")[1])


def median(values):
    return round(statistics.median(values), 1)


def private_kib(pid):
    """Private memory of a process and all below it."""
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as rollup:
        total += sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(task, encoding="utf-8") as children:
            total += sum(private_kib(child) for child in children.read().split())
    return total


def measure(project, rounds):
    figures = {}
    figures["first apply ms"] = round(project.run("apply", "-y")[0], 1)
    project.run("reset", "-y")
    figures["reset ms"] = median([project.run("reset", "-y")[0] for _ in range(rounds)])
    figures["exec ms"] = median([project.run("exec", "--", "true")[0] for _ in range(4 * rounds)])
    project.run("exec", "--", "sh", "-c", "for i in 1 2 3; do echo changed > /workspace/f$i; done")
    figures["diff of 3 ms"] = median([project.run("diff")[0] for _ in range(rounds)])
    figures["snapshot ms"] = median([project.run("snapshot", "save", f"s{number}")[0] for number in range(rounds)])
    pid = int(subprocess.run(["pgrep", "-n", "-x", "pyro-supervisor"], capture_output=True, text=True,
                             check=True).stdout)
    figures["memory MiB"] = round(private_kib(pid) / 1024, 1)
    return figures


def resets(project, rounds):
    """Of a workspace with a service, which is ready again when it ends."""
    project.run("apply", "-y")
    project.run("reset", "-y")
    return median([project.run("reset", "-y")[0] for _ in range(2 * rounds)])


def cold_starts(project, rounds):
    """Started without templates: from the kernel on."""
    times = []
    for _ in range(rounds):
        project.run("stop")
        times.append(project.run("start", env={"PYRO_TEMPLATE_BUDGET": "0"})[0])
    return median(times)


def bare_boots(rounds):
    """QEMU alone with the same kernel and initramfs, to the point where the kernel looks for its first program."""
    kernels = os.path.join(cache_directory(), "environments", "kernels", "*")
    kernel = sorted(glob.glob(os.path.join(kernels, "vmlinuz")))
    initrd = sorted(glob.glob(os.path.join(kernels, "initramfs", "*")))
    if not kernel or not initrd:
        return None
    times = []
    for _ in range(rounds):
        start = time.monotonic()
        subprocess.run(["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "512", "-nodefaults", "-display",
                        "none", "-no-reboot", "-kernel", kernel[-1], "-initrd", initrd[-1], "-append",
                        "quiet panic=-1 rdinit=/none init=/none"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        times.append((time.monotonic() - start) * 1000)
    return median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyro", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    given = parser.parse_args()
    root = tempfile.mkdtemp(prefix="pyro-bench-")
    figures = {}
    try:
        pyro = os.path.abspath(given.pyro)
        for backend in ("namespaces", "qemu"):
            project = Project(pyro, backend, root)
            figures[backend] = measure(project, given.rounds)
            if backend == "qemu":
                figures[backend]["cold start ms"] = cold_starts(project, given.rounds)
                figures["bare QEMU"] = {"kernel boot ms": bare_boots(given.rounds)}
            project.run("destroy", "-y")
            project = Project(pyro, backend, root, SERVICE)
            figures[backend]["reset, service ready ms"] = resets(project, given.rounds)
            if backend == "qemu":
                figures[backend]["cold start, service ready ms"] = cold_starts(project, given.rounds)
            project.run("destroy", "-y")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    rows = sorted({row for column in figures.values() for row in column})
    print(f"{'':30}" + "".join(f"{name:>14}" for name in figures))
    for row in rows:
        print(f"{row:30}" + "".join(f"{str(column.get(row, '')):>14}" for column in figures.values()))
    machine = figures["qemu"]
    for after in ("", ", service ready"):
        ratio = machine[f"cold start{after} ms"] / machine[f"reset{after} ms"]
        print(f"a reset{after} is {ratio:.1f} times faster than a cold start{after}")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as out:
            json.dump(figures, out, indent=2, sort_keys=True)


if __name__ == "__main__":
    main()
