"""The C compiler: which one for which target, what it is told, and within which limits."""
