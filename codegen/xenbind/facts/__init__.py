"""Facts that can be asked of an ABI, and who answers: each source is a module.

`probes` says what to ask and what the IR answers; `object_file` has compiled C answer,
`dwarf` its debug information, and `package` the generated package.  `verify` compares.
"""
