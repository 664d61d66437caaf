# SPDX-License-Identifier: MIT
"""
What the tests of virthost have in common. MUSTER_BUILD is the build directory; MUSTER_VIRTHOST names another virthost.
"""

import os
import sys
import unittest

sys.dont_write_bytecode = True

from lab import Lab  # noqa: E402
from outcome import main  # noqa: E402,F401


class Case(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(os.environ['MUSTER_BUILD'])
        self.addCleanup(self.lab.close)
        self.addCleanup(self.keep_log)

    def keep_log(self):
        self.log = self.lab.log_tail() if self.lab.log.exists() else ''

    def run(self, result=None):
        """The daemon's log goes with a failure."""
        failed = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > failed:
            print(f'--- {self.id()}: the last lines of virthost\n{getattr(self, "log", "")}', file=sys.stderr)
        return result

    def assert_states(self, **expected):
        """guest_web='active' stands for guest/web."""
        listed = self.lab.list()
        self.assertEqual({name: listed[name.replace('_', '/', 1)]['state'] for name in expected}, expected)
