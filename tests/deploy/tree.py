"""The files of the repository, or of a broken copy of it."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]

SPINKUBE = "deploy/spinkube"
SPINAPP = f"{SPINKUBE}/spinapp.yaml"
REDIS = f"{SPINKUBE}/redis/redis.yaml"
COMPOSE = "deploy/compose.yaml"
DOCKERFILE = "deploy/Dockerfile"
UNIT = "deploy/systemd/edge-users.service"
README = "deploy/README.md"


class Tree:
    """Reads files, some of which may have been replaced."""

    def __init__(self, replaced: dict[str, str] | None = None) -> None:
        self.replaced = replaced or {}

    def text(self, path: str) -> str:
        return self.replaced.get(path) or (ROOT / path).read_text()

    def toml(self, path: str) -> dict[str, Any]:
        return tomllib.loads(self.text(path))

    def yaml(self, path: str) -> Any:
        return yaml.safe_load(self.text(path))

    def broken(self, path: str, old: str, new: str) -> "Tree":
        """A copy with a fault in it."""
        text = self.text(path)
        assert old in text, f"{path} has no {old!r}"
        return Tree({path: text.replace(old, new, 1)})

    def manifests(self) -> dict[str, Any]:
        """The objects of Kubernetes by the paths of their files, one in each."""
        paths = sorted((ROOT / SPINKUBE).rglob("*.yaml"))
        names = [str(path.relative_to(ROOT)) for path in paths]
        return {n: self.yaml(n) for n in names if not n.endswith("kustomization.yaml")}

    def of_kind(self, kind: str) -> list[Any]:
        """The objects of a kind."""
        return [o for o in self.manifests().values() if o["kind"] == kind]

    def workflows(self) -> list[str]:
        """The paths of what the forge runs."""
        return [str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))]
