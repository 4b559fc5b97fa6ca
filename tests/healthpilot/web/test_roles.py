"""Roles: what an account's groups make of it."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from healthpilot.web.roles import GROUPS, Role, role_of
from tests.costs.factories import make_admin, make_staff, make_visitor, make_with_role
from tests.migrating import migrated_to

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role)
def test_an_account_has_the_role_of_its_group(role: Role) -> None:
    assert role_of(make_with_role(role)) == role


def test_of_several_roles_the_highest_counts() -> None:
    user = make_with_role(Role.VIEWER)
    user.groups.add(Group.objects.get_or_create(name="operator")[0], Group.objects.create(name="guests"))
    assert role_of(user) == Role.OPERATOR


def test_staff_without_a_group_view_and_superusers_administer() -> None:
    assert role_of(make_staff()) == Role.VIEWER
    assert role_of(make_admin()) == Role.ADMIN


def test_a_group_gives_no_role_to_who_is_not_staff_or_was_closed() -> None:
    visitor, closed = make_visitor(), make_with_role(Role.ADMIN)
    visitor.groups.add(Group.objects.get_or_create(name="admin")[0])
    closed.is_active = False
    assert role_of(visitor) is None
    assert role_of(closed) is None
    assert role_of(AnonymousUser()) is None


@pytest.mark.django_db(transaction=True)
def test_the_migration_makes_the_groups_and_takes_them_back() -> None:
    with migrated_to("web", None):
        assert not Group.objects.filter(name__in=GROUPS).exists()
    assert set(Group.objects.values_list("name", flat=True)) >= set(GROUPS)
