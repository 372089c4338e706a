"""The two database roles, and what each may do in the ledger: the application reads it and calls its doors.

Every app says in its AppConfig (`grants`) what the roles may do in its tables; `manage.py migrate` gives them all, in
the order of INSTALLED_APPS. The ledger comes first: it makes the roles, and gives the application everybody's tables.
"""

APPLICATION_ROLE = "sluice_app"  # web, workers, beat
SIGNER_ROLE = "sluice_signer"  # the signer's process alone
DOORS = (
    "ledger_post",
    "ledger_post_one",
    "ledger_post_fresh",
    "ledger_post_crowd",
    "ledger_post_many",
    "ledger_post_together",
    "ledger_make_ahead",
    "ledger_lock",
    "ledger_set_credit_limit",
    "ledger_seal",
    "ledger_anchored",
    "ledger_propose_adjustment",
    "ledger_decide_adjustment",
)

_GRANTS = r"""
DO $grants$
DECLARE
    v_role text;
    v_object oid;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['{role}', '{signer}'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- it is there, or another migration has just made it
            WHEN insufficient_privilege THEN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
                    RAISE EXCEPTION 'the role % is absent and % may not create it', v_role, current_user
                        USING HINT = format('CREATE ROLE %I NOLOGIN', v_role);
                END IF;
        END;
    END LOOP;
    GRANT USAGE ON SCHEMA public TO {role}, {signer};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {signer};
    -- By the catalogue and not by a list: a table that the ledger gets later is read-only from its first day.
    FOR v_object IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
          AND (relname LIKE 'ledger\_%' OR relname = 'django_migrations')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM {role}, PUBLIC', v_object::regclass);
        EXECUTE format('GRANT SELECT ON %s TO {role}', v_object::regclass);
    END LOOP;
    IF to_regclass('ledger_block') IS NOT NULL THEN  -- whose hash the signer makes public
        GRANT SELECT ON ledger_block TO {signer};
    END IF;
    FOR v_object IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ({doors})
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {role}', v_object::regprocedure);
    END LOOP;
END
$grants$
"""


def grants() -> str:
    """The statement that makes the roles and gives them their rights; for the tables' owner, as often as he likes."""
    doors = ", ".join(f"'{door}'" for door in DOORS)
    return _GRANTS.format(role=APPLICATION_ROLE, signer=SIGNER_ROLE, doors=doors)
