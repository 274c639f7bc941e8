"""A small database server: SQLite behind a TCP port, one statement a line.

As PostgreSQL and MySQL do, it notes whether it was closed, and says so when it starts."""

import json
import os
import socket
import socketserver
import sqlite3
import sys

ADDRESS = ("127.0.0.1", 5432)
FILE = "data/notes.db"
OPEN = "data/open"


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            try:
                rows = self.server.database.execute(line.decode()).fetchall()
                self.server.database.commit()
                answer = {"rows": rows}
            except sqlite3.Error as error:
                answer = {"error": str(error)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class Server(socketserver.TCPServer):
    allow_reuse_address = True


def serve():
    os.makedirs("data", exist_ok=True)
    print("recovering: it was not closed" if os.path.exists(OPEN) else "its files were closed")
    open(OPEN, "w").close()
    server = Server(ADDRESS, Session)
    server.database = sqlite3.connect(FILE)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.database.close()
        os.remove(OPEN)


def ask(statement):
    with socket.create_connection(ADDRESS) as connection, connection.makefile("rw") as stream:
        print(statement, file=stream, flush=True)
        return json.loads(stream.readline())


def migrate():
    for statement in ("CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('first')"):
        answer = ask(statement)
        if "error" in answer:
            sys.exit(answer["error"])


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    elif sys.argv[1] == "migrate":
        migrate()
    else:
        print(json.dumps(ask(sys.argv[2])))
