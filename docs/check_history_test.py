"""Small histories that `check_history.py` must accept or refuse: python3 docs/check_history_test.py"""

import contextlib
import io
import json
import tempfile
import unittest

import check_history

CREATED = [
    (0, 0, 1, "done", [["create", "x", [1]]]),
    (0, 0, 1, "done", [["create", "y", [2]]]),
]


CREATED_AS_A = [(0, 0, 1, "done", [["create", "x", "a"]])]


def appended(begin, end, *acts):
    return (1, begin, end, "done", [["append", name, element] for name, element in acts])


def found(begin, end, *acts):
    return (2, begin, end, "done", [["read", name, value] for name, value in acts])


def status(rows, said=None):
    """What the program says of these operations: client, times, outcome, acts."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        header = {"version": 1, "format": "ssmr-history", "operations": said or len(rows)}
        print(json.dumps(header), file=file)
        names = ("client", "invoked_us", "completed_us", "outcome", "acts")
        for index, row in enumerate(rows):
            print(json.dumps({"index": index, **dict(zip(names, row))}), file=file)
        file.flush()
        with contextlib.redirect_stdout(io.StringIO()):
            return check_history.main([file.name])


class Lists(unittest.TestCase):
    def test_what_fits(self):
        twice = (3, 10, 12, "already-exists", [["create", "x", [7]]])
        both = found(3, 8, ("x", [1, 3]), ("y", [2, 4]))
        self.assertEqual(status(CREATED + [appended(2, 9, ("x", 3), ("y", 4)), both, twice]), 0)

    def test_half_a_transaction(self):
        half = found(3, 8, ("x", [1, 3]), ("y", [2]))
        self.assertEqual(status(CREATED + [appended(2, 9, ("x", 3), ("y", 4)), half]), 1)

    def test_a_read_of_the_past(self):
        self.assertEqual(status(CREATED + [appended(2, 3, ("x", 3)), found(4, 8, ("x", [1]))]), 1)
        self.assertEqual(status(CREATED + [appended(2, 4, ("x", 3)), found(4, 8, ("x", [1]))]), 0)

    def test_two_orders(self):
        appends = [appended(2, 9, ("x", 3)), appended(2, 9, ("x", 4))]
        reads = [found(2, 9, ("x", [1, 3, 4])), found(2, 9, ("x", [1, 4]))]
        self.assertEqual(status(CREATED + appends + reads), 1)

    def test_an_element_from_nowhere(self):
        self.assertEqual(status(CREATED + [appended(2, 3, ("y", 5)), found(2, 9, ("x", [1, 5]))]), 1)

    def test_existence(self):
        missing = (1, 2, 3, "not-found", [["append", "x", 3]])
        self.assertEqual(status(CREATED + [missing]), 1)
        early = (1, 0, 0, "already-exists", [["create", "x", [9]]])
        late = (0, 2, 3, "done", [["create", "x", [1]]])
        self.assertEqual(status([early, late, appended(4, 5, ("x", 3))]), 1)
        self.assertEqual(status(CREATED + [late, appended(4, 5, ("x", 3))]), 1)


class Search(unittest.TestCase):
    def history(self, delete_end, outcome, after, value=None):
        return [
            (0, 0, 1, "done", [["create", "x", "a"]]),
            (0, 2, delete_end, outcome, [["delete", "x", None]]),
            (1, 4, 5, after, [["read", "x", value]]),
            (1, 6, 7, "not-found", [["read", "x", None]]),
        ]

    def test_what_fits(self):
        self.assertEqual(status(self.history(3, "done", "not-found")), 0)
        self.assertEqual(status(self.history(None, "unknown", "done", "a")), 0)
        self.assertEqual(status(self.history(9, "done", "done", "a")), 0)

    def test_what_does_not(self):
        self.assertEqual(status(self.history(3, "done", "done", "a")), 1)
        self.assertEqual(status(self.history(9, "done", "done", "b")), 1)
        self.assertEqual(status(self.history(3, "refused", "done", "a")), 1)

    def test_a_write_that_changes_nothing_now_may_change_something_later(self):
        write = lambda begin, end, value: (1, begin, end, "done", [["write", "x", value]])
        reads = [(2, 6, 7, "done", [["read", "x", "a"]])]
        writes = [write(2, 5, "a"), write(2, 5, "b")]
        self.assertEqual(status(CREATED_AS_A + writes + reads), 0)
        self.assertEqual(status(CREATED_AS_A + writes[1:] + reads), 1)

    def test_a_file_that_is_cut_short(self):
        self.assertEqual(status(self.history(3, "done", "not-found"), said=5), 2)


if __name__ == "__main__":
    unittest.main()
