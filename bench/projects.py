#!/usr/bin/env python3
"""Ten projects from `pyro init` to a green test, as docs/projects.md has them.

    bench/projects.py                    all of them, as a table in Markdown
    bench/projects.py go flask           these
    bench/projects.py --pyro build/release/bin/pyro --keep-going
    bench/projects.py --ca company.pem node-redis     behind a proxy with certificates of its own

Each is a fresh copy of examples/projects/NAME in a state directory of its own. Those that need packages fetch them from
Debian's and npm's registries; debian:12 itself is fetched before the clock starts, unless it is there already. Every
apply, reset and second checkout is followed by the project's tests; a red one ends the run with its output.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A line that somebody adds to a file of the project, and the test still passes.
EDITS = {
    "node-redis": ("visits.js", "// edited\n"),
    "postgres-migrations": ("notes.py", "# edited\n"),
    "go": ("wordcount.go", "// edited\n"),
    "c-make": ("ring.c", "/* edited */\n"),
    "cmake": ("src/intervals.cpp", "// edited\n"),
    "flask": ("app.py", "# edited\n"),
    "static-site": ("about.html", "<!-- edited -->\n"),
    "python-library": ("src/durations/__init__.py", "# edited\n"),
    "shell-tool": ("bin/slug", "# edited\n"),
    "rust": ("src/lib.rs", "// edited\n"),
}


class Red(Exception):
    pass


class Project:
    """A copy of one project, and the commands typed in it."""

    def __init__(self, pyro, name, place, home):
        self.pyro, self.name, self.directory = pyro, name, place / name
        self.env = {**os.environ, "PYRO_HOME": str(home), "CI": "true"}

    def run(self, *arguments):
        """Seconds and standard output; Red where it fails."""
        start = time.monotonic()
        done = subprocess.run([self.pyro, *arguments], cwd=self.directory, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        seconds = time.monotonic() - start
        if done.returncode != 0:
            raise Red(f"{self.name}: pyro {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return seconds, done.stdout

    def test(self):
        return self.run("exec", "--", *self.test_command)[0]

    def trust_certificates(self, certificates):
        shutil.copy(certificates, self.directory / "company.pem")
        file = self.directory / "pyro.yaml"
        file.write_text(file.read_text().replace("\nenvironment:\n", "\nenvironment:\n  ca: company.pem\n"))

    def sync_from_now_on(self):
        file = self.directory / "pyro.yaml"
        text = file.read_text()
        commented = "  # on_change: sync"
        if commented not in text:
            raise Red(f"{self.name}: pyro.yaml does not propose on_change: sync\n{text}")
        file.write_text(text.replace(commented, "  on_change: sync"))


def measure(pyro, name, place, home, certificates):
    source = ROOT / "examples/projects" / name
    first = Project(pyro, name, place / "first", home)
    shutil.copytree(source, first.directory)
    row = {"name": name}
    row["init"], written = first.run("init", "--json")
    first.test_command = json.loads(written)["test"].split()
    if not first.test_command:
        raise Red(f"{name}: init found no tests")
    row["test command"] = " ".join(first.test_command)
    row["image"] = next(line.split()[1] for line in (first.directory / "pyro.yaml").read_text().splitlines()
                        if line.startswith("  image:"))
    if certificates:
        first.trust_certificates(certificates)
    row["apply"] = first.run("apply")[0]
    row["test"] = first.test()

    first.sync_from_now_on()
    first.run("apply", "--yes")
    path, line = EDITS[name]
    with open(first.directory / path, "a") as file:
        file.write(line)
    row["sync"], _ = first.run("apply", "--yes")
    if first.run("exec", "--", "tail", "-n", "1", path)[1] != line:
        raise Red(f"{name}: the edit did not arrive in {path}")
    first.test()

    first.run("exec", "--", "sh", "-c", "rm -rf /workspace/*")
    row["reset"] = first.run("reset", "--yes")[0]
    first.test()

    second = Project(pyro, name, place / "second", home)
    shutil.copytree(source, second.directory)
    for file in first.directory.glob("*.pem"):
        shutil.copy(file, second.directory)
    shutil.copy(first.directory / "pyro.yaml", second.directory)
    second.test_command = first.test_command
    row["second"] = second.run("apply")[0]
    second.test()
    for one in (second, first):
        one.run("destroy", "--yes", "--snapshots")
    return row


def as_time(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def table(rows):
    lines = ["| project | image | `init` | `apply`, first | `exec -- …` | sync of an edit | `reset` | `apply`, second checkout |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        times = " | ".join(as_time(row[key]) for key in ("init", "apply"))
        rest = " | ".join(as_time(row[key]) for key in ("sync", "reset", "second"))
        lines.append(f"| [{row['name']}](../examples/projects/{row['name']}) | `{row['image']}` | {times} "
                     f"| `{row['test command']}` {as_time(row['test'])} | {rest} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*EDITS, []], help="of examples/projects")
    parser.add_argument("--pyro", default=shutil.which("pyro") or str(ROOT / "build/release/bin/pyro"))
    parser.add_argument("--ca", help="certificates that steps need here, as environment.ca")
    parser.add_argument("--keep-going", action="store_true", help="measure the others where one is red")
    arguments = parser.parse_args()
    pyro = str(Path(arguments.pyro).resolve())
    rows, red = [], 0
    with tempfile.TemporaryDirectory(prefix="pyro-projects-") as place:
        home = Path(place) / "home"
        env = {**os.environ, "PYRO_HOME": str(home)}
        try:
            subprocess.run([pyro, "env", "pull", "debian:12"], env=env, check=True, stdout=subprocess.DEVNULL)
            for name in arguments.names or EDITS:
                try:
                    rows.append(measure(pyro, name, Path(place), home, arguments.ca))
                    print(f"{name}: green", file=sys.stderr)
                except Red as what:
                    red += 1
                    print(what, file=sys.stderr)
                    if not arguments.keep_going:
                        break
        finally:
            subprocess.run([pyro, "purge", "--yes"], env=env, stdout=subprocess.DEVNULL)
    print(table(rows))
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
