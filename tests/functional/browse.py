#!/usr/bin/env python3
"""A page as a browser has it, without a window and without a network: chromium is told what to do over pipes (its
DevTools protocol).

usage: browse.py PAGE [--screenshots DIRECTORY]

Prints a JSON document: what the page asked for beside itself, what the browser complained about, and for each width and
color scheme what is seen: the text of each section below an h2, colors, whether the page is wider than its window, the
drawings.
"""
import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

LIMIT = 60  # seconds for the browser to end
PROGRAMS = ("chromium", "chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--disable-crash-reporter", "--disable-breakpad", "--disable-extensions", "--disable-default-apps", "--mute-audio",
    "--remote-debugging-pipe",
]
WITHOUT_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-current-user", "--net"]
LOOK = """(() => {
  const sections = {}
  for (const head of document.querySelectorAll('h2')) {
    const texts = []
    for (let next = head.nextElementSibling; next && next.tagName !== 'H2'; next = next.nextElementSibling) {
      texts.push(next.innerText ?? next.textContent)
    }
    sections[head.innerText] = texts.join('\\n')
  }
  const style = getComputedStyle(document.body)
  return {
    title: document.title,
    heading: document.querySelector('h1')?.innerText ?? '',
    sections,
    scripts: document.scripts.length,
    images: document.images.length,
    color: style.color,
    background: style.backgroundColor,
    width: document.documentElement.scrollWidth,
    window: innerWidth,
    drawings: [...document.querySelectorAll('svg')].map((svg) => {
      const box = svg.getBoundingClientRect()
      const first = svg.querySelector('rect')
      return {width: box.width, height: box.height, texts: [...svg.querySelectorAll('text')].map((one) => one.textContent),
              fill: first ? getComputedStyle(first).fill : ''}
    }),
  }
})()"""


class Browser:
    """One page of a browser that was started for it."""

    def __init__(self, program, directory):
        self._to_read, to_browser = os.pipe()
        from_browser, self._to_write = os.pipe()
        self._out = os.fdopen(to_browser, "wb", buffering=0)
        self._in = from_browser
        self._rest, self._last = b"", 0
        self.events = []

        def as_three_and_four():
            first, second = os.dup(self._to_read), os.dup(self._to_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self._process = subprocess.Popen(
            [*WITHOUT_NETWORK, program, *FLAGS, f"--user-data-dir={directory}/profile", "about:blank"],
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory), "TZ": "UTC"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(3, 4), preexec_fn=as_three_and_four,
        )
        os.close(self._to_read)
        os.close(self._to_write)
        self._session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def _message(self):
        while b"\0" not in self._rest:
            piece = os.read(self._in, 1 << 16)
            if not piece:
                sys.exit("the browser ended")
            self._rest += piece
        text, self._rest = self._rest.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **parameters):
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        self._out.write(json.dumps(request).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._last:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def go(self, url):
        self.ask("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def close(self):
        self._session = None
        self.ask("Browser.close")
        self._process.wait(LIMIT)


def look(browser, url, screenshots):
    browser.go(url)
    seen = {}
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            result = browser.ask("Runtime.evaluate", expression=LOOK, returnByValue=True)
            if "exceptionDetails" in result:
                sys.exit(json.dumps(result["exceptionDetails"]))
            seen[f"{width} {scheme}"] = result["result"]["value"]
            if screenshots:
                shot = browser.ask("Page.captureScreenshot", captureBeyondViewport=True)
                (screenshots / f"{width}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
    requests = [event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    complaints = [
        event["params"] for event in browser.events
        if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    ]
    return {"seen": seen, "requests": [one for one in requests if one != url], "complaints": complaints}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    given = parser.parse_args()
    program = next((path for name in PROGRAMS for path in [f"/usr/bin/{name}"] if os.access(path, os.X_OK)), None)
    if not program:
        sys.exit("needs chromium (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory(prefix="pyro-browser-", ignore_cleanup_errors=True) as directory:
        browser = Browser(program, directory)
        try:
            found = look(browser, given.page.resolve().as_uri(), given.screenshots)
        finally:
            browser.close()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
