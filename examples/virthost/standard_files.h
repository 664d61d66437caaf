/* SPDX-License-Identifier: MIT */
#ifndef VIRTHOST_STANDARD_FILES_H
#define VIRTHOST_STANDARD_FILES_H

/* Whichever of standard input, output and error is closed becomes /dev/null: no socket and no store takes its place. */
void standard_files_hold(void);

#endif
