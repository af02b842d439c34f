"""What gateways write, as the database can hold it."""


def fitting(text: str, limit: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses, and cut to the column."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:limit]
