"""The spec: a TOML file beside the headers, for what C cannot say of an interface.

`load` takes the path of the file and gives a `Spec`, in which every text is what it may be.
`pipeline` reads the headers that it names.
"""

from xenbind.spec.model import (
    ByteRingSpec,
    EventRingSpec,
    FunctionSpec,
    HeaderSpec,
    LibrarySpec,
    PayloadSpec,
    RingSpec,
    Spec,
    TreeSpec,
    VersionSpec,
)
from xenbind.spec.places import KeyPath
from xenbind.spec.reader import load, read
from xenbind.spec.rules import RELEASE

__all__ = [
    "RELEASE",
    "ByteRingSpec",
    "EventRingSpec",
    "FunctionSpec",
    "HeaderSpec",
    "KeyPath",
    "LibrarySpec",
    "PayloadSpec",
    "RingSpec",
    "Spec",
    "TreeSpec",
    "VersionSpec",
    "load",
    "read",
]
