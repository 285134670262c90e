"""Translate the macros of ring.h: from C statements to Python ones.

`protocol` finds the operations of a ring, `roles` infers what each parameter is, and
`translate` writes the statements.
"""
