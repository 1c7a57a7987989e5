"""A page of another origin that calls a server by clients of others: grpc-web and connect-web.

esbuild bundles the page of tests/foreign/web; the browser gets the server's descriptors with it.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from grpc_tools import protoc

from tests.conftest import ROOT
from tests.support.e2e.requirements import NODE_MODULES
from tests.support.eventually import DEADLINE
from tests.support.rpc.rpcs import RPCS
from tests.support.web.browser import Browser

_PROTO = ROOT / "proto"
_SOURCE = ROOT / "tests/foreign/web/page.js"
_INDEX = """<!doctype html>
<meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">
<input id="file" type="file"><script src="page.js"></script>
"""

_DETAILS = ("google/rpc/status.proto", "google/rpc/error_details.proto")  # of refusals


def bundle(folder: Path) -> None:
    """Write the page, its script and the descriptors of the services."""
    (folder / "index.html").write_text(_INDEX)
    describe(folder)
    output = ("--bundle", "--format=iife", "--log-level=warning", f"--outfile={folder / 'page.js'}")
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    subprocess.run([NODE_MODULES / ".bin/esbuild", _SOURCE, *output], env=environment, check=True)


def describe(folder: Path) -> None:
    """Write the descriptors of the services."""
    command = ("protoc", "--include_imports", f"--descriptor_set_out={folder / 'descriptors.bin'}")
    includes = (_PROTO, Path(protoc.__file__).parent / "_proto", Path(status_pb2.__file__).parents[2])
    services = sorted(path.name for path in _PROTO.glob("*.proto"))
    assert protoc.main([*command, *(f"-I{each}" for each in includes), *services, *_DETAILS]) == 0


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve the files of a folder; the port."""
    handler = partial(_QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class Refused(Exception):
    """The error of a call as the page saw it; `reason` is that of its ErrorInfo, if it has one."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code = error.get("code")
        self.message = error["message"]
        self.details = {each["type"]: each for each in error["details"]}
        self.reason = self.details.get("google.rpc.ErrorInfo", {}).get("reason")


class Page:
    """The page in a browser; `port` is that of its own server."""

    def __init__(self, browser: Browser, port: int) -> None:
        self._port = port
        self.browser = browser
        browser.driver.set_script_timeout(DEADLINE)

    def load(self, *, host: str = "localhost") -> None:
        """Open the page, or open it again, as a reload does."""
        self.browser.driver.get(f"http://{host}:{self._port}/")

    def use(self, client: str, address: str, token: str) -> None:
        """Call the server by one of the clients from now on."""
        self.run("open", client, f"http://{address}", token)

    def call(self, rpc: str, request: Message) -> list[Message]:
        """All responses of a call; Refused."""
        answer = self.run("call", f"video.{rpc}", MessageToDict(request))
        if "error" in answer:
            raise Refused(answer["error"])
        response = GetMessageClass(RPCS[rpc].output_type)
        return [ParseDict(each, response()) for each in answer["responses"]]

    def run(self, function: str, *arguments: Any) -> Any:
        """The result of a function of the page; AssertionError for its exception."""
        script = (
            "const [name, given, done] = arguments; "
            "Promise.resolve(page[name](...given)).then((value) => done({ value }), "
            "(error) => done({ thrown: String(error) }))"
        )
        done = self.browser.driver.execute_async_script(script, function, arguments)
        assert "thrown" not in done, done["thrown"]
        return done.get("value")

    def state(self, expression: str) -> Any:
        """The value of an expression about `page`."""
        return self.browser.run(f"return page.{expression}")


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass
