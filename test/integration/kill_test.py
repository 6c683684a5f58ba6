"""Some seconds of kill.py: what restarts at random, under clients, costs no request (rows L05, X07, X08, X12, X19)."""
import unittest

from kill import Kill

SECONDS, SEED = 15, 7


class KillTest(unittest.TestCase):
    def test_what_restarts_at_random_costs_no_request(self):
        kill = Kill(SECONDS, SEED)
        kill.run()
        verdicts = kill.finish()
        print(dict(kill.done))
        for what, told, _ in verdicts:
            print("%-40s %s" % (what, told))
        self.assertEqual([v for v in verdicts if not v[2]], [])
        for what in ("edits", "control planes killed", "proxies taken over from"):
            self.assertGreater(kill.done[what], 0, what)


if __name__ == "__main__":
    unittest.main()
