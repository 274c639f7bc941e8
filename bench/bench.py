#!/usr/bin/env python3
"""Measures pyro on a tree of N files beside what people would use instead, all in one run on one machine.

Prints a table of p50 times with ratios and writes JSON. Everything happens below one temporary directory, with a state
directory of its own; nothing is left. docs/performance.md says what the rows mean."""

import argparse
import json
import math
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


def memory_kib(pid):
    """(memory that a process has for itself, pages of programs that nobody else has mapped); 0 of one that is gone. The
    second is of the page cache: any number of sandboxes share it, and the only one there is has it to itself."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    fields = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    own = fields["Anonymous"] + fields.get("Pss_Shmem", 0)
    return own, max(0, fields["Private_Clean"] + fields["Private_Dirty"] - own)


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

    def pair(self, name, ours, peer, other, goal, runs=None, before=None):
        """Repeats both by turns, each `(milliseconds of run number N)`, and keeps the ratio of each pair: what else the
        machine does then meets both. `before` prepares a repetition of ours, untimed."""
        if not self.wanted(name):
            return
        mine, theirs = [], []
        for number in range(runs or self.options.runs):
            if before:
                before(number)
            both = [(mine, ours), (theirs, other)]
            for times, once in both if number % 2 == 0 else reversed(both):
                times.append(once(number))
        ratios = [one / two for one, two in zip(mine, theirs)]
        low, middle, high = quartiles(ratios)
        self.rows[name] = {
            "p50_ms": round(statistics.median(mine), 3), "peer": peer, "peer_p50_ms": round(statistics.median(theirs), 3),
            "ratio": round(middle, 4), "ratio_quartiles": [round(low, 4), round(high, 4)], "goal": goal, "runs": len(mine)}
        print_row(name, self.rows[name])

    def pyro_time(self, *arguments, **options):
        return timed([self.pyro_path, *arguments], cwd=self.tree, env=self.env, **options)

    # --- beside -----------------------------------------------------------------------------------------------------

    def shell(self, _):
        return timed(["sh", "-c", "true"])

    def bwrap(self, _):
        return timed(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"])

    def git_status(self, _):
        return timed(["git", "status", "--porcelain"], cwd=self.tree)

    def copy(self, _):
        copy = self.work / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        os.sync()
        took = timed(["cp", "-a", self.tree, copy])
        shutil.rmtree(copy)
        return took

    def walk_of_changes(self, _):
        """find(1) over the writable layer, where what was changed lies."""
        return timed(["find", self.workspace_directory() / "gen", "-type", "f", "-printf", "%p %s\n"])

    def durable_copies(self, _):
        """The three files written by hand, each with fsync(2) as dd does it, and its directory."""
        out = self.work / "three"
        out.mkdir(exist_ok=True)
        start = time.perf_counter()
        for source in self.paths(3):
            with open(out / source.replace("/", "_"), "wb") as file:
                file.write((self.tree / source).read_bytes())
                file.flush()
                os.fsync(file.fileno())
        directory = os.open(out, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        return (time.perf_counter() - start) * 1000

    # --- pyro -------------------------------------------------------------------------------------------------------

    def paths(self, count):
        """Each in a directory of its own where there are enough."""
        directories = (self.options.files + 99) // 100
        return [f"part{number % directories // 100:03d}/module{number % directories:05d}/file{number // directories:02d}.cpp"
                for number in range(count)]

    def change(self, count, tag):
        """Changes `count` files inside the sandbox."""
        paths = self.paths(count)
        script = f'for path; do echo "changed {tag}" >> "$path"; done'
        for start in range(0, count, 500):
            self.pyro("exec", "--", "sh", "-c", script, "sh", *paths[start:start + 500])

    def workspace_directory(self):
        return self.work / "home" / "workspaces" / self.status()["workspace_id"]

    def status(self, **options):
        return json.loads(self.pyro("status", "--json", keep_output=True, **options))

    def ours(self):
        self.pair("--version", lambda _: self.pyro_time("--version"), "sh -c true", self.shell, "≤ 5 ms")
        self.pair("validate", lambda _: self.pyro_time("validate"), "sh -c true", self.shell, "≤ 10 ms")
        self.tools()
        self.small()
        self.first_seed()
        self.pyro("apply", "--yes")
        self.pair("no-op apply", lambda _: self.pyro_time("apply"), "git status", self.git_status, "≤ 0.5 ×")
        own, of_programs = self.sandbox_kib(self.status()["workspace_id"])
        self.notes.update(idle_sandbox_private_kib=own, idle_sandbox_program_kib=of_programs)
        for count in sorted({3, min(1000, self.options.files)}):
            if self.wanted(f"diff, {count} changed"):
                self.pyro("reset", "--yes")
                self.change(count, f"diff{count}")
                self.pair(f"diff, {count} changed", lambda _: self.pyro_time("diff", "--json"), "find of what changed",
                          self.walk_of_changes, "≤ 2 ×")
        self.pair("snapshot save, 3 changed", lambda number: self.pyro_time("snapshot", "save", f"point{number}"),
                  "write and fsync", self.durable_copies, "≤ 2 ×", before=lambda number: self.change(3, f"save{number}"))
        self.pair("reset, 3 changed", lambda _: self.pyro_time("reset", "--yes"), "bwrap true", self.bwrap, "≤ 1.5 ×",
                  before=lambda number: self.change(3, f"reset{number}"))
        self.pyro("destroy", "--yes")
        self.forks()

    def small(self):
        """What does not depend on the tree: a workspace with one file."""
        tiny = self.work / "tiny"
        tiny.mkdir()
        (tiny / "pyro.yaml").write_text(SPEC.replace("bench", "tiny"))
        self.pyro("apply", "--yes", cwd=tiny)  # the environment's layers, for all that follows

        def time_of(*arguments):
            return timed([self.pyro_path, *arguments], cwd=tiny, env=self.env)

        self.pair("exec", lambda _: time_of("exec", "--", "true"), "bwrap true", self.bwrap, "≤ 0.8 ×")
        self.pair("create + exec, small seed", lambda _: time_of("apply", "--yes") + time_of("exec", "--", "true"),
                  "bwrap true", self.bwrap, "≤ 2 ×", before=lambda _: self.pyro("destroy", "--yes", cwd=tiny))
        self.pyro("destroy", "--yes", cwd=tiny)

    def first_seed(self):
        """Once: a second one would find the files in the cache."""
        def once(_):
            os.sync()
            return self.pyro_time("apply", "--yes")

        self.pair("first seed", once, "cp -a", self.copy, "≤ 0.3 ×", runs=1)

    def tools(self):
        """A trivial operation through the library, and the same as a tool of the MCP server."""
        if not self.wanted("version"):
            return
        from tools import HttpTool, LibraryCall, StdioTool  # beside this file
        runs = 20 * self.options.runs
        with LibraryCall(self.pyro_path, self.env) as library:
            library.call()  # starts what is started once
            for kind, name in ((StdioTool, "mcp version"), (HttpTool, "mcp version, HTTP")):
                with kind(self.pyro_path, self.env) as tool:
                    tool.call()
                    self.pair(name, lambda _, tool=tool: tool.milliseconds(), "libpyro version",
                              lambda _: library.milliseconds(), "≤ 2 ms more", runs=runs)

    def forks(self):
        """Many workspaces at once from one on a small environment; the time is that of each, the memory too."""
        name = f"fork, each of {self.options.forks}"
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

        self.pair(name, once, "bwrap true", self.bwrap, "≤ 0.5 ×", runs=max(1, min(5, self.options.runs)), before=forget)
        self.notes["fork_private_kib"] = round(statistics.median(self.sandbox_kib(fork)[0] for fork in made))
        forget(0)
        self.pyro("workspace", "delete", source)

    def sandbox_kib(self, workspace):
        """memory_kib() of a workspace's supervisor and agent together."""
        record = json.loads((self.work / "home" / "workspaces" / workspace / "workspace.json").read_text())
        return tuple(map(sum, zip(*map(memory_kib, (record["supervisor"]["pid"], record["sandbox_pid"])))))

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


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def print_row(name, row):
    low, high = row["ratio_quartiles"]
    print(f"{name:<28} {row['p50_ms']:>10.2f}   {row['peer']:<22} {row['peer_p50_ms']:>10.2f}   {row['ratio']:>8.3f} ×"
          f"   {low:.3f} to {high:.3f}   {row['goal']}", flush=True)


