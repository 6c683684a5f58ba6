"""What the dashboards show. `make` turns it into the JSON files beside it; a test sees that they agree."""
from layout import Lines, Number, Table, dashboard, series, variable

ONE = '{job=~"$job",instance=~"$instance"}'
RATE = "$__rate_interval"


def of(metric, *labels):
    """The metric of the proxies that are chosen, with more matchers."""
    return "%s{%s}" % (metric, ",".join(('job=~"$job"', 'instance=~"$instance"', *labels)))


def rate(metric, *labels, by=""):
    return "sum%s (rate(%s[%s]))" % (" by (%s)" % by if by else "", of(metric, *labels), RATE)


def total(metric, *labels, by=""):
    return "sum%s (%s)" % (" by (%s)" % by if by else "", of(metric, *labels))


def within_range(metric, *labels, by):
    return "sum by (%s) (increase(%s[$__range])) > 0" % (by, of(metric, *labels))


def quantiles(metric):
    return [series("histogram_quantile(%s, %s)" % (q, rate(metric + "_bucket", by="le")), "p%g" % (100 * q))
            for q in (0.5, 0.9, 0.99)]


def times(title, metric, description, **more):
    return Lines(title, description, "s", *quantiles(metric), **more)


PROXIES = [variable("job", "Job", "egret_build_info"),
           variable("instance", "Instance", 'egret_build_info{job=~"$job"}')]
CONTROL = [variable("job", "Job", "egret_control_build_info"),
           variable("group", "Group", 'egret_control_group_valid{job=~"$job"}')]

FAILED_UPSTREAM = ('detail=~"connection_(refused|timeout|reset|failed)|destination_unreachable|upstream_.+|parent_.+"',
                   'detail!="upstream_limit"')

OVERVIEW = [
    ("Now", [
        Number("Ready", "Proxies that say they take traffic.", "short", series(total("egret_ready"), "ready")),
        Number("Versions", "More than one for long: a roll-out has stopped half way.", "short",
               series("count(count by (version) (%s))" % of("egret_build_info"), "versions"), bad=2),
        Number("Requests", "A second, CONNECT among them.", "reqps", series(rate("egret_requests_total"), "requests")),
        Number("Tunnels", "Open now.", "short", series(total("egret_tunnels_active"), "tunnels")),
        Number("Faults of configuration", "In files, or in what was pushed. /config_status has them.", "short",
               series(total("egret_config_errors"), "faults"), bad=1),
        Number("Memory state", "The worst proxy's: 0 plenty, 1 soft threshold, 2 hard threshold.", "short",
               series("max(%s)" % of("egret_overload_state"), "state"), bad=1),
    ]),
    ("Traffic", [
        Lines("Responses", "By class of the status; none: nothing was sent.", "reqps",
              series(rate("egret_responses_total", by="class"), "{{class}}"), stacked=True),
        Lines("Open", "Connections of clients, requests without a complete response, tunnels.", "short",
              series(total("egret_client_connections_active"), "connections"),
              series(total("egret_requests_active"), "requests"), series(total("egret_tunnels_active"), "tunnels"),
              series(total("egret_client_connections_limit"), "limit of connections (0: none)", dashed=True)),
        Lines("Bytes", "Of exchanges and tunnels when they end, so a long tunnel is a peak.", "Bps",
              series(rate("egret_client_sent_bytes_total"), "to clients"),
              series(rate("egret_client_received_bytes_total"), "from clients")),
        times("Time of requests", "egret_request_duration_seconds",
              "From the head to the end of the response: the origin's time is in it."),
        Lines("Failures", "By detail, as in the access log; refusals are among them.", "reqps",
              series("topk(10, %s > 0)" % rate("egret_failures_total", by="detail"), "{{detail}}")),
        Lines("Requests by worker", "Far apart: few connections carry most of it.", "reqps",
              series(rate("egret_worker_requests_total", by="instance, worker"), "{{instance}} worker {{worker}}")),
    ]),
    ("Destinations", [
        times("Time to connect", "egret_upstream_connect_duration_seconds",
              "To origins and parent proxies. A second more is a lost SYN."),
        Lines("Connections", "Made, and spared by the pool.", "reqps",
              series(rate("egret_upstream_connections_total"), "made"),
              series(rate("egret_upstream_reused_total"), "reused")),
        Lines("Failures of destinations", "What went wrong there, or at a parent proxy.", "reqps",
              series("%s > 0" % rate("egret_failures_total", *FAILED_UPSTREAM, by="detail"), "{{detail}}")),
        times("Time to resolve", "egret_dns_duration_seconds", "Names, from the cache or not."),
        Lines("Names", "Asked, known to the cache, without an address, without an answer.", "reqps",
              series(rate("egret_dns_queries_total"), "asked"), series(rate("egret_dns_cache_hits_total"), "cached"),
              series(rate("egret_dns_failures_total"), "no address"), series(rate("egret_dns_timeouts_total"), "no answer")),
        Lines("Pool", "Connections to origins that are kept.", "short",
              series(total("egret_upstream_pool_connections"), "all"), series(total("egret_upstream_pool_idle"), "idle")),
    ]),
    ("Resources", [
        Lines("CPU", "Cores in use; each proxy can use as many as it has workers.", "short",
              series("sum by (instance) (rate(%s[%s]))" % (of("process_cpu_seconds_total"), RATE), "{{instance}}"),
              series(total("egret_workers"), "workers of all", dashed=True)),
        Lines("Memory", "What counts against the limit, and the limit.", "bytes",
              series(total("egret_memory_used_bytes", by="instance"), "{{instance}}"),
              series("max(%s)" % of("egret_memory_limit_bytes"), "limit", dashed=True)),
        Lines("Descriptors", "Open, and how many may be.", "short",
              series(total("process_open_fds", by="instance"), "{{instance}}"),
              series("min(%s)" % of("process_max_fds"), "limit", dashed=True)),
        Lines("Limits reached", "By limit of the configuration.", "reqps",
              series("%s > 0" % rate("egret_limit_hits_total", by="limit"), "{{limit}}")),
        Lines("Scarcity", "What was done because memory was scarce, and how often accepting rested.", "reqps",
              series(rate("egret_overload_actions_total", by="action"), "{{action}}"),
              series(rate("egret_accept_pauses_total"), "accepting rested"),
              series(rate("egret_accept_queue_drops_total"), "dropped by the kernel")),
        Lines("Lost lines", "Of the access log.", "reqps", series(rate("egret_access_log_dropped_total"), "lost")),
    ]),
]

