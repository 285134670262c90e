"""xenbind: Python bindings for Xen's shared-memory interfaces, from its C headers.

The stages, in the order that data passes through them: `spec`, `preprocess`, `parse`,
`lower` (with `comments`, `typetable`, `constants`, `layout` and `groups`), `ir`, `render`
(with `module`), `formatting`, `output`.  `reference` and `verify` hold the result against
compiled C; `cli` is the command.
"""

__version__ = "0.1.0"
