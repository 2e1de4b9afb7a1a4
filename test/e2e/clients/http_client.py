"""An integrator's day: register, feed, track, read, adapt, and every mistake that can be made over HTTP."""
import json
import time

import requests

from api import BASE, bad, call, good, json_of, session
from check import (
    check, fields, finish, is_bool, is_integer, is_list, is_number, is_object, is_text, is_time, list_of,
    one_of, or_null, snake_case_only,
)
from signals import REGIMES

RUN = str(int(time.time() * 1000) % 100_000_000)
SYMBOL = f"PYA{RUN}USDT"
PROCESS = "/api/strategy_engine/process_market_data"


def types():
    data = good("GET", "/api/strategy/types")
    check("types: a list", is_list(data.get("types")) and len(data["types"]) > 0, data)
    for each in data.get("types", []):
        fields(f"type {each.get('type')}", each, {
            "type": is_text, "family": is_text, "description": is_text, "inputs": is_list,
            "tier": one_of("fast", "tactical", "strategic"), "parameters": is_object,
        })
        properties = each.get("parameters", {}).get("properties", {})
        for parameter, schema in properties.items():
            name = f"type {each.get('type')}.{parameter}"
            check(f"{name}: a default", "default" in schema, schema)
            check(f"{name}: a description", is_text(schema.get("description")), schema)
            if schema.get("type") in ("number", "integer"):
                check(f"{name}: bounds", is_number(schema.get("minimum")) and is_number(schema.get("maximum")), schema)
    known = {each.get("type"): each for each in data.get("types", [])}
    return known


def another_value(schema):
    """A valid value of the parameter that is not its default."""
    low, high, default = schema["minimum"], schema["maximum"], schema["default"]
    if schema["type"] == "integer":
        return default + 1 if default + 1 <= high else default - 1
    middle = default + (high - default) / 10 if high > default else default - (default - low) / 10
    return round(middle, 6)


def numeric_parameter(known, strategy_type):
    for name, schema in known[strategy_type]["parameters"]["properties"].items():
        if schema.get("type") in ("number", "integer") and schema["minimum"] < schema["maximum"]:
            return name, schema
    return None, None


def register():
    first = good("POST", "/api/strategy/register", {
        "strategy_type": "trend_following", "asset_types": ["crypto"], "symbols": [SYMBOL], "parameters": {},
    })
    fields("register", first, {
        "strategy_id": is_text, "registration_time": is_time, "version": is_integer, "warnings": list_of(is_text),
    })
    check("register: the first version is 1", first.get("version") == 1, first)
    number = str(first.get("strategy_id", "")).rpartition("_")
    check("register: type and number", number[0] == "trend_following" and len(number[2]) >= 3 and number[2].isdigit(), first)
    second = good("POST", "/api/strategy/register", {"strategy_type": "trend_following", "symbols": [SYMBOL]})
    follows = int(str(second.get("strategy_id", "_0")).rpartition("_")[2] or 0) == int(number[2] or -2) + 1
    check("register: the next number", follows, (first, second))
    gone = good("DELETE", f"/api/strategy/{second.get('strategy_id')}")
    check("delete: answers the id", gone.get("strategy_id", second.get("strategy_id")) == second.get("strategy_id"), gone)
    third = good("POST", "/api/strategy/register", {"strategy_type": "trend_following", "symbols": [SYMBOL]})
    check("register: a number is never used again", third.get("strategy_id") not in
          (first.get("strategy_id"), second.get("strategy_id")), third)
    good("DELETE", f"/api/strategy/{third.get('strategy_id')}")
    key = {"Idempotency-Key": f"register-{RUN}"}
    body = {"strategy_type": "mean_reversion", "symbols": [SYMBOL]}
    once = good("POST", "/api/strategy/register", body, key)
    again = good("POST", "/api/strategy/register", body, key)
    check("register: an Idempotency-Key makes a retry safe", once.get("strategy_id") == again.get("strategy_id"), again)
    own = {"strategy_type": "mean_reversion", "symbols": [SYMBOL], "strategy_id": f"mine-{RUN}"}
    named = good("POST", "/api/strategy/register", own)
    check("register: an id of one's own", named.get("strategy_id") == f"mine-{RUN}", named)
    other = dict(own, symbols=["OTHERUSDT"])
    bad("register: the id with other content", call("POST", "/api/strategy/register", other), 409, "ConflictError")
    bad("register: unknown type", call("POST", "/api/strategy/register", {"strategy_type": "nope"}), 422, "ValueError")
    wrong = bad("register: no type", call("POST", "/api/strategy/register", {}), 422, "ValueError")
    check("register: names strategy_type", wrong.get("details", [{}])[0].get("path") == "strategy_type", wrong)
    wrong_id = dict(own, strategy_id="Not An Id!")
    bad("register: id not of the form", call("POST", "/api/strategy/register", wrong_id), 422, "ValueError")
    return first["strategy_id"], once["strategy_id"]


