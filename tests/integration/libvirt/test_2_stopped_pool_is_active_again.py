#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 2: a pool that the admin has stopped is active again after a restart or a reload.
Here a user's stop is recorded, and holds against what can be detected and against the autostart flag.
"""

import signal

from lab import wait_until
from virthost_case import Case, main


class Stopped(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        self.server = lab.nbd_pool('rbd', 'autostart')
        lab.export_pool('iscsi', 'autostart')
        lab.guest('a', 'autostart', pool='dir/local')
        lab.start()
        lab.wait_counting('a')
        lab.ctl('stop', 'dir/local', '--cascade')
        for pool in 'nbd/rbd', 'export/iscsi':
            lab.ctl('stop', pool)
        self.assert_stopped()

    def assert_stopped(self, *others):
        lab = self.lab
        listed = lab.list()
        names = ['dir/local', 'nbd/rbd', 'export/iscsi', 'guest/a', *others]
        self.assertEqual({name: (item['state'], item['reason']) for name, item in listed.items()},
                         {name: ('inactive', 'user') for name in names})
        self.assertEqual((self.server.connections(), lab.export_process('iscsi'), lab.guests()), (0, None, {}))

    def test_stays_stopped_over_a_restart(self):
        for _ in range(2):
            self.lab.restart()
            self.assert_stopped()

    def test_stays_stopped_over_a_reload(self):
        lab = self.lab
        lab.ctl('reload')
        lab.wait_quiet()
        self.assert_stopped()
        # SIGHUP too: that a new pool is there shows that it has been carried out.
        lab.dir_pool('new', 'autostart')
        lab.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: 'dir/new' in lab.list(), 'the reload')
        lab.wait_quiet()
        self.assert_stopped('dir/new')


if __name__ == '__main__':
    main()
