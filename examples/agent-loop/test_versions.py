import unittest

import versions


class Versions(unittest.TestCase):
    def test_numbers_are_compared_as_numbers(self):
        self.assertEqual(versions.latest(["1.9", "1.10", "1.2"]), "1.10")

    def test_a_leading_v_is_passed_over(self):
        self.assertEqual(versions.latest(["v1.9", "1.10"]), "1.10")


if __name__ == "__main__":
    unittest.main()
