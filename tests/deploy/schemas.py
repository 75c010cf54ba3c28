"""The files against the schemas that others publish."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from rule import Skipped, rule
from tree import COMPOSE, ROOT, SPINAPP, SPINKUBE, Tree

# The first version in which all fields of the manifests are stable, and the newest that has a schema.
VERSIONS = ("1.32.0", "1.37.0")

SPINKUBE_GROUP = "core.spinkube.dev/"
CI = ".github/workflows/ci.yml"


@rule(
    (f"{SPINKUBE}/autoscaler.yaml", "maxReplicas", "maxReplica"),
    (f"{SPINKUBE}/autoscaler.yaml", "averageUtilization: 70", "averageUtilization: much"),
    (f"{SPINKUBE}/disruption-budget.yaml", "AlwaysAllow", "[AlwaysAllow]"),
    (f"{SPINKUBE}/network-policy.yaml", "port: 80", "ports: 80"),
    (f"{SPINKUBE}/service-account.yaml", "Token: false", 'Token: "false"'),
    (f"{SPINKUBE}/redis/redis.yaml", "readOnlyRootFilesystem", "readOnlyRootFileSystem"),
    (f"{SPINKUBE}/redis/service.yaml", "port: 6379", "port: [6379]"),
)
def objects_are_as_kubernetes_has_them(tree: Tree) -> Iterator[str]:
    for path, manifest in tree.manifests().items():
        if manifest["apiVersion"].startswith(SPINKUBE_GROUP):
            continue
        for version in VERSIONS:
            if fault := by_kubernetes(tree.text(path), version):
                yield f"{path}, Kubernetes {version}: {fault}"


@cache
def by_kubernetes(document: str, version: str) -> str | None:
    """What the schemas of Kubernetes say of an object."""
    try:
        kubernetes_validate.validate(yaml.safe_load(document), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return None


@rule(
    (SPINAPP, "image:", "picture:"),
    (SPINAPP, "readiness:", "ready:"),
    (SPINAPP, "path: /readyz", "path: 1"),
    (SPINAPP, "cpu: 250m", "cpu: a lot"),
    (SPINAPP, "key: url", "keys: url"),
    (SPINAPP, "type: redis", "kind: redis"),
    (SPINAPP, "memory: 128Mi", "memory: 134217728"),
    (f"{SPINKUBE}/executor.yaml", "createDeployment", "makeDeployment"),
    (f"{SPINKUBE}/executor.yaml", "runtimeClassName", "runtimeClass"),
)
def objects_are_as_spinkube_has_them(tree: Tree) -> Iterator[str]:
    given = os.environ.get("EDGE_USERS_K8S")
    directory = Path(given) if given else ROOT.parent / "shared/k8s"
    definitions = {}
    for file in directory.glob("*.yaml"):
        spec = yaml.safe_load(file.read_text())["spec"]
        for version in spec["versions"]:
            kind = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            definitions[kind] = closed(version["schema"]["openAPIV3Schema"])
    if not definitions:
        raise Skipped(f"{directory} has no CustomResourceDefinition (EDGE_USERS_K8S names another directory)")
    for path, manifest in tree.manifests().items():
        if not manifest["apiVersion"].startswith(SPINKUBE_GROUP):
            continue
        kind = (manifest["apiVersion"], manifest["kind"])
        if kind not in definitions:
            yield f"{path}: there is no {kind}"
            continue
        for error in jsonschema.Draft202012Validator(definitions[kind]).iter_errors(manifest):
            yield f"{path}: {error.json_path}: {error.message}"


def closed(schema: Any, metadata: bool = True) -> Any:
    """The schema, without room for members that it does not know: Kubernetes drops them."""
    if isinstance(schema, list):
        return [closed(item, False) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value, False) for key, value in schema.items()}
    properties = schema.get("properties")
    if isinstance(properties, dict) and "type" in schema:
        result.setdefault("additionalProperties", False)
        if metadata:
            # The schema of the object itself only says that its metadata are an object.
            members: dict[str, Any] = {name: {} for name in ("name", "namespace", "labels", "annotations")}
            result["properties"]["metadata"] = closed(
                {"type": "object", "properties": members, "required": ["name", "namespace"]}, False
            )
    return result


@rule(
    (COMPOSE, "services:", "service:"),
    (COMPOSE, "read_only: true", "readonly: true"),
    (COMPOSE, "condition: service_healthy", "condition: healthy"),
    (COMPOSE, "internal: true", "internal: [true]"),
)
def the_composition_is_as_compose_has_it(tree: Tree) -> Iterator[str]:
    yield from by_builtin_schema("vendor.compose-spec", tree.text(COMPOSE))


@rule((CI, "runs-on", "runs_on"), (CI, "timeout-minutes: 90", "timeout-minutes: [90]"))
def workflows_are_as_the_forge_has_them(tree: Tree) -> Iterator[str]:
    for name in tree.workflows():
        for fault in by_builtin_schema("vendor.github-workflows", tree.text(name)):
            yield f"{name}: {fault}"


@cache
def by_builtin_schema(schema: str, document: str) -> list[str]:
    """What check-jsonschema says of a document, by a schema that comes with it."""
    program = Path(sys.executable).with_name("check-jsonschema")
    command: list[str | Path] = [program, "--builtin-schema", schema, "--force-filetype", "yaml", "-"]
    checked = subprocess.run(command, input=document, capture_output=True, text=True)
    if checked.returncode:
        return [" ".join((checked.stdout + checked.stderr).split())]
    return []
