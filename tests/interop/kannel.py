"""A Kannel 1.4.5 of our own: bearerbox and smsbox in a folder, on free loopback ports, bound to a server as its ESME.

Its customers send over HTTP; what it learns from receipts it tells us over HTTP.
"""

import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.interop.conftest import program
from tests.server import HOST, PATIENCE, Login, Server, eventually, free_port

REPORT = "type=%d&id=%F&to=%p&from=%P&text=%A"  # what Kannel fills in when it calls us back
NOTHING = urllib.request.ProxyHandler({})  # loopback, whatever the environment says of proxies


class Kannel:
    def __init__(self, folder: Path, server: Server, login: Login, *, pair: bool) -> None:
        self.folder = folder
        self.admin, self.boxes, self.http = free_port(), free_port(), free_port()
        self.heard: list[dict[str, str]] = []
        self.listener = ThreadingHTTPServer((HOST, 0), self._listener())
        self.processes: list[subprocess.Popen[bytes]] = []
        self.config = folder / "kannel.conf"
        self.config.write_text(self._config(server, login, pair), encoding="utf-8")

    def _config(self, server: Server, login: Login, pair: bool) -> str:
        ways = ["port", "receive-port"] if pair else ["port"]
        binds = "".join(
            f"""
group = smsc
smsc = smpp
smsc-id = smppgate
host = {HOST}
{way} = {server.port}
transceiver-mode = {"false" if pair else "true"}
smsc-username = {login.system_id}
smsc-password = {login.password}
system-type = ""
enquire-link-interval = 2
reconnect-delay = 1
"""
            for way in ways
        )
        return f"""
group = core
admin-port = {self.admin}
admin-interface = {HOST}
admin-password = secret
smsbox-port = {self.boxes}
smsbox-interface = {HOST}
box-allow-ip = {HOST}
dlr-storage = internal
log-file = {self.folder}/bearerbox.log
log-level = 0
{binds}
group = smsbox
bearerbox-host = {HOST}
sendsms-port = {self.http}
sendsms-interface = {HOST}
log-file = {self.folder}/smsbox.log
log-level = 0

group = sendsms-user
username = tester
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://{HOST}:{self.listener.server_port}/mo?from=%p&to=%P&text=%a"
"""

    def _listener(self) -> type[BaseHTTPRequestHandler]:
        heard = self.heard

        class Listener(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                heard.append({"path": path, **dict(urllib.parse.parse_qsl(query, keep_blank_values=True))})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing: the test looks at what was heard."""

        return Listener

    # what a customer of Kannel does

    def send(self, text: str, *, coding: int, to: str = "48600100200", sender: str = "smppgate") -> None:
        url = f"http://{HOST}:{self.listener.server_port}/dlr?{REPORT}"
        query = {
            "username": "tester",
            "password": "secret",
            "from": sender,
            "to": to,
            "text": text,
            "charset": "UTF-8",
            "coding": str(coding),
            "dlr-mask": "31",  # everything: accepted and refused by the server, delivered, failed, buffered
            "dlr-url": url,
        }
        assert "Accepted" in self._get(self.http, "/cgi-bin/sendsms", query)

    def reports(self, kind: str) -> list[dict[str, str]]:
        """kind: 1 delivered, 2 failed, 8 accepted by the server, 16 refused by it."""
        return [report for report in list(self.heard) if report["path"] == "/dlr" and report["type"] == kind]

    def online(self, binds: int) -> bool:
        status = self._get(self.admin, "/status.xml", {"password": "secret"})
        return status.count("<status>online") >= binds

    @staticmethod
    def _get(port: int, path: str, query: dict[str, str]) -> str:
        address = f"http://{HOST}:{port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.build_opener(NOTHING).open(address, timeout=PATIENCE) as answer:
            text: str = answer.read().decode("utf-8", "replace")
            return text

    # the processes

    def start(self) -> None:
        Thread(target=self.listener.serve_forever, daemon=True).start()
        self._run("bearerbox", self.admin)
        self._run("smsbox", self.http)

    def _run(self, name: str, port: int) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            process = subprocess.Popen(
                [program(name), "-v", "4", str(self.config)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        eventually(f"{name} listens", lambda: self._answers(process, name, port))

    def _answers(self, process: subprocess.Popen[bytes], name: str, port: int) -> bool:
        assert process.poll() is None, f"{name} ended:\n" + (self.folder / f"{name}.out").read_text(errors="replace")
        try:
            self._get(port, "/", {})
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.listener.shutdown()
        self.listener.server_close()

    def said(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))


@contextmanager
def kannel(folder: Path, server: Server, login: Login, *, pair: bool) -> Iterator[Kannel]:
    running = Kannel(folder, server, login, pair=pair)
    try:
        running.start()
        eventually("Kannel is bound", lambda: running.online(2 if pair else 1))
        yield running
    except BaseException:
        print(running.said()[-20_000:])
        raise
    finally:
        running.stop()