def update(strategy_id, known):
    name, schema = numeric_parameter(known, "mean_reversion")
    if not check("update: a numeric parameter to change", name is not None, known.get("mean_reversion")):
        return
    value = another_value(schema)
    path = f"/api/strategy/{strategy_id}"
    done = good("PUT", path, {"parameters": {name: value}, "expected_version": 1})
    fields("update", done, {"strategy_id": is_text, "version": is_integer, "parameters": is_object})
    check("update: version 2", done.get("version") == 2, done)
    check("update: the value", done.get("parameters", {}).get(name) == value, done)
    bad("update: a version that is not current", call("PUT", path, {"name": "x", "expected_version": 1}), 409, "ConflictError")
    over = bad("update: out of bounds", call("PUT", path, {"parameters": {name: schema["maximum"] * 10 + 1}}), 422, "ValueError")
    check("update: names the parameter", name in json.dumps(over.get("details")), over)
    paused = good("PUT", path, {"state": "paused"})
    check("update: version 3", paused.get("version") == 3, paused)
    shown = good("GET", path)
    strategy = shown.get("strategy", shown)
    check("get: state paused", strategy.get("state") == "paused", shown)
    check("get: version 3", strategy.get("version") == 3, shown)
    parameter = strategy.get("parameters", {}).get(name, {})
    check("get: the parameter's value and default", is_object(parameter) and parameter.get("value") == value and
          parameter.get("default") == schema["default"], parameter)
    versions = good("GET", path + "/versions")
    check("versions: three", is_list(versions.get("versions")) and len(versions["versions"]) == 3, versions)
    back = good("POST", path + "/rollback", {"version": 1})
    check("rollback: a new version with the old value", back.get("version") == 4 and
          back.get("parameters", {}).get(name) == schema["default"], back)
    bad("rollback: unknown version", call("POST", path + "/rollback", {"version": 99}), 404, "NotFoundError")
    good("PUT", path, {"state": "active"})
    decisions = good("GET", path + "/decisions")
    check("decisions: decisions and funnel", is_list(decisions.get("decisions")) and "funnel" in decisions, decisions)
    listed = good("GET", "/api/strategy?limit=1000")
    check("list: has it", strategy_id in json.dumps(listed), listed)
    page = good("GET", "/api/strategy?limit=1")
    check("list: a page of one with a cursor", len(page.get("strategies", [])) == 1 and is_text(page.get("cursor")), page)
    bad("list: a page too large", call("GET", "/api/strategy?limit=1001"), 422, "ValueError")
    for method, where in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/versions"), ("GET", "/decisions")):
        body = {"name": "x"} if method == "PUT" else None
        bad(f"{method} an unknown strategy{where}", call(method, f"/api/strategy/nope_001{where}", body), 404, "NotFoundError")


