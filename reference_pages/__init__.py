"""Write docs/reference/: what commands, the generated package and the project's checks say.

Nothing here knows an answer by itself: options are click's, signatures and words the package's
own, layouts ctypes', numbers those of `xenbind verify` and of the benchmarks' tables.
"""
