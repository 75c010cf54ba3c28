"""The programs of deploy/, run as they are."""

import http.server
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rule import Skipped, rule
from tree import COMPOSE, Tree

HEALTHCHECK = "deploy/healthcheck"
NEW_SECRETS = "deploy/new-secrets"


def run(tree: Tree, path: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a script of the tree."""
    command = ["bash", "-c", tree.text(path), path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers GET /healthz with the status of the server, and everything else with 404."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/healthz" else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@rule(
    (HEALTHCHECK, "GET /healthz HTTP", "GET /readyz HTTP"),
    (HEALTHCHECK, 'test "$status" = 200', 'test -n "$status"'),
    (HEALTHCHECK, "$port", "1"),
)
def the_health_check_tells_what_the_service_answers(tree: Tree) -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = str(server.server_port)
    for status, healthy in ((200, True), (503, False), (404, False)):
        server.status = status  # type: ignore[attr-defined]
        if (run(tree, HEALTHCHECK, port).returncode == 0) != healthy:
            yield f"{status} is taken for {'un' if healthy else ''}healthy"
    server.shutdown()
    server.server_close()
    if run(tree, HEALTHCHECK, port).returncode == 0:
        yield "no service is taken for a healthy one"


@rule(
    (NEW_SECRETS, "mkdir -m 700", "mkdir -m 755"),
    (NEW_SECRETS, "mkdir -m 700", "mkdir -p -m 700"),
    (NEW_SECRETS, "-N32", "-N8"),
    (NEW_SECRETS, "printf %s", "printf '%s\\n'"),
    (NEW_SECRETS, "requirepass %s", "requirepass x%s"),
    (NEW_SECRETS, 'type = "redis"', 'type = "spin"'),
    (NEW_SECRETS, "key_value_store.default", "key_value_store.users"),
)
def new_secrets_fit_each_other(tree: Tree) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as parent:
        directory = Path(parent, "secrets")
        made = run(tree, NEW_SECRETS, str(directory))
        if made.returncode:
            yield made.stderr
            return
        if directory.stat().st_mode & 0o777 != 0o700:
            yield "others may enter the directory"
        url = (directory / "redis-url").read_text()
        password = re.fullmatch(r"redis://:([0-9a-f]{64})@redis:6379", url)
        if not password:
            yield "the URL is not that of Redis with 32 random bytes"
        elif (directory / "redis.conf").read_text() != f"requirepass {password[1]}\n":
            yield "Redis has another password"
        store = {"default": {"type": "redis", "url": url}}
        if tomllib.loads((directory / "runtime-config.toml").read_text()) != {"key_value_store": store}:
            yield "the store is another one in the runtime configuration"
        if run(tree, NEW_SECRETS, str(directory)).returncode == 0:
            yield "secrets that are in use are replaced"


@rule(
    (COMPOSE, "- --appendonly", "- --appendonlyy"),
    (COMPOSE, "- always", "- everysec"),
    (COMPOSE, "REDISCLI_AUTH=", "AUTH="),
    (COMPOSE, "requirepass //p", "requirepass //"),
)
def redis_starts_and_is_healthy(tree: Tree) -> Iterator[str]:
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        raise Skipped("redis-server is missing")
    service = tree.yaml(COMPOSE)["services"]["redis"]
    with socket.socket() as free, tempfile.TemporaryDirectory() as parent:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        subprocess.run(["bash", NEW_SECRETS, f"{parent}/secrets"], check=True)
        here = [a.replace("/run/secrets", f"{parent}/secrets") for a in service["command"]]
        here += ["--port", port, "--bind", "127.0.0.1", "--dir", parent]
        redis = subprocess.Popen(here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check = service["healthcheck"]["test"][1].replace("$$", "$")
        check = check.replace("/run/secrets", f"{parent}/secrets").replace("redis-cli", f"redis-cli -p {port}")
        for _ in range(50):
            healthy = subprocess.run(["sh", "-c", check], stderr=subprocess.DEVNULL).returncode == 0
            if healthy or redis.poll() is not None:
                break
            time.sleep(0.1)
        if not healthy:
            yield "it does not become healthy"
        else:
            asked = f"redis-cli -p {port} config get appendfsync"
            password = (Path(parent) / "secrets/redis.conf").read_text().split()[1]
            environment = os.environ | {"REDISCLI_AUTH": password}
            if "always" not in subprocess.check_output(asked.split(), env=environment, text=True):
                yield "it does not write at once"
        redis.terminate()
        redis.wait()
