"""Every page has a title, and every link of a page leads to a file."""
import unittest
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

SITE = Path(__file__).resolve().parent.parent


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


class Links(unittest.TestCase):
    def test_lead_to_files(self):
        for path in SITE.glob("*.html"):
            for link in Page(path).links:
                parts = urlsplit(link)
                if not parts.scheme:
                    with self.subTest(page=path.name, link=link):
                        self.assertTrue((path.parent / parts.path).is_file())

    def test_pages_have_titles(self):
        pages = list(SITE.glob("*.html"))
        self.assertGreater(len(pages), 1)
        for path in pages:
            with self.subTest(page=path.name):
                self.assertIn("title", Page(path).tags)


if __name__ == "__main__":
    unittest.main()
