"""Whether the objects in Kubernetes fit each other, what SpinKube makes of them, and spin.toml."""

from collections.abc import Iterator
from typing import Any

from rule import rule
from tree import REDIS, ROOT, SPINAPP, SPINKUBE, Tree

# What the operator gives to the pods of a SpinApp: a port with a name, and two labels.
SPINAPP_PORT, SPINAPP_PORT_NAME = 80, "http-app"

AUTOSCALER = f"{SPINKUBE}/autoscaler.yaml"
BUDGET = f"{SPINKUBE}/disruption-budget.yaml"
POLICY = f"{SPINKUBE}/network-policy.yaml"
REDIS_POLICY = f"{SPINKUBE}/redis/network-policy.yaml"
REDIS_SERVICE = f"{SPINKUBE}/redis/service.yaml"
UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def bytes_of(quantity: str) -> int:
    """The bytes of a quantity of memory such as 128Mi."""
    number = quantity.rstrip("KMGi")
    return int(number) * UNITS[quantity.removeprefix(number)]


def spinapp(tree: Tree) -> Any:
    return tree.yaml(SPINAPP)


def pods(tree: Tree) -> dict[str, tuple[dict[str, str], dict[str, int]]]:
    """Labels and ports of the pods, by the name of the object that they belong to."""
    name = spinapp(tree)["metadata"]["name"]
    labels = {
        "core.spinkube.dev/app-name": name,
        f"core.spinkube.dev/app.{name}.status": "ready",
    }
    found = {name: (labels, {SPINAPP_PORT_NAME: SPINAPP_PORT})}
    for workload in tree.of_kind("StatefulSet"):
        template = workload["spec"]["template"]
        ports = template["spec"]["containers"][0]["ports"]
        found[workload["metadata"]["name"]] = (
            template["metadata"]["labels"],
            {port["name"]: port["containerPort"] for port in ports},
        )
    return found


def selected(tree: Tree, labels: dict[str, str]) -> list[str]:
    """The objects whose pods have all these labels."""
    return [name for name, (own, _) in pods(tree).items() if labels.items() <= own.items()]


@rule(
    (f"{SPINKUBE}/kustomization.yaml", "  - autoscaler.yaml\n", ""),
    (f"{SPINKUBE}/kustomization.yaml", "executor.yaml", "executors.yaml"),
    (f"{SPINKUBE}/redis/kustomization.yaml", "service.yaml", "services.yaml"),
)
def kustomizations_name_every_file(tree: Tree) -> Iterator[str]:
    for path in (ROOT / SPINKUBE).rglob("kustomization.yaml"):
        named = tree.yaml(str(path.relative_to(ROOT)))["resources"]
        there = {file.name for file in path.parent.glob("*.yaml")} - {path.name}
        if set(named) != there:
            yield f"{path.parent.name}: {sorted(set(named) ^ there)}"


@rule(
    (SPINAPP, "namespace: edge-users", "namespace: users"),
    (f"{SPINKUBE}/namespace.yaml", "name: edge-users", "name: users"),
    (f"{SPINKUBE}/redis/kustomization.yaml", "namespace: edge-users", "namespace: default"),
)
def all_are_in_one_namespace(tree: Tree) -> Iterator[str]:
    (namespace,) = (o["metadata"]["name"] for o in tree.of_kind("Namespace"))
    for path, manifest in tree.manifests().items():
        if manifest["kind"] != "Namespace" and manifest["metadata"]["namespace"] != namespace:
            yield f"{path}: {manifest['metadata']['namespace']}"
    for path in (f"{SPINKUBE}/kustomization.yaml", f"{SPINKUBE}/redis/kustomization.yaml"):
        if tree.yaml(path)["namespace"] != namespace:
            yield path


@rule(
    (SPINAPP, "enableAutoscaling: true", "enableAutoscaling: true\n  replicas: 3"),
    (SPINAPP, "enableAutoscaling: true", "replicas: 0"),
    (SPINAPP, "executor: containerd-shim-spin", "executor: spin"),
    (SPINAPP, "memory: 128Mi", "memory: 1Gi"),
    (SPINAPP, "serviceAccountName: edge-users", "serviceAccountName: users"),
)
def the_operator_accepts_the_application(tree: Tree) -> Iterator[str]:
    spec = spinapp(tree)["spec"]
    if spec.get("enableAutoscaling"):
        if "replicas" in spec:
            yield "replicas can't be set when autoscaling is enabled"
    elif spec.get("replicas", 0) < 1:
        yield "replicas must be more than 0"
    if spec["executor"] not in [e["metadata"]["name"] for e in tree.of_kind("SpinAppExecutor")]:
        yield f"there is no executor {spec['executor']}"
    if bytes_of(spec["invocationLimits"]["memory"]) > bytes_of(spec["resources"]["limits"]["memory"]):
        yield "an instance may have more memory than the pod"
    if spec["serviceAccountName"] not in [a["metadata"]["name"] for a in tree.of_kind("ServiceAccount")]:
        yield f"there is no service account {spec['serviceAccountName']}"


