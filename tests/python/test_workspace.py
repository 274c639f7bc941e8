"""A workspace as an object, and a pyro.yaml."""

import os

import pytest
from waiting import eventually

from pyro_mcp import Pyro

FILE = """\
version: 1
name: project
environment: {{image: '{environment}'}}
seed: {{from: seed}}
services:
  web:
    command: "echo up; touch /tmp/up; while true; do sleep 60; done"
    readiness: {{file: /tmp/up}}
snapshots: {{ready: {{at: ready}}}}
"""


@pytest.fixture
def project(place, environment, seed):
    (place / "pyro.yaml").write_text(FILE.format(environment=environment))
    return place


def test_with_removes_what_it_made_also_where_the_block_fails(pyro, environment):
    with pytest.raises(ZeroDivisionError):
        with pyro.workspace(environment) as ws:
            1 / 0
    with pytest.raises(ValueError, match="does not exist"):
        pyro.status_workspace(ws.id)


def test_attached_ones_stay(pyro, ws):
    with pyro.attach(ws.id) as same:
        assert same.exec("cat note.txt")["stdout"] == "seed\n"
    assert pyro.status_workspace(ws.id)["state"] == "started"


def test_a_shell_reads_on_where_it_was(ws):
    with ws.shell(env={"PS1": ""}) as shell:
        shell.write("echo first; touch done")
        ws.exec("until [ -e done ]; do sleep 0.05; done")
        assert "first" in shell.read()
        assert "first" not in shell.read(wait_for_idle_ms=0)
    assert ws.list_shells()["count"] == 0


def test_paths_may_be_path_objects_relative_to_where_one_is(pyro, environment, seed, monkeypatch, place):
    monkeypatch.chdir(seed.parent)
    with pyro.workspace(environment, seed_path=seed.relative_to(place)) as ws:
        assert ws.read_file("note.txt")["content"] == "seed\n"
        monkeypatch.chdir(seed)
        ws.export("note.txt", "copy.txt")
        assert (seed / "copy.txt").read_text() == "seed\n"


def test_variables_are_those_of_the_moment(pyro, project, monkeypatch):
    text = (project / "pyro.yaml").read_text()
    (project / "pyro.yaml").write_text(text.replace("name: project", "name: '${env:OF_THE_MOMENT}'"))
    for name in ("first", "second"):
        monkeypatch.setenv("OF_THE_MOMENT", name)
        assert Pyro(trust=True).config(directory=project)["name"] == name


def test_plan_and_apply(pyro, project, monkeypatch):
    monkeypatch.chdir(project)
    assert "services.web" in [action["address"] for action in pyro.plan()["plan"]["actions"]]
    applied = pyro.apply()
    assert applied["changed"] is True
    assert pyro.apply()["changed"] is False
    assert pyro.exec(["cat", "note.txt"])["stdout"] == "seed\n"
    pyro.exec(["sh", "-c", "echo more >> note.txt"])
    assert pyro.diff()["changed"] is True
    (project / "seed/note.txt").write_text("changed\n")
    with pytest.raises(RuntimeError) as caught:  # edits inside would be lost
        pyro.apply()
    assert caught.value.code == "approval_needed"
    pyro.apply(approve=True)
    assert pyro.exec(["cat", "note.txt"])["stdout"] == "changed\n"
    pyro.undo()
    assert pyro.exec(["cat", "note.txt"])["stdout"] == "seed\nmore\n"
    pyro.reset(to="ready", approve=True)
    eventually(lambda: "up" in [line["line"] for line in pyro.logs()["lines"]])
    pyro.destroy(approve=True, snapshots=True)


def test_what_a_file_wants_has_to_be_agreed_to(pyro, project):
    text = (project / "pyro.yaml").read_text()
    (project / "pyro.yaml").write_text(text + "secrets: {token: {env: HOME}}\n")
    with pytest.raises(RuntimeError) as caught:
        Pyro(trust=False).apply(directory=project)
    assert caught.value.code == "approval_needed"
    assert Pyro(trust=True).apply(directory=project)["changed"] is True


def test_forks_are_workspaces_of_their_own(pyro, ws):
    ws.exec("echo forked > note.txt")
    made = ws.fork(count=2)
    assert made["count"] == 2
    for document in made["workspaces"]:
        with pyro.attach(document["workspace_id"]) as fork:
            assert fork.exec("cat note.txt")["stdout"] == "forked\n"
            fork.exec("echo other > note.txt")
            fork.delete()
    assert ws.exec("cat note.txt")["stdout"] == "forked\n"


def test_home_is_where_it_says(place, environment, monkeypatch):
    monkeypatch.delenv("PYRO_HOME", raising=False)
    pyro = Pyro(base=place / "elsewhere")
    with pyro.workspace(environment):
        assert os.listdir(place / "elsewhere/workspaces")
    pyro.purge(approve=True)
