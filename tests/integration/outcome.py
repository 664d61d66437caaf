# SPDX-License-Identifier: MIT
"""How a program of tests ends: with 77 and a line for each test that it has skipped, so that no skipped one passes for done."""

import sys
import unittest


def main(argv=None):
    result = unittest.main(argv=argv, exit=False).result
    for test, reason in result.skipped:
        print(f'SKIPPED: {test.id().removeprefix("__main__.")}: {reason}')
    failed = result.testsRun == 0 or not result.wasSuccessful()
    sys.exit(1 if failed else 77 if result.skipped else 0)
