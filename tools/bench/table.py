"""What a run's figures are made into for people to read: medians, ratios, tables."""
import math
import statistics

import workloads


def summarise(rounds):
    """{workload: {subject: medians}}; a ratio is the median of each round's own ratio."""
    table = {}
    for workload, by_subject in rounds.items():
        table[workload] = {}
        for name, all_rounds in by_subject.items():
            figures = [f for f in all_rounds if f]
            if not figures:
                continue
            row = {key: median([f[key] for f in figures]) for key in figures[0]}
            table[workload][name] = row
            if "errors" not in row:
                continue
            row["errors"] = sum(f["errors"] for f in figures)
            pairs = zip(all_rounds, by_subject.get("limit", []))
            ratios = [f["cpu_ns_per_op"] / limit["cpu_ns_per_op"] for f, limit in pairs if f and limit]
            row["ratio_to_limit"] = statistics.median(ratios) if ratios else None
    return table


def median(values):
    """Of shares of workers, the shares of the round in the middle: sorted, since no worker has a part of its own."""
    if isinstance(values[0], list):
        return sorted((sorted(v, reverse=True) for v in values), key=lambda v: v[0])[len(values) // 2]
    return statistics.median(values)


def show(table):
    for name, rows in table.items():
        workload = workloads.ALL[name]
        print("\n%s: %s" % (name, workload.text))
        if name.startswith("idle"):
            print("  %-14s %10s %12s %8s" % ("subject", "KiB/tunnel", "with kernel", "RSS MiB"))
            for subject, row in rows.items():
                print("  %-14s %10.2f %12.2f %8.1f" % (subject, row["kib_per_tunnel"], row.get("group_kib_per_tunnel", math.nan),
                                                      row["rss_kib"] / 1024))
        elif workload.workers > 1:
            show_workers(rows)
        else:
            show_rows(rows, workload.is_bulk)
    show_growth(table)


def show_rows(rows, bulk):
    print("  %-14s %10s %8s %11s %9s %9s %9s %7s %7s" % (
        "subject", "CPU ns/KiB" if bulk else "CPU µs/op", "x limit", "MiB/s" if bulk else "ops/s", "p50 µs",
        "p99 µs", "RSS MiB", "errors", "others"))
    for subject, row in rows.items():
        cpu, rate = row["cpu_ns_per_op"], row["ops_per_s"]
        print("  %-14s %10s %8s %11.0f %9.0f %9.0f %9.1f %7d %6.0f%%" % (
            subject, "%.0f" % cpu if bulk else "%.1f" % (cpu / 1000),
            "%.2f" % row["ratio_to_limit"] if row["ratio_to_limit"] else "", rate / 1024 if bulk else rate,
            row["p50_us"], row["p99_us"], row["rss_kib"] / 1024, row["errors"], row["others_percent"]))


def show_workers(rows):
    print("  %-14s %10s %11s %9s %9s %7s  %-12s %-12s %s" % (
        "subject", "CPU µs/op", "ops/s", "p50 µs", "p99 µs", "errors", "connections", "operations", "CPU"))
    for subject, row in rows.items():
        print("  %-14s %10.1f %11.0f %9.0f %9.0f %7d  %-12s %-12s %s" % (
            subject, row["cpu_ns_per_op"] / 1000, row["ops_per_s"], row["p50_us"], row["p99_us"], row["errors"],
            shares(row.get("connection_shares")), shares(row.get("request_shares")), shares(row["cpu_shares"])))


def shares(parts):
    return " / ".join("%.0f" % part for part in parts) + " %" if parts else ""


def show_growth(table):
    """How an operation's cost grows with the number of connections."""
    names = [name for name in table if name in workloads.GROUPS["growth"]]
    if len(names) < 2:
        return
    print("\ngrowth: CPU of an operation, divided by that of the same program on %d connections"
          % workloads.ALL[names[0]].connections)
    print("  %-14s" % "connections" + "".join("%9d" % workloads.ALL[name].connections for name in names))
    for subject, first in table[names[0]].items():
        rows = [table[name].get(subject) for name in names]
        print("  %-14s" % subject + "".join(
            "%9.2f" % (row["cpu_ns_per_op"] / first["cpu_ns_per_op"]) if row else "%9s" % "" for row in rows))
