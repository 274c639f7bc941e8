#!/usr/bin/env python3
"""The conformance suite of pyro.yaml (README.md): every case is asked of a program, and what it says is compared.

usage: run.py [--pyro PROGRAM] [--accept] [CASE…]

CASE is a folder such as invalid/boolean-yes, or a part of its name. --accept writes what the program says as what is
expected; read the difference before you commit it.
"""
import argparse
import concurrent.futures
import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SPECS = pathlib.Path(__file__).resolve().parent
KINDS = ("valid", "invalid", "config")


class Program:
    """What is asked, with a state directory of its own."""

    def __init__(self, path, home):
        self.path, self.home = path, home
        self.defaults = self.ask(SPECS / "valid/smallest", "config")[1]

    def ask(self, case, command):
        """(exit status, the document) of `pyro COMMAND --json` for the case's folder."""
        given = case / "case.json"
        more = json.loads(given.read_text()) if given.exists() else {}
        environment = {
            "PATH": os.environ["PATH"],
            "PYRO_HOME": self.home,
            "PYRO_TRUST": "1",  # the cases' files may ask for variables of the host
            "PYRO_SPECS": "of the host",
            **more.get("environment", {}),
        }
        done = subprocess.run(
            [self.path, command, "--json", "-C", str(case), *more.get("arguments", [])],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        try:
            return done.returncode, json.loads(done.stdout or done.stderr)
        except ValueError:
            sys.exit(f"{case}: `{self.path} {command} --json` ended with {done.returncode}: {done.stdout}{done.stderr}")


def without_folder(document, case):
    """Places name the file from where the program was called; here they are of the case."""
    text = json.dumps(document)
    for name in (str(case) + "/", f"{case.parent.name}/{case.name}/"):
        text = text.replace(name, "")
    return json.loads(text)


def diagnostics_of(document):
    """As in diagnostics.json: one line each, the hint below it."""
    lines = []
    for one in document.get("diagnostics", []):
        place = one["position"]
        lines.append({
            "place": f"{place.get('line', 0)}:{place.get('column', 0)}",
            "severity": one["severity"], "code": one["code"], "address": one.get("address", ""),
            "message": one["message"], "hint": one.get("hint", ""),
        })
    return lines


def difference(document, other):
    """The merge patch (RFC 7396) that makes `document` of `other`; null where a key is gone."""
    if not isinstance(document, dict) or not isinstance(other, dict):
        return document
    patch = {key: None for key in other if key not in document}
    for key, value in document.items():
        if key not in other:
            patch[key] = value
        elif value != other[key]:
            patch[key] = difference(value, other[key])
    return patch


def said_of(program, case):
    """What is expected.json of it."""
    said = {}
    if case.parent.name != "config":
        said["status"], document = program.ask(case, "validate")
        said["diagnostics"] = diagnostics_of(without_folder(document, case))
    if case.parent.name != "invalid":
        said["status"], document = program.ask(case, "config")
        if said["status"]:
            error = without_folder(document, case)["error"]
            said["error"] = {key: error[key] for key in ("code", "message", "hint", "position") if key in error}
            said["error"].get("position", {}).pop("file", None)
        else:
            said["normal_form"] = difference(document, program.defaults)
    return said


def text_of(document):
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def compare(path, text, accept):
    """Is it what the file holds? Shows the difference."""
    if accept:
        path.write_text(text)
    expected = path.read_text() if path.exists() else ""
    if text != expected:
        print(f"-- {path.relative_to(SPECS)}:")
        sys.stdout.writelines(
            difflib.unified_diff(expected.splitlines(True), text.splitlines(True), "expected", "said"))
    return text == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyro", default=str(SPECS.parent / "build/dev/bin/pyro"), help="the program that is asked")
    parser.add_argument("--accept", action="store_true", help="write what it says as what is expected")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    given = parser.parse_args()
    cases = [
        case for kind in KINDS for case in sorted((SPECS / kind).iterdir())
        if not given.cases or any(one in f"{kind}/{case.name}" for one in given.cases)
    ]
    if not cases:
        sys.exit(f"no case is named like {' or '.join(given.cases)}")
    with tempfile.TemporaryDirectory(prefix="pyro-specs-") as home:
        program = Program(given.pyro, home)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            said = list(workers.map(lambda case: said_of(program, case), cases))
    results = [compare(SPECS / "defaults.json", text_of(program.defaults), given.accept)]
    results += [
        compare(case / "expected.json", text_of(document), given.accept) for case, document in zip(cases, said)
    ]
    print(f"{results[1:].count(True)} of {len(cases)} cases are as expected")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
