"""Hold a module that a generator wrote against what the compiler says of its header.

Takes the module's path and the JSON of `xenbind facts`; prints as JSON what is wrong with
constants and layouts, and what is not there.  `peers.py` calls this in a process of its own,
since the module is imported here.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def judge_module(path: Path, facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give what is wrong with constants and layouts, and what a module lacks.

    A record whose layout is wrong is told once.
    """
    module = load(path)
    values: list[str] = []
    layouts: list[str] = []
    missing: list[str] = []
    c_names = getattr(module, "C_NAMES", {})
    named = {c_name: python for python, c_name in c_names.items()}
    for name, value in facts["constants"].items():
        found = getattr(module, named.get(name, name), None)
        if isinstance(found, bytes):
            found = found.decode("utf-8", "backslashreplace")
        if found is None:
            missing.append(name)
        elif found != value:
            values.append(f"{name} is {found!r}, not {value!r}")
    for key, record in facts["types"].items():
        cls = find_class(module, key)
        if cls is None:
            missing.append(key)
            continue
        got = {name: place_of(cls, name) for name, _ in places(record["fields"])}
        missing += [f"{key}.{name}" for name, at in got.items() if at is None]
        wrong = [
            f"{key}.{name} is at bit {got[name]}, not {at}"
            for name, at in places(record["fields"])
            if got[name] not in (None, at)
        ]
        if ctypes.sizeof(cls) != record["size"]:
            wrong.append(f"{key} has {ctypes.sizeof(cls)} bytes, not {record['size']}")
        layouts += wrong[:1]
    return {"value": values, "layout": layouts, "less": missing}


def load(path: Path) -> Any:
    """Import a module, by its package if it is in one."""
    if (path.parent / "__init__.py").is_file():
        sys.path.insert(0, str(path.parent.parent))
        return importlib.import_module(f"{path.parent.name}.{path.stem}")
    spec = importlib.util.spec_from_file_location("made", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made"] = module
    spec.loader.exec_module(module)
    return module


def find_class(module: Any, key: str) -> Any:
    """Find a record's class by the names that the contestants have for it."""
    kind, _, tag = key.rpartition(" ")
    for name in (f"{kind}_{tag}" if kind else tag, tag, f"_{tag.lstrip('_')}"):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(
            found, ctypes.Structure | ctypes.Union
        ):
            return found
    return None


def places(
    fields: Sequence[Mapping[str, Any]], base: int = 0
) -> Iterator[tuple[str, int]]:
    """Give the members that have a name, and their first bits."""
    for field in fields:
        at = base + 8 * field["offset"] + field.get("bit_offset", 0)
        if field.get("name"):
            yield field["name"], at
        else:
            yield from places(field.get("members", ()), at)


def place_of(cls: Any, name: str) -> int | None:
    """Give the first bit of a class's member, under its name or what Python makes that."""
    for python_name in (name, f"{name}_", f"_{name.lstrip('_')}"):
        descriptor: Any = getattr(cls, python_name, None)
        if hasattr(descriptor, "offset"):
            bits = descriptor.size & 0xFFFF if descriptor.size >> 16 else 0
            return int(8 * descriptor.offset + bits)
    return None


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[2]).read_text())
    print(json.dumps(judge_module(Path(sys.argv[1]), told)))
