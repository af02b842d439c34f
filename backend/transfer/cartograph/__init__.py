"""Our own catalog files: JSON lines, one thing a line, without loss. `docs/catalog-files.md` describes them.

The first line is {"cartograph": {"version": 1}}; each other line has one key, which names what it holds.
"""

VERSION = 1
HEADER = "cartograph"
