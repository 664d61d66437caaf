#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the documents show is what happens. Each document has a directory of its own, in which its blocks are gone through:

  <!-- file: NAME -->   the block after it is that file
  ```console            each line "$ COMMAND" is run, must end with 0, and says what follows; "..." stands for any lines;
                        one about muster-uv is left out in a build without it
  ```c                  that isn't a file: lines of one of the files, or of one in examples/

Of a manual page, those are the examples that begin with `muster report`, or with `cat` of a file that is made so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ['MUSTER_BUILD'])
HAS_UV = any(BUILD.glob('meson-uninstalled/muster-uv*.pc'))
DOCUMENTS = ['README.md', 'docs/tutorial.md', 'docs/concepts.md', 'docs/contract.md', 'docs/stores.md', 'docs/embedding.md',
             'docs/operations.md', 'docs/comparison.md', 'docs/design.md', 'docs/graphs.md', 'man/muster.1']
BLOCK = re.compile(r'(?:^<!-- file: (?P<file>\S+) -->\n\n?)?^```(?P<language>\w*)\n(?P<text>.*?)^```$', re.M | re.S)


def environment():
    return dict(os.environ, LC_ALL='C.UTF-8', PATH=f'{BUILD}/tools:{os.environ["PATH"]}', CC='cc',
                PKG_CONFIG_PATH=f'{BUILD}/meson-uninstalled', LD_LIBRARY_PATH=f'{BUILD}/lib:{BUILD}/lib/uv')


def squeezed(text):
    return '\n'.join(line.strip() for line in text.strip().splitlines())


def matches(expected, said):
    pattern = '\n'.join(r'(?:.*\n)*?.*' if line == '...' else re.escape(line) for line in expected)
    return re.fullmatch(pattern, said.rstrip('\n')) is not None


def as_markdown(page):
    """A manual page with those of its examples as blocks that can be run anywhere."""
    example = re.compile(r'^\.EX\n(?:\$ cat (?P<file>\S+)\n(?P<text>.*?)(?=\$)|(?=\$ muster report))(?P<rest>.*?)^\.EE$',
                         re.M | re.S)

    def blocks(match):
        made = f'<!-- file: {match["file"]} -->\n```json\n{match["text"]}```\n' if match['file'] else ''
        return f'{made}```console\n{match["rest"]}```'
    return example.sub(blocks, page).replace(r'\-', '-')


class Document:
    def __init__(self, name, directory):
        self.name, self.directory = name, directory
        text = (ROOT / name).read_text(encoding='utf-8')
        self.text = as_markdown(text) if name.startswith('man/') else text
        self.files, self.problems, self.commands, self.excerpts = [], [], 0, 0
        for link in 'examples', 'docs', 'build':
            (directory / link).symlink_to(BUILD if link == 'build' else ROOT / link)
        shutil.copy(ROOT / 'docs/report.json', directory)

    def problem(self, match, text):
        self.problems.append(f'{self.name}:{self.text.count(chr(10), 0, match.start()) + 1}: {text}')

    def check(self):
        for match in BLOCK.finditer(self.text):
            language, text = match['language'], match['text']
            if match['file']:
                (self.directory / match['file']).write_text(text, encoding='utf-8')
                self.files.append(match['file'])
            elif language == 'console':
                self.run(match, text)
            elif language == 'c':
                self.look_for(match, text)
            elif language == 'json' or re.search(r'^\$ ', text, re.M):
                self.problem(match, 'a block that nobody runs')
        for name in self.files:
            if name.endswith('.c') and f' {name} ' not in self.text:
                self.problems.append(f'{self.name}: {name} is never compiled')

    def run(self, match, text):
        for part in re.split(r'^\$ ', text, flags=re.M)[1:]:
            command, *expected = part.replace('\\\n', ' ').splitlines()
            if 'muster-uv' in command and not HAS_UV:
                continue
            done = subprocess.run(['bash', '-c', command], cwd=self.directory, env=environment(), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
            self.commands += 1
            if done.returncode != 0 or not matches(expected, done.stdout):
                self.problem(match, f'{command}: exit {done.returncode}\n{done.stdout}')

    def look_for(self, match, text):
        self.excerpts += 1
        places = list((ROOT / 'examples').rglob('*.c')) + [self.directory / name for name in self.files]
        if not any(squeezed(text) in squeezed(place.read_text(encoding='utf-8')) for place in places):
            self.problem(match, 'these lines are in none of the files')


def left_out():
    """Pages with blocks that nobody goes through."""
    pages = {str(path.relative_to(ROOT)): path.read_text(encoding='utf-8') for path in ROOT.glob('docs/*.md')}
    return sorted(name for name, text in pages.items() if BLOCK.search(text) and name not in DOCUMENTS)


def main():
    failed = bool(left_out())
    for name in left_out():
        print(f'{name}: it has blocks, and is not in the list of this test')
    for name in DOCUMENTS:
        with tempfile.TemporaryDirectory() as scratch:
            document = Document(name, Path(scratch))
            document.check()
        print(f'{name}: {len(document.files)} files, {document.excerpts} excerpts, {document.commands} commands, '
              f'{len(document.problems)} problems')
        for problem in document.problems:
            print('  ' + problem)
        failed = failed or bool(document.problems)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
