"""What the suite itself stands on: its databases, roles, Redis and chains."""

import os
import subprocess
import sys
import threading

import psycopg
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction

from config.local import anvil, tron
from tests import databases


def add_user() -> None:
    User.objects.create(username="a")


@pytest.mark.django_db
def test_tests_connect_as_the_applications_role_which_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, (SELECT count(*) FROM pg_tables WHERE tableowner = current_user)")
        assert cursor.fetchone() == ("sluice_web", 0)
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE mine (id int)")


@pytest.mark.django_db
@pytest.mark.parametrize("turn", [1, 2])
def test_a_marked_test_rolls_back(turn: int) -> None:
    assert User.objects.count() == 0
    add_user()


@pytest.mark.parametrize("turn", [1, 2])
def test_committed_starts_empty_and_other_threads_see_what_was_committed(
    committed: databases.Database, turn: int
) -> None:
    assert User.objects.count() == 0
    add_user()
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(User.objects.count()))
    thread.start()
    thread.join()
    assert seen == [1]


def test_processes_started_from_a_committed_test_use_its_database(committed: databases.Database) -> None:
    add_user()
    code = "import django; django.setup(); from django.contrib.auth.models import User; print(User.objects.count())"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    assert done.stdout == "1\n"


def test_the_owner_changes_what_the_application_may_not(
    committed: databases.Database, owner: psycopg.Connection
) -> None:
    add_user()
    owner.execute("ALTER TABLE auth_user ADD COLUMN tampered int")
    assert owner.execute("SELECT current_user, count(*) FROM auth_user").fetchone() == ("sluice_owner", 1)


def test_redis_is_empty_and_this_process_has_it_alone(redis_clean: str) -> None:
    with redis.Redis.from_url(redis_clean) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_redis_is_empty_again(redis_clean: str) -> None:
    with redis.Redis.from_url(redis_clean) as client:
        assert client.dbsize() == 0


@pytest.mark.chains
def test_both_chains_answer_where_the_settings_look(anvil_url: str, tron_url: str) -> None:
    assert anvil.ETHEREUM.answers(anvil_url)
    assert tron.answers(tron_url)
    assert [anvil_url] == settings.EVM_RPC_URLS
    assert [tron_url] == settings.TRON_RPC_URLS
