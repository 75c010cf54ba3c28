"""The image and the composition."""

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser
from host import Host, value_of
from rule import rule
from tree import COMPOSE, DOCKERFILE, REDIS, ROOT, Tree

IGNORED = f"{DOCKERFILE}.dockerignore"


def instructions(tree: Tree) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their values."""
    parser = DockerfileParser(fileobj=BytesIO(tree.text(DOCKERFILE).encode()))
    return [(i["instruction"], i["value"]) for i in parser.structure if i["instruction"] != "COMMENT"]


def values(tree: Tree, name: str) -> list[str]:
    return [value for instruction, value in instructions(tree) if instruction == name]


def entry_point(tree: Tree) -> list[str]:
    (value,) = values(tree, "ENTRYPOINT")
    words: list[str] = json.loads(value)
    return words


@rule(
    (DOCKERFILE, "rust:1.95.0-slim-trixie", "rust:1.94.0-slim-trixie"),
    (DOCKERFILE, "debian:trixie-20260803-slim", "debian:trixie-slim"),
    (DOCKERFILE, "debian:trixie-20260803-slim", "debian:bookworm-20260803-slim"),
    ("rust-toolchain.toml", "1.95.0", "1.96.0"),
)
def the_images_are_pinned(tree: Tree) -> Iterator[str]:
    build, run = (value.split()[0] for value in values(tree, "FROM"))
    channel = tree.toml("rust-toolchain.toml")["toolchain"]["channel"]
    if not re.fullmatch(rf"rust:{re.escape(channel)}-slim-(\w+)", build):
        yield f"{build} is not Rust {channel}"
    # A program may need the C library that it was built with.
    if not re.fullmatch(rf"debian:{build.rpartition('-')[2]}-\d{{8}}-slim", run):
        yield f"{run} is not a day's release of the Debian of {build}"


@rule(
    (DOCKERFILE, "-p edge-users-rpc-component", "-p edge-users-rpc"),
    (DOCKERFILE, "--profile host", "--profile native"),
    (DOCKERFILE, " --locked", ""),
    (DOCKERFILE, "/src/target/host/edge-host", "/src/target/release/edge-host"),
    (DOCKERFILE, "edge_users_admin.wasm /app", "edge_admin.wasm /app"),
    (DOCKERFILE, "COPY spin.toml /app/", "COPY app.toml /app/"),
    (DOCKERFILE, "COPY --from=build", "COPY --from=builder"),
    (DOCKERFILE, "FROM rust:1.95.0-slim-trixie AS build", "FROM rust:1.95.0-slim-trixie AS rust"),
    (IGNORED, "logs", "deploy/healthcheck"),
    ("spin.toml", "release/edge_users_rpc.wasm", "release/rpc.wasm"),
)
def the_image_has_what_was_built(tree: Tree) -> Iterator[str]:
    stages = [value.split()[2] for value in values(tree, "FROM") if " AS " in value]
    run = " ".join(values(tree, "RUN"))
    made = set()
    for build in re.findall(r"cargo build ([^&]*)", run):
        words = shlex.split(build)
        if "--locked" not in words:
            yield "a build may change Cargo.lock"
        profile = value_of("--profile", words) if "--profile" in words else "release"
        if profile not in tree.toml("Cargo.toml")["profile"]:
            yield f"there is no profile {profile}"
        directory = f"/src/target/{profile}/"
        if "--target" in words:
            directory = f"/src/target/{value_of('--target', words)}/{profile}/"
        for package in (word for flag, word in zip(words, words[1:]) if flag == "-p"):
            made |= {directory + product for product in products(tree, package)}
    copied = set()
    for value in values(tree, "COPY"):
        *sources, target = shlex.split(value)
        stage = sources.pop(0).partition("=")[2] if sources[0].startswith("--from=") else None
        if stage and stage not in stages:
            yield f"there is no stage {stage}"
        for source in sources:
            # Debian's package of certificates is in the image of Rust.
            if stage and source != "/etc/ssl/certs/ca-certificates.crt" and source not in made:
                yield f"nothing makes {source}"
            if not stage and not (ROOT / source).exists():
                yield f"there is no {source}"
            if not stage and ignored(tree, source):
                yield f"{source} is not sent to the build"
            if target != ".":
                copied.add(target + source.rpartition("/")[2])
    for component in tree.toml("spin.toml")["component"].values():
        if f"/app/{component['source']}" not in copied:
            yield f"the image has no {component['source']}"
    if "/usr/local/bin/edge-host" not in copied:
        yield "the image has no edge-host"


def products(tree: Tree, package: str) -> list[str]:
    """The files that the package of this name gives, programs or a component."""
    for path in ROOT.glob("*/Cargo.toml"), ROOT.glob("components/*/Cargo.toml"):
        for file in path:
            manifest = tree.toml(str(file.relative_to(ROOT)))
            if manifest.get("package", {}).get("name") != package:
                continue
            if "cdylib" in manifest.get("lib", {}).get("crate-type", []):
                return [f"{manifest['lib']['name']}.wasm"]
            return [program["name"] for program in manifest.get("bin", [{"name": package}])]
    return []


def ignored(tree: Tree, path: str) -> bool:
    patterns = [line for line in tree.text(IGNORED).splitlines() if line and line[0] != "#"]
    return any(fnmatch.fnmatch(path, p) or path.startswith(f"{p}/") for p in patterns)


@rule((IGNORED, "deploy/secrets\n", ""), (IGNORED, "target\n", ""), (".gitignore", "/deploy/secrets\n", ""))
def secrets_go_neither_into_images_nor_into_commits(tree: Tree) -> Iterator[str]:
    for path in ("deploy/secrets", ".spin", "target"):
        if not ignored(tree, path):
            yield f"{path} goes into the image"
        if f"/{path}" not in tree.text(".gitignore").splitlines():
            yield f"{path} goes into commits"


@rule(
    (DOCKERFILE, "USER 10001:10001\n", ""),
    (DOCKERFILE, "USER 10001:10001", "USER root"),
    (DOCKERFILE, "--owner=10001", "--owner=10002"),
    (DOCKERFILE, '"--state-dir", "/var/lib/edge-users"', '"--state-dir", "/state"'),
    (DOCKERFILE, '"--listen"', '"--address"'),
    (DOCKERFILE, "0.0.0.0:3000", "0.0.0.0:80"),
    (DOCKERFILE, "EXPOSE 3000", "EXPOSE 80"),
    (DOCKERFILE, '"healthcheck", "3000"', '"healthcheck", "80"'),
    (DOCKERFILE, '"healthcheck", "3000"', '"curl", "3000"'),
    (DOCKERFILE, "DISABLE_WASMTIME_CACHE=1", "DISABLE_CACHE=1"),
    ("host/src/options.rs", "pub state_dir:", "pub state_directory:"),
)
def the_image_starts_the_host(tree: Tree) -> Iterator[str]:
    program, subcommand, *arguments = entry_point(tree)
    if (program, subcommand) != ("edge-host", "up"):
        yield f"it runs {program} {subcommand}"
    faults = Host(tree).faults(arguments)
    yield from faults
    if faults:
        return
    if value_of("--from", arguments) != "/app":
        yield "the manifest is in /app"
    user = re.fullmatch(r"([1-9]\d*):\1", (values(tree, "USER") or ["root"])[-1])
    if not user:
        yield "it runs as root, or as a user that Kubernetes can't tell from root"
        return
    state = value_of("--state-dir", arguments)
    if f"--owner={user[1]} --group={user[1]} --mode=700 {state}" not in " ".join(values(tree, "RUN")):
        yield f"its user does not own {state}"
    port = value_of("--listen", arguments).rpartition(":")[2]
    if values(tree, "EXPOSE") != [port]:
        yield f"it listens on {port}"
    (check,) = values(tree, "HEALTHCHECK")
    if json.loads(check.partition("CMD ")[2]) != ["healthcheck", port]:
        yield f"{check} does not ask port {port}"
    for name in values(tree, "ENV"):
        if name.partition("=")[0] not in Host(tree).environment:
            yield f"edge-host does not read {name}"


def compose(tree: Tree) -> Any:
    return tree.yaml(COMPOSE)


@rule(
    (COMPOSE, "image: edge-users:0.1.0", "image: edge-users:0.1"),
    (COMPOSE, "dockerfile: deploy/Dockerfile", "dockerfile: Dockerfile"),
    (COMPOSE, "- --runtime-config-file", "- --runtime-config"),
    (COMPOSE, "tokens=@/run", "token=@/run"),
    (COMPOSE, "/run/secrets/tokens", "/run/secrets/token"),
    (COMPOSE, "127.0.0.1:3000:3000", "127.0.0.1:3000:80"),
    (COMPOSE, "127.0.0.1:3000:3000", "3000:3000"),
    (COMPOSE, "stop_grace_period: 15s", "stop_grace_period: 5s"),
    (COMPOSE, "networks: [front, store]", "networks: [front]"),
    (COMPOSE, "secrets: [redis.conf]", "secrets: [redis]"),
    (COMPOSE, "    file: secrets/tokens", "    file: ../tokens"),
    (COMPOSE, "    healthcheck:\n      test:", "    labels:\n      test:"),
    (COMPOSE, "internal: true", "internal: false"),
    (COMPOSE, "  redis:\n    image", "  store:\n    image"),
    ("spin.toml", 'version = "0.1.0"', 'version = "0.2.0"'),
    ("deploy/new-secrets", "@redis:6379", "@store:6379"),
)
def the_composition_fits_the_image_and_itself(tree: Tree) -> Iterator[str]:
    document, host = compose(tree), Host(tree)
    services = document["services"]
    service = services["edge-users"]
    application = tree.toml("spin.toml")["application"]
    if service["image"] != f"{application['name']}:{application['version']}":
        yield f"{service['image']} is another version"
    if service["build"] != {"context": "..", "dockerfile": DOCKERFILE}:
        yield f"{service['build']} is not the Dockerfile"
    yield from host.faults(entry_point(tree)[2:] + service["command"])
    port = values(tree, "EXPOSE")[0]
    if service["ports"] != [f"127.0.0.1:3000:{port}"]:
        yield f"{service['ports']}: it listens on {port}, and other machines reach it through TLS"
    if int(service["stop_grace_period"].rstrip("s")) <= host.shutdown:
        yield "the host is killed before its requests have ended"
    for name, described in services.items():
        text = yaml.safe_dump(described)
        if set(re.findall(r"/run/secrets/([\w.-]+)", text)) != set(described["secrets"]):
            yield f"{name} uses other secrets than it has"
        if not set(described["secrets"]) <= set(document["secrets"]):
            yield f"a secret of {name} is defined nowhere"
        if not set(described["networks"]) <= set(document["networks"]):
            yield f"a network of {name} is defined nowhere"
        for other, condition in described.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy" and "healthcheck" not in services.get(other, {}):
                yield f"{other} has no health check"
    if any(s["file"] != f"secrets/{name}" for name, s in document["secrets"].items()):
        yield "a secret lies where Git and Docker do not ignore it"
    address = re.search(r"@([\w.]+):(\d+)", tree.text("deploy/new-secrets"))
    if address and (address[1] not in services or address[2] != "6379"):
        yield f"Redis is not at {address[0]}"
    elif not set(services["redis"]["networks"]) <= set(service["networks"]):
        yield "the host and Redis have no network in common"
    if not document["networks"]["store"] or not document["networks"]["store"]["internal"]:
        yield "Redis reaches other machines"


@rule(
    (COMPOSE, "read_only: true", "read_only: false"),
    (COMPOSE, "cap_drop: [ALL]", "cap_drop: [CHOWN]"),
    (COMPOSE, 'security_opt: ["no-new-privileges:true"]', 'security_opt: ["no-new-privileges:false"]'),
    (COMPOSE, 'user: "999:999"', 'user: "0:0"'),
    (COMPOSE, "    mem_limit: 1g\n", ""),
    (COMPOSE, "    pids_limit: 64\n", ""),
)
def containers_have_no_rights_that_they_do_not_need(tree: Tree) -> Iterator[str]:
    for name, service in compose(tree)["services"].items():
        if not service["read_only"] or service["cap_drop"] != ["ALL"]:
            yield f"{name} can change its image, or has capabilities"
        if service["security_opt"] != ["no-new-privileges:true"]:
            yield f"{name} may get more rights"
        if service.get("user", "10001:10001").startswith("0"):
            yield f"{name} runs as root"
        if not {"mem_limit", "pids_limit"} <= set(service):
            yield f"{name} has no limits"


@rule(
    (COMPOSE, "- always", "- everysec"),
    (COMPOSE, '- "yes"', '- "no"'),
    (COMPOSE, "- noeviction", "- allkeys-lru"),
    (COMPOSE, '["redis:/data"]', '["redis:/var/lib/redis"]'),
    (COMPOSE, "image: redis:7.2.16-bookworm", "image: redis:7"),
    (REDIS, "- always", "- everysec"),
    (REDIS, "mountPath: /data", "mountPath: /var/lib/redis"),
    (REDIS, "image: redis:7.2.16-bookworm", "image: redis:8.0.0-bookworm"),
    (REDIS, "runAsUser: 999", "runAsUser: 1000"),
)
def redis_keeps_what_it_has_confirmed(tree: Tree) -> Iterator[str]:
    composed = compose(tree)["services"]["redis"]
    pod = tree.yaml(REDIS)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    claims = [claim["metadata"]["name"] for claim in tree.yaml(REDIS)["spec"]["volumeClaimTemplates"]]
    wanted = {"--appendonly": "yes", "--appendfsync": "always", "--maxmemory-policy": "noeviction"}
    for program, _, *arguments in (composed["command"], container["args"]):
        if program != "redis-server" or any(value_of(f, arguments) != v for f, v in wanted.items()):
            yield f"{program} {arguments}"
    if composed["command"][2:] != container["args"][2:] or composed["image"] != container["image"]:
        yield "Redis is another one in Kubernetes"
    if not re.fullmatch(r"redis:\d+\.\d+\.\d+-\w+", composed["image"]):
        yield f"{composed['image']} is not pinned"
    # The directory in which Redis starts, according to its image.
    if composed["volumes"] != ["redis:/data"]:
        yield "the volume is not where Redis writes"
    if not any(m["mountPath"] == "/data" and m["name"] in claims for m in container["volumeMounts"]):
        yield "the claim is not where Redis writes"
    user = pod["securityContext"]
    if composed["user"] != f"{user['runAsUser']}:{user['runAsGroup']}" or user["fsGroup"] != user["runAsGroup"]:
        yield "Redis is another user in Kubernetes"
