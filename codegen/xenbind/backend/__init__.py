"""Write Python: from `Interface`s to the text of every output file.

`render` starts; `module` prepares what a version's module says and `ring_module` the
macros that `rings` translates, templates place it, and `formatting` has black format it.
Nothing else knows Python as a target.
"""
