import psycopg2
import pytest

import notes


@pytest.fixture
def connection():
    connection = notes.connect()
    yield connection
    connection.close()


def test_the_migrations_left_a_note(connection):
    assert "the first one" in notes.tagged(connection, "start")


def test_a_note_is_found_by_its_tag(connection):
    notes.add(connection, "buy figs", ["shop", "today"])
    assert notes.tagged(connection, "shop")[-1] == "buy figs"


def test_a_tag_is_given_once(connection):
    with pytest.raises(psycopg2.errors.UniqueViolation):
        notes.add(connection, "twice", ["same", "same"])
    assert notes.tagged(connection, "same") == []
