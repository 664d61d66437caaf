#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 3: an RBD pool that is recorded active, with autostart, is inactive after a restart.
Here the connection to an NBD server, with a secret, is the pool that lives inside the daemon: it is made again, whatever the
autostart flag says, and its guests are adopted after it.
"""

from virthost_case import Case, main


class InsideTheDaemon(Case):
    def check(self, policy, restart):
        lab = self.lab
        server = lab.nbd_pool('rbd', policy, psk_user='alice')
        lab.guest('a', policy, pool='nbd/rbd')
        lab.start()
        if policy == 'manual':
            lab.ctl('start', 'guest/a', '--dependencies')
        before = lab.guests()['a'].identity()
        for _ in range(2):
            counted = lab.wait_counting('a')
            restart()
            self.assert_states(secret_rbd='active', nbd_rbd='active', guest_a='active')
            # QEMU's own, and the pool's.
            self.assertEqual(server.connections(), 2)
            self.assertFalse(lab.list()['guest/a']['degraded'])
            self.assertEqual(lab.guests()['a'].identity(), before)
            lab.wait_counting('a', counted)

    def test_with_autostart_is_active_after_a_kill(self):
        self.check('autostart', self.lab.restart)

    def test_without_autostart_is_active_after_a_kill(self):
        self.check('manual', self.lab.restart)

    def test_is_active_after_an_orderly_restart(self):
        def restart():
            self.assertEqual(self.lab.terminate(), 0)
            self.lab.start()
        self.check('autostart', restart)


if __name__ == '__main__':
    main()
