"""Notes with tags, in PostgreSQL."""
import os

import psycopg2


def connect():
    return psycopg2.connect(os.environ["DATABASE_URL"])


def add(connection, text, tags=()):
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes (text) VALUES (%s) RETURNING id", (text,))
        note = cursor.fetchone()[0]
        cursor.executemany("INSERT INTO tags VALUES (%s, %s)", [(note, tag) for tag in tags])
    return note


def tagged(connection, tag):
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT text FROM notes JOIN tags ON note = id WHERE name = %s ORDER BY id", (tag,))
        return [row[0] for row in cursor]