def market_data(strategy_id):
    now = time.time()
    result = {
        "strategies_applied": is_integer, "signals_generated": is_integer, "signals": is_list,
        "ticks_accepted": is_integer, "ticks_rejected": is_integer, "rejected": is_list, "execution_time_ms": is_number,
    }
    one = good("POST", PROCESS, {"market_data": {"symbol": SYMBOL, "price": 50000.0, "volume": 1.5, "timestamp": now}})
    fields("one tick", one, result)
    check("one tick: accepted", (one.get("ticks_accepted"), one.get("ticks_rejected")) == (1, 0), one)
    check("one tick: several strategies follow the symbol", one.get("strategies_applied", 0) >= 2, one)
    batch = [
        {"symbol": SYMBOL, "price": 50001.0, "volume": 1, "timestamp": now},
        {"symbol": SYMBOL, "price": "50002.5", "volume": "2.0", "timestamp": round(now)},
        {"symbol": SYMBOL.lower(), "price": 50003, "timestamp": int(now * 1000)},
        {"symbol": SYMBOL, "price": 50004, "timestamp": int(now * 1_000_000)},
        {"symbol": SYMBOL, "price": 50005, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))},
        {"symbol": SYMBOL, "price": 50006},
        {"symbol": SYMBOL, "bid": 50000, "ask": 50001, "unknown_field": {"deep": [1]}},
    ]
    many = good("POST", PROCESS, {"market_data": batch, "asset_types": ["crypto"]})
    fields("a batch", many, result)
    check("a batch: all accepted", (many.get("ticks_accepted"), many.get("ticks_rejected")) == (len(batch), 0), many)
    check("a batch: the counts agree", many.get("signals_generated") == len(many.get("signals", [])), many)
    mixed = good("POST", PROCESS, {"market_data": [batch[0], {"symbol": SYMBOL, "price": -5}, batch[5], {"price": 1}]})
    check("a mixed batch: two of four", (mixed.get("ticks_accepted"), mixed.get("ticks_rejected")) == (2, 2), mixed)
    rejected = mixed.get("rejected", [])
    check("a mixed batch: where", [(each.get("index"), each.get("path")) for each in rejected] ==
          [(1, "market_data[1].price"), (3, "market_data[3].symbol")], rejected)
    check("a mixed batch: why", bool(rejected) and "greater than 0" in rejected[0].get("message", ""), rejected)
    none = bad("no valid tick", call("POST", PROCESS, {"market_data": [{"symbol": SYMBOL, "price": -5}]}), 422, "ValueError")
    detail = (none.get("details") or [{}])[0]
    check("no valid tick: the detail", detail.get("path") == "market_data[0].price" and detail.get("received") == -5 and
          detail.get("message") == "must be greater than 0", none)
    check("no valid tick: the message", none.get("message") == "market_data[0].price must be greater than 0", none)
    for value, why in (("abc", "text"), (None, "null"), (0, "zero"), (True, "a boolean"), ([], "a list")):
        answer = call("POST", PROCESS, {"market_data": {"symbol": SYMBOL, "price": value}})
        bad(f"a price that is {why}", answer, 422, "ValueError")
    future = {"symbol": SYMBOL, "price": 1, "timestamp": now + 3600}
    bad("an hour ahead", call("POST", PROCESS, {"market_data": future}), 422, "ValueError")
    bad("the year 1969", call("POST", PROCESS, {"market_data": dict(future, timestamp=-5)}), 422, "ValueError")
    bad("no market_data", call("POST", PROCESS, {}), 422, "ValueError")
    bad("a list for a body", call("POST", PROCESS, []), 422, "ValueError")
    hostile = json.loads('{"symbol": "__PROTO__", "price": 1, "__proto__": {"x": 1}, "constructor": 2}')
    good("POST", PROCESS, {"market_data": hostile})
    historical = [
        {"symbol": f"PYH{RUN}USDT", "open": 100 + i, "high": 102 + i, "low": 99 + i, "close": 101 + i, "volume": 10,
         "timeframe": "1m", "timestamp": 1_700_000_040 + 60 * i, "source": "history"}
        for i in range(50)
    ]
    bars = good("POST", PROCESS, {"market_data": historical})
    check("bars: accepted", bars.get("ticks_accepted") == 50, bars)
    too_many = [{"symbol": SYMBOL, "price": 1}] * 10_001
    bad("10,001 ticks", call("POST", PROCESS, {"market_data": too_many}), 413, "PayloadTooLargeError")


