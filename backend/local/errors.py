"""What may go wrong on one's own machine, each said in one sentence."""

# Exit code of our own child processes that have said in one sentence what is wrong.
EXPLAINED = 78


class LocalError(Exception):
    """Its text is one clear sentence for the person at the terminal; no traceback is shown."""


class EnginesError(LocalError):
    """An embedded engine or its data folder cannot be used."""
