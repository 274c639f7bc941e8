"""As much of an MCP client as a loop needs: `pyro mcp serve` as a child, one call at a time, revision 2025-11-25."""

import json
import subprocess


class ToolError(Exception):
    """The tool says that it could not; `code` is pyro's, as in approval_needed."""

    def __init__(self, error):
        super().__init__(error["message"] + (f" ({error['hint']})" if error.get("hint") else ""))
        self.code = error["code"]


class Client:
    def __init__(self, *arguments):
        self._server = subprocess.Popen(
            ["pyro", "mcp", "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._last_id = 0
        client = {"name": "agent-loop", "version": "1"}
        self._request("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
        self._send({"method": "notifications/initialized"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.stdin.close()  # the server ends; workspaces stay
        self._server.wait()
        self._server.stdout.close()

    def tools(self):
        """What a model is told: [{"name", "description", "inputSchema", …}]."""
        return self._request("tools/list")["tools"]

    def call(self, name, **arguments):
        """The tool's structured result. What takes longer than the server may answer in is waited for."""
        result = self._tool_result(name, arguments)
        while "pending" in result:
            result = self._tool_result("call_wait", {"call_id": result["pending"]["call_id"]})
        return result

    def _tool_result(self, name, arguments):
        result = self._request("tools/call", name=name, arguments=arguments)
        if result.get("isError"):
            raise ToolError(result["structuredContent"]["error"])
        return result["structuredContent"]

    def _request(self, method, **params):
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        for line in self._server.stdout:
            message = json.loads(line)
            if message.get("id") != self._last_id:
                continue  # progress and other notices
            if "error" in message:
                raise RuntimeError(message["error"]["message"])
            return message["result"]
        raise RuntimeError("the server ended")

    def _send(self, message):
        self._server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._server.stdin.flush()
