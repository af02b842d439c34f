"""Answers to challenges that come at the same instant."""

from typing import Any

import pytest

from backend.accounts import services
from backend.accounts.errors import CodeInvalid, TokenInvalid
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Challenge, ChallengeKind, RecoveryCode, Session, User
from backend.accounts.services.signing_in import new_challenge
from backend.core import clock
from tests.factories.accounts import make_user
from tests.factories.second_factor import NETWORK, code_of, give_second_factor
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def answer(challenge: Challenge, code: str) -> Any:
    return services.answer_challenge(challenge_id=challenge.pk, code=code, network=NETWORK)


def sent(user: User) -> tuple[Challenge, str]:
    challenge = new_challenge(ChallengeKind.OTP, destination=user.email)
    sending = services.make_code(challenge_id=challenge.pk)
    assert sending is not None
    return challenge, sending.code


def names(answers: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in answers)


def test_a_right_code_is_taken_once() -> None:
    challenge, code = sent(make_user(email_verified_at=clock.now()))
    assert names(at_once([lambda: answer(challenge, code)] * 10)) == ["Answered"] + ["CodeInvalid"] * 9
    assert Session.objects.count() == 1


def test_each_wrong_code_counts() -> None:
    challenge, code = sent(make_user(email_verified_at=clock.now()))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert names(at_once([lambda: answer(challenge, wrong)] * 12)) == ["CodeInvalid"] * 5 + ["TooManyAttempts"] * 7
    challenge.refresh_from_db()
    assert challenge.tries == 5


def test_a_code_of_the_app_is_taken_once_over_many_challenges(settings: Any) -> None:
    settings.SECOND_FACTOR_TRIES = settings.SECOND_FACTOR_TRIES_PER_ACCOUNT = "100/minute"
    user = make_user()
    [recovery, *_] = give_second_factor(user)
    for code in (code_of(user), recovery):
        challenges = [services.complete_sign_in(user=user) for _ in range(8)]
        answers = at_once([lambda each=each, code=code: answer(each, code) for each in challenges])
        assert names(answers) == ["Answered"] + ["CodeInvalid"] * 7
    assert Session.objects.count() == 2
    assert RecoveryCode.objects.count() == 9


def test_answering_while_the_password_is_reset_ends_well() -> None:
    user = make_user(email_verified_at=clock.now())
    challenge, code = sent(user)

    def reset() -> Any:

        return services.reset_password(token=PASSWORD_LINK.token(User.objects.get(pk=user.pk)), new_hash="x")

    answers = at_once([lambda: answer(challenge, code), reset] * 4)
    signed_in = [each.outcome for each in answers if isinstance(each, services.Answered)]
    assert len(signed_in) <= 1
    assert {type(each) for each in answers} <= {services.Answered, services.Tokens, CodeInvalid, TokenInvalid}


def test_a_number_is_believed_of_one_of_many() -> None:
    people = [make_user(phone="+14155552671") for _ in range(6)]
    challenges = []
    for user in people:
        challenge = new_challenge(ChallengeKind.PHONE, user=user, destination=user.phone)
        sending = services.make_code(challenge_id=challenge.pk)
        assert sending is not None
        challenges.append((user, services.open_session(user=user).session.pk, challenge, sending.code))
    at_once(
        [
            lambda user=user, session_id=session_id, challenge=challenge, code=code: services.verify_phone(
                user_id=user.pk, session_id=session_id, challenge_id=challenge.pk, code=code
            )
            for user, session_id, challenge, code in challenges
        ]
    )
    assert User.objects.filter(phone_verified_at__isnull=False).count() == 1
