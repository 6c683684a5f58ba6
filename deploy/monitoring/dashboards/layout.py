"""Grafana's JSON for rows of panels: what Grafana 9 and later take as it is."""
import json

COLUMNS = 24
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
DASHED = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}}


def series(expr, legend, dashed=False):
    return {"expr": expr, "legend": legend, "dashed": dashed}


class Panel:
    """One picture: its title and a sentence on how to read it, its unit (Grafana's name), its queries."""

    def __init__(self, title, description, unit, *queries, width=8, height=8, stacked=False, low=0, **more):
        self.title, self.description, self.unit, self.queries = title, description, unit, queries
        self.width, self.height, self.stacked, self.low, self.more = width, height, stacked, low, more

    def targets(self, **options):
        return [{"refId": chr(ord("A") + i), "datasource": PROMETHEUS, "expr": one["expr"], "legendFormat": one["legend"],
                 "editorMode": "code", **options} for i, one in enumerate(self.queries)]

    def base(self, kind, at):
        return {"id": at["id"], "type": kind, "title": self.title, "description": self.description,
                "datasource": PROMETHEUS, "gridPos": {"x": at["x"], "y": at["y"], "w": self.width, "h": self.height}}


class Lines(Panel):
    """What happens over time."""

    def json(self, at):
        custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 20 if self.stacked else 5, "showPoints": "never",
                  "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"}}
        dashed = [{"matcher": {"id": "byFrameRefID", "options": target["refId"]}, "properties": [DASHED]}
                  for target, one in zip(self.targets(), self.queries) if one["dashed"]]
        return {**self.base("timeseries", at), "targets": self.targets(),
                "fieldConfig": {"defaults": {"unit": self.unit, "min": self.low, "custom": custom}, "overrides": dashed},
                "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                            "tooltip": {"mode": "multi", "sort": "desc"}}}


class Number(Panel):
    """One number as it is now; bad: from here on it is red."""

    def __init__(self, *args, bad=None, good_is_high=False, width=4, height=4, **more):
        super().__init__(*args, width=width, height=height, **more)
        self.bad, self.good_is_high = bad, good_is_high

    def json(self, at):
        first, then = ("red", "green") if self.good_is_high else ("green", "red")
        steps = [{"color": first if self.bad is not None else "blue", "value": None}]
        if self.bad is not None:
            steps.append({"color": then, "value": self.bad})
        defaults = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}, "noValue": "-"}
        return {**self.base("stat", at), "targets": self.targets(instant=True),
                "fieldConfig": {"defaults": defaults, "overrides": []},
                "options": {"colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto",
                            "orientation": "auto", "wideLayout": True, "showPercentChange": False,
                            "percentChangeColorMode": "standard",
                            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}}


class Table(Panel):
    """The labels of one query and its value, greatest first."""

    def json(self, at):
        hidden = {"Time": True, **{name: True for name in self.more.get("hide", ())}}
        order = {"id": "organize", "options": {"excludeByName": hidden, "renameByName": {"Value": self.more["column"]}}}
        return {**self.base("table", at), "targets": self.targets(instant=True, format="table"),
                "fieldConfig": {"defaults": {"unit": self.unit}, "overrides": []},
                "transformations": [order],
                "options": {"showHeader": True, "frameIndex": 0,
                            "sortBy": [{"displayName": self.more["column"], "desc": True}]}}


def variable(name, label, metric):
    query = "label_values(%s, %s)" % (metric, name)
    return {"name": name, "label": label, "type": "query", "datasource": PROMETHEUS, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}


def rows_json(rows):
    panels, y, number = [], 0, 0
    for title, row in rows:
        number += 1
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x, tallest = y + 1, 0, 0
        for panel in row:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            panels.append(panel.json({"id": number, "x": x, "y": y}))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return panels


def dashboard(uid, title, description, variables, rows):
    """The file's text."""
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}
    links = [{"type": "dashboards", "title": "Egret", "tags": ["egret"], "asDropdown": True, "includeVars": True,
              "keepTime": True, "icon": "external link", "tooltip": "", "targetBlank": False}]
    made = {"uid": uid, "title": title, "description": description, "tags": ["egret"], "schemaVersion": 37, "version": 1,
            "editable": True, "graphTooltip": 1, "refresh": "30s", "timezone": "", "time": {"from": "now-3h", "to": "now"},
            "templating": {"list": [source, *variables]}, "annotations": {"list": []}, "links": links,
            "panels": rows_json(rows)}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
