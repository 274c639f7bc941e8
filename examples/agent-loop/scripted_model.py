"""Stands for a language model: it sees what has happened so far and says which tool to call next, or its answer.

A real one gets the tools' descriptions and the history as messages; see `next_step` for what goes in and what comes out.
This one tries the fixes it is given, in order, and goes back to the clean snapshot where one does not help: it resets
rather than repairs what it broke.
"""

from dataclasses import dataclass


@dataclass
class Call:
    tool: str
    arguments: dict


@dataclass
class Answer:
    text: str


TESTS = ["python3", "-B", "-m", "unittest", "-q"]


class ScriptedModel:
    def __init__(self, fixes):
        self._fixes = list(fixes)  # [(path, text)]

    def next_step(self, tools, history):
        """`history`: [(Call, its result)]. Returns a Call or an Answer."""
        known = {tool["name"] for tool in tools}
        assert known >= {"apply", "exec", "reset", "diff"}, known
        if not history:
            return Call("apply", {})
        call, result = history[-1]
        if call.tool == "diff":
            return Answer(result["patch"])
        if call.tool == "exec" and call.arguments["argv"] == TESTS:
            is_green = result["exit_code"] == 0
            has_edited = any("stdin" in one.arguments for one, _ in history)
            if is_green:
                return Call("diff", {"patches": True})
            return Call("reset", {"approve": True}) if has_edited else self._edit()
        if call.tool == "reset":
            return self._edit()
        return Call("exec", {"argv": TESTS})  # after apply and after each edit

    def _edit(self):
        if not self._fixes:
            return Answer("no idea is left")
        path, text = self._fixes.pop(0)
        return Call("exec", {"argv": ["tee", path], "stdin": text})
