"""The commands, a folder each: their arguments (`command`), their work and their words."""
