"""Everything that changes accounts."""

from backend.accounts.services.credentials import (
    Candidate,
    Proof,
    accept,
    account_key,
    candidate_of,
    check_password,
    find_candidate,
)
from backend.accounts.services.leaving import delete_user, export_data
from backend.accounts.services.passwords import (
    change_password,
    check_password_change,
    check_password_reset,
    hash_password,
    request_password_reset,
    reset_password,
)
from backend.accounts.services.profile import ProfileChange, update_profile
from backend.accounts.services.registration import (
    Registration,
    checked_registration,
    register,
    request_verification,
    verify_email,
    with_password,
)
from backend.accounts.services.rights import LAST_ADMIN, check_may_leave, has_other_admin, rights_changed, set_roles
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
    "LAST_ADMIN",
    "Candidate",
    "ProfileChange",
    "Proof",
    "Registration",
    "Tokens",
    "accept",
    "account_key",
    "candidate_of",
    "change_password",
    "check_may_leave",
    "check_password",
    "check_password_change",
    "check_password_reset",
    "checked_registration",
    "delete_old_sessions",
    "delete_user",
    "export_data",
    "find_candidate",
    "has_other_admin",
    "hash_password",
    "open_session",
    "refresh_session",
    "register",
    "request_password_reset",
    "request_verification",
    "reset_password",
    "revoke_all_sessions",
    "revoke_by_refresh_token",
    "revoke_session",
    "rights_changed",
    "set_roles",
    "update_profile",
    "verify_email",
    "with_password",
]