POLICY = [
    ("Decisions", [
        Lines("Decisions", "By what was decided. A request is decided on at more than one stage.", "reqps",
              series(rate("egret_policy_decisions_total", by="action"), "{{action}}"), stacked=True, width=12),
        Lines("Denials by rule", "The ten that deny most.", "reqps",
              series("topk(10, %s > 0)" % rate("egret_policy_decisions_total", 'action="deny"', by="policy, rule"),
                     "{{policy}} / {{rule}}"), width=12),
        Table("Decisions by rule", "Within the time that is shown.", "short",
              series(within_range("egret_policy_decisions_total", by="policy, rule, action, stage"), ""),
              column="decisions", width=12, height=10),
        Table("Rules that nothing came to",
              "Of the configuration, since the proxies started. They may be left over.", "short",
              series("sum by (policy, rule, action) (%s) == 0" % of("egret_policy_decisions_total"), ""),
              column="decisions", width=12, height=10),
    ]),
    ("Before it is enforced", [
        Table("Policies", "1: it decides; 0: it is only audited.", "short",
              series("min by (policy) (%s)" % of("egret_policy_enforced"), ""), column="enforced"),
        Lines("What audits would change", "Decisions that a policy which is only audited would have made otherwise.", "reqps",
              series(rate("egret_policy_audits_total", by="policy, rule, result"), "{{result}} {{policy}} / {{rule}}")),
        Lines("Previews", "Decisions while a candidate was previewed (egretctl preview).", "reqps",
              series(rate("egret_preview_decisions_total", by="result"), "{{result}}"),
              series(total("egret_preview_active"), "previews that run", dashed=True)),
    ]),
    ("Who asks", [
        Lines("Known", "Requests that were let through, by how their sender was known.", "reqps",
              series(rate("egret_auth_accepted_total", by="method"), "{{method}}"), stacked=True),
        Lines("Not known", "Requests that were refused, by reason. missing is how most clients begin.", "reqps",
              series(rate("egret_auth_refused_total", by="reason"), "{{reason}}")),
        Lines("Age of issuers' keys", "Since they were fetched last.", "s",
              series("time() - max by (url) (%s)" % of("egret_jwks_fetched_timestamp_seconds"), "{{url}}")),
        Lines("Fetches of issuers' keys", "failed should be 0.", "reqps",
              series(rate("egret_jwks_fetches_total", by="url, result"), "{{result}} {{url}}")),
        Lines("Authorization service", "What came of asking. failed_open: nobody judged it, and it passed.", "reqps",
              series(rate("egret_ext_authz_total", by="result"), "{{result}}")),
        times("Time of the authorization service", "egret_ext_authz_duration_seconds", "Each request waits for it."),
    ]),
    ("Credentials", [
        Lines("Refused credentials",
              "misplaced: a placeholder where it does not belong. foreign: a credential of the client's own. "
              "unsigned: it could not be signed.",
              "reqps", series(rate("egret_failures_total", 'detail=~"credential_.+"', by="detail"), "{{detail}}"), width=12),
        Lines("Addresses and names",
              "Private destinations, and tunnels that carry another name than they were opened for.", "reqps",
              series(rate("egret_failures_total", 'detail=~"address_prohibited|sni_.+|ech_outer_name|misdirected|proxy_loop"',
                          by="detail"), "{{detail}}"), width=12),
    ]),
]

