#!/usr/bin/env python3
"""Writes the methods of pyro_mcp from the operation table, schemas/operations/operations.json.

generate.py          rewrites src/pyro_mcp/operations
generate.py --check  ends with 1 where a file there differs from what would be written
"""

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "schemas/operations/operations.json"
TARGET = HERE / "src/pyro_mcp/operations"

# Names: the SDK's verb_noun is MCP's noun_verb. These are not made by the rule.
IRREGULAR = {
    "vm_network_info": "network_info_vm",
    "vm_run": "run_in_vm",
    "vm_reap": "reap_vms",
    "workspace_reap": "reap_workspaces",
    "workspace_summary": "summarize_workspace",
    "env_prune": "prune_environments",
}
NOUNS = {
    "env": "environment",
    "service": "service",
    "shell": "shell",
    "snapshot": "snapshot",
    "trust": "trust",
    "vm": "vm",
    "workspace": "workspace",
}
# Parameters that may be given by position, in this order; the others are given by name.
ORDER = (
    "workspace_id vm_id shell_id service_name snapshot_name environment image source_path path output_path "
    "source reference command argv content input patch address cols rows snapshot signal"
).split()
# Optional ones that may be given by position all the same.
OPTIONAL_BY_POSITION = {"workspace_id", "command", "snapshot", "signal"}
# Whose workspace an operation on a pyro.yaml is about; told once, in the docstring of the class.
WHERE = ("directory", "file", "profile", "vars", "workspace")
PATHS = {"directory", "file", "seed_path", "source_path", "output_path"}
# Those whose events are worth a stream of their own.
STREAMED = {"apply", "exec", "logs", "workspace_exec", "vm_exec", "vm_run"}

GROUPS = {
    "project": ("Project", "What a pyro.yaml says, and making it true."),
    "checkout": ("Checkout", "The workspace of a pyro.yaml, once it is there."),
    "workspaces": ("Workspace", "Workspaces made by hand, call by call."),
    "files": ("File", "Files in /workspace, in and out."),
    "snapshots": ("Snapshot", "Named points of a workspace, the way back to them, and forks."),
    "shells": ("Shell", "Terminals that live on in a workspace."),
    "services": ("Service", "Processes that go on in a workspace."),
    "vms": ("Vm", "One-shot sandboxes."),
    "environments": ("Environment", "Images that workspaces start from."),
    "machine": ("Machine", "What is on this machine, for all workspaces."),
}
PREFIXES = {
    "workspace_file": "files",
    "workspace_patch": "files",
    "workspace_sync": "files",
    "workspace_export": "files",
    "copy": "files",
    "workspace_reset": "snapshots",
    "workspace_fork": "snapshots",
    "workspace": "workspaces",
    "snapshot": "snapshots",
    "shell": "shells",
    "service": "services",
    "vm": "vms",
    "env": "environments",
}
PROJECT = {
    "adopt", "apply", "config", "forget", "import_file", "init", "lock", "plan", "schema_install", "validate", "why",
}


def sdk_name(operation):
    """workspace_sync_push: push_workspace_sync."""
    if operation in IRREGULAR:
        return IRREGULAR[operation]
    noun, *middle = operation.split("_")
    if noun not in NOUNS or not middle:
        return operation
    verb = middle.pop()
    name = "_".join([verb, NOUNS[noun], *middle])
    return name + "s" if verb == "list" and noun != "trust" else name


def bound_name(name):
    """Of the method of a Workspace: exec_workspace is exec there."""
    return re.sub(r"_workspace(?=_|$)", "", name)


def group_of(operation, table):
    for prefix, group in PREFIXES.items():
        if operation == prefix or operation.startswith(prefix + "_"):
            return group
    if operation in PROJECT or operation.startswith("trust_"):
        return "project"
    return "checkout" if "directory" in table[operation]["parameters"]["properties"] else "machine"


def type_of(name, schema):
    if name in PATHS:
        return "StrPath"
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    names = []
    for kind in kinds:
        if kind == "array":
            of_text = schema.get("items", {}).get("type") == "string" or "string" in kinds
            names.append("Sequence[str]" if of_text else "Sequence[Any]")
        elif kind == "object":
            of_text = schema.get("additionalProperties", {})
            is_text = isinstance(of_text, dict) and of_text.get("type") == "string"
            names.append("Mapping[str, str]" if is_text else "Mapping[str, Any]")
        elif kind != "null":
            names.append({"string": "str", "integer": "int", "boolean": "bool", "number": "float"}[kind])
    return names[0] if len(names) == 1 else "Union[" + ", ".join(names) + "]"


def is_nullable(schema):
    return isinstance(schema.get("type"), list) and "null" in schema["type"]


class Parameter:
    def __init__(self, name, schema, is_required):
        self.name = name
        self.schema = schema
        self.is_required = is_required
        self.by_position = name in ORDER and (is_required or name in OPTIONAL_BY_POSITION)
        self.type = type_of(name, schema)

    def order(self):
        return (not self.by_position, ORDER.index(self.name) if self.by_position else 0, not self.is_required, self.name)

    def text(self, has_default):
        if self.is_required:
            return f"{self.name}: {self.type}"
        if is_nullable(self.schema):
            return f"{self.name}: Union[{self.type}, None, Default] = DEFAULT"
        return f"{self.name}: Optional[{self.type}]" + (" = None" if has_default else "")

    def value(self):
        return f"nullable({self.name})" if is_nullable(self.schema) else self.name


