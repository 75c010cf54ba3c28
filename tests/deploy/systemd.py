"""The unit of systemd."""

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from host import Host, value_of
from rule import Skipped, rule
from tree import UNIT, Tree

DROP_IN = "deploy/systemd/redis.conf"

# The exposure, in tenths, of a service that may use the network and compile code, and nothing else.
THRESHOLD = 15


def command(tree: Tree) -> list[str]:
    return shlex.split(tree.text(UNIT).partition("ExecStart=")[2].replace("\\\n", "").splitlines()[0])


@rule(
    (UNIT, "--state-dir", "--statedir"),
    (UNIT, "--variable tokens=", "--variable token="),
    (UNIT, "LoadCredential=tokens:", "LoadCredential=token:"),
    (UNIT, "TimeoutStopSec=15s", "TimeoutStopSec=10s"),
    (UNIT, "StateDirectory=edge-users", "StateDirectory=users"),
    (UNIT, "127.0.0.1:3000", "0.0.0.0:3000"),
    (DROP_IN, "Environment=RUNTIME_CONFIG_FILE", "Environment=RUNTIME_CONFIG"),
    (DROP_IN, "LoadCredential=runtime-config.toml", "LoadCredential=runtime.toml"),
    (
        "host/src/serve/server.rs",
        "SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10)",
        "SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20)",
    ),
)
def the_unit_fits_the_host(tree: Tree) -> Iterator[str]:
    host, unit, drop_in = Host(tree), tree.text(UNIT), tree.text(DROP_IN)
    program, subcommand, *arguments = command(tree)
    if (program.rpartition("/")[2], subcommand) != ("edge-host", "up"):
        yield f"it runs {program} {subcommand}"
    faults = host.faults(arguments)
    yield from faults
    if faults:
        return
    if not value_of("--listen", arguments).startswith("127.0.0.1:"):
        yield "other machines reach it without TLS"
    directory = re.search(r"^StateDirectory=(.*)", unit, re.MULTILINE)
    if directory and value_of("--state-dir", arguments) != f"%S/{directory[1]}":
        yield "its state is not in its state directory"
    for text in (unit, drop_in):
        loaded = set(re.findall(r"^LoadCredential=([^:]+):", text, re.MULTILINE))
        used = set(re.findall(r"%d/([\w.-]+)", text))
        if loaded != used:
            yield f"credentials: {loaded} are loaded, and {used} used"
    for name in re.findall(r"^Environment=(\w+)=", drop_in, re.MULTILINE):
        if name not in host.environment:
            yield f"edge-host does not read {name}"
    stop = re.search(r"^TimeoutStopSec=(\d+)s", unit, re.MULTILINE)
    if not stop or int(stop[1]) <= host.shutdown:
        yield "it kills the host before its requests have ended"


@rule(
    (UNIT, "ProtectHome=yes", "ProtectHome=perhaps"),
    (UNIT, "SystemCallFilter=@system-service", "SystemCallFilter=@all"),
    (UNIT, "CapabilityBoundingSet=\n", ""),
    (UNIT, "DynamicUser=yes", "DynamicUser=no"),
    (UNIT, "Type=exec", "Typ=exec"),
)
def systemd_finds_the_unit_right_and_hardened(tree: Tree) -> Iterator[str]:
    if not shutil.which("systemd-analyze"):
        raise Skipped("systemd-analyze is missing")
    with tempfile.TemporaryDirectory() as directory:
        # It looks for the program.
        text = tree.text(UNIT).replace(command(tree)[0], "/bin/true")
        path = Path(directory, Path(UNIT).name)
        path.write_text(text)
        drop_ins = Path(directory, f"{path.name}.d")
        drop_ins.mkdir()
        Path(drop_ins, Path(DROP_IN).name).write_text(tree.text(DROP_IN))
        for analysis in (["verify"], ["security", "--offline=true", f"--threshold={THRESHOLD}"]):
            asked = subprocess.run(["systemd-analyze", *analysis, path], capture_output=True, text=True)
            if asked.returncode or asked.stderr:
                yield f"{analysis[0]}: {asked.stderr.strip() or asked.stdout.strip().splitlines()[-1]}"
