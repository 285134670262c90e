"""Load the templates, and have one write a file.

Takes the name of a template and the values that it may name; gives the file's text.  `render`
and `reference` decide what a template is told.

Whoever installs xenbind has them compiled.  Those that were changed since, in a checkout, are
compiled when they are asked for, which takes a tenth of a second, and kept in the user's cache
folder.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, bc_version

from xenbind import user_cache
from xenbind.backend import python_text
from xenbind.resources import files, folder


class _Cache(jinja2.FileSystemBytecodeCache):
    """A folder for compiled templates.

    A template that cannot be read or written there is compiled.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _bytecode_cache() -> jinja2.BytecodeCache | None:
    cache = user_cache.folder()
    return None if cache is None else _Cache(str(cache))


@cache  # jinja2's for modules takes them away with itself
def _loader() -> jinja2.BaseLoader:
    sources = folder("templates")
    # An editable xenbind has its modules in one folder of these, and the rest in another.
    installed = (Path(path, "xenbind", "compiled") for path in sys.path)
    for found in filter(Path.is_dir, installed):
        if (compiled := found / _name(sources)).is_dir():
            return jinja2.ModuleLoader(compiled)
    return jinja2.FileSystemLoader(sources)


def compile_all(target: Path) -> None:
    """Compile the templates for `xenbind/compiled` in a wheel, into a folder in the target.

    Raises `jinja2.TemplateSyntaxError`.
    """
    sources = folder("templates")
    environment = Templates(jinja2.FileSystemLoader(sources)).environment
    made = target / _name(sources)
    environment.compile_templates(made, zip=None, ignore_errors=False)


def _name(sources: Path) -> str:
    """Name what templates are compiled to; jinja2 has a number for the form of that."""
    digest = hashlib.sha256()
    for name, path in sorted(files(sources)):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return f"jinja2-{bc_version}-{digest.hexdigest()[:16]}"


class Templates:
    """The templates folder."""

    def __init__(self, loader: jinja2.BaseLoader | None = None) -> None:
        self.environment = jinja2.Environment(
            loader=_loader() if loader is None else loader,
            bytecode_cache=_bytecode_cache(),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        # How a template writes a string where it stands.
        self.environment.filters["python"] = python_text.text
        self.environment.filters["toml"] = toml_text

    def compile(self, names: Iterable[str]) -> None:
        """Compile what will be rendered, which needs nothing of the headers yet."""
        for name in names:
            self.environment.get_template(name)

    def text(self, name: str, context: Mapping[str, object]) -> str:
        """Render a template.  Raises `jinja2.UndefinedError` for what the context lacks."""
        return self.environment.get_template(name).render(context)


def toml_text(value: str) -> str:
    """Write a string as TOML does: as JSON, which escapes all of the same but DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
