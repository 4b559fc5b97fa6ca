"""The roles of accounts, which are Django groups: viewers read, operators act, admins do everything."""

from enum import IntEnum
from typing import Any


class Role(IntEnum):
    """What an account may do; each role may do what the ones before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def group(self) -> str:
        """The name of the Django group that gives this role."""
        return self.name.lower()


GROUPS = tuple(role.group for role in Role)


def role_of(user: Any) -> Role | None:
    """Return an account's highest role: a superuser is an admin, staff without a group is a viewer.

    None for visitors, for accounts that are not staff, and for closed ones, whatever groups they are in. Asks
    the database once per user object, hence once a request.
    """
    if not (user.is_active and user.is_staff):
        return None
    if user.is_superuser:
        return Role.ADMIN
    if not hasattr(user, "_healthpilot_role"):
        named = user.groups.filter(name__in=GROUPS).values_list("name", flat=True)
        user._healthpilot_role = max((Role[name.upper()] for name in named), default=Role.VIEWER)
    role: Role = user._healthpilot_role
    return role
