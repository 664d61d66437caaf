# SPDX-License-Identifier: MIT
"""Wilson's interval for a share."""

from math import sqrt

Z95 = 1.959963984540054


def interval(share, trials, z=Z95):
    """Of a share that `trials` independent trials have had; whole without any."""
    if trials == 0:
        return 0.0, 1.0
    middle = share + z * z / (2 * trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