def chart_of(rows):
    """An SVG of the ratios, one bar a row, on a logarithmic scale, with a mark at each goal that is a ratio."""
    left, width, height, least, most = 230, 520, 26, 0.01, 100.0

    def at(ratio):
        share = math.log(min(max(ratio, least), most) / least) / math.log(most / least)
        return left + share * width

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{(len(rows) + 2) * height}" '
             'font-family="sans-serif" font-size="13">', '<rect width="100%" height="100%" fill="white"/>']
    for ratio in (0.01, 0.1, 1, 10, 100):
        lines.append(f'<line x1="{at(ratio):.0f}" y1="0" x2="{at(ratio):.0f}" y2="{(len(rows) + 1) * height}" '
                     'stroke="#ccc"/>' f'<text x="{at(ratio):.0f}" y="{(len(rows) + 1.6) * height:.0f}" '
                     f'text-anchor="middle" fill="#555">{ratio:g} ×</text>')
    for number, (name, row) in enumerate(rows.items()):
        y = (number + 0.3) * height
        goal = float(row["goal"].split()[1]) if row["goal"].endswith("×") else None
        is_met = goal is None or row["ratio"] <= goal
        lines.append(f'<text x="{left - 8}" y="{y + 14:.0f}" text-anchor="end">{name}</text>'
                     f'<rect x="{left}" y="{y:.0f}" width="{at(row["ratio"]) - left:.0f}" height="{height * 0.7:.0f}" '
                     f'fill="{"#4a7" if is_met else "#d83"}"/>'
                     f'<text x="{at(row["ratio"]) + 6:.0f}" y="{y + 14:.0f}">{row["ratio"]:.2g}</text>')
        if goal:
            lines.append(f'<line x1="{at(goal):.0f}" y1="{y - 3:.0f}" x2="{at(goal):.0f}" y2="{y + height * 0.8:.0f}" '
                         'stroke="black" stroke-width="2"/>')
    return "\n".join([*lines, "</svg>", ""])


