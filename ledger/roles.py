"""What the application's database role may do: on the ledger only to read and to call its doors."""

APPLICATION_ROLE = "sluice_app"
DOORS = (
    "ledger_post",
    "ledger_post_one",
    "ledger_post_one_briefly",
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
    v_object oid;
BEGIN
    BEGIN
        CREATE ROLE {role} NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;  -- it is there, or another migration has just made it
        WHEN insufficient_privilege THEN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                RAISE EXCEPTION 'the role {role} is absent and % may not create it', current_user
                    USING HINT = 'CREATE ROLE {role} NOLOGIN';
            END IF;
    END;
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
    -- By the catalogue and not by a list: a table that the ledger gets later is read-only from its first day.
    FOR v_object IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
          AND (relname LIKE 'ledger\_%' OR relname = 'django_migrations')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM {role}, PUBLIC', v_object::regclass);
        EXECUTE format('GRANT SELECT ON %s TO {role}', v_object::regclass);
    END LOOP;
    FOR v_object IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ({doors})
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {role}', v_object::regprocedure);
    END LOOP;
END
$grants$
"""


def grants() -> str:
    """The statement that gives the application's role its rights; for the tables' owner, as often as he likes."""
    doors = ", ".join(f"'{door}'" for door in DOORS)
    return _GRANTS.format(role=APPLICATION_ROLE, doors=doors)
