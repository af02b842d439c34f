"""A password that is set anew at the very instant of something that the old one, or who knew it, may do."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from social_django.models import UserSocialAuth

from backend.accounts import services
from backend.accounts.errors import InvalidCredentials, PasswordChanged, SignInAgain, TokenInvalid
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Challenge, Session, User
from backend.accounts.services.social import Begun
from backend.accounts.social.providers import SocialProvider
from backend.core import clock
from backend.core.caller import Caller
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.second_factor import give_second_factor
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NEW_HASH = "argon2$of-something-new"


def reset(user: User) -> Any:
    return services.reset_password(token=PASSWORD_LINK.token(User.objects.get(pk=user.pk)), new_hash=NEW_HASH)


def change(user: User) -> Any:
    candidate = services.candidate_of(User.objects.get(pk=user.pk))
    right = services.Proof(right=True)
    return services.change_password(caller=Caller(user_id=user.pk), candidate=candidate, proof=right, new_hash=NEW_HASH)


def shown(user: User) -> tuple[services.Candidate, services.Proof]:
    """The right password was compared, and nothing was done with it yet."""
    candidate = services.find_candidate(login=user.email)
    return candidate, services.check_password(candidate, PASSWORD)


@pytest.mark.parametrize("how", [reset, change])
@pytest.mark.parametrize("has_factor", [False, True])
def test_who_signs_in_by_the_old_password_meanwhile_is_out(how: Callable[[User], Any], has_factor: bool) -> None:
    for _ in range(3):
        user = make_user(email_verified_at=clock.now())
        if has_factor:
            give_second_factor(user)
            Session.objects.all().delete()
        candidate, proof = shown(user)
        sign_in = partial(services.sign_in, candidate=candidate, proof=proof)
        answers = at_once([*[sign_in] * 5, partial(how, user), *[sign_in] * 5])
        mine = answers.pop(5)
        assert {type(each) for each in answers} <= {services.Tokens, Challenge, PasswordChanged}
        living = Session.objects.filter(user=user, revoked_at=None)
        assert set(living) == ({mine.session} if isinstance(mine, services.Tokens) else set())
        assert set(Challenge.objects.filter(user=user)) == ({mine} if isinstance(mine, Challenge) else set())


def test_the_old_password_asks_for_no_new_address_after_that() -> None:
    user = make_user(email_verified_at=clock.now())
    candidate, proof = shown(user)
    reset(user)
    thief = services.ProfileChange(email="thief@example.com")
    with pytest.raises(InvalidCredentials):
        services.update_profile(user_id=user.pk, change=thief, country="US", candidate=candidate, proof=proof)
    assert User.objects.get(pk=user.pk).pending_email == ""


def linking(user: User) -> tuple[services.Identity, Callable[[], User]]:
    """Somebody at Google, and how they are linked in a session of this account's."""
    session = services.open_session(user=user).session
    response = {"sub": "1", "email": "thief@example.com", "email_verified": True}
    identity = services.Identity(Begun(SocialProvider.GOOGLE, "state", "https://shop.example/", {}), response)
    return identity, partial(services.link_provider, identity, user_id=user.pk, session_id=session.pk)


def test_a_provider_is_linked_before_or_not_at_all() -> None:
    """Nobody has shown that the address is theirs: what is linked goes, and the session can link no more."""
    user = make_user()
    _, link = linking(user)
    answers = at_once([link, partial(reset, user), link, link])
    assert {type(each) for each in answers} <= {User, services.Tokens, SignInAgain}
    assert not UserSocialAuth.objects.exists()


def test_a_stranger_who_comes_by_their_own_provider_meanwhile_is_out() -> None:
    for _ in range(3):
        user = make_user()
        identity, link = linking(user)
        link()
        come = partial(services.finish_social, identity, language="en")
        answers = at_once([come, come, come, partial(reset, user), come, come])
        mine = answers[3]
        assert {type(each) for each in answers} <= {services.Tokens, TokenInvalid}
        assert list(Session.objects.filter(user=user, revoked_at=None)) == [mine.session]
        User.objects.filter(email="thief@example.com").update(email=f"thief{user.pk}@example.com")
        UserSocialAuth.objects.all().delete()


@pytest.mark.parametrize("how", [reset, change])
def test_refreshing_meanwhile_waits_for_nothing_that_waits_for_it(how: Callable[[User], Any]) -> None:
    for _ in range(5):
        user = make_user()
        sessions = [services.open_session(user=user) for _ in range(10)]
        refreshing = [partial(services.refresh_session, refresh_token=each.refresh) for each in sessions]
        answers = at_once([*refreshing[:5], partial(how, user), *refreshing[5:]])
        mine = answers.pop(5)
        assert {type(each) for each in answers} <= {services.Tokens, TokenInvalid}
        living = Session.objects.filter(user=user, revoked_at=None)
        assert set(living) == ({mine.session} if isinstance(mine, services.Tokens) else set())
