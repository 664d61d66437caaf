/* SPDX-License-Identifier: MIT */
/*
 * The trail: what a bring-up, a reload or a shutdown has done so far, for the report. One entry of fixed size an op, in blocks
 * that stay where they are; no strings. Where memory is short, ops are missing, and counted.
 */
#ifndef MUSTER__TRAIL_H
#define MUSTER__TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct muster__engine;
struct muster__entry;
struct muster_error;
struct muster_op;
struct muster_resource;

/* As in enum muster_report_kind. */
enum muster__trail_kind { MUSTER__TRAIL_BRING_UP, MUSTER__TRAIL_RELOAD, MUSTER__TRAIL_SHUTDOWN, MUSTER__TRAILS };

/* Not yet, or never. */
#define MUSTER__TRAIL_NEVER UINT32_MAX

/* How many ops, of retries, a trail takes that come after its end. */
#define MUSTER__TRAIL_LATE 4096

/*
 * Times are in ms from the trail's begin. 16 bytes: what most ops, of drivers as a whole that went well, have to tell. Memory
 * that is new costs more than all else in a trail.
 */
struct muster__trail_op {
    uint32_t who; /* the driver's id; if there is more, its number */
    uint32_t begin_ms;
    uint32_t end_ms;
    uint8_t phase;
    uint8_t cause;
    bool timed_out;
    uint8_t has; /* enum muster__trail_has */
};

enum muster__trail_has {
    MUSTER__TRAIL_HAS_DRIVER,
    MUSTER__TRAIL_HAS_MORE,
    MUSTER__TRAIL_HAS_NOTHING /* it has failed, and there was no memory for that */
};

/* Of an op of a resource or a record, or of one that failed. */
struct muster__trail_more {
    struct muster__entry *entry; /* its name; NULL: an op of the driver as a whole */
    struct muster_error *error;
    uint32_t driver; /* id */
    int outcome;
};

/* Of so many ops: a page. */
#define MUSTER__TRAIL_BLOCK 256

struct muster__trail_block {
    struct muster__trail_op ops[MUSTER__TRAIL_BLOCK];
};

struct muster__trail_commit {
    uint32_t begin_ms;
    uint32_t end_ms;
    uint32_t records;
    int code;
};

/* A resource depended on another. */
struct muster__trail_edge {
    struct muster__entry *from;
    struct muster__entry *to;
};

struct muster__trail {
    const struct muster__engine *engine;
    bool used;
    bool ended;
    int code; /* what it ended with */
    uint64_t begin_ms; /* on the clock of the events */
    uint32_t end_ms;
    uint32_t milestones[3]; /* by enum muster_milestone */
    struct muster__trail_block **blocks;
    size_t block_count;
    size_t block_capacity;
    struct muster__trail_op *next; /* where the next op goes, if there is room */
    size_t op_count;
    size_t op_room;  /* so many ops come in without asking: the capacity, and none any more once it has ended */
    size_t op_limit; /* once it has ended */
    size_t lost;     /* ops that it has no room for */
    struct muster__trail_more *more;
    size_t more_count;
    size_t more_capacity;
    struct muster__trail_commit *commits;
    size_t commit_count;
    size_t commit_capacity;
    struct muster__trail_edge *edges; /* of resources that are gone; each one's stand together */
    size_t edge_count;
    size_t edge_capacity;
    bool committing; /* the last of the commits is out */
};

static inline struct muster__trail_op *muster__trail_op_at(const struct muster__trail *trail, size_t at)
{
    return &trail->blocks[at / MUSTER__TRAIL_BLOCK]->ops[at % MUSTER__TRAIL_BLOCK];
}

/* All of it in one: of most, a driver's id. */
static inline struct muster__trail_more muster__trail_more_of(const struct muster__trail *trail,
                                                              const struct muster__trail_op *op)
{
    return op->has == MUSTER__TRAIL_HAS_MORE ? trail->more[op->who] : (struct muster__trail_more){.driver = op->who};
}

static inline uint32_t muster__trail_since(const struct muster__trail *trail, uint64_t now)
{
    uint64_t ms = now - trail->begin_ms;
    return ms < MUSTER__TRAIL_NEVER ? (uint32_t)ms : MUSTER__TRAIL_NEVER - 1;
}

/* A new one begins, and takes what comes from now on; the last of its kind is forgotten. */
void muster__trail_open(struct muster__engine *engine, enum muster__trail_kind kind);
/* The end of what the current one is about; retries that come late are still taken. */
void muster__trail_close(struct muster__engine *engine, int code);
void muster__trail_milestone(struct muster__engine *engine, int milestone);
void muster__trail_commit(struct muster__engine *engine, size_t records);
void muster__trail_committed(struct muster__engine *engine, int code);
void muster__trail_timed_out(const struct muster_op *op);
/* The seldom parts of an op's begin and end, which are in internal.h. */
bool muster__trail_make_room(const struct muster_op *op);
void muster__trail_name(const struct muster_op *op);
void muster__trail_fail(struct muster_op *op);
/* The resource goes away: what it depended on is remembered, if the current trail tells of it. */
void muster__trail_detach(const struct muster_resource *resource);
void muster__trails_free(struct muster__engine *engine);

/* The last of its kind; NULL: there was none. */
const struct muster__trail *muster__engine_trail(const struct muster__engine *engine, enum muster__trail_kind kind);
/* "storage/pool0" */
const char *muster__entry_path(const struct muster__entry *entry);

#endif
