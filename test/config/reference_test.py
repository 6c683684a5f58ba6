"""deploy/config.md is made from the comments in api/: it is current, whole, and leads nowhere that is not there."""
import re
import unittest

from config_reference import Reference


class ReferencePage(unittest.TestCase):
    def setUp(self):
        with open("deploy/config.md") as f:
            self.page = f.read()

    def test_it_is_current(self):
        made = Reference(".").write()
        self.assertEqual(self.page, made, "run: tools/lib/config_reference.py > deploy/config.md")

    def test_every_link_leads_to_a_part_of_it(self):
        titles = re.findall(r"^## (.*)$", self.page, re.M)
        self.assertEqual(len(titles), len(set(titles)))
        anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
        self.assertEqual(set(re.findall(r"\]\(#([^)]+)\)", self.page)) - anchors, set())

    def test_what_is_not_built_yet_is_marked(self):
        self.assertRegex(self.page, r"`ON_DEMAND`: [^<]*\*\*Not built yet\.\*\*")
        self.assertNotRegex(self.page, r"\| `workers` \|.*Not built yet")
