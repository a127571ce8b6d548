"""A real browser: Chromium without a window, by its driver. Debian has chromium and chromium-driver."""

import base64
import json
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


class Site:
    """Serves a folder on a port of this machine."""

    def __init__(self, folder: Path):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Site":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


class Browser:
    """A browser whose window has one of the SIZES; the phone is a phone to the pages, too."""

    def __init__(self, size: str, dark: bool = False):
        self.width, self.height = SIZES[size]
        self.size = size
        self.dark = dark

    def __enter__(self) -> "Browser":
        if not shutil.which("chromedriver"):
            raise SystemExit("chromedriver is missing: apt-get install chromium chromium-driver, or put another on the PATH")
        self.folder = Path(tempfile.mkdtemp())
        log = self.folder / "driver.log"
        with log.open("w") as out:
            self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=out, stderr=out)
        self.session = ""
        self.base = f"http://127.0.0.1:{self.port(log)}"
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--window-size={self.width},{self.height}", f"--user-data-dir={self.folder}/profile",
        ]
        if self.dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        options: dict = {"args": arguments}
        if self.size == "phone":
            options["mobileEmulation"] = {
                "deviceMetrics": {"width": self.width, "height": self.height, "pixelRatio": 2.0, "touch": True}
            }
        try:
            answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
            }}})
        except BaseException:
            self.__exit__()
            raise
        self.session = f"/session/{answer['sessionId']}"
        return self

    def __exit__(self, *_) -> None:
        if self.session:
            self.call("DELETE", "", None)
        self.driver.terminate()
        self.driver.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def port(self, log: Path) -> int:
        """The driver chooses a port, and says which."""
        limit = time.monotonic() + 60
        while time.monotonic() < limit and self.driver.poll() is None:
            for line in log.read_text().splitlines():
                if "started successfully on port" in line:
                    return int(line.rstrip(".").split()[-1])
            time.sleep(0.1)
        raise SystemExit(f"chromedriver did not start:\n{log.read_text()}")

    def call(self, method: str, path: str, body: dict | None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as failed:
            raise RuntimeError(f"the browser refused {path}: {failed.read().decode()[:500]}") from None

    def open(self, address: str) -> None:
        self.call("POST", "/url", {"url": address})

    def run(self, script: str):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def errors(self) -> list[str]:
        """What the console has said since the last call."""
        found = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in found if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path: Path) -> None:
        """The whole page, as far down as 4,000 points."""
        height = min(4000, self.run("return document.documentElement.scrollHeight"))
        answer = self.call("POST", "/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1},
        }})
        path.write_bytes(base64.b64decode(answer["data"]))
