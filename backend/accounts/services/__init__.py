"""Everything that changes accounts."""

from backend.accounts.services.credentials import accept, account_key, candidate_of, check_password, find_candidate
from backend.accounts.services.rights import rights_changed
from backend.accounts.services.sessions import (
    Tokens,
    delete_old_sessions,
    open_session,
    refresh_session,
    revoke_all_sessions,
    revoke_by_refresh_token,
    revoke_session,
)

__all__ = [
    "Tokens",
    "accept",
    "account_key",
    "candidate_of",
    "check_password",
    "delete_old_sessions",
    "find_candidate",
    "open_session",
    "refresh_session",
    "revoke_all_sessions",
    "revoke_by_refresh_token",
    "revoke_session",
    "rights_changed",
]
