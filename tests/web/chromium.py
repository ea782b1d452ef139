"""A headless Chromium, driven over its own protocol (Chrome DevTools Protocol) through a pair of pipes: no port, and
nothing to install besides the browser."""
import base64
import contextlib
import io
import json
import os
import select
import subprocess
import time

from PIL import Image

TIMEOUT_S = 30
# Chromium reads descriptor 3 and writes 4; what it says for people goes where its standard error goes.
START = 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2'


class Chromium:
    """Leaving the `with` block ends it. `folder` is its own: the profile and what it logs."""

    def __init__(self, folder, trusted_keys=()):
        """`trusted_keys`: hashes of public keys whose certificates it takes, whoever issued them."""
        self._last, self._unread = 0, b""
        arguments = ["--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
                     "--no-sandbox",  # containers allow none, and the pages are ours
                     f"--user-data-dir={folder / 'profile'}",
                     f"--ignore-certificate-errors-spki-list={','.join(trusted_keys)}"]
        with open(folder / "log", "wb") as log:
            self._process = subprocess.Popen(["sh", "-c", START, "chromium", *arguments], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=log, env={**os.environ, "HOME": str(folder)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self._send("Browser.close", {}, None)
        try:
            self._process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @contextlib.contextmanager
    def page(self, url, width, height):
        """A tab of that size, in pixels."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.call("Page.navigate", url=url)
        yield page
        self.call("Target.closeTarget", targetId=target)

    def call(self, method, session=None, **parameters):
        number = self._send(method, parameters, session)
        end = time.monotonic() + TIMEOUT_S
        while True:
            message = self._receive(end)
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']['message']}")
                return message["result"]

    def _send(self, method, parameters, session):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        return self._last

    def _receive(self, end):
        pipe = self._process.stdout.fileno()
        while b"\0" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
            piece = os.read(pipe, 1 << 16) if ready else b""
            if not piece:
                raise AssertionError("Chromium says nothing" if not ready else "Chromium is gone")
            self._unread += piece
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)


class Page:
    def __init__(self, browser, session):
        self._browser, self._session = browser, session

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression):
        """What this JavaScript is, as JSON has it."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']['exception']['description']}")
        return answer["result"].get("value")

    def wait_for(self, expression):
        """Until it is true."""
        end = time.monotonic() + TIMEOUT_S
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise AssertionError(f"never became true: {expression}\n{self.evaluate('document.body.innerText')}")
            time.sleep(0.02)

    def picture(self):
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return Image.open(io.BytesIO(png)).convert("RGB")
