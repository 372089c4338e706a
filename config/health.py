"""`/healthz` and `/readyz`: is the process alive, and is everything that it needs."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chain import alarms, families, gateway, networks
from payouts import ticks

STALE_S = 60  # a sweep that has not finished for so long has no worker


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Database, broker and chains are reachable and every sweep has run lately; 503 and what is wrong otherwise.

    Open alarms make it `degraded` and are listed; 503 only for the kinds that concern every caller (alarms.KINDS): a
    balancer that took the service away because one lane is short would stop what still goes on.
    """
    checks: dict[str, Any] = {"database": _checked(_database), "broker": _checked(_broker)}
    for network in networks.configured():
        checks[network.name] = _checked(functools.partial(_chain, network.name))
    checks["workers"] = _checked(_workers)
    checks["alarms"] = alarmed = _checked(_alarms)
    ready = all(check["ok"] for check in checks.values())
    status = "not ready" if not ready else "degraded" if alarmed.get("open") else "ready"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


def _checked(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ok": True} | check()
    except (DatabaseError, redis.RedisError, gateway.ChainError) as error:
        return {"ok": False, "error": type(error).__name__}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def _broker() -> dict[str, Any]:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return {}


def _chain(network: str) -> dict[str, Any]:
    head = families.gateway(network).head()
    return {"block": head.number, "final_block": head.final_number}


def _alarms() -> dict[str, Any]:
    """Kinds and since when; what and where is for those who log in."""
    found = list(alarms.standing())
    opened = [{"kind": alarm.kind, "since": alarm.raised_at, "seen": alarm.seen_at} for alarm in found]
    return {"ok": not any(alarms.KINDS[alarm.kind].makes_unready for alarm in found), "open": opened}


def _workers() -> dict[str, Any]:
    now = datetime.now(UTC)
    ages_s = {tick.sweep: round((now - tick.at).total_seconds(), 1) for tick in ticks.Tick.objects.all()}
    late = [name for name in ticks.SWEEPS if ages_s.get(name, STALE_S + 1) > STALE_S]
    return {"ok": not late, "last_tick_s_ago": ages_s, "late": late}
