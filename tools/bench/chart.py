"""Draws a run's medians as SVG: for each workload a bar for each subject, how many times the limit's CPU an operation
cost it. Shorter is better, and 1 is what the kernel alone costs."""
from xml.sax.saxutils import escape

PANELS = ("fwd", "fwd100k", "connect", "tunnel1k", "bulk", "h2_fwd", "h2_tunnel1k", "tls_fwd", "tls_hs")
TITLES = {
    "fwd": "GET of 1 KiB, keep-alive",
    "fwd100k": "GET of 100 KiB, keep-alive",
    "connect": "a short tunnel: connect, 1 KiB, close",
    "tunnel1k": "1 KiB through a standing tunnel",
    "bulk": "64 MiB through a tunnel",
    "h2_fwd": "GET of 1 KiB from clients of HTTP/2",
    "h2_tunnel1k": "1 KiB through a standing CONNECT stream",
    "tls_fwd": "GET of 1 KiB over TLS, keep-alive",
    "tls_hs": "connect, TLS handshake, GET, close",
}
COLUMNS, PANEL_WIDTH, GAP, MARGIN, TOP = 3, 296, 20, 24, 64
ROW, BAR, LABEL, VALUE, HEAD = 18, 12, 92, 40, 40
COLOURS = {"limit": "#8a94a6", "egret": "#0b7a53"}
OTHER_COLOUR, LINE_COLOUR, TEXT_COLOUR, SOFT_COLOUR = "#c3cad6", "#5c6675", "#1c2430", "#5c6675"


def draw(medians, facts, date):
    panels = [Panel(name, TITLES[name], ratios(medians[name]), at_least=1) for name in PANELS if medians.get(name)]
    if medians.get("idle"):
        panels.append(Panel("idle", "KiB of memory an idle tunnel", {
            subject: row["kib_per_tunnel"] for subject, row in medians["idle"].items()}, marks_one=False))
    panels = [panel for panel in panels if panel.bars]
    rows = [panels[i:i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    heights = [max(panel.height() for panel in row) for row in rows]
    width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
    height = TOP + sum(heights) + GAP * len(heights) + MARGIN
    parts = [opening(width, height, facts, date)]
    y = TOP
    for row, row_height in zip(rows, heights):
        for column, panel in enumerate(row):
            parts += panel.draw(MARGIN + column * (PANEL_WIDTH + GAP), y)
        y += row_height + GAP
    return "\n".join(parts) + "\n</svg>\n"


def ratios(rows):
    return {subject: row["ratio_to_limit"] for subject, row in rows.items()
            if row["ratio_to_limit"] and subject != "limit-copy" and not row["errors"]}


def opening(width, height, facts, date):
    title = "CPU time of the proxy for one operation, divided by that of a proxy that only relays"
    made = "%s, %s cores, Linux %s, %s, commit %s. One worker each; shorter is better." % (
        facts["cpu"], facts["cores"], facts["kernel"], date, facts["commit"])
    return "\n".join((
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">' % (width, height, width, height),
        "<title>%s</title>" % escape(title),
        '<rect width="%d" height="%d" rx="6" fill="#ffffff"/>' % (width, height),
        text(MARGIN, 28, title, 15, TEXT_COLOUR, weight="600"),
        text(MARGIN, 47, made, 11, SOFT_COLOUR)))


class Panel:
    def __init__(self, name, title, bars, at_least=0.0, marks_one=True):
        self.name, self.title, self.marks_one = name, title, marks_one
        self.bars = sorted(bars.items(), key=lambda bar: (bar[0] != "limit", bar[1]))
        self.most = max([at_least, *bars.values()])

    def height(self):
        return HEAD + ROW * len(self.bars)

    def draw(self, x, y):
        room = PANEL_WIDTH - LABEL - VALUE
        words = [text(x, y + 12, self.name, 12, TEXT_COLOUR, weight="600"), text(x, y + 28, self.title, 11, SOFT_COLOUR)]
        parts = []
        for i, (subject, value) in enumerate(self.bars):
            top = y + HEAD + i * ROW
            wide = max(1.0, room * value / self.most)
            bold = "600" if subject == "egret" else "400"
            parts.append('<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>' % (
                x + LABEL, top, wide, BAR, COLOURS.get(subject, OTHER_COLOUR)))
            words.append(text(x + LABEL - 8, top + BAR - 2, subject, 11, TEXT_COLOUR, anchor="end", weight=bold))
            words.append(text(x + LABEL + wide + 5, top + BAR - 2, figure(value), 11, TEXT_COLOUR, weight=bold))
        if self.marks_one:
            one = x + LABEL + room / self.most
            parts.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s" stroke-dasharray="2 2"/>' % (
                one, one, y + HEAD - 4, y + self.height() - ROW + BAR + 4, LINE_COLOUR))
        return parts + words


def figure(value):
    return "%.2f" % value if value < 10 else "%.0f" % value


def text(x, y, words, size, colour, anchor="start", weight="400"):
    return ('<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s" font-weight="%s" stroke="#ffffff" '
            'stroke-width="3" paint-order="stroke">%s</text>') % (
        x, y, size, colour, anchor, weight, escape(words))
