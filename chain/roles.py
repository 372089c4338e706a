"""What the two database roles may do in the chain room: the signer alone keeps bytes and takes wallets into use."""

PROTECTED = ("chain_hotwallet", "chain_intent", "chain_signedattempt", "chain_broadcastattempt")
DOORS = ("chain_deposit_lane",)

_GRANTS = r"""
DO $grants$
DECLARE
    v_object oid;
BEGIN
    -- The application orders, sends and watches.
    REVOKE DELETE ON {protected} FROM sluice_app;
    REVOKE INSERT ON chain_hotwallet FROM sluice_app;
    GRANT EXECUTE ON FUNCTION {doors} TO sluice_app;  -- adds deposit addresses alone
    REVOKE INSERT, UPDATE ON chain_signedattempt FROM sluice_app;
    GRANT UPDATE (state, proof) ON chain_signedattempt TO sluice_app;
    -- The signer takes wallets into use, keeps what it signed, and says why it did not. It orders nothing.
    GRANT SELECT ON {protected} TO sluice_signer;
    GRANT INSERT ON chain_hotwallet, chain_signedattempt TO sluice_signer;
    GRANT UPDATE (paused) ON chain_hotwallet TO sluice_signer; -- a new wallet takes over what stands for its network
    GRANT UPDATE (state) ON chain_signedattempt TO sluice_signer;
    GRANT UPDATE (bump_due, last_error, next_sign_at, next_send_at, next_watch_at) ON chain_intent TO sluice_signer;
    -- What is left remembers nodes and troubles, and every process writes to it.
    FOR v_object IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'chain\_%'
          AND relname NOT IN ({names})
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO sluice_signer', v_object::regclass);
    END LOOP;
    FOR v_object IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' AND relname LIKE 'chain\_%'
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO sluice_signer', v_object::regclass);
    END LOOP;
END
$grants$
"""


def grants() -> str:
    """The statement that gives the roles their rights here, once they and the tables are there."""
    names = ", ".join(f"'{name}'" for name in PROTECTED)
    return _GRANTS.format(protected=", ".join(PROTECTED), names=names, doors=", ".join(DOORS))