def parameters_of(operation):
    schema = operation["parameters"]
    required = schema.get("required", [])
    made = [Parameter(name, part, name in required) for name, part in schema.get("properties", {}).items()]
    return sorted(made, key=Parameter.order)


def signature(parameters):
    """Lines of a parameter list, without self."""
    by_position = [p for p in parameters if p.by_position]
    last_required = max((i for i, p in enumerate(by_position) if p.is_required), default=-1)
    lines = [p.text(has_default=i > last_required) for i, p in enumerate(by_position)]
    by_name = [p.text(has_default=True) for p in parameters if not p.by_position]
    return lines + (["*"] + by_name if by_name else [])


def sentence(text):
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def field_text(name, schema):
    kinds = schema.get("type", "")
    note = "" if isinstance(kinds, str) or "null" not in kinds else " or None"
    told = schema.get("description", "")
    return name + note + (f" ({sentence(told)})" if told else "")


def docstring(operation_name, operation, parameters, indent):
    width = 100 - len(indent)
    parts = [operation["summary"] + "."]
    told = [p for p in parameters if p.name not in WHERE or operation_name == "adopt" and p.name != "workspace"]
    shared = [p.name for p in parameters if p not in told]
    if told:
        lines = []
        for p in told:
            text = p.schema.get("description", "")
            values = p.schema.get("enum")
            text += (f"; one of {', '.join(map(str, values))}" if text else ", ".join(map(str, values))) if values else ""
            lines += textwrap.wrap(f"{p.name}: {text}" if text else p.name, width, subsequent_indent="    ")
        parts.append("\n".join(lines))
    if shared:
        parts.append(", ".join(shared) + ": whose workspace")
    fields = operation.get("result", {}).get("properties", {})
    if fields:
        listed = ", ".join(field_text(name, schema) for name, schema in fields.items())
        parts.append("\n".join(textwrap.wrap("Returns a dict: " + listed, width, subsequent_indent="    ")))
    parts.append(f"(operation {operation_name})")
    body = "\n\n".join(parts).replace("\\", "\\\\").replace('"""', "'''")
    quote = 'r"""' if "\\" in body else '"""'
    return textwrap.indent(f'{quote}{body}\n"""', indent)


def call_lines(function, operation_name, parameters, extra, indent):
    entries = extra + [f'"{p.name}": {p.value()}' for p in parameters]
    flat = f'{indent}return {function}("{operation_name}", {{{", ".join(entries)}}})'
    if len(flat) <= 100:
        return [flat]
    return (
        [f"{indent}return {function}(", f'{indent}    "{operation_name}",', f"{indent}    {{"]
        + [f"{indent}        {entry}," for entry in entries]
        + [f"{indent}    }},", f"{indent})"]
    )


def method(name, operation_name, operation, parameters, *, is_async, is_stream=False, extra=(), full_docs=True):
    indent = " " * 4
    word = "async def" if is_async and not is_stream else "def"
    result = ("AsyncStream" if is_async else "Stream") if is_stream else "Json"
    lines = ["self", *signature(parameters)]
    flat = f"{indent}{word} {name}({', '.join(lines)}) -> {result}:"
    if len(flat) <= 100:
        text = [flat]
    else:
        text = [f"{indent}{word} {name}(", *(f"{indent}    {line}," for line in lines), f"{indent}) -> {result}:"]
    if is_stream:
        whole = bound_name(name[len("stream_") :]) if extra else name[len("stream_") :]
        text.append(f'{indent}    """{whole}() with its events while it runs."""')
    elif full_docs:
        text.append(docstring(operation_name, operation, parameters, indent * 2))
    else:
        text.append(f'{indent}    """{operation["summary"]}."""')
    function = "self._stream" if is_stream else ("await self._call" if is_async else "self._call")
    text += call_lines(function, operation_name, parameters, list(extra), indent * 2)
    return "\n".join(text) + "\n"


# What a generated module imports, and the use of it that shows that it must.
IMPORTS = {
    "typing": {
        "Any": "Any]",
        "Mapping": "Mapping[",
        "Optional": "Optional[",
        "Sequence": "Sequence[",
        "Union": "Union[",
    },
    ".._calls": {"AsyncStream": "-> AsyncStream:", "Stream": "-> Stream:"},
    ".._values": {
        "DEFAULT": "= DEFAULT",
        "Default": ", Default]",
        "Json": "-> Json:",
        "StrPath": "StrPath",
        "nullable": ": nullable(",
    },
}


def preamble(doc):
    note = "Generated by sdk/python/generate.py; do not edit."
    return [f'"""{doc}', "", note, '"""', "", "from __future__ import annotations", ""]


