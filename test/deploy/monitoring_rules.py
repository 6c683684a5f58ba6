"""What each alert is tried on: {alert: (minutes, what makes it fire, what does not)}. A series is (metric, labels, values)
in the notation of promtool, a value every half minute; each has job, instance and namespace besides."""
HOUR = 120  # values


def one(metric, values, **labels):
    return metric, labels, values


def steady(value, count=400):
    return "%g+0x%d" % (value, count)


def rising(step, count=400, start=0):
    return "%g+%gx%d" % (start, step, count)


def event(count=400):
    """0, then once 1, late enough for a rate to have a beginning."""
    return "0x20 1x%d" % count


def gauge(metric, bad, good, minutes, **labels):
    return minutes, [one(metric, steady(bad), **labels)], [one(metric, steady(good), **labels)]


def counted(metric, **labels):
    """Fires at the first; 0 from the start is quiet."""
    return 11, [one(metric, event(), **labels)], [one(metric, steady(0), **labels)]


def ratio(part, whole, many, few, minutes):
    """part, whole: (metric, labels); many, few: what the part rises by while the whole rises by 100."""
    def made(step):
        return [one(part[0], rising(step), **part[1]), one(whole[0], rising(100), **whole[1])]
    return minutes, made(many), made(few)


def connected(value, attempts=9):
    return [one("egret_xds_connected", steady(value)), one("egret_xds_attempts_total", steady(attempts))]


def buckets(slow):
    """Of connect times: all below 0.1 s, or a tenth of them above a second."""
    below = {"0.1": 90 if slow else 100, "1": 90 if slow else 100, "5": 100, "+Inf": 100}
    return [one("egret_upstream_connect_duration_seconds_bucket", rising(step), le=le) for le, step in below.items()]


def versions(second):
    return [one("egret_build_info", steady(1), version="1"), one("egret_build_info", steady(1), version=second, instance="b")]


def groups(second):
    return [one("egret_control_group_version", steady(5), group="web"),
            one("egret_control_group_version", steady(second), group="web", instance="b")]


def denials(then):
    """Six a minute for two hours, then so many every half."""
    return [one("egret_policy_decisions_total", "0+3x240 720+%dx%d" % (then, HOUR), action="deny")]


FAILURES = "egret_failures_total"
LIMITS = "egret_limit_hits_total"

