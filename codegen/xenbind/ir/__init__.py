"""The intermediate representation: interfaces, C types, ABIs and the rules of layout.

Plain data, and the positions that follow from it; nothing here knows a parser, Python as a
target, or a terminal.
"""
