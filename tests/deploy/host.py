"""What edge-host takes and how it stops, read from its source."""

import re

from tree import Tree

OPTIONS = "host/src/options.rs"


class Host:
    """The command line of `edge-host up`."""

    def __init__(self, tree: Tree) -> None:
        self.variables = set(tree.toml("spin.toml")["variables"])
        # Flags, with whether a value follows, and the environment variables that stand for them.
        self.flags: dict[str, bool] = {}
        self.environment: set[str] = set()
        source = tree.text(OPTIONS).split("#[cfg(test)]")[0]
        for argument, name, kind in re.findall(r"#\[arg\((.*?)\)\]\s+pub (\w+): ([^\n]*),\n", source, re.DOTALL):
            if re.search(r"\blong\b", argument):
                given = re.search(r'long = "([\w-]+)"', argument)
                flag = given[1] if given else name.replace("_", "-")
                self.flags[f"--{flag}"] = kind != "bool"
            self.environment |= set(re.findall(r'env = "(\w+)"', argument))
        # The seconds that requests have after a signal to end.
        (seconds,) = re.findall(
            r"\bSHUTDOWN_TIMEOUT: Duration = Duration::from_secs\((\d+)\)", tree.text("host/src/serve/server.rs")
        )
        self.shutdown = int(seconds)

    def faults(self, arguments: list[str]) -> list[str]:
        """What is wrong with the arguments after `up`."""
        found = []
        rest = iter(arguments)
        for argument in rest:
            if argument not in self.flags:
                found.append(f"edge-host has no {argument}")
                continue
            value = next(rest, None) if self.flags[argument] else ""
            if value is None:
                found.append(f"{argument} has no value")
            elif argument == "--variable" and value.partition("=")[0] not in self.variables:
                found.append(f"spin.toml has no variable {value.partition('=')[0]}")
        return found


def value_of(flag: str, arguments: list[str]) -> str:
    """What follows a flag."""
    return arguments[arguments.index(flag) + 1]
