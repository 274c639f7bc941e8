#!/usr/bin/env python3
"""Do the JSON Schema that editors use and the program agree? Every valid case must be valid by the schema too; of the
invalid ones all must be refused but those that schema.json lists as no YAML or as beyond a schema, and those must not.

usage: check_schema.py [SCHEMA]        (python3-yaml, python3-jsonschema)
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml

SPECS = pathlib.Path(__file__).resolve().parent
KNOWN = json.loads((SPECS / "schema.json").read_text())


class Scalars(yaml.SafeLoader):
    """Scalars stay as they are written, but for what YAML 1.2's core schema takes for numbers, booleans and null."""


Scalars.yaml_implicit_resolvers = {}
for tag, expression, first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+.0123456789"),
    ("merge", r"^<<$", "<"),
):
    Scalars.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(expression), list(first))


def errors_of(validator, case):
    """What the schema says of the case's file; None: it is no YAML."""
    try:
        document = yaml.load((case / "pyro.yaml").read_bytes().decode("utf-8-sig"), Scalars)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


def main():
    schema = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else SPECS.parent / "schemas/pyro-1.schema.json")
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text()))
    wrong, looked_at = [], 0
    for case in sorted((SPECS / "valid").iterdir()):
        looked_at += 1
        for error in errors_of(validator, case) or []:
            wrong.append(f"valid/{case.name}: the schema refuses it: {error[:200]}")
    for case in sorted((SPECS / "invalid").iterdir()):
        said = json.loads((case / "expected.json").read_text())["diagnostics"][0]
        if said["code"] in KNOWN["no YAML"]:
            continue
        looked_at += 1
        is_beyond = said["code"] in KNOWN["beyond a schema"] or case.name in KNOWN["accepted"]
        if (errors_of(validator, case) == []) != is_beyond:
            wrong.append(f"invalid/{case.name}: the schema {'refuses' if is_beyond else 'accepts'} it; we say {said['code']}: {said['message'][:120]}")
    print("\n".join(wrong + [f"{looked_at - len(wrong)} of {looked_at} cases: schema and program agree"]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
