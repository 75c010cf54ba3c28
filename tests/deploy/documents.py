"""The commands of deploy/README.md, and the workflows of the forge."""

import re
import shlex
from collections.abc import Iterator

from containers import entry_point
from host import Host, value_of
from kubernetes import spinapp
from rule import rule
from systemd import DROP_IN, command
from tree import COMPOSE, DOCKERFILE, README, REDIS, ROOT, SPINAPP, SPINKUBE, UNIT, Tree

CI = ".github/workflows/ci.yml"
HOSTS = ".github/workflows/hosts.yml"
RELEASE = ".github/workflows/release.yml"


def commands(tree: Tree) -> str:
    """All commands, those over several lines as one."""
    lines = re.findall(r"^    (.*)", tree.text(README), re.MULTILINE)
    return "\n".join(lines).replace("\\\n", "")


@rule(
    (README, "kubectl apply -k deploy/spinkube/redis", "kubectl apply -k deploy/redis"),
    (README, "--file deploy/compose.yaml", "--file compose.yaml"),
    (README, "(compose.yaml)", "(compose.yml)"),
    (README, "644 deploy/systemd/redis.conf", "644 deploy/systemd/store.conf"),
)
def the_files_that_are_named_exist(tree: Tree) -> Iterator[str]:
    for path in re.findall(r"(?<![\w/.-])((?:deploy|target)/[\w./-]+|\S*compose\.yaml)", commands(tree)):
        # What is built, and what the commands make.
        if path.startswith(("target/", "deploy/secrets")):
            continue
        if not (ROOT / path).exists():
            yield path
    for link in re.findall(r"\]\(([^)#]+)\)", tree.text(README)):
        if "://" not in link and not (ROOT / README).parent.joinpath(link).exists():
            yield link


@rule(
    (
        README,
        "spin registry push --build registry.example.com/edge-users:0.1.0",
        "spin registry push --build example.com/edge-users",
    ),
    (
        README,
        "docker build --file deploy/Dockerfile --tag edge-users:0.1.0",
        "docker build --file deploy/Dockerfile --tag edge-users:1",
    ),
    (SPINAPP, "registry.example.com/edge-users:0.1.0", "registry.example.com/edge-users:0.2.0"),
    (COMPOSE, "image: edge-users:0.1.0", "image: edge-users:0.2.0"),
    (DOCKERFILE, "--tag edge-users:0.1.0", "--tag edge-users:0.2.0"),
    (README, "edge-users:0.1.0 --variable", "edge-users:0.2.0 --variable"),
    (README, "--variable tokens=", "--variable token="),
    (README, "users:/var/lib/edge-users", "users:/state"),
)
def what_is_published_is_what_is_deployed(tree: Tree) -> Iterator[str]:
    pushed = re.findall(r"spin registry push --build (\S+)", commands(tree))
    if pushed != [spinapp(tree)["spec"]["image"]]:
        yield f"{pushed} is pushed"
    built = re.findall(r"docker build .*--tag (\S+)", commands(tree) + "\n" + tree.text(DOCKERFILE))
    if set(built) != {tree.yaml(COMPOSE)["services"]["edge-users"]["image"]} or len(built) < 2:
        yield f"{built} is built"
    (run,) = re.findall(r"docker run .*", commands(tree))
    words = shlex.split(run)
    image = words.index(built[0]) if built[0] in words else len(words)
    if image == len(words):
        yield f"{run} runs another image"
    yield from Host(tree).faults(words[image + 1 :])
    if f":{value_of('--state-dir', entry_point(tree))}" not in run:
        yield "the volume is not where the users are"


