"""Says what the stock has, which it finds by its service's name."""
import http.server
import os
import sys
import urllib.request

GREETING = "in stock"


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with urllib.request.urlopen(os.environ["STOCK_URL"]) as answer:
            body = f"{GREETING}: {answer.read().decode()}\n"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Shop).serve_forever()
