"""The figures of deploy/sizing.md are those that were measured, and its example is reckoned right."""
import json
import re
import unittest

RESULTS = "tools/bench/results/"


def page():
    with open("deploy/sizing.md") as f:
        return f.read()


def measured(file, key):
    """Figures of one result, in the order and units of the page."""
    with open(RESULTS + file) as f:
        results = json.load(f)
    if key in results.get("medians", {}):
        row = results["medians"][key]["egret"]
        return [row["cpu_ns_per_op"] / 1000] if "cpu_ns_per_op" in row else [row["kib_per_tunnel"], row["group_kib_per_tunnel"]]
    at = results.get("memory", results)
    for part in key.split("."):
        at = at[part]
    return [at]


class Sizing(unittest.TestCase):
    def assert_close(self, told, value, where):
        digits = len(told.partition(".")[2])
        self.assertLessEqual(abs(float(told) - value), 0.51 * 10 ** -digits, where)

    def test_each_figure_of_a_table_is_the_measured_one(self):
        rows = re.findall(r"^\| [^|\n]+ \| ([^`\n]+) \| (`[^|\n]*json[^|\n]*) \|$", page(), re.M)
        self.assertGreater(len(rows), 20)
        for told, sources in rows:
            values = [v for file, key in re.findall(r"`(\w+\.json) ([\w.]+)`", sources) for v in measured(file, key)]
            numbers = re.findall(r"[\d.]+", told)
            self.assertEqual(len(numbers), len(values), sources)
            for number, value in zip(numbers, values):
                self.assert_close(number, value, sources)

    def test_each_figure_in_the_text_is_the_measured_one(self):
        found = re.findall(r"([\d.]+) (?:MiB|KiB|bytes)\b[^()`]*\(`(\w+\.json) ([\w.]+)`\)", page())
        self.assertEqual(len(found), 4)
        for told, file, key in found:
            self.assert_close(told, measured(file, key)[0], key)

    def test_the_example_is_reckoned_right(self):
        units = {"MiB": 1, "KiB": 1 / 1024, "bytes": 1 / 2 ** 20}
        total = re.search(r"^memory  (.*) = ([\d.]+) MiB$", page(), re.M)
        memory = 0.0
        for term in total.group(1).split(" + "):
            count, _, each = term.rpartition(" x ")
            number, unit = each.split()
            memory += float(count.replace(",", "") or 1) * float(number) * units[unit]
        self.assert_close(total.group(2), memory, "memory")
        cpu = re.search(r"^CPU +(.*) = ([\d,]+) us a second: ([\d.]+) core; at 60 %: ([\d.]+)$", page(), re.M)
        spent = sum(float(a.replace(",", "")) * float(b) for a, b in (term.split(" x ") for term in cpu.group(1).split(" + ")))
        self.assert_close(cpu.group(2).replace(",", ""), spent, "CPU")
        self.assert_close(cpu.group(3), spent / 1e6, "cores")
        self.assert_close(cpu.group(4), spent / 0.6e6, "cores at 60 %")