def track(strategy_id):
    path = "/api/performance/track"
    plain = {"strategy_id": strategy_id, "execution_result": {"pnl": 150.5, "success": True, "execution_time_ms": 12}}
    first = good("POST", path, plain)
    fields("track", first, {
        "performance_updated": is_bool, "new_metrics": is_object, "duplicate": is_bool, "deduplicated": is_bool,
    })
    check("track: updated, not deduplicated", (first.get("performance_updated"), first.get("duplicate"),
          first.get("deduplicated")) == (True, False, False), first)
    loss = {"pnl": -50.25, "success": False, "execution_time_ms": 8.5, "execution_id": f"e1-{RUN}", "symbol": SYMBOL}
    body = {"strategy_id": strategy_id, "execution_result": loss}
    second = good("POST", path, body)
    check("track: with an id", (second.get("duplicate"), second.get("deduplicated")) == (False, True), second)
    again = good("POST", path, body)
    check("track: again is a duplicate", (again.get("performance_updated"), again.get("duplicate"),
          again.get("deduplicated")) == (False, True, True), again)
    other = {"strategy_id": strategy_id, "execution_result": dict(loss, pnl=1)}
    bad("track: the id with other content", call("POST", path, other), 409, "ConflictError")
    key = {"Idempotency-Key": f"track-{RUN}"}
    third = good("POST", path, plain, key)
    fourth = good("POST", path, plain, key)
    check("track: an Idempotency-Key is an id", (third.get("duplicate"), fourth.get("duplicate")) == (False, True), fourth)
    for index in range(10):
        cents = {"pnl": 0.1, "success": True, "execution_time_ms": 1, "execution_id": f"c{index}-{RUN}"}
        good("POST", path, {"strategy_id": strategy_id, "execution_result": cents})
    data = good("GET", f"/api/performance/{strategy_id}")
    fields("performance", data, {"metrics": is_object, "reasons": is_object, "basis": one_of("money", "capital")})
    metrics, reasons = data.get("metrics", {}), data.get("reasons", {})
    for name in ("total_pnl", "executions", "success_rate", "sharpe_ratio", "max_drawdown", "win_rate", "max_drawdown_amount"):
        check(f"performance: has {name}", name in metrics, sorted(metrics))
    check("performance: sums are exact", metrics.get("total_pnl") == 251.75, metrics.get("total_pnl"))
    check("performance: thirteen counted", metrics.get("executions") == 13, metrics.get("executions"))
    check("performance: success rate", abs((metrics.get("success_rate") or 0) - 12 / 13) < 1e-9, metrics.get("success_rate"))
    check("performance: no capital, no percentage", metrics.get("max_drawdown", 0) is None and
          reasons.get("max_drawdown") == "no_capital_base", (metrics.get("max_drawdown"), reasons))
    check("performance: the drawdown in money", metrics.get("max_drawdown_amount") == 50.25, metrics.get("max_drawdown_amount"))
    check("performance: of money", data.get("basis") == "money", data.get("basis"))
    undefined = [name for name, value in metrics.items() if value is None and not is_text(reasons.get(name))]
    check("performance: a reason beside every null", undefined == [], undefined)
    new = good("POST", path, body).get("new_metrics", {})
    different = {name: (value, metrics.get(name)) for name, value in new.items() if value != metrics.get(name)}
    check("track: the new metrics are those that are read", different == {}, different)
    missing = {"total_pnl", "executions", "success_rate", "sharpe_ratio", "max_drawdown"} - set(new)
    check("track: the new metrics have the main ones", missing == set(), missing)
    total = good("GET", "/api/performance")
    check("performance of all: metrics", is_object(total.get("metrics")), total)
    by_symbol = good("GET", f"/api/performance/{strategy_id}?by=symbol&curve=true")
    check("performance by symbol", SYMBOL in json.dumps(by_symbol), by_symbol)
    bad("track: unknown strategy", call("POST", path, dict(plain, strategy_id="nope_001")), 404, "NotFoundError")
    bad("performance: unknown strategy", call("GET", "/api/performance/nope_001"), 404, "NotFoundError")
    wrong = {"strategy_id": strategy_id, "execution_result": {"pnl": "x", "success": True, "execution_time_ms": 1}}
    error = bad("track: pnl that is none", call("POST", path, wrong), 422, "ValueError")
    check("track: names execution_result.pnl", (error.get("details") or [{}])[0].get("path") == "execution_result.pnl", error)
    wrong["execution_result"] = {"pnl": 9.1e10, "success": True, "execution_time_ms": 1}
    bad("track: money out of range", call("POST", path, wrong), 422, "ValueError")


