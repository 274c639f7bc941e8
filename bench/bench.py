#!/usr/bin/env python3
"""Measures pyro on a tree of N files beside what people would use instead, all in one run on one machine.

Prints a table of p50 times with ratios and writes JSON. Everything happens below one temporary directory, with a state
directory of its own; nothing is left. docs/performance.md says what the rows mean."""

import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SPEC = """version: 1
name: bench
environment: {image: host}
seed: {from: .}
snapshots:
  clean: {at: seed}
"""


class Failed(Exception):
    pass


def run(argv, *, cwd=None, env=None, ok=(0,), keep_output=False):
    """Runs to the end and returns stdout (b"" unless keep_output); any status but `ok` ends the benchmark."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in ok:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-5:]
        raise Failed(f"{' '.join(map(str, argv))}: exit code {done.returncode}\n  " + "\n  ".join(tail))
    return done.stdout or b""


def timed(argv, **options):
    """Milliseconds that a command takes."""
    start = time.perf_counter()
    run(argv, **options)
    return (time.perf_counter() - start) * 1000


def private_kib(pid):
    """Memory that a process shares with nobody; 0 of one that is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def make_tree(root, files, total_bytes, seed):
    """A tree that looks like sources: about 100 files a directory, sizes spread around the mean, text that repeats a
    little. The same for the same arguments."""
    dice = random.Random(seed)
    words = [f"{dice.choice('abcdefgh')}{dice.randrange(10**6):06d}" for _ in range(5000)]
    pool = " ".join(dice.choice(words) for _ in range(300_000)).encode()
    mean = max(64, total_bytes // max(files, 1))
    made = 0
    for number in range((files + 99) // 100):
        directory = root / f"part{number // 100:03d}" / f"module{number:05d}"
        directory.mkdir(parents=True)
        for index in range(min(100, files - number * 100)):
            size = min(int(mean * dice.lognormvariate(-0.5, 1.0)), len(pool) // 2)
            start = dice.randrange(len(pool) - size)
            header = f"// {number}.{index}\n".encode()
            with open(directory / f"file{index:02d}.cpp", "wb") as out:
                out.write(header + pool[start:start + size] + b"\n")
            made += size
    return made


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.tree = work / "tree"
        self.pyro_path = str(pathlib.Path(options.pyro).resolve())
        self.env = dict(os.environ, PYRO_HOME=str(work / "home"), CI="true")
        self.rows = {}
        self.notes = {}

    def pyro(self, *arguments, **options):
        return run([self.pyro_path, *arguments], cwd=options.pop("cwd", self.tree), env=self.env, **options)

    def wanted(self, name):
        only = self.options.only
        return not only or any(part in name for part in only.split(","))

    def measure(self, name, once, runs=None, before=None):
        """Repeats `once` (returns milliseconds) and keeps the times; `before` prepares each repetition, untimed."""
        if not self.wanted(name):
            return
        times = []
        for number in range(runs or self.options.runs):
            if before:
                before(number)
            times.append(once(number))
        self.rows[name] = {
            "p50_ms": round(statistics.median(times), 3), "min_ms": round(min(times), 3),
            "max_ms": round(max(times), 3), "runs": len(times)}
        print(f"  {name:<34} {statistics.median(times):>10.2f} ms", flush=True)

    def pyro_time(self, *arguments, **options):
        return timed([self.pyro_path, *arguments], cwd=self.tree, env=self.env, **options)

    # --- beside -----------------------------------------------------------------------------------------------------

    def others(self):
        few = max(1, min(3, self.options.runs))
        self.measure("sh -c true", lambda _: timed(["sh", "-c", "true"]))
        if shutil.which("bwrap"):
            self.measure("bwrap true", lambda _: timed(
                ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]))
        if shutil.which("git"):
            self.measure("git status", lambda _: timed(["git", "status", "--porcelain"], cwd=self.tree))
        copy, archive, out = self.work / "copy", self.work / "tree.tar", self.work / "out"
        drop = lambda path: lambda _: shutil.rmtree(path, ignore_errors=True)
        self.measure("cp -a", lambda _: timed(["cp", "-a", self.tree, copy]), runs=few, before=drop(copy))
        drop(copy)(0)
        self.measure("tar c", lambda _: timed(["tar", "-cf", archive, "-C", self.tree, "."]), runs=few)
        if archive.exists():
            def fresh(_):
                shutil.rmtree(out, ignore_errors=True)
                out.mkdir()
            self.measure("tar x", lambda _: timed(["tar", "-xf", archive, "-C", out]), runs=few, before=fresh)
            shutil.rmtree(out, ignore_errors=True)
            archive.unlink()

    # --- pyro -------------------------------------------------------------------------------------------------------

    def change(self, count, tag):
        """Changes `count` files inside the sandbox, each in a directory of its own where there are enough."""
        paths = []
        directories = (self.options.files + 99) // 100
        for number in range(count):
            module, index = number % directories, number // directories
            paths.append(f"part{module // 100:03d}/module{module:05d}/file{index:02d}.cpp")
        script = f'for path; do echo "changed {tag}" >> "$path"; done'
        for start in range(0, count, 500):
            self.pyro("exec", "--", "sh", "-c", script, "sh", *paths[start:start + 500])

    def ours(self):
        self.measure("pyro --version", lambda _: self.pyro_time("--version"))
        self.measure("pyro validate", lambda _: self.pyro_time("validate"))
        self.tools()
        self.warm_up()
        start = time.perf_counter()
        self.pyro("apply", "--yes")
        first = (time.perf_counter() - start) * 1000
        self.measure("pyro first seed", lambda _: first, runs=1)
        self.measure("pyro no-op apply", lambda _: self.pyro_time("apply"))
        self.measure("pyro exec", lambda _: self.pyro_time("exec", "--", "true"))
        self.memory()
        for count in sorted({0, 3, min(1000, self.options.files)}):
            name = f"pyro diff, {count} changed"
            if self.wanted(name):
                self.pyro("reset", "--yes")
                self.change(count, f"diff{count}")
                self.measure(name, lambda _: self.pyro_time("diff", "--json"))
        self.measure(
            "pyro snapshot save, 3 changed", lambda number: self.pyro_time("snapshot", "save", f"point{number}"),
            before=lambda number: self.change(3, f"save{number}"))
        self.measure(
            "pyro reset, 3 changed", lambda _: self.pyro_time("reset", "--yes"),
            before=lambda number: self.change(3, f"reset{number}"))
        self.measure("pyro create + exec", self.create, before=lambda _: self.pyro("destroy", "--yes"))
        self.pyro("destroy", "--yes")
        self.forks()

    def tools(self):
        """A trivial operation through the library, and the same as a tool of the MCP server."""
        if not self.wanted("version"):
            return
        from tools import HttpTool, LibraryCall, StdioTool  # beside this file
        runs = 20 * self.options.runs
        for kind, name in ((LibraryCall, "libpyro version"), (StdioTool, "mcp version"), (HttpTool, "mcp version, HTTP")):
            with kind(self.pyro_path, self.env) as tool:
                tool.call()  # starts what is started once
                self.measure(name, lambda _, tool=tool: tool.milliseconds(), runs=runs)

    def create(self, _):
        return self.pyro_time("apply", "--yes") + self.pyro_time("exec", "--", "true")

    def forks(self):
        """Many workspaces at once from one on a small environment; the time is that of each, the memory too."""
        name = f"pyro fork, each of {self.options.forks}"
        busybox = shutil.which("busybox")
        if not busybox or not self.wanted(name):
            return
        root = self.work / "busybox"
        for folder in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "run"):
            (root / folder).mkdir(parents=True)
        shutil.copy(busybox, root / "bin" / "busybox")
        for applet in run([busybox, "--list"], keep_output=True).decode().split():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        source = self.pyro("workspace", "create", f"dir:{root}", "--id-only", keep_output=True).decode().strip()
        self.pyro("workspace", "exec", source, "--", "sh", "-c", "echo work > work")
        made = []

        def once(_):
            start = time.perf_counter()
            out = self.pyro("workspace", "fork", source, "--count", str(self.options.forks), "--id-only",
                            keep_output=True)
            took = (time.perf_counter() - start) * 1000
            made[:] = out.decode().split()
            return took / self.options.forks

        def forget(_):
            for workspace in made:
                self.pyro("workspace", "delete", workspace)
            made.clear()

        self.measure(name, once, runs=max(1, min(5, self.options.runs)), before=forget)
        self.notes["fork_private_kib"] = round(statistics.median(map(self.sandbox_kib, made)))
        forget(0)
        self.pyro("workspace", "delete", source)

    def warm_up(self):
        """The environment's fingerprint and the first supervisor are no part of the first seed."""
        tiny = self.work / "tiny"
        tiny.mkdir()
        (tiny / "pyro.yaml").write_text(SPEC.replace("bench", "tiny"))
        self.pyro("apply", "--yes", cwd=tiny)
        self.pyro("destroy", "--yes", cwd=tiny)

    def memory(self):
        self.notes["idle_sandbox_private_kib"] = self.sandbox_kib(
            json.loads(self.pyro("status", "--json", keep_output=True))["workspace_id"])

    def sandbox_kib(self, workspace):
        """Private memory of a workspace's supervisor and agent."""
        record = json.loads((self.work / "home" / "workspaces" / workspace / "workspace.json").read_text())
        return sum(map(private_kib, (record["supervisor"]["pid"], record["sandbox_pid"])))

    def cleanup(self):
        """Sandboxes first, or their mounts keep the directory busy."""
        for record in (self.work / "home" / "workspaces").glob("*/workspace.json"):
            if not json.loads(record.read_text()).get("checkout"):
                subprocess.run(
                    [self.pyro_path, "workspace", "delete", record.parent.name], env=self.env,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        for directory in (self.tree, self.work / "tiny"):
            if (directory / "pyro.yaml").exists():
                subprocess.run(
                    [self.pyro_path, "destroy", "--yes", "--snapshots"], cwd=directory, env=self.env,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def remove(path):
    """Layers hold read-only directories and, for an ordinary user, files of subordinate ids: those only a user namespace
    with the same ids can remove."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        subprocess.run(["unshare", "--user", "--map-auto", "--map-root-user", "rm", "-rf", path], check=False)
    if path.exists():
        print(f"bench: could not remove {path}", file=sys.stderr)


# Our row, the one it is compared with, and the goal as a ratio or in milliseconds (docs/performance.md).
COMPARISONS = [
    ("pyro --version", "sh -c true", "≤ 5 ms"),
    ("pyro validate", "sh -c true", "≤ 10 ms"),
    ("mcp version", "libpyro version", "≤ 2 ms more"),
    ("mcp version, HTTP", "libpyro version", "≤ 2 ms more"),
    ("pyro first seed", "cp -a", "≤ 1 ×"),
    ("pyro first seed", "tar x", ""),
    ("pyro no-op apply", "git status", "≤ 1 ×"),
    ("pyro exec", "sh -c true", "≤ 2 ms more"),
    ("pyro create + exec", "bwrap true", "≤ 20 ms"),
    ("pyro create + exec", "cp -a", ""),
    ("pyro fork, each of 100", "bwrap true", "≤ 5 ms"),
    ("pyro reset, 3 changed", "cp -a", "≤ 20 ms"),
    ("pyro diff, 3 changed", "git status", "≤ 10 ms"),
    ("pyro diff, 1000 changed", "git status", "≤ 10 ms"),
    ("pyro snapshot save, 3 changed", "tar c", "≤ 50 ms"),
]


def print_table(rows):
    print(f"\n{'pyro':<32} {'p50 ms':>10}   {'instead':<16} {'p50 ms':>10}   {'ratio':>9}   goal")
    for ours, other, goal in COMPARISONS:
        if ours in rows and other in rows:
            mine, theirs = rows[ours]["p50_ms"], rows[other]["p50_ms"]
            print(f"{ours:<32} {mine:>10.2f}   {other:<16} {theirs:>10.2f}   {mine / theirs:>8.3f}×   {goal}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyro", default="build/release/bin/pyro", help="the program to measure")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--mib", type=float, help="size of the tree (default: 5.9 KiB a file, 590 MiB for 100,000)")
    parser.add_argument("--runs", type=int, default=11, help="repetitions of what is quick")
    parser.add_argument("--forks", type=int, default=100, help="how many workspaces are forked at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="parts of row names, separated by commas")
    parser.add_argument("--dir", help="where to work (default: the temporary directory); its file system is measured")
    parser.add_argument("--json", default="build/bench.json", help="where the figures go")
    options = parser.parse_args()
    if not os.access(options.pyro, os.X_OK):
        parser.error(f"{options.pyro} is no program; `make release` builds it")

    work = pathlib.Path(tempfile.mkdtemp(prefix="pyro-bench-", dir=options.dir))
    bench = Bench(options, work)
    try:
        size = int((options.mib or options.files * 5.9 / 1000) * 1024 * 1024)
        print(f"making {options.files} files in {work}", flush=True)
        bench.tree.mkdir()
        made = make_tree(bench.tree, options.files, size, options.seed)
        (bench.tree / "pyro.yaml").write_text(SPEC)
        if shutil.which("git"):
            identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
            run(["git", "init", "-q"], cwd=bench.tree)
            run(["git", "config", "gc.auto", "0"], cwd=bench.tree)  # nothing of git may run beside what is measured
            run(["git", "add", "-A"], cwd=bench.tree)
            run(["git", *identity, "commit", "-q", "-m", "tree"], cwd=bench.tree)
        os.sync()
        print(f"{made / 2**20:.0f} MiB; p50 of up to {options.runs} runs", flush=True)
        bench.others()
        bench.ours()
        print_table(bench.rows)
        report = {
            "format_version": "1.0", "files": options.files, "bytes": made, "machine": platform.machine(),
            "kernel": platform.release(), "cpus": os.cpu_count(), "user": "root" if os.geteuid() == 0 else "ordinary",
            "rows": bench.rows, **bench.notes}
        pathlib.Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
        print(f"\nidle sandbox: {bench.notes.get('idle_sandbox_private_kib', 0)} KiB private, "
              f"a fork: {bench.notes.get('fork_private_kib', 0)} KiB; figures in {options.json}")
        return 0
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        bench.cleanup()
        remove(work)


if __name__ == "__main__":
    sys.exit(main())