CASES = {
    "EgretAbsent": (6, [], [one("egret_build_info", steady(1))]),
    "EgretTargetDown": gauge("up", 0, 1, 4),
    "EgretNotReady": (6, [one("egret_ready", steady(0)), one("egret_draining", steady(0))],
                      [one("egret_ready", steady(0)), one("egret_draining", steady(1))]),
    "EgretCrashLooping": (20, [one("process_start_time_seconds", "1x10 2x10 3x10 4x60")],
                          [one("process_start_time_seconds", "1x10 2x60")]),
    "EgretInternalFailures": counted(FAILURES, detail="internal"),
    "EgretAccessLogLost": counted("egret_access_log_dropped_total"),
    "EgretVersionsDiffer": (125, versions("2"), versions("1")),
    "EgretConfigRejected": gauge("egret_config_errors", 2, 0, 6),
    "EgretControlPlaneUnreachable": (11, connected(0), connected(0, attempts=0)),
    "EgretConfigStale": (65, connected(0), [one("egret_xds_connected", "0x100 1x100"), *connected(0)[1:]]),
    "EgretRunsOnLastGood": gauge("egret_config_source", 1, 0, 16, source="last_good"),
    "EgretMissingReferences": gauge("egret_xds_missing_references", 1, 0, 11),
    "EgretUnknownFields": counted("egret_xds_unknown_fields_total"),
    "EgretDenialsJump": (140, denials(60), denials(6)),
    "EgretAuditWouldDeny": counted("egret_policy_audits_total", policy="p", rule="r", result="would_deny"),
    "EgretCredentialMisplaced": counted(FAILURES, detail="credential_misplaced"),
    "EgretAuthenticationFailures": (16, [one("egret_auth_refused_total", rising(60), reason="wrong")],
                                    [one("egret_auth_refused_total", rising(60), reason="missing")]),
    "EgretAuthorizationFailedOpen": counted("egret_ext_authz_total", result="failed_open"),
    "EgretAuthorizationErrors": ratio(("egret_ext_authz_total", {"result": "error"}),
                                      ("egret_ext_authz_total", {"result": "allowed"}), 10, 1, 11),
    "EgretIssuerKeysOld": (400, [one("egret_jwks_fetched_timestamp_seconds", steady(0, 900), url="https://i")],
                           [one("egret_jwks_fetched_timestamp_seconds", rising(30, 900), url="https://i")]),
    "EgretUpstreamFailures": ratio((FAILURES, {"detail": "connection_refused"}), ("egret_requests_total", {}), 20, 5, 16),
    "EgretUpstreamSlow": (21, buckets(True), buckets(False)),
    "EgretOriginsNotBelieved": ratio(("egret_tls_handshakes_total", {"side": "upstream", "result": "certificate"}),
                                     ("egret_tls_handshakes_total", {"side": "upstream", "result": "ok"}), 10, 1, 16),
    "EgretDnsTimeouts": ratio(("egret_dns_timeouts_total", {}), ("egret_dns_queries_total", {}), 10, 1, 11),
    "EgretDnsFailures": ratio(("egret_dns_failures_total", {}), ("egret_dns_queries_total", {}), 50, 20, 21),
    "EgretLocalPortsExhausted": counted(FAILURES, detail="local_ports_exhausted"),
    "EgretCertificateEndsSoon": gauge("egret_certificate_not_after_seconds", 6 * 86400, 9 * 86400, 62, secret="s"),
    "EgretCertificateEnds": gauge("egret_certificate_not_after_seconds", 80000, 2 * 86400, 7, secret="s"),
    "EgretSecretReloadFails": counted("egret_secret_reloads_total", result="failed"),
    "EgretLeavesFail": counted("egret_leaves_total", result="failed"),
    "EgretClientsDoNotTrust": ratio(("egret_leaf_refusals_total", {"reason": "unknown_ca"}),
                                    ("egret_tls_handshakes_total", {"side": "inside", "result": "ok"}), 10, 1, 25),
    "EgretTlsSecretsWritten": gauge("egret_tls_key_log_active", 1, 0, 1),
    "EgretTapOpen": gauge("egret_taps_open", 1, 0, 62),
    "EgretMemoryScarce": gauge("egret_overload_state", 1, 0, 3),
    "EgretOverloaded": gauge("egret_overload_state", 2, 1, 2),
    "EgretMemoryNearLimit": (11, [one("egret_memory_used_bytes", steady(95)), one("egret_memory_limit_bytes", steady(100))],
                             [one("egret_memory_used_bytes", steady(95)), one("egret_memory_limit_bytes", steady(0))]),
    "EgretDescriptorsNearLimit": (6, [one("process_open_fds", steady(90)), one("process_max_fds", steady(100))],
                                  [one("process_open_fds", steady(70)), one("process_max_fds", steady(100))]),
    "EgretConnectionsNearLimit": (
        6, [one("egret_client_connections_active", steady(90)), one("egret_client_connections_limit", steady(100))],
        [one("egret_client_connections_active", steady(90)), one("egret_client_connections_limit", steady(0))]),
    "EgretAcceptingRests": (12, [one("egret_accept_pauses_total", event()), one("egret_accept_queue_drops_total", steady(0))],
                            [one("egret_accept_pauses_total", steady(0)), one("egret_accept_queue_drops_total", steady(0))]),
    "EgretLimitsReached": (11, [one(LIMITS, rising(10), limit="connections")], [one(LIMITS, rising(10), limit="idle_timeout")]),
    "EgretHttp2Abuse": (16, [one(LIMITS, rising(10), limit="http2_resets")], [one(LIMITS, rising(1), limit="http2_resets")]),
    "EgretControlFilesInvalid": gauge("egret_control_group_valid", 0, 1, 6, group="web"),
    "EgretControlProxiesBehind": gauge("egret_control_proxies_behind", 1, 0, 11, group="web"),
    "EgretControlProxiesRefuse": gauge("egret_control_proxies_refusing", 1, 0, 3, group="web"),
    "EgretControlNoProxies": gauge("egret_control_proxies_connected", 0, 1, 16, group="web"),
    "EgretControlReplicasDiffer": (6, groups(6), groups(5)),
    "EgretControlRolloutHalted": gauge("egret_control_rollout_halted", 1, 0, 2, group="web"),
}


def text_of(metric, labels):
    labels = {"job": "egret", "instance": "a", "namespace": "egret-system", **labels}
    return "%s{%s}" % (metric, ",".join('%s="%s"' % item for item in labels.items()))


def promtool_file(rules, alert):
    """The tests of promtool: it fires on what it is for, and not on what is nearly that. `rules`: a file that has it."""
    minutes, fires, quiet = CASES[alert]
    return {"rule_files": [rules], "evaluation_interval": "1m", "tests": [{
        "name": "%s %s" % (alert, "fires" if expected else "does not"), "interval": "30s",
        "input_series": [{"series": text_of(metric, labels), "values": values} for metric, labels, values in made],
        "promql_expr_test": [{
            "expr": 'count(ALERTS{alertname="%s",alertstate="firing"})' % alert, "eval_time": "%dm" % minutes,
            "exp_samples": [{"labels": "{}", "value": 1}] if expected else []}]}
        for expected, made in ((True, fires), (False, quiet))]}