INTERCEPTION = [
    ("Clients", [
        Lines("Handshakes inside tunnels", "By how they ended.", "reqps",
              series(rate("egret_tls_handshakes_total", 'side="inside"', by="result"), "{{result}}"), stacked=True),
        Lines("Clients that do not believe",
              "By their alert; silent: gone after the handshake without a word. /inspection has the names.", "reqps",
              series(rate("egret_leaf_refusals_total", by="reason"), "{{reason}}")),
        times("Time until a tunnel is open to be read", "egret_inspect_duration_seconds",
              "The origin's handshake, the certificate, the client's handshake."),
    ]),
    ("Certificates", [
        Lines("Certificates for destinations", "cached, minted, waited (for one that another asked for), failed.", "reqps",
              series(rate("egret_leaves_total", by="result"), "{{result}}"), stacked=True),
        Lines("Kept", "Minted certificates.", "short", series(total("egret_leaves_cached", by="instance"), "{{instance}}")),
        Table("Our certificates and CAs", "Time until they end.", "s",
              series("min by (secret) (%s) - time()" % of("egret_certificate_not_after_seconds"), ""), column="ends in"),
        Lines("Read again", "Certificates, keys and trust.", "reqps",
              series(rate("egret_secret_reloads_total", by="result"), "{{result}}")),
        Number("Secrets are written", "Proxies that write secrets of TLS to a file (debug.tls_key_log).", "short",
               series(total("egret_tls_key_log_active"), "proxies"), bad=1, width=4, height=8),
        Number("Captures", "Files that exchanges are captured into.", "short", series(total("egret_taps_open"), "files"),
               bad=1, width=4, height=8),
        Lines("Captured", "Exchanges.", "reqps", series(rate("egret_tap_exchanges_total", by="result"), "{{result}}")),
    ]),
    ("Destinations", [
        Lines("Handshakes with destinations", "certificate: they are not believed.", "reqps",
              series(rate("egret_tls_handshakes_total", 'side="upstream"', by="result"), "{{result}}"), stacked=True),
        Lines("OCSP staples", "What destinations say of their certificates.", "reqps",
              series(rate("egret_ocsp_staples_total", by="result"), "{{result}}")),
        Lines("Versions", "Of handshakes that went well.", "reqps",
              series(rate("egret_tls_versions_total", by="side, version"), "{{side}} {{version}}")),
        Lines("Resumed", "Part of the handshakes that resumed a session: they cost a third.", "percentunit",
              series("%s / (%s > 0)" % (rate("egret_tls_resumed_total", by="side"),
                                        rate("egret_tls_handshakes_total", 'result="ok"', by="side")), "{{side}}")),
        Lines("Handshakes on listeners", "Of clients that speak TLS to the proxy itself.", "reqps",
              series(rate("egret_tls_handshakes_total", 'side="client"', by="result"), "{{result}}"), stacked=True),
        Lines("Content that is changed", "body_rewrite, by how it fared.", "reqps",
              series(rate("egret_body_rewrites_total", by="outcome"), "{{outcome}}")),
    ]),
]


def group(metric, how="sum by (group)"):
    """Of the control planes and groups that are chosen."""
    return '%s (%s{job=~"$job",group=~"$group"})' % (how, metric)


def ours(metric):
    """Of the control planes that are chosen."""
    return '%s{job=~"$job"}' % metric


def per_second(selector, how="sum"):
    return "%s(rate(%s[%s]))" % (how, selector, RATE)


