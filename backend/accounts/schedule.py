"""Accounts' part of the timetable."""

from backend.accounts.services import delete_old_challenges, delete_old_sessions, delete_old_starts
from backend.core.schedule import Entry

DELETE_OLD_SESSIONS = Entry("delete_old_sessions", "23 3 * * *", delete_old_sessions)
DELETE_OLD_CHALLENGES = Entry("delete_old_challenges", "37 3 * * *", delete_old_challenges)
DELETE_OLD_STARTS = Entry("delete_old_starts", "51 3 * * *", delete_old_starts)
