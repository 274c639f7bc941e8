#!/usr/bin/env python3
"""An agent's loop over MCP: the model says what to do, pyro does it in a workspace of its own, the result goes back.

Ends with the patch that makes the tests pass. The checkout stays as it is.
"""

from mcp_client import Client, ToolError
from scripted_model import Answer, ScriptedModel

FIRST_IDEA = '''\
"""Versions as people write them: "1.10" is later than "1.9"."""


def parse(text):
    return tuple(int(part) for part in text.split("."))


def latest(texts):
    return max(texts, key=parse)
'''
SECOND_IDEA = FIRST_IDEA.replace('text.split(".")', 'text.removeprefix("v").split(".")')


def run(model, client, most_steps=20):
    tools = client.tools()
    history = []
    for _ in range(most_steps):
        step = model.next_step(tools, history)
        if isinstance(step, Answer):
            return step.text
        try:
            result = client.call(step.tool, **step.arguments)
        except ToolError as error:
            result = {"error": str(error), "code": error.code}  # a model can act on it
        history.append((step, result))
        outcome = f"exit {result['exit_code']}" if "exit_code" in result else result.get("error", "done")
        print(f"{step.tool} {' '.join(step.arguments.get('argv', []))}: {outcome}")
    return "gave up"


if __name__ == "__main__":
    with Client("--project-path", ".") as client:
        print(run(ScriptedModel([("versions.py", FIRST_IDEA), ("versions.py", SECOND_IDEA)]), client))
