# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen, in a switch's network namespace, driven over W3C WebDriver.

That is JSON over HTTP, to chromedriver (w3.org/TR/webdriver2); what WebDriver does not have, as a
narrow window or the dark, is asked of Chromium by its own protocol, which chromedriver passes on.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.process import LabError, wait_until
from tests.lab.switch import PrivateOvs

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

PROGRAMS = ("chromium", "chromedriver")
PORT = 9515
# Nothing but what the page asks for goes out, and root has no sandbox.
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-extensions"),
    *("--disable-component-update", "--force-device-scale-factor=1", "--hide-scrollbars"),
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name of a reference to one (§12.1)
PATIENCE_S = 120  # for a step: its start takes a while on a slow machine

TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"  # §17.4.2
SHIFT, CONTROL, DELETE = "\ue008", "\ue009", "\ue017"


class Browser:
    """One window; a context manager."""

    def __init__(self, switch: PrivateOvs, directory: Path) -> None:
        self._switch = switch
        self._directory = directory
        self._session = ""

    def __enter__(self) -> Self:
        # Its own directories, so that nothing of the user's is read or written.
        home = [f"HOME={self._directory}", f"TMPDIR={self._directory}"]
        self.process = self._switch.spawn(
            "chromedriver", "env", *home, "chromedriver", f"--port={PORT}"
        )
        wait_until(self._is_ready, "chromedriver", PATIENCE_S)
        options = {
            "binary": shutil.which("chromium"),
            "args": [*ARGUMENTS, f"--user-data-dir={self._directory / 'profile'}"],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        found = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{found['sessionId']}"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._call("DELETE", self._session)
        finally:
            self.process.stop()

    def _is_ready(self) -> bool:
        assert self.process.status is None, self.process.text()
        try:
            return bool(self._call("GET", "/status")["ready"])
        except OSError:
            return False

    def _call(self, method: str, path: str, body: object = None) -> Any:
        with self._switch.namespace.entered():
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE_S)
            try:
                text = None if body is None else json.dumps(body)
                connection.request(method, path, text, {"Content-Type": "application/json"})
                answer = json.loads(connection.getresponse().read())["value"]
            finally:
                connection.close()
        if isinstance(answer, dict) and answer.get("error"):
            raise LabError(f"{method} {path}: {answer['error']}: {answer['message']}")
        return answer

    # -- the page

    def go(self, url: str) -> None:
        """Load a page."""
        self._call("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns, as the body of a function."""
        body = {"script": script, "args": arguments}
        return self._call("POST", f"{self._session}/execute/sync", body)

    def wait(self, script: str, *arguments: object, timeout_s: float = 30) -> Any:
        """What the expression is, once that is true."""
        found: list[object] = []

        def is_so() -> bool:
            found[:] = [self.run(f"return {script}", *arguments)]
            return bool(found[0])

        wait_until(is_so, script, timeout_s)
        return found[0]

    def find(self, selector: str) -> Element:
        """The first element that a CSS selector names."""
        body = {"using": "css selector", "value": selector}
        return Element(self, self._call("POST", f"{self._session}/element", body)[ELEMENT])

    def text(self, selector: str) -> str:
        """What is to be read there."""
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is; "shift+tab" is a chord."""
        actions: list[dict[str, str]] = []
        for key in keys:
            chord = [SHIFT, TAB] if key == "shift+tab" else [key]
            actions += [{"type": "keyDown", "value": each} for each in chord]
            actions += [{"type": "keyUp", "value": each} for each in reversed(chord)]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._call("POST", f"{self._session}/actions", {"actions": [source]})

    def said(self) -> list[str]:
        """What has been written to its console: errors, and what the page's policy forbade."""
        lines = self._call("POST", f"{self._session}/se/log", {"type": "browser"})
        messages = [str(line["message"]) for line in lines]
        return [each for each in messages if not each.startswith("chrome:")]  # the first page's

    # -- what it is shown on

    def command(self, name: str, **parameters: object) -> Any:
        """A command of Chromium's own protocol."""
        body = {"cmd": name, "params": parameters}
        return self._call("POST", f"{self._session}/goog/cdp/execute", body)

    def size(self, width: int, height: int) -> None:
        """The window's inside, in CSS pixels."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def scheme(self, scheme: str) -> None:
        """What prefers-color-scheme is: "dark" or "light"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        """Write what is to be seen as a PNG file."""
        found = self.command("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        path.write_bytes(base64.b64decode(found["data"]))

    def accessible(self) -> Sequence[dict[str, Any]]:
        """The nodes of the tree that assistive technology sees, each with its role and name."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node["ignored"]]


class Element:
    """A part of the page, as long as it is there."""

    def __init__(self, browser: Browser, reference: str) -> None:
        self._browser = browser
        self._path = f"{browser._session}/element/{reference}"

    def click(self) -> None:
        """As with a mouse: it must be there to be seen, and nothing over it."""
        self._browser._call("POST", f"{self._path}/click", {})

    def type(self, text: str) -> None:
        """Type into it."""
        self._browser._call("POST", f"{self._path}/value", {"text": text})

    def clear(self) -> None:
        """Delete all that is in it, by keys: WebDriver's own way is not seen by the page."""
        self.type(f"{CONTROL}a{CONTROL}{DELETE}")
