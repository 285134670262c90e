"""Hold what is the same in every package that xenbind generates, whatever the headers.

The modules beside this folder are made from the headers; these are copied.  What users
need of them, the package itself exports.
"""
