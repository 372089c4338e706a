"""Deposit addresses as lanes: rows of their own kind, orders that stay between our own wallets, when to sweep."""

from django.db import migrations, models

GUARDS = """
CREATE OR REPLACE FUNCTION chain_keep_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.network, OLD.address, OLD.kind, OLD.number)
       IS DISTINCT FROM (NEW.id, NEW.network, NEW.address, NEW.kind, NEW.number) THEN
        RAISE EXCEPTION 'a wallet stays the account that it is'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hot_wallet_fixed';
    END IF;
    RETURN NEW;
END $$;

-- A deposit address is swept and does nothing else, a hot wallet never is; both sides of a sweep and of a top-up are ours.
CREATE FUNCTION chain_intent_of_its_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM chain_hotwallet WHERE id = NEW.wallet_id
               AND (kind = 'deposit') <> (NEW.purpose = 'sweep')) THEN
        RAISE EXCEPTION 'a lane of that kind does no %', NEW.purpose
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_of_its_lane';
    END IF;
    IF NEW.purpose IN ('sweep', 'topup') AND NOT EXISTS (
        SELECT FROM chain_hotwallet WHERE network = NEW.network AND address = NEW.to_address
        AND kind = CASE NEW.purpose WHEN 'sweep' THEN 'hot' ELSE 'deposit' END) THEN
        RAISE EXCEPTION 'a % stays between our own wallets', NEW.purpose
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_between_our_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER intent_of_its_lane BEFORE INSERT ON chain_intent
    FOR EACH ROW EXECUTE FUNCTION chain_intent_of_its_lane();

-- The one way for the application to a row among the wallets: a deposit address, which the signer pays nothing out of
-- and to which it sends nothing before it has derived the address itself. NULL: a hot wallet has that address.
CREATE FUNCTION chain_deposit_lane(p_network text, p_number bigint, p_address text, p_block bigint, p_at timestamptz)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO chain_hotwallet
        (network, address, kind, number, touched_block, touched_at, look_at, next_seq, paused, note, created_at)
    VALUES (p_network, p_address, 'deposit', p_number, p_block, p_at, p_at, 0,
            EXISTS (SELECT FROM chain_pause WHERE network = p_network AND wallet_id IS NULL AND ended_at IS NULL),
            '', p_at)
    ON CONFLICT (network, address) DO UPDATE
        SET touched_block = greatest(chain_hotwallet.touched_block, excluded.touched_block),
            touched_at = greatest(chain_hotwallet.touched_at, excluded.touched_at),
            look_at = least(chain_hotwallet.look_at, excluded.look_at)
        WHERE chain_hotwallet.kind = 'deposit'
    RETURNING id
$$;
REVOKE ALL ON FUNCTION chain_deposit_lane FROM PUBLIC;
"""
UNGUARD = """
DROP FUNCTION chain_deposit_lane;
DROP TRIGGER intent_of_its_lane ON chain_intent;
DROP FUNCTION chain_intent_of_its_lane();
"""
# In whole coins. Coin itself is swept when it is worth ten times its own fee, too: chain/sweeping.py.
RULES = """
INSERT INTO chain_sweeprule (asset, network, least_amount, after_s) VALUES
    ('USDT', '', 5, 30), ('USDC', '', 5, 30), ('DAI', '', 5, 30), ('USDD', '', 5, 30), ('PYUSD', '', 5, 30),
    ('USDT', 'ethereum', 50, 30), ('USDC', 'ethereum', 50, 30), ('DAI', 'ethereum', 50, 30),
    ('PYUSD', 'ethereum', 50, 30), ('USDT', 'tron', 20, 30), ('USDD', 'tron', 20, 30),
    ('XAUT', '', 0.02, 30), ('ARB', '', 20, 30), ('OP', '', 10, 30), ('PEPE', '', 10000000, 30),
    ('SHIB', '', 10000000, 30), ('ETH', '', 0.001, 30), ('BNB', '', 0.005, 30), ('TRX', '', 10, 30);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chain', '0011_arrivals'),
    ]

    operations = [
        migrations.CreateModel(
            name='SweepRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asset', models.CharField(max_length=16)),
                ('network', models.CharField(blank=True, default='', help_text='Empty: every network.', max_length=32)),
                ('least_amount', models.DecimalField(decimal_places=18, help_text='In whole coins; less than this stays where it is.', max_digits=60)),
                ('after_s', models.PositiveIntegerField(default=30, help_text='Seconds without another deposit before it is swept.')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='intent',
            name='intent_made_for_its_purpose',
        ),
        migrations.AddField(
            model_name='hotwallet',
            name='kind',
            field=models.CharField(choices=[('hot', 'Hot'), ('deposit', 'Deposit')], default='hot', max_length=8),
        ),
        migrations.AddField(
            model_name='hotwallet',
            name='look_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='hotwallet',
            name='number',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='hotwallet',
            name='touched_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='hotwallet',
            name='touched_block',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='intent',
            name='purpose',
            field=models.CharField(choices=[('payment', 'Payment'), ('anchor', 'Anchor'), ('batch', 'Batch'), ('allowance', 'Allowance'), ('sweep', 'Sweep'), ('topup', 'Top Up')], default='payment', max_length=12),
        ),
        migrations.AddIndex(
            model_name='hotwallet',
            index=models.Index(condition=models.Q(('look_at__isnull', False)), fields=['network', 'look_at'], name='deposit_look_queue'),
        ),
        migrations.AddConstraint(
            model_name='hotwallet',
            constraint=models.UniqueConstraint(fields=('network', 'number'), name='deposit_lane_once'),
        ),
        migrations.AddConstraint(
            model_name='hotwallet',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'hot'), ('look_at', None), ('number', None), ('touched_at', None), ('touched_block', None)), models.Q(('kind', 'deposit'), ('number__gte', 0), ('touched_at__isnull', False), ('touched_block__isnull', False)), _connector='OR'), name='wallet_is_of_its_kind'),
        ),
        migrations.AddConstraint(
            model_name='intent',
            constraint=models.UniqueConstraint(condition=models.Q(('purpose', 'sweep'), ('state', 'OPEN')), fields=('wallet',), name='intent_one_open_sweep'),
        ),
        migrations.AddConstraint(
            model_name='intent',
            constraint=models.UniqueConstraint(condition=models.Q(('purpose', 'topup'), ('state', 'OPEN')), fields=('network', 'to_address'), name='intent_one_open_top_up'),
        ),
        migrations.AddConstraint(
            model_name='intent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_units__gt', 0), ('data', ''), ('payout_id__isnull', False), ('purpose', 'payment')), models.Q(('amount_units', 0), ('asset', ''), ('batch', None), ('contract', ''), ('payout_id', None), ('purpose', 'anchor'), models.Q(('data', ''), _negated=True)), models.Q(('amount_units', 0), ('batch', None), ('contract', ''), ('payout_id', None), ('purpose__in', ['batch', 'allowance']), models.Q(('data', ''), _negated=True), models.Q(('asset', ''), _negated=True)), models.Q(('amount_units__gt', 0), ('batch', None), ('data', ''), ('payout_id', None), ('purpose', 'sweep'), models.Q(('asset', ''), _negated=True)), models.Q(('amount_units__gt', 0), ('batch', None), ('contract', ''), ('data', ''), ('payout_id', None), ('purpose', 'topup'), models.Q(('asset', ''), _negated=True)), _connector='OR'), name='intent_made_for_its_purpose'),
        ),
        migrations.AddConstraint(
            model_name='sweeprule',
            constraint=models.UniqueConstraint(fields=('asset', 'network'), name='sweep_rule_once'),
        ),
        migrations.AddConstraint(
            model_name='sweeprule',
            constraint=models.CheckConstraint(condition=models.Q(('least_amount__gte', 0)), name='sweep_rule_not_negative'),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