def learning(strategy_id):
    path = "/api/learning/force_adaptation"
    conditions = {"volatility": "high", "trend_strength": "strong"}
    dry = good("POST", path, {"strategy_id": strategy_id, "market_conditions": conditions, "dry_run": True})
    fields("dry run", dry, {"adaptation_triggered": is_bool, "new_parameters": is_object, "adaptations": is_list})
    check("dry run: nothing applied", all(each.get("applied") is False for each in dry.get("adaptations", [])), dry)
    before = good("GET", f"/api/strategy/{strategy_id}")
    version = before.get("strategy", before).get("version")
    done = good("POST", path, {"strategy_id": strategy_id, "market_conditions": conditions})
    fields("force", done, {"adaptation_triggered": is_bool, "new_parameters": is_object, "adaptations": is_list})
    for each in done.get("adaptations", []):
        fields("adaptation", each, {
            "adaptation_id": is_text, "strategy_id": is_text, "stage": is_text, "applied": is_bool, "from": is_object,
            "to": is_object, "reason": lambda value: bool(value), "evidence": is_object,
            "revert": or_null(lambda value: bool(value)),
        })
    check("force: an explicit act is applied", done.get("adaptation_triggered") is True, done)
    after = good("GET", f"/api/strategy/{strategy_id}")
    after = after.get("strategy", after)
    if done.get("adaptation_triggered"):
        check("force: a new version", after.get("version") == version + 1, (version, after.get("version")))
        shown = {name: view.get("value") for name, view in after.get("parameters", {}).items()}
        flat = done.get("new_parameters", {})
        check("force: flat and in use", flat != {} and all(shown.get(name) == value for name, value in flat.items()),
              (flat, shown))
        applied = [each for each in done["adaptations"] if each.get("applied")]
        undone = good("POST", f"/api/learning/adaptations/{applied[0]['adaptation_id']}/revert") if applied else {}
        check("revert: answers the adaptation", "revert" in json.dumps(undone), undone)
    by_type = good("POST", path, {"strategy_type": "trend_following", "market_conditions": {"volatility": 0.7, "trend_strength": "weak"}, "dry_run": True})
    check("force by type: adaptations", is_list(by_type.get("adaptations")), by_type)
    bad("force: unknown strategy", call("POST", path, {"strategy_id": "nope_001"}), 404, "NotFoundError")
    wrong = {"strategy_id": strategy_id, "market_conditions": {"volatility": "huge"}}
    bad("force: unknown volatility", call("POST", path, wrong), 422, "ValueError")
    bad("force: neither type nor id", call("POST", path, {}), 422, "ValueError")
    trail = good("GET", "/api/learning/adaptations")
    check("trail: a list", is_list(trail.get("adaptations")), trail)
    bad("revert: unknown", call("POST", "/api/learning/adaptations/nope/revert"), 404, "NotFoundError")
    for where in ("/api/learning/insights", f"/api/learning/insights?symbol={SYMBOL}"):
        insights = good("GET", where).get("insights")
        fields("insights", insights, {
            "market_regime": one_of(*REGIMES), "optimal_strategies": list_of(is_text),
            "performance_trends": one_of("improving", "stable", "declining", "unknown"),
            "adaptation_recommendations": list_of(is_text), "evidence": is_object,
        })
    good("POST", "/api/learning/freeze", {"frozen": True, "reason": "drill"})
    frozen = good("POST", path, {"strategy_id": strategy_id, "market_conditions": conditions})
    check("frozen: refuses and says so", frozen.get("adaptation_triggered") is False and "fr" in json.dumps(frozen), frozen)
    good("POST", "/api/learning/freeze", {"frozen": False})


