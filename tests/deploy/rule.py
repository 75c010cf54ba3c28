"""Rules, and the broken copies that show that they can fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tree import Tree

# A file, a text in it, and what replaces its first occurrence.
Breakage = tuple[str, str, str]


@dataclass
class Rule:
    """Finds faults in a tree, and has to find some in each of its broken copies."""

    find: Callable[[Tree], Iterator[str]]
    broken: tuple[Breakage, ...]

    @property
    def name(self) -> str:
        return self.find.__name__.replace("_", " ")


RULES: list[Rule] = []


class Skipped(Exception):
    """What a rule needs is not there."""


def rule(*broken: Breakage) -> Callable[[Callable[[Tree], Iterator[str]]], None]:
    """Adds a rule; its name is a sentence."""

    def add(find: Callable[[Tree], Iterator[str]]) -> None:
        assert broken, f"{find.__name__} has no broken copy"
        RULES.append(Rule(find, broken))

    return add
