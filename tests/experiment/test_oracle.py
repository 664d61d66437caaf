#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle sees each kind of loss, and no other: real guests are killed, halted and made anew behind its back."""

import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True

import oracle  # noqa: E402
from arena import Arena  # noqa: E402
from lab import qmp, start_time, wait_until  # noqa: E402


class Oracle(unittest.TestCase):
    def test_sees_each_kind_of_loss(self):
        oracle.COUNT_SECONDS = 2
        with Arena(os.environ['MUSTER_BUILD']) as lab:
            lab.define(5, 0)
            lab.start_arm('a')
            lab.ask_until_done('start', ['nbd/p0'])
            lab.start_guests([f'g{number}' for number in range(5)])
            before = oracle.look(lab)
            self.assertEqual(oracle.judge(lab, before), {})
            self.assertEqual(oracle.silent_servers(lab), [])
            self.disturb(lab, before)
            self.assertEqual(oracle.judge(lab, before),
                             {'g0': oracle.GONE, 'g1': oracle.HALTED, 'g2': oracle.OTHER, 'g3': oracle.STILL})

    def disturb(self, lab, before):
        pid, started, _ = before['g0'].identity
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: start_time(pid) != started, 'g0 to end')
        qmp(lab.guests()['g1'].observer, 'stop')
        lab.ask_until_done('stop', ['guest/g2'])
        lab.ask_until_done('start', ['guest/g2'])
        before['g3'].counter += 1 << 30

    def test_sees_a_pool_without_a_connection(self):
        oracle.CONNECTION_SECONDS = 0.5
        with Arena(os.environ['MUSTER_BUILD']) as lab:
            lab.define(1, 0)
            lab.start_arm('a')
            self.assertEqual(oracle.silent_servers(lab), ['p0'])
            lab.ask_until_done('start', ['nbd/p0'])
            self.assertEqual(oracle.silent_servers(lab), [])


if __name__ == '__main__':
    unittest.main()
