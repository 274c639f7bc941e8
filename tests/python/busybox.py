"""A root file system of one static program, as tests/support/busybox.hpp: an environment "dir:ROOT"."""

import shutil
import subprocess
from pathlib import Path

BUSYBOX = "/usr/bin/busybox"


def make_busybox_root(root: Path) -> Path:
    for folder in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "run", "usr/bin", "var/lib"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    for name in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    return root
