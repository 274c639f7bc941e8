"""The world outside of a workspace, for tests: a name server, and HTTP, HTTPS and raw servers that write down who came.

    servers.py DIRECTORY

reads DIRECTORY/world.json:
    {"names": {"web.example": ["127.0.0.1"]}, "dns": ["127.0.0.1", 0],
     "servers": [{"kind": "http|tls|echo|greet|sink|files|digest|source|early", "address": "127.0.0.1", "port": 0, "root": "DIR",
                  "authorization": "Basic …"}]}
("*.tree.example" stands for all below; without that header the answer is 401), writes DIRECTORY/ready.json with the ports, and a line of JSON for each
connection and request to DIRECTORY/visits.jsonl. DIRECTORY/cert.pem and key.pem are the certificate of "tls".
It ends when its standard input does."""

import hashlib
import json
import os
import pathlib
import socket
import socketserver
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler

directory = pathlib.Path(sys.argv[1])
world = json.loads((directory / "world.json").read_text())
visits = open(directory / "visits.jsonl", "a", buffering=1)
lock = threading.Lock()


def note(**visit):
    with lock:
        visits.write(json.dumps(visit) + "\n")


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 << 10

    def setup(self):
        super().setup()
        note(kind=self.server.kind, port=self.server.server_address[1], peer=self.client_address[0])

    def log_message(self, *_):
        pass

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.read_chunks() if self.headers.get("Transfer-Encoding") else self.rfile.read(length)
        authorization = self.headers.get("Authorization", "")
        note(kind="request", host=self.headers.get("Host"), path=self.path, method=self.command, body=len(body),
             authorization=authorization, key=self.headers.get("X-Key", ""))
        if self.server.authorization and authorization != self.server.authorization:
            self.answer(401, b"who are you?\n", {"WWW-Authenticate": 'Basic realm="test"'})
        elif self.path == "/echo":
            self.answer(200, b"see the header\n", {"X-Echo": authorization})
        elif self.path == "/chunks":
            self.send_chunks()
        elif self.headers.get("Upgrade", "").lower() == "websocket":
            self.upgrade()
        elif self.path.startswith("/bytes/"):
            self.send_bytes(int(self.path.split("/")[2]))
        elif self.server.root:
            self.send_file()
        else:
            self.answer(200, json.dumps({"host": self.headers.get("Host"), "path": self.path}).encode() + b"\n")

    do_POST = do_PUT = do_HEAD = do_GET

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def send_chunks(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in (b"one ", b"two ", b"three\n"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(word), word))
        self.wfile.write(b"0\r\n\r\n")

    def answer(self, code, body, headers=None):
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self):
        path = (pathlib.Path(self.server.root) / self.path.split("?")[0].lstrip("/")).resolve()
        if path.is_file() and path.is_relative_to(pathlib.Path(self.server.root).resolve()):
            self.answer(200, path.read_bytes())
        else:
            self.answer(404, b"no such file\n")

    def send_bytes(self, count):
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        piece = bytes(1 << 20)
        while count > 0:
            self.wfile.write(piece[: min(count, len(piece))])
            count -= len(piece)

    def upgrade(self):
        if self.path == "/declined":
            self.answer(200, b"no\n")
            return
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        self.wfile.flush()
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True


class Raw(socketserver.BaseRequestHandler):
    def handle(self):
        note(kind=self.server.kind, port=self.server.server_address[1], peer=self.client_address[0])
        if self.server.kind == "digest":  # of all that came, told when its end came
            digest = hashlib.sha256()
            while data := self.request.recv(1 << 18):
                digest.update(data)
            self.request.sendall(digest.hexdigest().encode())
            return
        if self.server.kind == "source":  # as many MiB as the first line says, each of its own number
            for number in range(int(self.request.makefile("rb").readline())):
                self.request.sendall(number.to_bytes(8, "big") * (1 << 17))
            return
        if self.server.kind == "early":  # it ends first, and listens on
            self.request.sendall(b"bye")
            self.request.shutdown(socket.SHUT_WR)
        if self.server.kind == "greet":
            self.request.sendall(b"hello, who is there?\n")
        total = 0
        while data := self.request.recv(1 << 16):
            total += len(data)
            if self.server.kind == "echo":
                self.request.sendall(data)
            elif self.server.kind == "greet":
                self.request.sendall(b"welcome " + data)
        if self.server.kind == "early":
            note(kind="heard", bytes=total)
        if self.server.kind == "sink":
            note(kind="sunk", bytes=total)
            self.request.sendall(str(total).encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        pass

    def get_request(self):
        connection, peer = super().get_request()
        if self.kind == "tls":
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer


def start(description):
    kind = description["kind"]
    address = description["address"]
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    handler = Http if kind in ("http", "tls", "files") else Raw
    server = Server((address, description["port"]), handler)
    server.kind = kind
    server.root = description.get("root")
    server.authorization = description.get("authorization")
    if kind == "tls":
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def addresses_of(name):
    names = json.loads((directory / "world.json").read_text())["names"]
    if name in names:
        return names[name]
    below = [key for key in names if key.startswith("*.") and name.endswith(key[1:])]
    return names[below[0]] if below else None


def name_server(listener):
    while True:
        query, peer = listener.recvfrom(4096)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
        name = ".".join(labels).lower()
        note(kind="dns", name=name, type=kind)
        found = addresses_of(name)
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        usable = [a for a in found or [] if family is not None and (":" in a) == (kind == 28)]
        answer = query[:2] + struct.pack(">HHHHH", 0x8180 if found is not None else 0x8183, 1, len(usable), 0, 0)
        answer += query[12 : at + 5]
        for address in usable:
            data = socket.inet_pton(family, address)
            answer += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
        listener.sendto(answer, peer)


dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.bind(tuple(world.get("dns", ["127.0.0.1", 0])))
threading.Thread(target=name_server, args=(dns,), daemon=True).start()
ready = {"dns": dns.getsockname()[1], "ports": [start(server) for server in world["servers"]]}
(directory / "ready.new").write_text(json.dumps(ready))
os.rename(directory / "ready.new", directory / "ready.json")
sys.stdin.read()