CONTROL_PLANE = [
    ("Groups", [
        Lines("Proxies", "That are connected, and of them those that report what they are at.", "short",
              series(group("egret_control_proxies_connected"), "{{group}}"),
              series(group("egret_control_proxies_reporting"), "{{group}} reporting", dashed=True)),
        Lines("Behind", "Proxies that have not answered all that is published.", "short",
              series(group("egret_control_proxies_behind"), "{{group}}")),
        Lines("Refusing", "Proxies that refuse something of it.", "short",
              series(group("egret_control_proxies_refusing"), "{{group}}")),
        Table("Files", "1: what is in the files is what is served.", "short",
              series(group("egret_control_group_valid", "min by (group, instance)"), ""), column="valid"),
        Table("Published", "Since when what is served is served.", "dateTimeFromNow",
              series(group("egret_control_group_published_timestamp_seconds", "1000 * max by (group, instance)"), ""),
              column="since"),
        Lines("Versions that replicas serve",
              "More than 1 for longer than a mounted ConfigMap takes: they have different files.", "short",
              series('count by (group) (count_values by (group) ("version", '
                     'egret_control_group_version{job=~"$job",group=~"$group"}))', "{{group}}")),
    ]),
    ("Changes", [
        Lines("Refused files", "How often files changed and were not valid.", "short",
              series('sum by (group) (increase(egret_control_group_refusals_total{job=~"$job",group=~"$group"}[%s]))' % RATE,
                     "{{group}}")),
        Lines("Answers of proxies", "To what they were sent.", "reqps",
              series(per_second(ours("egret_control_responses_total"), "sum by (verdict) "), "{{verdict}}")),
        Lines("Roll-outs", "Of 100 proxies so many are given the next release; halted: nobody else is.", "percent",
              series(group("egret_control_rollout_percent", "max by (group)"), "{{group}}"),
              series(group("egret_control_rollout_halted", "100 * max by (group)"), "{{group}} halted", dashed=True)),
    ]),
    ("As the proxies see it", [
        Lines("Connected", "1: its control plane answers.", "short", series("egret_xds_connected", "{{instance}}")),
        Lines("Since it sent something good", "Long where nothing changes.", "s",
              series("time() - (egret_xds_last_good_timestamp_seconds > 0)", "{{instance}}")),
        Lines("Attempts", "To reach a control plane, and those that it answered.", "reqps",
              series(per_second("egret_xds_attempts_total"), "attempts"),
              series(per_second("egret_xds_streams_total"), "answered")),
        Lines("Responses", "Sent, taken whole, refused by type.", "reqps",
              series(per_second("egret_xds_responses_total"), "sent"),
              series(per_second("egret_xds_accepted_total"), "taken"),
              series(per_second("egret_xds_rejected_total", "sum by (type) ") + " > 0", "refused {{type}}")),
        Lines("Not as wanted",
              "Faults, resources that are referred to and were not sent, fields that are not known.", "short",
              series("sum(egret_config_errors)", "faults"), series("sum(egret_xds_missing_references)", "missing"),
              series("sum(increase(egret_xds_unknown_fields_total[%s]))" % RATE, "unknown fields")),
        Lines("Put in force", "Configurations, readings of a directory, and resources that were compiled for them.", "reqps",
              series(per_second("egret_config_applied_total"), "configurations"),
              series(per_second("egret_directory_reloads_total"), "directory"),
              series(per_second("egret_config_compiled_total", "sum by (type) "), "{{type}}")),
        Lines("Source", "Where what is in force came from.", "short",
              series("sum by (source) (egret_config_source)", "{{source}}"), stacked=True),
    ]),
    ("egret-control itself", [
        Lines("CPU", "Cores in use.", "short",
              series("rate(%s[%s])" % (ours("process_cpu_seconds_total"), RATE), "{{instance}}")),
        Lines("Memory", "Resident.", "bytes", series(ours("process_resident_memory_bytes"), "{{instance}}")),
        Lines("Up for", "Since it started.", "s", series("time() - " + ours("process_start_time_seconds"), "{{instance}}")),
    ]),
]


BOARDS = {
    "egret-overview": ("Egret / Overview", "Traffic, destinations and resources of the proxies.", PROXIES, OVERVIEW),
    "egret-policy": ("Egret / Policy", "What is decided, by which rule, about whom.", PROXIES, POLICY),
    "egret-interception": ("Egret / Interception", "TLS that is looked into, and the certificates for it.", PROXIES,
                           INTERCEPTION),
    "egret-control-plane": ("Egret / Control plane", "What egret-control serves, and what the proxies make of it.", CONTROL,
                            CONTROL_PLANE),
}


def all_files():
    """{file name: text}."""
    return {uid + ".json": dashboard(uid, *board) for uid, board in BOARDS.items()}
