"""Options of functions that take them by name, read or refused."""

from typing import Any


def allow(options: dict[str, Any], *names: str) -> None:
    for name in options:
        if name not in names:
            raise TypeError(f"`{name}` is no option here; options are {listed(names)}")


def listed(names: Any) -> str:
    return ", ".join(map(repr, names)) or "none"
