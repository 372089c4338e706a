"""What keeps the tables distributable by book, read from the catalogue."""

import pytest
from django.core.management import call_command
from django.db import connection

from ledger import roles

pytestmark = pytest.mark.django_db


def asked(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_every_key_and_unique_constraint_begins_with_the_book() -> None:
    firsts = asked("""
        SELECT index.indexrelid::regclass::text, attname FROM pg_index AS index
        JOIN pg_attribute ON attrelid = index.indrelid AND attnum = index.indkey[0]
        WHERE index.indrelid::regclass::text LIKE 'ledger%' AND indisunique
          AND index.indrelid::regclass::text NOT IN ('ledger_block', 'ledger_anchor')  -- these seal all books of a node
    """)

    assert {first for _, first in firsts} == {"book"}
    assert {name for name, _ in firsts} >= {
        "ledger_account_pkey",
        "ledger_creditlimitchange_pkey",
        "ledger_event_pkey",
        "ledger_event_default_source_seq_once",
        "ledger_event_default_target_seq_once",
    }


def test_no_foreign_key_leaves_or_enters_the_ledger() -> None:
    assert (
        asked("""
        SELECT conname FROM pg_constraint
        WHERE contype = 'f' AND 'ledger' IN (split_part(conrelid::regclass::text, '_', 1),
                                             split_part(confrelid::regclass::text, '_', 1))
    """)
        == []
    )


def test_every_door_runs_as_its_owner_on_its_own_search_path_and_is_not_everybodys() -> None:
    doors = asked("""
        SELECT proname FROM pg_proc
        WHERE proname LIKE 'ledger%' AND prosecdef AND 'search_path=pg_catalog, public, pg_temp' = ANY (proconfig)
    """)
    public = asked("""
        SELECT proname FROM pg_proc
        WHERE proname LIKE 'ledger%' AND provolatile = 'v' AND prorettype <> 'trigger'::regtype AND EXISTS (
            SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
    """)

    assert sorted(name for (name,) in doors) == sorted(roles.DOORS)
    assert public == []


def test_the_models_say_what_the_migrations_made() -> None:
    call_command("makemigrations", "ledger", check=True, dry_run=True, verbosity=0, skip_checks=True)
