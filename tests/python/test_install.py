"""The package as pip installs it, into a fresh environment, from nothing but what is on this machine."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import SOURCE


@pytest.fixture
def variables(place):
    """Without what makes the package importable here, and without pip's settings of this machine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIP_") and name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    }
    return {**kept, "HOME": str(place), "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def wheel(place, variables):
    sources = place / "sdk"
    shutil.copytree(SOURCE / "sdk/python", sources, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ["--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", str(place / "dist")]
    run(sys.executable, "-m", "pip", "wheel", *options, str(sources), env=variables)
    (made,) = (place / "dist").glob("*.whl")
    return made


def test_the_wheel_is_for_every_machine_and_has_the_types(wheel):
    assert wheel.name.startswith("pyro_mcp-") and wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "pyro_mcp/py.typed" in names
    assert "pyro_mcp/operations/workspaces.py" in names


def test_a_fresh_environment_works(home, environment, place, variables, wheel):
    run(sys.executable, "-m", "venv", str(place / "venv"), env=variables)
    python = place / "venv/bin/python"
    run(python, "-m", "pip", "install", "--no-index", str(wheel), env=variables)
    program = (
        "import pyro_mcp, sys\n"
        f"with pyro_mcp.Pyro().workspace({environment!r}) as ws:\n"
        "    print(ws.exec('echo works')['stdout'], end='')\n"
        "assert pyro_mcp.__file__.startswith(sys.prefix)\n"
    )
    assert run(python, "-c", program, cwd=place, env=variables) == "works\n"
    points = "from importlib.metadata import entry_points as e; print([p.value for p in e().get('pytest11', [])])"
    assert "pyro_mcp.pytest_plugin" in run(python, "-W", "ignore", "-c", points, env=variables)
    assert "create_workspace" in run(python, "-m", "pydoc", "pyro_mcp.Pyro", env=variables)


def test_the_library_is_found_beside_the_program(home, environment, place, variables):
    built = os.path.dirname(os.environ["PYRO_LIBRARY"])
    variables = {**variables, "PYTHONPATH": str(SOURCE / "sdk/python/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    del variables["PYRO_LIBRARY"]
    variables["PATH"] = f"{built}:{variables['PATH']}"
    program = "from pyro_mcp._handles import library; print(library().path)"
    found = run(sys.executable, "-c", program, cwd=place, env=variables).strip()
    assert found in ("libpyro.so.0", f"{os.path.realpath(built)}/libpyro.so.0")


def test_an_installed_pyro_is_found_by_its_program(home, environment, place, variables):
    build = os.path.dirname(os.path.dirname(os.environ["PYRO_LIBRARY"]))
    if not os.access(build, os.W_OK):
        pytest.skip("cmake --install writes its list into the build, which belongs to somebody else")
    prefix = place / "prefix"
    for component in ("pyro", "libpyro0"):
        run("cmake", "--install", build, "--prefix", str(prefix), "--component", component, cwd=place)
    variables = {**variables, "PYTHONPATH": str(SOURCE / "sdk/python/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    del variables["PYRO_LIBRARY"]
    variables["PATH"] = f"{prefix}/bin:{variables['PATH']}"
    program = (
        "from pyro_mcp import Pyro\n"
        "pyro = Pyro()\n"
        "print(pyro._calls.library().path)\n"
        f"print(pyro.run_in_vm({environment!r}, 'echo works')['stdout'])\n"
    )
    found, said = run(sys.executable, "-c", program, cwd=place, env=variables).split()
    assert said == "works"
    assert found == "libpyro.so.0" or found.startswith(f"{prefix}/lib/")


def test_the_versions_are_one(pyro):
    import pyro_mcp

    assert pyro.version()["version"] == pyro_mcp.__version__ == pyro._calls.library().version()
