"""Everything that changes accounts."""

from backend.accounts.services.credentials import accept, candidate_of, check_password, find_candidate
from backend.accounts.services.rights import rights_changed
from backend.accounts.services.sessions import (
    Tokens,
    open_session,
    refresh_session,
    revoke_all_sessions,
    revoke_by_refresh_token,
    revoke_session,
)

__all__ = [
    "Tokens",
    "accept",
    "candidate_of",
    "check_password",
    "find_candidate",
    "open_session",
    "refresh_session",
    "revoke_all_sessions",
    "revoke_by_refresh_token",
    "revoke_session",
    "rights_changed",
]
