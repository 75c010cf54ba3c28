"""Holds the tree against all rules, and then each rule against its broken copies."""

import sys

import containers  # noqa: F401
import documents  # noqa: F401
import kubernetes  # noqa: F401
import programs  # noqa: F401
import schemas  # noqa: F401
import systemd  # noqa: F401
from rule import RULES, Skipped
from tree import Tree

tree = Tree()
failures: list[str] = []
copies = held = skipped = 0
for rule in RULES:
    try:
        failures += [f"{rule.name}: {fault}" for fault in rule.find(tree)]
        for path, old, new in rule.broken:
            copies += 1
            where = f"{rule.name}: {new!r} for {old!r} in {path}"
            try:
                if not list(rule.find(tree.broken(path, old, new))):
                    failures.append(f"{where} was not noticed")
            except (AssertionError, LookupError, TypeError, ValueError) as error:
                failures.append(f"{where} made the rule fail: {error!r}")
    except Skipped as reason:
        skipped += 1
        print(f"SKIPPED: {rule.name}, for {reason}")
    else:
        held += 1

for failure in failures:
    print(failure, file=sys.stderr)
print(f"{held} rules checked, {copies} broken copies tried, {len(failures)} failures")
sys.exit(bool(failures))
