"""A shopping list."""
from flask import Flask, redirect, render_template, request, url_for

app = Flask(__name__)
items = []


@app.get("/")
def index():
    return render_template("index.html", items=items)


@app.post("/items")
def add():
    name = request.form.get("name", "").strip()
    if not name:
        return "An item has a name.", 400
    items.append(name)
    return redirect(url_for("index"))
