"""The words of mails to those who sell, by language and kind. {vendor} and {reason} are filled in."""

from backend.notifications.account_texts import Words

VENDOR_TEXTS: dict[str, dict[str, Words]] = {
    "en": {
        "vendor_approved": Words(
            "You can sell with us",
            "{vendor} is approved: its products are shown, and you can invite those who work with you.",
            "",
            "We look forward to what you bring.",
        ),
        "vendor_suspended": Words(
            "Your vendor account is suspended",
            "{vendor} does not sell with us for now, and its products are no longer shown. The reason: {reason}",
            "",
            "Orders that were placed go on: please see them through. Answer this mail if you see it otherwise.",
        ),
        "vendor_invitation": Words(
            "You are invited to work for {vendor}",
            "{vendor} sells with us and asks you to help. Sign in with this email address, then accept.",
            "Accept the invitation",
            "If you do not know {vendor}, ignore this mail: nothing happens without your word.",
        ),
    },
    "de": {
        "vendor_approved": Words(
            "Du kannst bei uns verkaufen",
            "{vendor} ist zugelassen: die Produkte werden gezeigt, und du kannst einladen, wer mit dir arbeitet.",
            "",
            "Wir freuen uns auf das, was du bringst.",
        ),
        "vendor_suspended": Words(
            "Dein Verkäuferkonto ist gesperrt",
            "{vendor} verkauft vorerst nicht bei uns, und die Produkte werden nicht mehr gezeigt. Der Grund: {reason}",
            "",
            "Bestellungen laufen weiter: bitte führe sie zu Ende. Antworte auf diese Mail, wenn du es anders siehst.",
        ),
        "vendor_invitation": Words(
            "Du bist eingeladen, für {vendor} zu arbeiten",
            "{vendor} verkauft bei uns und bittet dich um Hilfe. Melde dich mit dieser E-Mail-Adresse an und nimm an.",
            "Einladung annehmen",
            "Wenn du {vendor} nicht kennst, vergiss diese Mail: ohne dein Wort geschieht nichts.",
        ),
    },
}
