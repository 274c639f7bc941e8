#!/usr/bin/env python3
"""Do the JSON Schema that editors use and the program agree? Every valid case must be valid by the schema too; of the
invalid ones those whose first error is one that a schema can see must not be.

usage: check_schema.py [SCHEMA]        (python3-yaml, python3-jsonschema)
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml

SPECS = pathlib.Path(__file__).resolve().parent
SEEN_BY_A_SCHEMA = {"unknown_key", "required", "type"}
NOT_BY_OURS = {
    "duration-beyond-what-fits": "a pattern counts no digits together with their unit",
    "size-beyond-what-fits": "the same",
    "profile-bad-value": "a profile is a patch, whose values may be null",
    "profile-unknown-key": "the same",
    "variable-of-the-wrong-type": "it depends on another field",
    "variable-of-the-wrong-type-for-a-field": "it depends on a variable",
}


class Scalars(yaml.SafeLoader):
    """Scalars stay as they are written, but for what YAML 1.2's JSON schema takes for numbers, booleans and null."""


Scalars.yaml_implicit_resolvers = {}
for tag, expression, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
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
        if said["code"] in SEEN_BY_A_SCHEMA:
            looked_at += 1
            if (errors_of(validator, case) == []) != (case.name in NOT_BY_OURS):
                wrong.append(f"invalid/{case.name}: the schema {'refuses' if case.name in NOT_BY_OURS else 'accepts'} it; we say {said['code']}: {said['message'][:120]}")
    print("\n".join(wrong + [f"{looked_at - len(wrong)} of {looked_at} cases: schema and program agree"]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
