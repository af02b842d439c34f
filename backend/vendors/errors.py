"""Why something about a vendor was refused."""

from backend.core.errors import Invalid, NotFound


class VendorNotFound(NotFound):
    """Also for one that the caller may not do this with."""

    default_message = "There is no such vendor."


class MemberNotFound(NotFound):
    """Also for somebody of another's vendor."""

    default_message = "There is nobody with this id at a vendor of yours."


class InvitationNotFound(NotFound):
    """Also for one of another's vendor."""

    default_message = "There is no such invitation of a vendor of yours."


class VendorNotApproved(Invalid):
    default_message = "The shop has not approved this vendor, or has suspended it."
