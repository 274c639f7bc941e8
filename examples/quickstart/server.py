"""Serves data/prices.json: / lists all, /price/NAME gives one, /healthz answers once the data can be read."""

import http.server
import json
import pathlib
import signal
import sys

DATA = pathlib.Path(__file__).parent / "data" / "prices.json"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            prices = json.loads(DATA.read_text())
        except (OSError, ValueError) as error:
            return self.answer(500, {"error": str(error)})
        if self.path == "/healthz":
            return self.answer(200, {"ok": True, "prices": len(prices)})
        if self.path == "/":
            return self.answer(200, prices)
        name = self.path.removeprefix("/price/")
        if name in prices:
            return self.answer(200, {name: prices[name]})
        return self.answer(404, {"error": f"no price for {name}"})

    def answer(self, status, value):
        body = (json.dumps(value) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> int:
    port = int(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"serving on port {port}")
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