@rule(
    (README, "generic edge-users-redis", "generic redis"),
    (README, "--from-file=url=", "--from-file=redis="),
    (README, "--from-file=redis.conf=deploy/secrets/redis.conf", "--from-file=deploy/secrets/redis"),
    (README, "generic edge-users-tokens", "generic tokens"),
    (README, "url=deploy/secrets/redis-url", "url=deploy/secrets/url"),
    (README, "--namespace edge-users create secret generic edge-users-redis", "create secret generic edge-users-redis"),
    (SPINAPP, "name: edge-users-tokens", "name: tokens"),
    (SPINAPP, "key: url", "key: redis-url"),
    (REDIS, "secretName: edge-users-redis", "secretName: redis"),
    (REDIS, "key: redis.conf", "key: redis"),
    (f"{SPINKUBE}/service-account.yaml", "kind: ServiceAccount", "kind: Secret"),
)
def the_secrets_that_are_used_are_made(tree: Tree) -> Iterator[str]:
    namespace = spinapp(tree)["metadata"]["namespace"]
    made = set()
    for name, rest in re.findall(rf"kubectl --namespace {namespace} create secret generic (\S+) (.*)", commands(tree)):
        for key, file in re.findall(r"--from-file=([\w.-]+)=deploy/secrets/([\w.-]+)", rest):
            made.add((name, key))
            # The tokens come from edge-users token new.
            if file != "tokens" and f">{file}\n" not in tree.text("deploy/new-secrets"):
                yield f"nothing makes deploy/secrets/{file}"
    spec = spinapp(tree)["spec"]
    options = [o for store in spec["runtimeConfig"]["keyValueStores"] for o in store["options"]]
    references = [o["valueFrom"]["secretKeyRef"] for o in options + spec["variables"] if "valueFrom" in o]
    used = {(reference["name"], reference["key"]) for reference in references}
    for volume in tree.yaml(REDIS)["spec"]["template"]["spec"]["volumes"]:
        used |= {(volume["secret"]["secretName"], item["key"]) for item in volume["secret"]["items"]}
    if used != made:
        yield f"used are {sorted(used)}, made are {sorted(made)}"
    if tree.of_kind("Secret"):
        yield "a secret is committed"


@rule(
    (README, "service/edge-users 3000:80", "service/users 3000:80"),
    (README, "service/edge-users 3000:80", "service/edge-users 3000:3000"),
    (README, "deployment/edge-users", "deployment/users"),
    (README, "edge-users-client=true", "client=true"),
    (README, "deploy/spinkube/namespace.yaml\n", "deploy/spinkube/spinapp.yaml\n"),
)
def the_objects_that_are_named_exist(tree: Tree) -> Iterator[str]:
    name = spinapp(tree)["metadata"]["name"]
    text = commands(tree)
    forwarded = re.findall(r"port-forward (\S+) \d+:(\d+)", text)
    if forwarded != [(f"service/{name}", "80")]:
        yield f"the service is {name} with port 80, not {forwarded}"
    if set(re.findall(r"deployment/(\S+)", text)) != {name}:
        yield f"the deployment is {name}"
    peer = tree.yaml(f"{SPINKUBE}/network-policy.yaml")["spec"]["ingress"][0]["from"][0]
    for label, value in peer["namespaceSelector"]["matchLabels"].items():
        if f" {label}={value}" not in text:
            yield f"no namespace gets the label {label}={value}"
    applied = re.findall(r"kubectl apply -[fk] (\S+)", text)
    if applied != [f"{SPINKUBE}/namespace.yaml", f"{SPINKUBE}/redis", SPINKUBE]:
        yield f"the order is {applied}"


@rule(
    (README, "release/edge_users_rpc.wasm", "release/rpc.wasm"),
    (README, "/usr/local/share/edge-users/target/wasm32-wasip1/release", "/usr/local/share/edge-users"),
    (README, "/usr/local/share/edge-users spin.toml", "/usr/local/share spin.toml"),
    (README, "/etc/edge-users/tokens", "/etc/edge-users/token"),
    (README, "600 deploy/secrets/tokens", "644 deploy/secrets/tokens"),
    (UNIT, "--from /usr/local/share/edge-users", "--from /usr/share/edge-users"),
    (UNIT, "/usr/local/bin/edge-host", "/usr/bin/edge-host"),
    (UNIT, "tokens:/etc/edge-users/tokens", "tokens:/etc/tokens"),
    (DROP_IN, "/etc/edge-users/runtime-config.toml", "/etc/runtime-config.toml"),
    ("spin.toml", "release/edge_users.wasm", "release/users.wasm"),
)
def everything_is_installed_where_the_unit_looks(tree: Tree) -> Iterator[str]:
    installed: dict[str, str] = {}
    for line in commands(tree).splitlines():
        if not line.startswith("sudo install "):
            continue
        words = shlex.split(line)[2:]
        mode = value_of("--mode", words) if "--mode" in words else "755"
        flags = {"-D", "--mode", mode, "--target-directory"}
        directory = value_of("--target-directory", words) if "--target-directory" in words else words[-1]
        for file in [word for word in words if word not in flags and word != directory]:
            name = file.rpartition("/")[2]
            path = directory if directory.endswith(name) else f"{directory}/{name}"
            installed[path] = mode
    program, _, *arguments = command(tree)
    application = value_of("--from", arguments)
    wanted = {program: "755", f"{application}/spin.toml": "644"}
    for component in tree.toml("spin.toml")["component"].values():
        wanted[f"{application}/{component['source']}"] = "644"
    for text in (tree.text(UNIT), tree.text(DROP_IN)):
        # Nobody but root needs to read them there.
        wanted |= {path: "600" for path in re.findall(r"^LoadCredential=[^:]+:(.*)", text, re.MULTILINE)}
    units = "/etc/systemd/system/edge-users.service"
    wanted |= {units: "644", f"{units}.d/redis.conf": "644"}
    if installed != wanted:
        yield f"{sorted(installed.items() ^ wanted.items())}"


