"""The operation `version` by each way that keeps a process of ours running: the library, and the MCP server's transports."""

import ctypes
import http.client
import json
import pathlib
import subprocess
import tempfile
import time

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def request():
    return json.dumps({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "version", "arguments": {}, "_meta": MODERN}}) + "\n"


def check(answer):
    if json.loads(answer)["result"].get("isError", True):
        raise RuntimeError(answer)


class Timed:
    def __enter__(self):
        return self

    def milliseconds(self):
        start = time.perf_counter()
        self.call()
        return (time.perf_counter() - start) * 1000


class LibraryCall(Timed):
    def __init__(self, pyro, env):
        self.library = ctypes.CDLL(str(pathlib.Path(pyro).with_name("libpyro.so")))
        self.library.pyro_open.restype = ctypes.c_void_p
        self.library.pyro_call.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p)]
        self.library.pyro_free.argtypes = self.library.pyro_close.argtypes = [ctypes.c_void_p]
        options = {"base": env["PYRO_HOME"]}
        self.handle = self.library.pyro_open(json.dumps(options).encode(), None)
        if not self.handle:
            raise RuntimeError("libpyro does not open")

    def call(self):
        result, error = ctypes.c_void_p(), ctypes.c_void_p()
        if self.library.pyro_call(self.handle, b"version", b"{}", None, ctypes.byref(result), ctypes.byref(error)):
            raise RuntimeError(ctypes.string_at(error.value).decode())
        json.loads(ctypes.string_at(result.value))
        self.library.pyro_free(result)

    def __exit__(self, *_):
        self.library.pyro_close(self.handle)


class StdioTool(Timed):
    def __init__(self, pyro, env):
        self.server = subprocess.Popen(
            [pyro, "mcp", "serve", "--profile", "full"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self):
        self.server.stdin.write(request().encode())
        self.server.stdin.flush()
        check(self.server.stdout.readline())

    def __exit__(self, *_):
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


class HttpTool(Timed):
    def __init__(self, pyro, env):
        self.said = tempfile.TemporaryFile("w+")
        self.server = subprocess.Popen(
            [pyro, "mcp", "serve", "--profile", "full", "--http", "127.0.0.1:0"], env=env, stderr=self.said)
        self.fields = {
            "Content-Type": "application/json", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
            "Mcp-Name": "version"}
        found = {}
        while "serving MCP at " not in found:
            if self.server.poll() is not None:
                raise RuntimeError("the server has ended")
            time.sleep(0.01)
            self.said.seek(0)
            for line in self.said:
                for begin in ("the token is in ", "serving MCP at "):
                    if line.startswith(begin) and line.endswith("\n"):
                        found[begin] = line[len(begin):-1]
        token = pathlib.Path(found["the token is in "]).read_text().strip()
        self.fields["Authorization"] = f"Bearer {token}"
        self.connection = http.client.HTTPConnection(found["serving MCP at "].split("/")[2])

    def call(self):
        self.connection.request("POST", "/mcp", request(), self.fields)
        check(self.connection.getresponse().read())

    def __exit__(self, *_):
        self.connection.close()
        self.server.terminate()
        self.server.wait()
        self.said.close()
