"""Every route of the dashboard."""

from django.urls import path

from payouts.dashboard import deciding, joining, login, overview, payout, security, withdrawals

app_name = "dashboard"
urlpatterns = [
    path("", overview.page, name="overview"),
    path("login", login.password, name="login"),
    path("login/code", login.code, name="login-code"),
    path("login/enrol", login.enrol, name="login-enrol"),
    path("logout", login.leave, name="logout"),
    path("join/<int:person>/<str:token>", joining.page, name="join"),
    path("payout", payout.new, name="payout"),
    path("withdrawals", withdrawals.listed, name="withdrawals"),
    path("withdrawals/<str:public_id>", withdrawals.shown, name="withdrawal"),
    path("withdrawals/<str:public_id>/cancel", withdrawals.cancel, name="withdrawal-cancel"),
    path("withdrawals/<str:public_id>/<str:choice>", deciding.page, name="withdrawal-decide"),
    path("security", security.page, name="security"),
]
