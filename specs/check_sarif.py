#!/usr/bin/env python3
"""What `validate -o sarif` prints for the invalid cases, against the parts of SARIF 2.1.0 that it uses: what the standard
requires of a log, run, tool, rule, result, location and region, and no property that it does not know.

usage: check_sarif.py [--pyro PROGRAM] [--schema FILE]       (python3-jsonschema; FILE: the official schema, if at hand)
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

SPECS = pathlib.Path(__file__).resolve().parent
EVERY = 6  # of the cases


def strict(required, **properties):
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "integer", "minimum": 1}
MESSAGE = strict(["text"], text=TEXT)
REGION = strict(["startLine"], startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER)
LOCATION = strict(
    ["physicalLocation"],
    physicalLocation=strict(
        ["artifactLocation"],
        artifactLocation=strict(["uri"], uri={"type": "string", "pattern": "^[A-Za-z0-9._~/:%-]+$"}),
        region=REGION,
    ),
    logicalLocations={"type": "array", "items": strict(["fullyQualifiedName"], fullyQualifiedName=TEXT)},
)
RESULT = strict(
    ["ruleId", "message"],
    ruleId=TEXT, ruleIndex={"type": "integer", "minimum": 0}, level={"enum": ["none", "note", "warning", "error"]},
    message=MESSAGE, locations={"type": "array", "items": LOCATION},
)
RULES = {"type": "array", "uniqueItems": True, "items": strict(["id"], id=TEXT)}
DRIVER = strict(["name"], name=TEXT, version=TEXT, rules=RULES)
RUN = strict(
    ["tool"],
    tool=strict(["driver"], driver=DRIVER), columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
LOG = strict(["version", "runs"], **{"$schema": TEXT}, version={"const": "2.1.0"}, runs={"type": "array", "items": RUN})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pyro", default=str(SPECS.parent / "build/dev/bin/pyro"))
    parser.add_argument("--schema")
    given = parser.parse_args()
    schemas = [LOG] + ([json.loads(pathlib.Path(given.schema).read_text())] if given.schema else [])
    seen = 0
    with tempfile.TemporaryDirectory() as home:
        for case in sorted((SPECS / "invalid").iterdir())[::EVERY]:
            done = subprocess.run(
                [given.pyro, "validate", "-o", "sarif", "-C", str(case)],
                env={"PATH": os.environ["PATH"], "PYRO_HOME": home}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=60,
            )
            if done.returncode != 65 or not done.stdout:
                sys.exit(f"{case.name}: status {done.returncode}: {done.stdout}{done.stderr}")
            log = json.loads(done.stdout)
            for schema in schemas:
                jsonschema.validate(log, schema)
            for run in log["runs"]:
                rules = run["tool"]["driver"]["rules"]
                if not run["results"]:
                    sys.exit(f"{case.name} is invalid, and there is no result")
                for result in run["results"]:
                    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
                        sys.exit(f"{case.name}: the rule of a result is another one: {result}")
                    region = result["locations"][0]["physicalLocation"].get("region")
                    if region and "endLine" in region:
                        begin, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
                        if end < begin:
                            sys.exit(f"{case.name}: {region} ends before it begins")
                    seen += 1
    print(f"{seen} results")


main()
