"""OAuth2 applications, rates, currencies and their limits; fees in per cent; what a withdrawal was priced in."""

import django.contrib.postgres.fields
import django.db.models.deletion
import oauth2_provider.generators
import oauth2_provider.models
import payouts.merchants.oauth_models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    run_before = [('oauth2_provider', '0001_initial')]  # whose tokens point to our applications

    dependencies = [
        ('payouts', '0015_members'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('client_id', models.CharField(db_index=True, default=oauth2_provider.generators.generate_client_id, max_length=255, unique=True, verbose_name='client ID')),
                ('redirect_uris', models.TextField(blank=True, help_text='Allowed URIs list, space separated', verbose_name='redirect URIs')),
                ('post_logout_redirect_uris', models.TextField(blank=True, default='', help_text='Allowed Post Logout URIs list, space separated', verbose_name='post logout redirect URIs')),
                ('client_type', models.CharField(choices=[('confidential', 'Confidential'), ('public', 'Public')], max_length=32, verbose_name='client type')),
                ('authorization_grant_type', models.CharField(choices=[('authorization-code', 'Authorization code'), ('urn:ietf:params:oauth:grant-type:device_code', 'Device Code'), ('implicit', 'Implicit'), ('password', 'Resource owner password-based'), ('client-credentials', 'Client credentials'), ('openid-hybrid', 'OpenID connect hybrid')], max_length=44, verbose_name='authorization grant type')),
                ('client_secret', oauth2_provider.models.ClientSecretField(blank=True, db_index=True, default=oauth2_provider.generators.generate_client_secret, help_text='Client secret for authentication', max_length=255, verbose_name='client secret')),
                ('hash_client_secret', models.BooleanField(default=True, verbose_name='hash client secret')),
                ('name', models.CharField(blank=True, max_length=255, verbose_name='name')),
                ('skip_authorization', models.BooleanField(default=False, verbose_name='skip authorization')),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('algorithm', models.CharField(blank=True, choices=[('', 'No OIDC support'), ('RS256', 'RSA with SHA-2 256'), ('HS256', 'HMAC with SHA-2 256')], default='', max_length=5, verbose_name='algorithm')),
                ('allowed_origins', models.TextField(blank=True, default='', help_text='Allowed origins list to enable CORS, space separated', verbose_name='allowed origins')),
                ('registration_source', models.CharField(choices=[('manual', 'Manual'), ('dcr', 'Dynamic Client Registration'), ('cimd', 'Client ID Metadata Document')], default='manual', help_text='How this application was registered (manual, DCR per RFC 7591, or CIMD)', max_length=32, verbose_name='registration source')),
                ('cimd_expires_at', models.DateTimeField(blank=True, default=None, help_text='When the cached Client ID Metadata Document should be re-fetched', null=True, verbose_name='CIMD expires at')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=payouts.merchants.oauth_models.usual_scopes, help_text='What its tokens may be good for.', size=None)),
            ],
        ),
        migrations.CreateModel(
            name='CurrencyLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asset', models.CharField(max_length=16)),
                ('network', models.CharField(max_length=16)),
                ('payment_min_units', models.DecimalField(decimal_places=0, max_digits=78)),
                ('payment_max_units', models.DecimalField(decimal_places=0, max_digits=78)),
                ('withdrawal_min_units', models.DecimalField(decimal_places=0, max_digits=78)),
                ('withdrawal_max_units', models.DecimalField(decimal_places=0, max_digits=78)),
                ('is_popular', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['asset', 'network'],
            },
        ),
        migrations.CreateModel(
            name='Rate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('base', models.CharField(help_text='An asset or a currency: USDT, ETH, EUR.', max_length=16)),
                ('quote', models.CharField(help_text='What it is worth something in: USD.', max_length=16)),
                ('rate', models.DecimalField(decimal_places=20, help_text='How many quote one base is worth.', max_digits=40)),
                ('source', models.CharField(default='table', help_text="Who says so; no provider changes the table's.", max_length=100)),
                ('at', models.DateTimeField(help_text='Since when the source says so.')),
                ('good_for_s', models.PositiveIntegerField(blank=True, help_text='Older than that it is not used; empty: until it is changed.', null=True, verbose_name='good for (s)')),
            ],
            options={
                'ordering': ['base', 'quote'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='feerule',
            name='fee_not_negative',
        ),
        migrations.AddField(
            model_name='feerule',
            name='percent',
            field=models.DecimalField(decimal_places=4, default=Decimal('0'), help_text="Of the amount, beside the flat part: the platform's.", max_digits=7),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='custom_id',
            field=models.CharField(blank=True, help_text='What the merchant calls it.', max_length=64),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='platform_units',
            field=models.DecimalField(decimal_places=0, default=0, help_text="The platform's part of the fee; the rest is the network's.", max_digits=78),
        ),
        migrations.AddField(
            model_name='withdrawal',
            name='price',
            field=models.JSONField(help_text='What it was priced in, where that was no coin: amount, currency, rate, its source and time.', null=True),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(condition=models.Q(('custom_id', ''), _negated=True), fields=['merchant', 'custom_id'], name='withdrawal_by_custom_id'),
        ),
        migrations.AddConstraint(
            model_name='feerule',
            constraint=models.CheckConstraint(condition=models.Q(('flat_units__gte', 0), ('percent__gte', 0), ('percent__lt', 100)), name='fee_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('platform_units__gte', 0), ('platform_units__lte', models.F('fee_units'))), name='platform_part_is_of_the_fee'),
        ),
        migrations.AddField(
            model_name='application',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payouts.merchant'),
        ),
        migrations.AddField(
            model_name='application',
            name='user',
            field=models.ForeignKey(blank=True, help_text='Who made it; this person may not approve what it asks for.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='currencylimit',
            constraint=models.UniqueConstraint(fields=('asset', 'network'), name='one_limit_per_currency'),
        ),
        migrations.AddConstraint(
            model_name='currencylimit',
            constraint=models.CheckConstraint(condition=models.Q(('payment_max_units__gte', models.F('payment_min_units')), ('payment_min_units__gt', 0), ('withdrawal_max_units__gte', models.F('withdrawal_min_units')), ('withdrawal_min_units__gt', 0)), name='currency_limits_are_ranges'),
        ),
        migrations.AddConstraint(
            model_name='rate',
            constraint=models.UniqueConstraint(fields=('base', 'quote'), name='one_rate_per_pair'),
        ),
        migrations.AddConstraint(
            model_name='rate',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gt', Decimal('0'))), name='rate_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='rate',
            constraint=models.CheckConstraint(condition=models.Q(('base', models.F('quote')), _negated=True), name='rate_of_two'),
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['read', 'write', 'admin']), ('scopes__len__gt', 0)), name='application_scopes_known'),
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.CheckConstraint(condition=models.Q(('authorization_grant_type', 'client-credentials'), ('client_type', 'confidential'), ('hash_client_secret', True)), name='application_of_programs_alone'),
        ),
    ]
