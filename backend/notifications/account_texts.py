"""The words of mails about accounts, by language and kind."""

from typing import NamedTuple


class Words(NamedTuple):
    """`button` names the link, where there is one; `note` says what to do if it was not you."""

    subject: str
    intro: str
    button: str
    note: str


ACCOUNT_TEXTS: dict[str, dict[str, Words]] = {
    "en": {
        "verify_email": Words(
            "Confirm your email address",
            "Please confirm that this email address is yours.",
            "Confirm the address",
            "If you have no account with us, ignore this mail: nothing happens without your confirmation.",
        ),
        "password_reset": Words(
            "Choose a new password",
            "Somebody, probably you, asked for a new password for your account. This works once, and not for long.",
            "Choose a new password",
            "If it was not you, ignore this mail: your password stays as it is.",
        ),
        "password_changed": Words(
            "Your password was changed",
            "The password of your account was changed just now, and your other devices were signed out.",
            "",
            "If it was not you, ask for a new password at once.",
        ),
        "email_change_asked": Words(
            "A new email address for your account",
            "Somebody, probably you, asked to replace this email address. It holds until the new one is confirmed.",
            "",
            "If it was not you, change your password at once.",
        ),
        "email_changed": Words(
            "Your email address was changed",
            "Your account now has another email address. This one no longer opens it.",
            "",
            "If it was not you, write to us at once.",
        ),
        "token_reused": Words(
            "One of your devices was signed out",
            "A sign-in of yours was used twice, as a thief would who had copied it. We have ended it everywhere.",
            "",
            "Sign in again. If this comes again, change your password.",
        ),
        "social_linked": Words(
            "A new way to sign in",
            "Somebody, probably you, signed in with Google or GitHub under this email address, verified there. "
            "From now on that opens your account.",
            "",
            "If it was not you, change your password there and here.",
        ),
        "social_added": Words(
            "A new way to sign in",
            "An account at Google or GitHub was linked to your account just now. From now on that opens it, too.",
            "",
            "If it was not you, change your password at once, and take it off again.",
        ),
        "phone_added": Words(
            "A new way to sign in",
            "Your phone number was confirmed just now. From now on a code that we send there opens your account.",
            "",
            "If it was not you, change your password at once, and the phone number of your profile, too.",
        ),
        "social_removed": Words(
            "One way to sign in less",
            "An account at Google or GitHub was taken off your account just now. It opens it no more.",
            "",
            "If it was not you, change your password at once.",
        ),
        "recovery_codes_new": Words(
            "You have new recovery codes",
            "The recovery codes of your account were replaced just now. The old ones open nothing any more.",
            "",
            "If it was not you, somebody is in your account: write to us at once.",
        ),
        "account_deleted": Words(
            "Your account was deleted",
            "Your account and your data were deleted. We keep orders for our books, as the law asks.",
            "",
            "If it was not you, write to us at once.",
        ),
        "second_factor_on": Words(
            "A second factor was enabled",
            "From now on, signing in to your account asks for a code of your authenticator app.",
            "",
            "If it was not you, somebody is in your account: write to us at once.",
        ),
        "second_factor_off": Words(
            "The second factor was disabled",
            "Signing in to your account no longer asks for a code of your authenticator app.",
            "",
            "If it was not you, change your password at once, and enable it again.",
        ),
        "recovery_code_used": Words(
            "A recovery code was used",
            "One of the recovery codes of your account was used just now. It works no more.",
            "",
            "If it was not you, change your password at once.",
        ),
        "one_time_code": Words(
            "Your code",
            "This is your code. It works once, and for a few minutes. Never tell it to anybody: we do not ask for it.",
            "",
            "If you did not ask for it, ignore this mail: nobody can do anything without the code.",
        ),
    },
    "de": {
        "verify_email": Words(
            "Bestätige deine E-Mail-Adresse",
            "Bitte bestätige, dass diese E-Mail-Adresse dir gehört.",
            "Adresse bestätigen",
            "Wenn du kein Konto bei uns hast, vergiss diese Mail: ohne Bestätigung geschieht nichts.",
        ),
        "password_reset": Words(
            "Wähle ein neues Passwort",
            "Jemand, wohl du, hat ein neues Passwort für dein Konto verlangt. Dies gilt einmal und nicht lange.",
            "Neues Passwort wählen",
            "Wenn du es nicht warst, vergiss diese Mail: dein Passwort bleibt, wie es ist.",
        ),
        "password_changed": Words(
            "Dein Passwort wurde geändert",
            "Das Passwort deines Kontos wurde eben geändert, und deine anderen Geräte wurden abgemeldet.",
            "",
            "Wenn du es nicht warst, verlange sofort ein neues Passwort.",
        ),
        "email_change_asked": Words(
            "Eine neue E-Mail-Adresse für dein Konto",
            "Jemand, wohl du, will diese E-Mail-Adresse ersetzen. Sie gilt, bis die neue bestätigt ist.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort.",
        ),
        "email_changed": Words(
            "Deine E-Mail-Adresse wurde geändert",
            "Dein Konto hat nun eine andere E-Mail-Adresse. Diese hier öffnet es nicht mehr.",
            "",
            "Wenn du es nicht warst, schreib uns sofort.",
        ),
        "token_reused": Words(
            "Eines deiner Geräte wurde abgemeldet",
            "Eine Anmeldung von dir wurde doppelt benutzt, wie von einem Dieb. Wir haben sie überall beendet.",
            "",
            "Melde dich neu an. Wenn das wieder geschieht, ändere dein Passwort.",
        ),
        "social_linked": Words(
            "Eine neue Art, dich anzumelden",
            "Jemand, wohl du, hat sich über Google oder GitHub mit dieser dort bestätigten E-Mail-Adresse angemeldet. "
            "Von nun an öffnet das dein Konto.",
            "",
            "Wenn du es nicht warst, ändere dort und hier dein Passwort.",
        ),
        "social_added": Words(
            "Eine neue Art, dich anzumelden",
            "Ein Konto bei Google oder GitHub wurde eben mit deinem Konto verbunden. Von nun an öffnet es deines auch.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort und löse die Verbindung.",
        ),
        "phone_added": Words(
            "Eine neue Art, dich anzumelden",
            "Deine Telefonnummer wurde eben bestätigt. Von nun an öffnet ein Code, den wir dorthin senden, dein Konto.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort und auch die Telefonnummer in deinem Profil.",
        ),
        "social_removed": Words(
            "Eine Art weniger, dich anzumelden",
            "Ein Konto bei Google oder GitHub wurde eben von deinem Konto gelöst. Es öffnet deines nicht mehr.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort.",
        ),
        "recovery_codes_new": Words(
            "Du hast neue Wiederherstellungscodes",
            "Die Wiederherstellungscodes deines Kontos wurden eben ersetzt. Die alten öffnen nichts mehr.",
            "",
            "Wenn du es nicht warst, ist jemand in deinem Konto: schreib uns sofort.",
        ),
        "account_deleted": Words(
            "Dein Konto wurde gelöscht",
            "Dein Konto und deine Daten wurden gelöscht. Bestellungen behalten wir für unsere Bücher.",
            "",
            "Wenn du es nicht warst, schreib uns sofort.",
        ),
        "second_factor_on": Words(
            "Ein zweiter Faktor wurde eingeschaltet",
            "Wer sich bei deinem Konto anmeldet, braucht ab jetzt einen Code deiner Authenticator-App.",
            "",
            "Wenn du es nicht warst, ist jemand in deinem Konto: schreib uns sofort.",
        ),
        "second_factor_off": Words(
            "Der zweite Faktor wurde ausgeschaltet",
            "Wer sich bei deinem Konto anmeldet, braucht keinen Code deiner Authenticator-App mehr.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort und schalte ihn wieder ein.",
        ),
        "recovery_code_used": Words(
            "Ein Wiederherstellungscode wurde benutzt",
            "Einer der Wiederherstellungscodes deines Kontos wurde eben benutzt. Er gilt nicht mehr.",
            "",
            "Wenn du es nicht warst, ändere sofort dein Passwort.",
        ),
        "one_time_code": Words(
            "Dein Code",
            "Dies ist dein Code. Er gilt einmal und wenige Minuten lang. Gib ihn niemandem: wir fragen nie danach.",
            "",
            "Wenn du ihn nicht verlangt hast, vergiss diese Mail: ohne den Code kann niemand etwas tun.",
        ),
    },
}

CODE_BY_SMS: dict[str, str] = {
    "en": "{shop}: your code is {code}. It works for {minutes} minutes. Never tell it to anybody.",
    "de": "{shop}: Dein Code ist {code}. Er gilt {minutes} Minuten. Gib ihn niemandem.",
}
