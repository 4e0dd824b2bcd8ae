"""Headless Chromium for the scripts here: Debian's package, spoken to in the DevTools protocol over a pipe."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

# Nothing here takes so long, however loaded the machine is.
PATIENCE = 60


def chromium():
    path = shutil.which("chromium")
    if not path:
        quiet = {"check": True, "stdout": sys.stderr, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], **quiet)
    return path or shutil.which("chromium") or sys.exit("chromium could not be installed")


def until(what, ask):
    """Waits until `ask` gives something, and gives that."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.02)
    sys.exit(f"waited in vain: {what}")


class Chromium:
    """Headless Chromium, spoken to in the DevTools protocol over a pipe: messages end with a zero byte."""

    def __init__(self, profile):
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (*os.pipe(), *os.pipe())]
        theirs, self.to, self.back, answers = ends

        def place():
            os.dup2(theirs, 3)
            os.dup2(answers, 4)

        command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        with open(Path(profile, "log"), "w") as log:
            self.process = subprocess.Popen(command, preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(theirs), os.close(answers)
        self.last, self.answers, self.events = 0, {}, []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        rest = b""
        while part := os.read(self.back, 1 << 16):
            *messages, rest = (rest + part).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers[message["id"]] = message
                else:
                    self.events.append(message)

    def send(self, method, session=None, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.to, json.dumps(message).encode() + b"\0")
        answer = until(method, lambda own=self.last: self.answers.pop(own, None))
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Tab:
    """A tab, and what a person does in it."""

    def __init__(self, browser, address):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.send(f"{domain}.enable")
        self.go(address)

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def loads(self, act):
        """Does something that loads a page, and waits for it."""
        done = lambda: sum(event["method"] == "Page.loadEventFired" and event.get("sessionId") == self.session for event in self.browser.events)
        before = done()
        act()
        until("a page that is loaded", lambda: done() > before)

    def go(self, address):
        self.loads(lambda: self.send("Page.navigate", url=address))

    def run(self, script):
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"{script[:80]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def text(self):
        return self.run("document.body.innerText")

    def click(self, button):
        box = self.run(f"(b => [b.x + b.width / 2, b.y + b.height / 2])((e => (e.scrollIntoView(), e.getBoundingClientRect()))(document.querySelector('button.{button}')))")
        for kind in ["mousePressed", "mouseReleased"]:
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def answer(self, button):
        self.loads(lambda: self.click(button))

    def press(self, key, code):
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ["keyDown", "keyUp"]:
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}))

    def look(self, width, scheme, height=900):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        # A tab in the background is not drawn.
        self.send("Page.bringToFront")
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What Chromium's console says against the pages: a blocked style, a broken picture."""
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        entries = [event["params"]["entry"] for event in mine if event["method"] == "Log.entryAdded"]
        return [entry["text"] for entry in entries if "favicon" not in entry.get("url", "")]
