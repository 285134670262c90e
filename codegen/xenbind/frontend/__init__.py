"""Read a C header: from its path to a `ParsedHeader`.

The compiler preprocesses it and expands its macros, pycparser parses what is left, and
comments are found in the text as written.  `lowering` takes over.
"""