@rule(
    (CI, "permissions:", "env:"),
    (CI, "contents: read", "contents: write"),
    (CI, "persist-credentials: false", "persist-credentials: true"),
    (CI, "uses: actions/checkout@", "uses: actions/checkout@v6 #"),
    (CI, "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest"),
    (CI, "    timeout-minutes", "    permissions: {contents: write}\n    timeout-minutes"),
)
def workflows_trust_nothing_that_may_change(tree: Tree) -> Iterator[str]:
    for path in tree.workflows():
        workflow = tree.yaml(path)
        if workflow.get("permissions") != {"contents": "read"}:
            yield f"{path}: a job may do more than read, unless it says so itself"
        for name, job in workflow["jobs"].items():
            actions = [step.get("uses", "") for step in job["steps"]]
            if job.get("permissions") and any("/checkout@" in action for action in actions):
                yield f"{path}: {name} may do more than read, and runs what is in the repository"
            if "latest" in job["runs-on"]:
                yield f"{path}: {name} runs on {job['runs-on']}"
            for step, action in zip(job["steps"], actions):
                if action and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action):
                    yield f"{path}: {name}: {action} is not pinned by its hash"
                if action.startswith("actions/checkout@") and step["with"]["persist-credentials"]:
                    yield f"{path}: {name}: the token stays in the clone"


@rule(
    (RELEASE, "host/edge-host", "host/edge-users-host"),
    (RELEASE, "components/rpc/edge-users-rpc-component", "components/rpc/rpc"),
    (RELEASE, "release/edge_users_admin.wasm dist", "release/admin.wasm dist"),
    ("client/Cargo.toml", 'name = "edge-users-cli"', 'name = "edge-users-client"'),
    ("spin.toml", "release/edge_users_rpc.wasm", "release/rpc.wasm"),
)
def a_release_has_what_is_built(tree: Tree) -> Iterator[str]:
    text = tree.text(RELEASE)
    listed = set(re.findall(r"\b((?:components/)?\w+)/(edge-[\w-]+?)(?=[ ;_])", text))
    packages = {"host", "client", *(f"components/{name}" for name in ("users", "groups", "rpc", "scim", "admin"))}
    names = {(path, tree.toml(f"{path}/Cargo.toml")["package"]["name"]) for path in packages}
    if listed - {("host", "edge-users")} != names:
        yield f"listed are {sorted(listed)}, packages are {sorted(names)}"
    sources = {component["source"] for component in tree.toml("spin.toml")["component"].values()}
    packed = re.findall(r"target/wasm32-wasip1/release/\w+\.wasm", text)
    if sorted(packed) != sorted([*sources, *sources]):
        yield f"packed are {packed}"


@rule(
    (README, "which runs Spin 3.6.3", "which runs Spin 3.6.4"),
    (f"{SPINKUBE}/executor.yaml", "Spin 3.6.3", "Spin 3.6.2"),
    (HOSTS, "3.6.3 2f42", "3.6.1 2f42"),
    (HOSTS, 'spin-3.6.3" redis', 'spin-3.6.1" redis'),
    (HOSTS, 'spin-4.0.1" sqlite', 'spin-4.0.0" sqlite'),
)
def the_spin_of_spinkube_is_tested(tree: Tree) -> Iterator[str]:
    told = re.findall(r"Spin (\d+\.\d+\.\d+)", tree.text(README) + tree.text(f"{SPINKUBE}/executor.yaml"))
    downloaded = re.findall(r"^ *(\d+\.\d+\.\d+) [0-9a-f]{64}$", tree.text(HOSTS), re.MULTILINE)
    if len(set(told)) != 1 or told[0] not in downloaded:
        yield f"told is of {sorted(set(told))}, and {downloaded} are tested"
    tried = re.findall(r'spin-([\d.]+)" (\w+) make test-url', tree.text(HOSTS))
    if sorted(tried) != sorted((version, store) for version in downloaded for store in ("sqlite", "redis")):
        yield f"{tried} are tried"
