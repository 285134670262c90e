"""xenbind: Python bindings for Xen's shared-memory interfaces, from its C headers.

The folders, in the order that data passes through them: `frontend` reads a header,
`lowering` makes the `ir` of it, `backend` writes Python, `facts` asks compiled C the same
questions, and `commands` does with all that what a user asks for.  `toolchain` runs the C
compiler.  CONTRIBUTING lists every file.
"""

__version__ = "0.2.0"
