import pytest

from app import app, items


@pytest.fixture
def client():
    items.clear()
    return app.test_client()


def test_an_item_is_on_the_list(client):
    assert client.post("/items", data={"name": "figs"}).status_code == 302
    assert b"<li>figs</li>" in client.get("/").data


def test_an_item_has_a_name(client):
    assert client.post("/items", data={"name": " "}).status_code == 400
    assert b"<li>" not in client.get("/").data


def test_a_name_is_no_markup(client):
    client.post("/items", data={"name": "<b>figs"})
    assert b"&lt;b&gt;figs" in client.get("/").data
