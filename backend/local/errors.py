"""What may go wrong on one's own machine, each said in one sentence."""


class LocalError(Exception):
    """Its text is one clear sentence for the person at the terminal; no traceback is shown."""


class EnginesError(LocalError):
    """An embedded engine or its data folder cannot be used."""
