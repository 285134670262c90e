"""Lower a parsed header to the IR: from a `ParsedHeader` to an `Interface`.

Declarations become types, expressions get values, constants are grouped and comments
attached, and `ir.records` lays the records out.  `backend` and `facts` take over.
"""
