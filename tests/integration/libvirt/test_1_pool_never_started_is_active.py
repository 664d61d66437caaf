#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 1: a dir pool that was defined and never started is active after a restart.
Here that its directory is there says nothing: nobody has started it, and its guests are refused.
"""

from lab import Refused, Server
from virthost_case import Case, main


class NeverStarted(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        lab.dir_pool('local')
        lab.mount_pool('disk')
        self.server = lab.nbd_pool('rbd')
        # Its disk is there, as if it had been active before.
        Server(lab.directory, 'iscsi')
        lab.export_pool('iscsi')
        for name, pool in ('a', 'dir/local'), ('b', 'mount/disk'), ('c', 'nbd/rbd'), ('d', 'export/iscsi'):
            lab.guest(name, pool=pool)

    def assert_untouched(self):
        lab = self.lab
        self.assert_states(dir_local='inactive', mount_disk='inactive', nbd_rbd='inactive', export_iscsi='inactive')
        self.assertEqual((self.server.connections(), lab.export_process('iscsi'), lab.guests()), (0, None, {}))
        for guest, pool in ('a', 'dir/local'), ('b', 'mount/disk'), ('c', 'nbd/rbd'), ('d', 'export/iscsi'):
            with self.assertRaisesRegex(Refused, pool):
                lab.ctl('start', f'guest/{guest}')
        self.assertEqual(lab.guests(), {})

    def test_is_inactive_after_a_restart(self):
        lab = self.lab
        lab.start()
        self.assert_untouched()
        for _ in range(2):
            lab.restart()
            self.assert_untouched()

    def test_is_inactive_after_a_reload_and_a_boot(self):
        lab = self.lab
        lab.start('--boot-id', 'one')
        lab.ctl('reload')
        self.assert_untouched()
        lab.restart('--boot-id', 'two')
        self.assert_untouched()


if __name__ == '__main__':
    main()
