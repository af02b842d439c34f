"""What clients send about vendors."""

ERRORS = "userErrors { code message field }"
VENDOR = "vendor { id name slug status suspensionReason email myRole }"
APPLY = f"mutation ($input: VendorApplyInput!) {{ vendorApply(input: $input) {{ {VENDOR} {ERRORS} }} }}"
APPROVE = f"mutation ($id: ID!) {{ vendorApprove(input: {{ id: $id }}) {{ {VENDOR} {ERRORS} }} }}"
SUSPEND = f"""mutation ($id: ID!, $reason: String!) {{
  vendorSuspend(input: {{ id: $id, reason: $reason }}) {{ {VENDOR} {ERRORS} }} }}"""
INVITE = f"""mutation ($vendorId: ID!, $email: String!) {{
  vendorClerkInvite(input: {{ vendorId: $vendorId, email: $email }}) {{
    invitation {{ id email sentAt expiresAt }} {ERRORS} }} }}"""
REVOKE = f"mutation ($id: ID!) {{ vendorClerkInvitationRevoke(input: {{ id: $id }}) {{ deletedId {ERRORS} }} }}"
ACCEPT = f"mutation ($token: String!) {{ vendorClerkAccept(input: {{ token: $token }}) {{ {VENDOR} {ERRORS} }} }}"
REMOVE = f"mutation ($id: ID!) {{ vendorClerkRemove(input: {{ id: $id }}) {{ deletedId {ERRORS} }} }}"
MINE = """{ viewer { roles vendors { id name slug status myRole members { id role email name }
  invitations { id email } } } }"""
