#!/usr/bin/env python3
"""A file that is rewritten without a change of its meaning has the same normal form, and so plans as no change.

The valid cases and the cases of plans are rewritten at random: keys in another order, block for flow style, comments,
values behind anchors, moved into `vars`, or moved into a profile that is then chosen.

usage: check_rewrites.py [--pyro PROGRAM] [--seed N] [--count N]        (python3-yaml)
"""
import argparse
import copy
import json
import math
import os
import pathlib
import random
import sys
import tempfile

import yaml

from check_schema import SPECS, Scalars
from run import Program, difference

KEEPS_ITS_PLACE = {"version", "vars", "profiles", "name"}  # a profile may not change these, or they are not content


def leaves(node, path=()):
    """(path, value) of all single values."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def without_infinities(node):
    """JSON, in which the file as it was is given to the program, has none."""
    if isinstance(node, dict):
        return {key: without_infinities(value) for key, value in node.items()}
    if isinstance(node, list):
        return [without_infinities(item) for item in node]
    return str(node) if isinstance(node, float) and not math.isfinite(node) else node


def at(document, path):
    for key in path:
        document = document[key]
    return document


def move_into_variables(document, chance):
    movable = [
        (path, value) for path, value in leaves(document)
        if path[0] not in KEEPS_ITS_PLACE and not str(path[-1]).startswith("x-") and not str(path[0]).startswith("x-")
        and isinstance(value, (str, int)) and not isinstance(value, bool) and "$" not in str(value) and str(value)
        and path[-1] != "id"
    ]
    for number, (path, value) in enumerate(chance.sample(movable, min(2, len(movable)))):
        at(document, path[:-1])[path[-1]] = "${moved_%d}" % number
        document.setdefault("vars", {})["moved_%d" % number] = {"default": str(value)}


def move_into_a_profile(document, chance):
    movable = [key for key in document if key not in KEEPS_ITS_PLACE and not key.startswith("x-")]
    key = chance.choice(movable)
    document.setdefault("profiles", {})["rewritten"] = {key: document[key]}
    if key != "environment" and chance.random() < 0.5:
        del document[key]
    elif isinstance(document[key], dict) and key != "environment":
        document[key] = {}
    return ["--profile", "rewritten"]


def in_another_order(node, chance):
    if isinstance(node, dict):
        keys = list(node)
        chance.shuffle(keys)
        return {key: in_another_order(node[key], chance) for key in keys}
    return [in_another_order(item, chance) for item in node] if isinstance(node, list) else node


class Quoted(str):
    pass


class Dumper(yaml.SafeDumper):
    """Writes texts in quotes, so that no other reading of them comes in, and equal things with anchors."""


Dumper.add_representer(Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"'))


def with_quotes(node):
    if isinstance(node, dict):
        return {Quoted(key): with_quotes(value) for key, value in node.items()}
    if isinstance(node, list):
        return [with_quotes(item) for item in node]
    return Quoted(node) if isinstance(node, str) else node


def shared(node, seen):
    """Equal maps and lists become one, which is written once and then referred to."""
    if isinstance(node, dict):
        node = {key: shared(value, seen) for key, value in node.items()}
    elif isinstance(node, list):
        node = [shared(item, seen) for item in node]
    else:
        return node
    return seen.setdefault(json.dumps(node), node)


def rewritten(document, chance):
    """(text, arguments)"""
    document = copy.deepcopy(document)
    arguments = []
    if chance.random() < 0.5:
        move_into_variables(document, chance)
    if chance.random() < 0.5 and "profiles" not in document:  # the others have to be whole without what moves
        arguments = move_into_a_profile(document, chance)
    document = with_quotes(in_another_order(document, chance))
    if chance.random() < 0.5:
        document = shared(document, {})
    text = yaml.dump(
        document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=chance.choice([40, 10_000]),
        default_flow_style=chance.choice([True, False, None]), indent=chance.choice([2, 4]))
    if chance.random() < 0.5:
        text = "# rewritten\n" + text + "# its end\n"
    return text, arguments


def normal_form(program, folder, text, arguments=()):
    """Of a file of this text; where there is none, what was said instead."""
    folder.mkdir(exist_ok=True)
    (folder / "pyro.yaml").write_text(text, encoding="utf-8")
    (folder / "case.json").write_text(json.dumps({"arguments": list(arguments)}))
    return program.ask(folder, "config")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyro", default=str(SPECS.parent / "build/dev/bin/pyro"), help="the program that is asked")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PYRO_TEST_SEED") or random.randrange(1 << 31)))
    parser.add_argument("--count", type=int, default=200, help="how many rewritten files")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    cases = sorted(SPECS.glob("valid/*/pyro.yaml")) + sorted(SPECS.glob("plan/*/pyro.yaml"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pyro-specs-") as home:
        program = Program(given.pyro, home)
        for _ in range(given.count):
            case = chance.choice(cases)
            document = without_infinities(yaml.load(case.read_bytes().decode("utf-8-sig"), Scalars))
            document.setdefault("name", case.parent.name)
            text, arguments = rewritten(document, chance)
            expected_status, expected = normal_form(program, pathlib.Path(home, "before"), json.dumps(document))
            status, said = normal_form(program, pathlib.Path(home, "after"), text, arguments)
            if expected_status or status or said != expected:
                failed += 1
                print(f"-- {case.parent.relative_to(SPECS)} means something else as\n{text}\n   with {arguments}:")
                print(json.dumps(difference(said, expected), indent=2))
    print(f"{given.count - failed} of {given.count} rewritten files mean the same (--seed {given.seed})")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
