"""Checks what an MCP server said against the official schema of its revision.

usage: validate.py SCHEMA CONVERSATION
CONVERSATION has a JSON document a line: {"method": of the request or null, "message": what the server sent}.
Also: a result's structured content against the outputSchema that tools/list gave for the tool ("tool" of the line).
Prints what does not fit and ends with 1; prints how many messages were checked otherwise.
"""
import json
import sys

import jsonschema

RESULTS = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    "ping": "EmptyResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "subscriptions/listen": "SubscriptionsListenResult",
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    key = "$defs" if "$defs" in schema else "definitions"
    definitions = schema[key]

    def problems(name, value):
        whole = {"$ref": f"#/{key}/{name}", key: definitions}
        checker = jsonschema.validators.validator_for(schema)(whole)
        return [f"{name}: {error.json_path}: {error.message[:200]}" for error in checker.iter_errors(value)]

    notifications = {
        part["properties"]["method"]["const"]: name
        for name, part in definitions.items()
        if name.endswith("Notification") and "const" in part.get("properties", {}).get("method", {})
    }
    found = []
    outputs = {}
    count = 0
    with open(sys.argv[2], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    for line in lines:
        message = line["message"]
        count += 1
        found += problems("JSONRPCMessage", message)
        if "result" not in message:
            if "method" in message:
                found += problems(notifications[message["method"]], message)
            continue
        result = message["result"]
        found += problems(RESULTS[line["method"]], result)
        for tool in result.get("tools", []):
            jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
            jsonschema.Draft202012Validator.check_schema(tool["outputSchema"])
            outputs[tool["name"]] = tool["outputSchema"]
        if "structuredContent" in result and not result.get("isError"):
            checker = jsonschema.Draft202012Validator(outputs[line["tool"]])
            found += [
                f"outputSchema of {line['tool']}: {error.json_path}: {error.message[:200]}"
                for error in checker.iter_errors(result["structuredContent"])
            ]
    print("\n".join(found) if found else f"{count} messages")
    return 1 if found or count == 0 else 0


sys.exit(main())
