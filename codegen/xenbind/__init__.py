"""xenbind: Python bindings for Xen's shared-memory interfaces, generated from its C headers.

The stages, in the order that data passes through them: `spec`, `preprocess`, `comments`,
`parse`, `constants`, `layout`, `lower`, `groups`, `ir`, `render`, `output`.  `reference`
and `verify` hold the result against compiled C; `cli` is the command.
"""

__version__ = "0.1.0"