def beyond(rows, recorded, factor):
    """The rows whose ratio is more than `factor` times the recorded one, as sentences."""
    return [f"{name}: {row['ratio']} × {row['peer']}, recorded is {recorded[name]['ratio']} ×"
            for name, row in rows.items()
            if name in recorded and row["ratio"] > factor * recorded[name]["ratio"]]


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
    parser.add_argument("--plot", help="where a picture of the ratios goes (SVG)")
    parser.add_argument("--compare", help="figures of an earlier run: a ratio beyond --factor times the one there fails")
    parser.add_argument("--factor", type=float, default=1.5)
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
        print(f"{'pyro':<28} {'p50 ms':>10}   {'instead':<22} {'p50 ms':>10}   {'ratio':>10}   quartiles   goal")
        bench.ours()
        report = {
            "format_version": "2.0", "files": options.files, "bytes": made, "machine": platform.machine(),
            "kernel": platform.release(), "cpus": os.cpu_count(), "user": "root" if os.geteuid() == 0 else "ordinary",
            "rows": bench.rows, **bench.notes}
        pathlib.Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
        print(f"\nidle sandbox: {bench.notes.get('idle_sandbox_private_kib', 0)} KiB private "
              f"(and {bench.notes.get('idle_sandbox_program_kib', 0)} of programs, which others share), "
              f"a fork: {bench.notes.get('fork_private_kib', 0)} KiB; figures in {options.json}")
        if options.plot:
            pathlib.Path(options.plot).write_text(chart_of(bench.rows))
        if options.compare:
            recorded = json.loads(pathlib.Path(options.compare).read_text())["rows"]
            slower = beyond(bench.rows, recorded, options.factor)
            print("\n".join(slower), file=sys.stderr)
            return 1 if slower else 0
        return 0
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        bench.cleanup()
        remove(work)


if __name__ == "__main__":
    sys.exit(main())
