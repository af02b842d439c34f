"""Everything that changes accounts."""

from backend.accounts.services.codes import (
    Answered,
    Sending,
    answer_challenge,
    delete_old_challenges,
    make_code,
    request_code,
    request_phone_code,
    verify_phone,
)
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
from backend.accounts.services.second_factor import (
    Enrollment,
    confirm_second_factor,
    disable_second_factor,
    enable_second_factor,
    remove_second_factor,
)
from backend.accounts.services.sessions import (
    Tokens,
    delete_old_sessions,
    open_session,
    refresh_session,
    revoke_all_sessions,
    revoke_by_refresh_token,
    revoke_session,
)
from backend.accounts.services.signing_in import complete_sign_in

__all__ = [
    "LAST_ADMIN",
    "Answered",
    "Candidate",
    "Enrollment",
    "ProfileChange",
    "Proof",
    "Registration",
    "Sending",
    "Tokens",
    "accept",
    "account_key",
    "answer_challenge",
    "candidate_of",
    "change_password",
    "check_may_leave",
    "check_password",
    "check_password_change",
    "check_password_reset",
    "checked_registration",
    "complete_sign_in",
    "confirm_second_factor",
    "delete_old_challenges",
    "delete_old_sessions",
    "delete_user",
    "disable_second_factor",
    "enable_second_factor",
    "export_data",
    "find_candidate",
    "has_other_admin",
    "hash_password",
    "make_code",
    "open_session",
    "refresh_session",
    "register",
    "remove_second_factor",
    "request_code",
    "request_password_reset",
    "request_phone_code",
    "request_verification",
    "reset_password",
    "revoke_all_sessions",
    "revoke_by_refresh_token",
    "revoke_session",
    "rights_changed",
    "set_roles",
    "update_profile",
    "verify_email",
    "verify_phone",
    "with_password",
]
