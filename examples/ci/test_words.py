import unittest

import words


class Count(unittest.TestCase):
    def test_ignores_case(self):
        self.assertEqual(words.count("To be or not to be"), {"to": 2, "be": 2, "or": 1, "not": 1})

    def test_nothing_in_nothing(self):
        self.assertEqual(words.count(""), {})


if __name__ == "__main__":
    unittest.main()
