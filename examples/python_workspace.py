#!/usr/bin/env python3
"""A workspace from its making to its result: reset over repair. Whatever a command broke, a reset is quicker and
surer than putting it right: the sandbox is made anew as a snapshot has it, processes and packages too.

python_workspace.py ENVIRONMENT CHECKOUT OUTPUT    e.g. python3 python_workspace.py host . ./result
"""

import sys

from pyro_mcp import Pyro


def story(environment, checkout, output):
    with Pyro().workspace(environment, seed_path=checkout) as ws:
        ws.exec("mkdir build && echo compiled > build/app")
        ws.create_snapshot("built")
        ws.exec("rm -rf build; echo rubbish > rubbish")  # broken: nobody repairs that
        ws.reset("built")  # named snapshot: what was built is there again
        assert ws.exec("cat build/app")["stdout"] == "compiled\n"
        assert ws.exec("test -e rubbish")["exit_code"] == 1
        print(ws.diff()["patch"], end="")  # always against what the workspace was made from
        ws.export("build", output)
        ws.reset()  # baseline: as it was made
        assert not ws.diff()["changed"]


if __name__ == "__main__":
    story(*sys.argv[1:])
