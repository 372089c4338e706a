"""Every route of the dashboard."""

from django.urls import path

from payouts.dashboard import joining, login, overview, security

app_name = "dashboard"
urlpatterns = [
    path("", overview.page, name="overview"),
    path("login", login.password, name="login"),
    path("login/code", login.code, name="login-code"),
    path("login/enrol", login.enrol, name="login-enrol"),
    path("logout", login.leave, name="logout"),
    path("join/<int:person>/<str:token>", joining.page, name="join"),
    path("security", security.page, name="security"),
]
