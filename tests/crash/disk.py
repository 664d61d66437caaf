# SPDX-License-Identifier: MIT
"""A small file system in a loop-mounted image, which can lose what was not synced."""

import fcntl
import os
import shutil
import struct
import subprocess
import time

PAGE = 4096
# In seconds.
PATIENCE = 30
# linux/fs.h
FS_IOC_GETVERSION = 2 << 30 | struct.calcsize('l') << 16 | ord('v') << 8 | 1

# What makes it, and how it is mounted. Nothing is written behind our back: no timer of the file system fires in time.
# ext4 doesn't sync a file that is renamed over another by itself.
KINDS = {
    'ext4': (32, ['mkfs.ext4', '-q', '-b', '4096', '-J', 'size=4'], 'noauto_da_alloc,commit=600'),
    'xfs': (300, ['mkfs.xfs', '-q'], 'noatime'),
    'btrfs': (110, ['mkfs.btrfs', '-q'], 'commit=600'),
}


class DiskError(Exception):
    pass


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        raise DiskError(f'{" ".join(command)}: {done.stdout.strip() or f"exit {done.returncode}"}')


def identity(path):
    """Inode and generation."""
    fd = os.open(path, os.O_RDONLY)
    try:
        generation = fcntl.ioctl(fd, FS_IOC_GETVERSION, struct.pack('l', 0))
        return os.fstat(fd).st_ino, struct.unpack_from('I', generation)[0]
    finally:
        os.close(fd)


class Disk:
    def __init__(self, kind, directory):
        size, make, self.options = KINDS[kind]
        self.kind = kind
        self.image = os.path.join(directory, 'image')
        self.mount_point = os.path.join(directory, 'mount')
        self.pages = os.path.join(directory, 'pages')
        self.mounted = False
        self.counter = 0
        os.makedirs(self.mount_point)
        with open(self.image, 'wb') as file:
            file.truncate(size << 20)
        run(*make, self.image)
        self.mount()

    # The file system can't be shut down: a copy of the image at that moment has what the disk has.
    @property
    def copied(self):
        return self.kind == 'btrfs'

    def mount(self):
        run('mount', '-t', self.kind, '-o', f'loop,{self.options}', self.image, self.mount_point)
        self.mounted = True

    def unmount(self):
        """A child of another thread has our descriptors until its exec: then it is busy for a moment."""
        since = time.monotonic()
        while self.mounted:
            try:
                run('umount', self.mount_point)
                self.mounted = False
            except DiskError:
                if time.monotonic() - since > PATIENCE:
                    raise
                time.sleep(0.01)

    def remove(self):
        self.unmount()
        shutil.rmtree(os.path.dirname(self.image))

    def sync(self):
        fd = os.open(self.mount_point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
            run('sync', '-f', self.mount_point)
        finally:
            os.close(fd)

    def fresh(self):
        """An empty directory, and nothing else."""
        for name in os.listdir(self.mount_point):
            if name != 'lost+found':
                shutil.rmtree(os.path.join(self.mount_point, name))
        self.forget_pages()
        self.counter += 1
        directory = os.path.join(self.mount_point, f'p{self.counter}')
        os.mkdir(directory)
        return directory

    def forget_pages(self):
        if os.path.exists(self.pages):
            os.remove(self.pages)

    def restart(self):
        """The machine loses its power, and is there again. The file system was shut down, if it can be."""
        copy = self.image + '.copy'
        if self.copied:
            run('cp', '--sparse=always', self.image, copy)
        self.unmount()
        if self.copied:
            os.replace(copy, self.image)
        self.mount()
        self.put_back()

    def put_back(self):
        """What a failed sync has lost: see pages.h."""
        if not os.path.exists(self.pages):
            return
        with open(self.pages, 'rb') as file:
            lost = file.read()
        self.forget_pages()
        if not lost:
            return
        files = {}
        for directory, _, names in os.walk(self.mount_point):
            for name in names:
                path = os.path.join(directory, name)
                files[identity(path)] = path
        for at in range(0, len(lost), 24 + PAGE):
            *file, offset = struct.unpack_from('=QQQ', lost, at)
            if tuple(file) in files:
                self.put_page(files[tuple(file)], offset, lost[at + 24:at + 24 + PAGE])

    @staticmethod
    def put_page(path, offset, content):
        fd = os.open(path, os.O_WRONLY)
        try:
            left = os.fstat(fd).st_size - offset
            if left > 0:
                os.pwrite(fd, content[:left], offset)
        finally:
            os.close(fd)
