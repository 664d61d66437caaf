# SPDX-License-Identifier: MIT
"""What is to be run, written down in race.json before anything is, and how much of it a file of results has."""

import json
from collections import Counter, namedtuple
from pathlib import Path

PLANS = Path(__file__).resolve().parent / 'race.json'

Block = namedtuple('Block', 'guests delay_ms restarts in_a_pass')
Cell = namedtuple('Cell', 'arm guests delay_ms')


class Plan:
    def __init__(self, name):
        plan = json.loads(PLANS.read_text())[name]
        self.name = name
        self.arms = plan['arms']
        self.blocks = [Block(block['guests'], delay, block['restarts'], block['in_a_pass'])
                       for block in plan['blocks'] for delay in block['delays_ms']]

    def cells(self):
        """Each cell, and how many restarts it is to have."""
        return {Cell(arm, block.guests, block.delay_ms): block.restarts for block in self.blocks for arm in self.arms}

    def visits(self, done):
        """(block, the rounds to run now) until each cell has its restarts, the block that has had the fewest passes
        first. A round restarts once in each arm; `done` counts the restarts that a cell has already."""
        have = {block: min(done[Cell(arm, block.guests, block.delay_ms)] for arm in self.arms) for block in self.blocks}
        while True:
            left = [block for block in self.blocks if have[block] < block.restarts]
            if not left:
                return
            block = min(left, key=lambda block: have[block] // block.in_a_pass)
            last = min(have[block] + block.in_a_pass, block.restarts)
            yield block, range(have[block], last)
            have[block] = last


def count(rows):
    return Counter(Cell(row['arm'], int(row['guests']), int(row['delay_ms'])) for row in rows)
