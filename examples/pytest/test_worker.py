"""Each test has a workspace of its own in which the worker runs and nobody has done anything yet."""


def hand_in(workspace, name, text):
    workspace.write_file(f"{name}.new", text)
    workspace.exec(["mv", f"{name}.new", f"inbox/{name}"])


def result_of(workspace, name):
    done = workspace.exec(f"until [ -e done/{name} ]; do sleep 0.1; done; cat done/{name}")
    return done["stdout"]


def test_a_job_is_done(pyro_workspace):
    hand_in(pyro_workspace, "greeting", "hello\n")
    assert result_of(pyro_workspace, "greeting") == "HELLO\n"


def test_jobs_of_other_tests_are_not_seen(pyro_workspace):
    assert pyro_workspace.exec("ls inbox done")["stdout"].split() == ["done:", "inbox:"]
    hand_in(pyro_workspace, "farewell", "bye\n")
    assert result_of(pyro_workspace, "farewell") == "BYE\n"


def test_the_worker_says_what_it_does(pyro_workspace):
    hand_in(pyro_workspace, "spoken", "aloud\n")
    result_of(pyro_workspace, "spoken")
    assert "doing spoken" in [line["line"] for line in pyro_workspace.service_lines("worker")]