@rule(
    (AUTOSCALER, "name: edge-users\n  #", "name: users\n  #"),
    (AUTOSCALER, "kind: Deployment", "kind: SpinApp"),
    (AUTOSCALER, "minReplicas: 3", "minReplicas: 1"),
    (AUTOSCALER, "maxReplicas: 10", "maxReplicas: 2"),
    (SPINAPP, "      cpu: 250m\n", ""),
)
def the_autoscaler_fits_the_application(tree: Tree) -> Iterator[str]:
    spec = tree.yaml(AUTOSCALER)["spec"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": spinapp(tree)["metadata"]["name"]}
    if spec["scaleTargetRef"] != target:
        yield f"it scales {spec['scaleTargetRef']}, and the operator makes {target}"
    if not 2 <= spec["minReplicas"] < spec["maxReplicas"]:
        yield "it needs at least 2 replicas, and room above them"
    for metric in spec["metrics"]:
        if metric["resource"]["name"] not in spinapp(tree)["spec"]["resources"]["requests"]:
            yield f"the pods do not request {metric['resource']['name']}"


@rule(
    (BUDGET, "app-name: edge-users", "app-name: users"),
    (BUDGET, "maxUnavailable: 1", "maxUnavailable: 3"),
    (BUDGET, "maxUnavailable: 1", "maxUnavailable: 0"),
)
def the_budget_leaves_pods_and_lets_nodes_be_drained(tree: Tree) -> Iterator[str]:
    spec = tree.yaml(BUDGET)["spec"]
    if selected(tree, spec["selector"]["matchLabels"]) != [spinapp(tree)["metadata"]["name"]]:
        yield "it does not select the pods of the application"
    if not 0 < spec["maxUnavailable"] < tree.yaml(AUTOSCALER)["spec"]["minReplicas"]:
        yield "it must leave one pod, and give one up"


@rule(
    (POLICY, "app-name: edge-users", "app-name: users"),
    (POLICY, "port: 80", "port: 3000"),
    (POLICY, "kubernetes.io/name: redis", "kubernetes.io/name: valkey"),
    (POLICY, "port: 6379", "port: 6380"),
    (POLICY, "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]"),
    (REDIS_POLICY, "kubernetes.io/name: redis", "kubernetes.io/name: valkey"),
    (REDIS_POLICY, "app-name: edge-users", "app-name: users"),
    (REDIS_POLICY, "port: 6379", "port: 80"),
    (REDIS_POLICY, "  ingress:\n", "  egress: [{}]\n  ingress:\n"),
)
def policies_allow_what_is_needed_and_no_more(tree: Tree) -> Iterator[str]:
    (redis,) = (s["metadata"]["name"] for s in tree.of_kind("StatefulSet"))
    application = spinapp(tree)["metadata"]["name"]
    policies = {}
    for policy in tree.of_kind("NetworkPolicy"):
        spec = policy["spec"]
        if spec["policyTypes"] != ["Ingress", "Egress"]:
            yield f"{policy['metadata']['name']} leaves a direction open"
        for name in selected(tree, spec["podSelector"]["matchLabels"]):
            policies[name] = spec
    for name, (_, ports) in pods(tree).items():
        if name not in policies:
            yield f"the pods of {name} have no policy"
            continue
        for entry in policies[name]["ingress"]:
            if not {port["port"] for port in entry["ports"]} <= set(ports.values()):
                yield f"the pods of {name} listen on {ports}"
    if application in policies and not reaches(tree, policies[application]["egress"], "to", redis):
        yield "the application may not reach Redis"
    if redis in policies:
        if not reaches(tree, policies[redis]["ingress"], "from", application):
            yield "Redis is not to be reached by the application"
        if "egress" in policies[redis]:
            yield "Redis may reach something"


def reaches(tree: Tree, entries: list[Any], direction: str, name: str) -> bool:
    """Whether entries of a policy name the pods and, if they are of Redis, their port."""
    port = pods(tree)["redis"][1]["redis"]
    return any(
        name in selected(tree, peer["podSelector"]["matchLabels"]) and [p["port"] for p in entry["ports"]] == [port]
        for entry in entries
        for peer in entry[direction]
        if "podSelector" in peer
    )


@rule(
    (
        REDIS,
        "    matchLabels:\n      app.kubernetes.io/name: redis",
        "    matchLabels:\n      app.kubernetes.io/name: store",
    ),
    (REDIS, "serviceName: redis", "serviceName: store"),
    (REDIS, "name: redis\n              containerPort", "name: store\n              containerPort"),
    (REDIS, "port: redis", "port: store"),
    (REDIS, "- name: secret\n              mountPath", "- name: secrets\n              mountPath"),
    (REDIS_SERVICE, "selector:\n    app.kubernetes.io/name: redis", "selector:\n    app.kubernetes.io/name: store"),
    (REDIS_SERVICE, "targetPort: redis", "targetPort: store"),
)
def redis_and_its_service_fit(tree: Tree) -> Iterator[str]:
    spec = tree.yaml(REDIS)["spec"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    if not spec["selector"]["matchLabels"].items() <= labels.items():
        yield "the selector does not select its pods"
    services = {s["metadata"]["name"]: s["spec"] for s in tree.of_kind("Service")}
    if spec["serviceName"] not in services:
        yield f"there is no service {spec['serviceName']}"
    container = pod["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    for service in services.values():
        if not service["selector"].items() <= labels.items():
            yield "the service does not select the pods"
        if not {port["targetPort"] for port in service["ports"]} <= ports:
            yield f"the service leads to none of {ports}"
    if container["livenessProbe"]["tcpSocket"]["port"] not in ports:
        yield "a probe asks a port that the container has not"
    volumes = [v["name"] for v in pod["volumes"]]
    volumes += [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]]
    if sorted(volumes) != sorted(mount["name"] for mount in container["volumeMounts"]):
        yield f"volumes are {volumes}, and other ones are mounted"


@rule(
    (REDIS, "runAsNonRoot: true", "runAsNonRoot: false"),
    (REDIS, "drop: [ALL]", "drop: []"),
    (REDIS, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
    (REDIS, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
    (REDIS, "type: RuntimeDefault", "type: Unconfined"),
    (REDIS, "automountServiceAccountToken: false", "automountServiceAccountToken: true"),
    (REDIS, "            limits:\n              memory: 1Gi\n", ""),
    (f"{SPINKUBE}/service-account.yaml", "Token: false", "Token: true"),
)
def pods_have_no_rights_that_they_do_not_need(tree: Tree) -> Iterator[str]:
    pod = tree.yaml(REDIS)["spec"]["template"]["spec"]
    container = pod["containers"][0]
    rights = container["securityContext"]
    if not (
        pod["securityContext"]["runAsNonRoot"]
        and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        and rights["capabilities"]["drop"] == ["ALL"]
        and rights["readOnlyRootFilesystem"]
        and not rights["allowPrivilegeEscalation"]
        and not pod["automountServiceAccountToken"]
    ):
        yield "Redis: see the policy restricted of the Pod Security Standards"
    if "memory" not in container["resources"].get("limits", {}):
        yield "Redis has no limit of memory"
    for account in tree.of_kind("ServiceAccount"):
        if account["automountServiceAccountToken"]:
            yield "pods get a token for Kubernetes"


@rule(
    (SPINAPP, "- name: tokens\n", "- name: token\n"),
    (
        SPINAPP,
        "valueFrom:\n        secretKeyRef:\n          name: edge-users-tokens\n          key: tokens",
        "value: x",
    ),
    (SPINAPP, "- name: default", "- name: users"),
    (SPINAPP, "image: registry.example.com/edge-users:0.1.0", "image: registry.example.com/edge-users:latest"),
    (SPINAPP, "checks:", "components: [users]\n  checks:"),
    ("spin.toml", "tokens = {", "token = {"),
    ("spin.toml", 'version = "0.1.0"', 'version = "0.2.0"'),
    ("spin.toml", 'key_value_stores = ["default"]', 'key_value_stores = ["default", "cache"]'),
)
def the_application_is_that_of_the_manifest(tree: Tree) -> Iterator[str]:
    spec, manifest = spinapp(tree)["spec"], tree.toml("spin.toml")
    for variable in spec["variables"]:
        declared = manifest["variables"].get(variable["name"])
        if declared is None:
            yield f"there is no variable {variable['name']}"
        elif declared.get("secret") and "secretKeyRef" not in variable.get("valueFrom", {}):
            yield f"the value of {variable['name']} is no secret"
    stores = {label for c in manifest["component"].values() for label in c.get("key_value_stores", [])}
    configured = {store["name"] for store in spec["runtimeConfig"]["keyValueStores"]}
    if stores != configured:
        yield f"the components use {stores}, and {configured} are configured"
    application = manifest["application"]
    if not spec["image"].endswith(f"/{application['name']}:{application['version']}"):
        yield f"{spec['image']} is not {application['name']} {application['version']}"
    if not set(spec.get("components", [])) <= set(manifest["component"]):
        yield "a component is named that is not there"


@rule(
    (SPINAPP, "path: /readyz", "path: /ready"),
    (SPINAPP, "path: /healthz", "path: /readyz"),
    (SPINAPP, "timeoutSeconds: 3", "timeoutSeconds: 30"),
    ("spin.toml", 'route = "/..."', 'route = "/users/..."'),
    ("src/rest/readiness.rs", 'path: "/readyz"', 'path: "/ready"'),
)
def probes_ask_what_the_service_answers(tree: Tree) -> Iterator[str]:
    routes = [trigger["route"] for trigger in tree.toml("spin.toml")["trigger"]["http"]]
    if "/..." not in routes:
        yield "no component answers the probes"
    wanted = {"liveness": ("/healthz", "health"), "readiness": ("/readyz", "readiness")}
    for kind, probe in spinapp(tree)["spec"]["checks"].items():
        path, module = wanted[kind]
        if probe["httpGet"]["path"] != path:
            yield f"{kind} asks {probe['httpGet']['path']}"
        if f'path: "{path}"' not in tree.text(f"src/rest/{module}.rs"):
            yield f"the service has no {path}"
        if probe["timeoutSeconds"] > probe["periodSeconds"]:
            yield f"{kind} is asked again before it has answered"
