"""What the two database roles may do here: history grows and stays; the signer reads approvals and writes its tick."""

READ_BY_THE_SIGNER = ("payouts_withdrawal", "payouts_steptaken")
RULES = ("payouts_policyrule", "payouts_limitrule", "payouts_bookedaddress", "payouts_feerule")
COUNTS = ("payouts_withdrawalcount", "payouts_requestcount", "payouts_messagecount", "payouts_rulebookversion")
DOORS = ("payouts_decide_rule", "payouts_create_withdrawal", "payouts_stands")

_GRANTS = """
    REVOKE DELETE ON payouts_withdrawal FROM sluice_app;
    REVOKE UPDATE, DELETE ON payouts_steptaken FROM sluice_app;
    REVOKE DELETE ON payouts_payment FROM sluice_app;
    REVOKE UPDATE, DELETE ON payouts_paymentstep, payouts_deposit FROM sluice_app;
    REVOKE INSERT, UPDATE, DELETE ON {counts} FROM sluice_app;  -- triggers count
    -- Rules are changed by one function alone, from a proposal that somebody else made: withdrawals/amending.py.
    REVOKE INSERT, UPDATE, DELETE ON {rules}, payouts_ruledecision FROM sluice_app;
    REVOKE UPDATE, DELETE ON payouts_ruleproposal FROM sluice_app;
    GRANT EXECUTE ON FUNCTION {doors} TO sluice_app;
    GRANT SELECT ON {read} TO sluice_signer;
    GRANT SELECT, INSERT, UPDATE ON payouts_tick TO sluice_signer;
    REVOKE UPDATE, DELETE ON payouts_runrow FROM sluice_app;  -- what a code confirmed stays what it was
    REVOKE DELETE ON payouts_run FROM sluice_app;
    -- Deposit addresses hang on the key whose private half the signer keeps: nobody else says which that is.
    REVOKE INSERT, UPDATE, DELETE ON payouts_extendedkey FROM sluice_app;
    GRANT SELECT, INSERT ON payouts_extendedkey TO sluice_signer;
"""


def grants() -> str:
    """The statements that give the roles their rights here, once they and the tables are there."""
    tables = {"read": READ_BY_THE_SIGNER, "rules": RULES, "counts": COUNTS, "doors": DOORS}
    return _GRANTS.format(**{name: ", ".join(listed) for name, listed in tables.items()})
