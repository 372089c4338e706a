"""The local default and the suite's own services."""

import threading

import psycopg
import pytest
from django.db import connection, transaction
from django.contrib.auth.models import User


@pytest.mark.django_db
def test_tests_connect_as_the_applications_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("sluice_web",)


@pytest.mark.parametrize("n", range(3))
def test_committed_is_fresh(committed, owner, n):
    assert User.objects.count() == 0
    User.objects.create(username="x")
    out = []
    t = threading.Thread(target=lambda: out.append(User.objects.count()))
    t.start()
    t.join()
    assert out == [1]
    assert owner.execute("select current_user, count(*) from auth_user").fetchone() == ("sluice_owner", 1)


@pytest.mark.django_db
def test_rolls_back():
    assert User.objects.count() == 0
    User.objects.create(username="x")


@pytest.mark.django_db
def test_rolls_back2():
    assert User.objects.count() == 0
    User.objects.create(username="x")


def test_anvil(anvil_url):
    pass


def test_redis(redis_clean):
    pass