def header(doc, used, base):
    text = preamble(doc)
    for module, names in IMPORTS.items():
        found = [name for name, use in names.items() if use in used]
        if found:
            text.append(f"from {module} import {', '.join(found)}" + ("\n" if module == "typing" else ""))
    text += [f"from ._base import {base}", "", "", ""]
    return "\n".join(text)


def group_file(group, table, is_async):
    stem, doc = GROUPS[group]
    operations = {name: table[name] for name in table if group_of(name, table) == group}
    base = "AsyncOperationsBase" if is_async else "OperationsBase"
    words = f"{doc[:-1]}, for asyncio." if is_async else doc
    body = f'class {"Async" if is_async else ""}{stem}Operations({base}):\n    """{words}"""\n'
    for name, operation in operations.items():
        parameters = parameters_of(operation)
        own = sdk_name(name)
        body += "\n" + method(own, name, operation, parameters, is_async=is_async, full_docs=not is_async)
        if name in STREAMED:
            body += "\n" + method(
                "stream_" + own, name, operation, parameters, is_async=is_async, is_stream=True
            )
    return header(words, body, base) + body


def bound_file(table, is_async):
    """The operations of one workspace, without its id."""
    base = "AsyncBoundBase" if is_async else "BoundBase"
    doc = "What is done with one workspace" + (", for asyncio." if is_async else ".")
    body = f'class {"AsyncBoundOperations" if is_async else "BoundOperations"}({base}):\n    """{doc}"""\n'
    for name, operation in table.items():
        everything = operation["parameters"].get("properties", {})
        if "workspace_id" not in everything:
            continue
        dropped = {"workspace_id"} | (set(WHERE) if "workspace" in everything else set())
        parameters = [p for p in parameters_of(operation) if p.name not in dropped]
        own = bound_name(sdk_name(name))
        extra = ['"workspace_id": self.id']
        body += "\n" + method(
            own, name, operation, parameters, is_async=is_async, extra=extra, full_docs=False
        )
        if name in STREAMED:
            body += "\n" + method(
                "stream_" + own, name, operation, parameters, is_async=is_async, is_stream=True, extra=extra
            )
    return header(doc, body, base) + body


def made_file(table, is_async):
    """workspace_create once more, for `with`: it returns a Workspace."""
    prefix, await_, async_ = ("Async", "await ", "async ") if is_async else ("", "", "")
    indent = " " * 4
    kind = f"{prefix}Workspace"
    operation = table["workspace_create"]
    parameters = parameters_of(operation)
    lines = [f"{async_}def workspace(", f"{indent}self,"]
    lines += [f"{indent}{line}," for line in signature(parameters)]
    lines += [f") -> {kind}:"]
    text = f'"""create_workspace() as an object; ``{async_}with`` removes the workspace at the end."""'
    call = call_lines(f"{await_}self._call", "workspace_create", parameters, [], indent)
    call[0] = call[0].replace("return ", "document = ")
    lines += [indent + text, *call, f"{indent}return {kind}(self._calls, document, is_ours=True)"]
    base = f"{prefix}OperationsBase"
    doc = "Workspaces that end with a block" + (", for asyncio." if is_async else ".")
    body = f'class {prefix}MakesWorkspaces({base}):\n    """{doc}"""\n\n'
    body += "\n".join(indent + line for line in lines) + "\n"
    head = header(doc, body, base).replace("from ._base", f"from ..workspace import {kind}\nfrom ._base")
    return head + body


def package_file():
    text = preamble("Every operation of pyro as a method.")
    imports = [".bound import BoundOperations", ".async_bound import AsyncBoundOperations"]
    for group, (stem, _) in GROUPS.items():
        imports += [f".{group} import {stem}Operations", f".async_{group} import Async{stem}Operations"]
    text += [f"from {line}" for line in sorted(imports)] + ["", ""]
    for prefix in ("", "Async"):
        text += [f"class {prefix}Operations("]
        text += [f"    {prefix}{stem}Operations," for stem, _ in GROUPS.values()]
        text += ["):", '    """All of them."""', "", ""]
    listed = sorted(f"{p}{n}" for p in ("", "Async") for n in ("BoundOperations", "Operations"))
    text += ["__all__ = [", *(f'    "{name}",' for name in listed), "]", ""]
    return "\n".join(text)


def generated(table):
    files = {"__init__.py": package_file()}
    for is_async, prefix in ((False, ""), (True, "async_")):
        files[f"{prefix}bound.py"] = bound_file(table, is_async)
        files[f"{prefix}made.py"] = made_file(table, is_async)
        for group in GROUPS:
            files[f"{prefix}{group}.py"] = group_file(group, table, is_async)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    files = generated(json.loads(TABLE.read_text())["operations"])
    by_hand = {"_base.py"}
    there = {path.name for path in TARGET.glob("*.py")} - by_hand
    stale = sorted(there - files.keys())
    differing = [name for name, text in files.items() if not (TARGET / name).exists() or (TARGET / name).read_text() != text]
    if arguments.check:
        for name in sorted(differing) + stale:
            print(f"{TARGET / name} is not what sdk/python/generate.py writes", file=sys.stderr)
        return 1 if differing or stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in differing:
        (TARGET / name).write_text(files[name])
    for name in stale:
        (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
