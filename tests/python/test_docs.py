"""The blocks of docs/python.md work as they are written, on the small environment."""

import os
import re
import subprocess
import sys

from conftest import SOURCE


def test_the_page_runs_from_top_to_bottom(home, environment, place):
    text = (SOURCE / "docs/python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    program = "\n".join(blocks).replace('"host"', repr(environment)).replace("image: host", f"image: '{environment}'")
    here = place / "docs"
    here.mkdir()
    (here / "notes.txt").write_text("first\n")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=here, env={**os.environ, "PYRO_TRUST": "1"}, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (here / "result/app").read_text() == "compiled\n"
