/* SPDX-License-Identifier: MIT */
/* What ids of 32 bits can tell: beyond that, memory counts as full. The test of the limits is built with lower ones. */
#ifndef MUSTER__GRAPH_LIMITS_H
#define MUSTER__GRAPH_LIMITS_H

#include <stdint.h>

#ifndef MUSTER__NODES_MAX
#define MUSTER__NODES_MAX (UINT32_MAX / 4)
#endif
/* Ids of names fit into 29 bits: three are left for a tag. */
#ifndef MUSTER__NAMES_MAX
#define MUSTER__NAMES_MAX (UINT32_C(1) << 29)
#endif
/* Bytes of names. */
#ifndef MUSTER__ARENA_MAX
#define MUSTER__ARENA_MAX UINT32_MAX
#endif
/* Of all nodes. */
#ifndef MUSTER__DECLARED_MAX
#define MUSTER__DECLARED_MAX UINT32_MAX
#endif
/* From each node that a name stands for to each that mentions it. */
#ifndef MUSTER__EDGES_MAX
#define MUSTER__EDGES_MAX UINT32_MAX
#endif

#endif
