"""Emptying tables between tests: everything that was filled, though nothing that is the same for all."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from systemstatus.models import Snapshot
from tests.emptying import empty_tables
from tests.systemstatus.factories import make_day

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_test_filled_is_empty_partitions_and_linked_rows_as_well() -> None:
    User.objects.create_user("ada").groups.add(Group.objects.create(name="observers"))
    make_day(hours=0)
    assert Snapshot.objects.exists()
    empty_tables()
    assert not Snapshot.objects.exists()
    assert not User.objects.exists()
    assert not User.groups.through._default_manager.exists()


def test_names_of_tables_and_permissions_stay() -> None:
    kept = ContentType.objects.count(), Permission.objects.count()
    empty_tables()
    assert (ContentType.objects.count(), Permission.objects.count()) == kept
    assert min(kept) > 40