def summary():
    data = good("GET", "/api/strategy_engine/summary")
    fields("summary", data, {
        "system_health": one_of("excellent", "good", "degraded", "critical"), "active_strategies": is_integer,
        "total_performance": or_null(is_number), "total_pnl": or_null(is_number), "last_update": is_time,
        "uptime_s": is_number, "components": is_object, "durability": lambda value: bool(value),
        "role": one_of("leader", "standby"), "throughput": is_object, "latency_ms": is_object, "error_rate": is_number,
    })
    check("summary: a success rate", data.get("total_performance") is None or 0 <= data["total_performance"] <= 1, data)
    for name, component in data.get("components", {}).items():
        fields(f"component {name}", component, {"health": is_text, "message": lambda value: isinstance(value, str), "since": is_time})
    for tier, latency in data.get("latency_ms", {}).items():
        fields(f"latency {tier}", latency, {name: or_null(is_number) for name in ("p50", "p95", "p99")})
    snake_case_only("summary", data)
    health = call("GET", "/api/health")
    check("health: 200", health.status_code == 200, health.text[:300])
    metrics = session.get(BASE + "/api/metrics", timeout=6)
    check("metrics: Prometheus text", metrics.status_code == 200 and "strategy_engine_signals_total" in metrics.text, metrics.text[:300])
    openapi = json_of("openapi", session.get(BASE + "/api/openapi.json", timeout=6))
    check("openapi: 3.1", str(openapi.get("openapi", "")).startswith("3.1"), openapi.get("openapi"))
    for path in (PROCESS, "/api/strategy_engine/summary", "/api/strategy/register", "/api/performance/track",
                 "/api/learning/force_adaptation", "/api/learning/insights", "/api/strategy/types"):
        check(f"openapi: {path}", path in openapi.get("paths", {}), sorted(openapi.get("paths", {})))


def mistakes():
    json_type = {"Content-Type": "application/json"}
    for text in ('{"market_data": [', "", "not json", '{"a": 1,}', "\u0000", '{"market_data": NaN}'):
        answer = session.post(BASE + PROCESS, data=text.encode(), headers=json_type, timeout=6)
        bad(f"malformed JSON {text!r}", answer, 400, "JSONDecodeError")
    deep = '{"market_data": ' + "[" * 100 + "]" * 100 + "}"
    bad("nested too deep", session.post(BASE + PROCESS, data=deep, headers=json_type, timeout=6), 400, "JSONDecodeError")
    abyss = "[" * 200_000 + "]" * 200_000
    bad("nested very deep", session.post(BASE + PROCESS, data=abyss, headers=json_type, timeout=6), 400, "JSONDecodeError")
    answer = session.post(BASE + PROCESS, data='{"market_data": []}', headers={"Content-Type": "text/plain"}, timeout=6)
    bad("not said to be JSON", answer, 415, "UnsupportedMediaTypeError")
    large = json.dumps({"market_data": {"symbol": SYMBOL, "price": 1, "pad": "x" * 1_100_000}})
    try:
        bad("over 1 MiB", session.post(BASE + PROCESS, data=large, headers=json_type, timeout=6), 413, "PayloadTooLargeError")
    except requests.exceptions.ConnectionError as error:
        check("over 1 MiB: answered, not cut", False, error)
    bad("unknown route", call("GET", "/api/nope"), 404, "NotFoundError")
    bad("unknown route outside", call("GET", "/nope"), 404, "NotFoundError")
    wrong = call("GET", PROCESS)
    bad("wrong method", wrong, 405, "MethodNotAllowedError")
    check("wrong method: Allow", "POST" in wrong.headers.get("Allow", ""), dict(wrong.headers))
    mine = call("GET", "/api/nope", headers={"X-Request-Id": "my-id.1"})
    check("request id: mine is kept", mine.headers.get("X-Request-Id") == "my-id.1", dict(mine.headers))
    insane = call("GET", "/api/nope", headers={"X-Request-Id": "x" * 65})
    check("request id: too long is replaced", insane.headers.get("X-Request-Id") != "x" * 65, dict(insane.headers))
    check("CORS is off", "Access-Control-Allow-Origin" not in call("GET", "/api/health", headers={"Origin": "http://a"}).headers)


def main():
    known = types()
    if not known:
        finish("http")
    trend, reversion = register()
    update(reversion, known)
    market_data(trend)
    track(trend)
    learning(reversion)
    mistakes()
    summary()
    finish("http")


if __name__ == "__main__":
    main()
