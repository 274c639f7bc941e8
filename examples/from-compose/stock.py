"""How many of what there are, from stock.json."""
import http.server
import sys


class Stock(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "ok" if self.path == "/healthz" else open("stock.json", encoding="utf-8").read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Stock).serve_forever()
