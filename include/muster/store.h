/* SPDX-License-Identifier: MIT */
/**
 * Stores: where records live. For hosts that choose one, and for who implements one.
 *
 * A store is a table of callbacks (struct muster_store_ops) and the implementation's own pointer.
 * The callbacks run on the store's worker, a thread of its own, one at a time; they may block.
 * The order is: open, load, then any number of commit, load, verify and compact, then close; destroy
 * is the last, with or without the others before it. <muster/testing.h> checks whether a store keeps to all this.
 */
#ifndef MUSTER_STORE_H
#define MUSTER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>
#include <muster/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_allocator;
struct muster_store;

/** The kinds of record. A store keeps the kinds that it doesn't know as they are. */
enum muster_record_kind {
    MUSTER_RECORD_RESOURCE = 0,
    /**
     * Durations, for the order of the next bring-up (see MUSTER_FIRST_COME in muster/context.h). `driver` and `name` are a
     * resource's, or both the driver's for its phases; `handle` has the means in microseconds, with spaces between:
     * "initialize=12000 reconcile=3500 autostart=2000", "start=40000". Of the other members boot, generation and format count.
     * A mean begins with an op that succeeded and took 2 ms, and is forgotten below 1 ms. It is written again when it has
     * moved by an eighth, with a batch that is written anyway, at the latest at the end of a bring-up or with a shutdown.
     * What makes no sense counts as if it weren't there. It is forgotten with the resource and with its record, and never seen
     * by muster_record_foreach().
     */
    MUSTER_RECORD_HISTORY = 1
};

/** Flags of a record. */
enum muster_record_flags {
    /** Its content was lost to corruption: only kind, driver and name count. */
    MUSTER_RECORD_QUARANTINED = 1,
    /** In a commit: forget the record of that kind, driver and name. Never in a load. */
    MUSTER_RECORD_REMOVED = 2,
    /** What autostart was for has happened in `boot`. */
    MUSTER_RECORD_MARK = 4
};

/** The format version that this muster writes. */
#define MUSTER_RECORD_FORMAT 1

/**
 * What the store remembers of one resource, or how long it or a driver took. Its key is (kind, driver, name). Strings are UTF-8
 * without NUL, or NULL.
 * Whoever passes a record keeps it alive during the call alone: the other side copies.
 */
struct muster_record {
    /** sizeof(struct muster_record). */
    size_t size;
    /** enum muster_record_kind. */
    uintptr_t kind;
    /** The driver's name. */
    const char *driver;
    /** The resource's name within the driver; or the driver's own, see MUSTER_RECORD_HISTORY. */
    const char *name;
    /** enum muster_record_flags. */
    uintptr_t flags;
    /** enum muster_desired. */
    uintptr_t desired;
    /** enum muster_stage. Another number is a later muster's: it is kept, and the record counts as quarantined. */
    uintptr_t stage;
    /** enum muster_reason. As with the stage, where that is inactive. */
    uintptr_t reason;
    /** The boot id under which this was written: up to 64 printable bytes. */
    const char *boot;
    /** Starts since the last success. */
    uint64_t attempts;
    /** Grows with every version of this record. */
    uint64_t generation;
    /** The start token, 32 hexadecimal digits. */
    const char *token;
    /** The driver's own text, at most 1 MiB. */
    const char *handle;
    /** MUSTER_RECORD_FORMAT of the muster that wrote it. */
    uint64_t format;
    /** Members that this version doesn't know: the text of a JSON object, kept as it came; or NULL. */
    const char *extra;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_record_init(struct muster_record *record, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_RECORD_INIT(record) muster_record_init((record), sizeof(struct muster_record))

/** load: called for each record. A non-zero return must end the load with that code. */
typedef int (*muster_load_cb)(void *data, const struct muster_record *record);

/**
 * A store's callbacks. All but the optional ones must be there. `self` is the implementation's pointer. A failing
 * callback fills `error` with muster_error_set(); it is never NULL.
 */
struct muster_store_ops {
    /** sizeof(struct muster_store_ops). */
    size_t size;
    /** "journal": for messages. */
    const char *name;

    /** Free `self`. Called once, last, on the loop thread; after close if there was an open. */
    void (*destroy)(void *self);

    /**
     * Take the lock, make ready. MUSTER_EBUSY: another daemon holds it (the message says which): the bring-up fails. Any other
     * failure: the bring-up goes on without records: it probes and adopts, and starts nothing.
     */
    int (*open)(void *self, struct muster_error *error);

    /**
     * Call `cb` once for each record. May be called again after a commit that ended with MUSTER_EINDETERMINATE:
     * it then tells what is durable. A load that returns 0 may leave MUSTER_ECORRUPT in `error`: some records were lost, and are
     * quarantined where their names are known. Records whose driver or name no resource can have are told to observers, and
     * left alone.
     */
    int (*load)(void *self, muster_load_cb cb, void *data, struct muster_error *error);

    /**
     * A batch, all or nothing, durable on return. No two records of a batch have the same key. A record that can't be kept (no
     * driver or name, not UTF-8, too long) is MUSTER_EINVAL. Returns
     *   0                      all of it is durable;
     *   MUSTER_EAGAIN          nothing was applied, the same may be tried again;
     *   MUSTER_EINDETERMINATE  it can't be told; muster loads before it writes again (a time-out counts as this);
     *   MUSTER_EFENCED         the lock is lost: muster never writes again;
     *   any other              nothing was applied.
     */
    int (*commit)(void *self, const struct muster_record *const *records, size_t count, struct muster_error *error);

    /** Give the lock back. Called once after a successful open. */
    int (*close)(void *self, struct muster_error *error);

    /** Optional. Check everything without changing anything. */
    int (*verify)(void *self, struct muster_error *error);
    /** Optional. Reclaim space. */
    int (*compact)(void *self, struct muster_error *error);

    /**
     * Optional. Instead of open, for muster_store_open() with MUSTER_STORE_READ_ONLY: take no lock, make nothing, change
     * nothing. Then come load and verify alone, any number of times, and close. Another process may be writing meanwhile:
     * what load tells was there at some time since this call.
     */
    int (*open_read_only)(void *self, struct muster_error *error);

    /**
     * Optional. In a child after fork, by muster_after_fork(), in place of close and destroy: close what the child has inherited.
     * It may have been forked in the midst of any other call: what such a call changes isn't to be read, nor anything freed.
     */
    void (*after_fork)(void *self);
};

/**
 * Make a store of one's own. `ops` is copied. On success the store owns `self`. MUSTER_EINVAL: a short size or
 * a missing callback.
 */
MUSTER_API int muster_store_new(const struct muster_store_ops *ops, void *self, struct muster_store **ret_store);

/**
 * A store can be used without a context: by a tool that shows, checks or mends what a daemon has left. These functions call
 * the store's callbacks at once, on the calling thread, and block. Not for a store that was given to muster_new(), nor is one
 * that is open to be given to it. Each returns 0 or a negative code, and keeps what went wrong in muster_store_get_error();
 * MUSTER_EINVAL, which needs no text: an argument is NULL. A store that is open is closed before it is freed.
 */

/** Flags of muster_store_open(). */
enum muster_store_open_flags {
    /**
     * Work beside a daemon that has the store: take no lock, make nothing and change nothing; commit and compact are
     * MUSTER_ESTATE. MUSTER_ENOTSUP: the store can't.
     */
    MUSTER_STORE_READ_ONLY = 1
};

/**
 * `flags` is of enum muster_store_open_flags. Without READ_ONLY it makes what isn't there, and mends what is damaged, as a
 * daemon's open does. MUSTER_EBUSY: a daemon has it, and the text says which. MUSTER_ESTATE: it is open already.
 */
MUSTER_API int muster_store_open(struct muster_store *store, uintptr_t flags);
/**
 * 0 with MUSTER_ECORRUPT in muster_store_get_error(): some records were lost. A non-zero return of `cb` ends the load, and is
 * returned. MUSTER_ESTATE, as with those below: it isn't open. Inside `cb` each call on this store but muster_store_get_error()
 * is MUSTER_ESTATE, which then needs no text; nor may the store be freed there.
 */
MUSTER_API int muster_store_load(struct muster_store *store, muster_load_cb cb, void *data);
/**
 * See commit in struct muster_store_ops. MUSTER_EINVAL, too: a driver or name that a context would refuse (see
 * muster_driver_def.name and muster_resource_def.name), unless it is to be removed; nothing is committed.
 */
MUSTER_API int muster_store_commit(struct muster_store *store, const struct muster_record *const *records, size_t count);
/**
 * MUSTER_ECORRUPT: what is wrong as a whole is the error's text, and each problem ("line 7: damaged: ...") a sibling of it, at
 * most 100; walk them with muster_error_next(). MUSTER_ENOTSUP: the store can't tell.
 */
MUSTER_API int muster_store_verify(struct muster_store *store);
/** MUSTER_ENOTSUP: the store has nothing to reclaim. */
MUSTER_API int muster_store_compact(struct muster_store *store);
/** Give the lock back. Whatever it returns, the store is closed. */
MUSTER_API int muster_store_close(struct muster_store *store);
/** What the last of the calls above has left; its code is 0 if all is fine. Valid until the next one. NULL for NULL. */
MUSTER_API const struct muster_error *muster_store_get_error(const struct muster_store *store);

/** Free a store that no context owns: a successful muster_new() takes it. NULL is accepted. */
MUSTER_API void muster_store_free(struct muster_store *store);

/** Records in memory, gone with the process: the readable example of the interface. `allocator` may be NULL. */
MUSTER_API int muster_store_memory_new(const struct muster_allocator *allocator, struct muster_store **ret_store);

/** How a journal is kept. NULL stands for all defaults. */
struct muster_journal_options {
    /** sizeof(struct muster_journal_options). */
    size_t size;
    /** NULL: malloc. */
    const struct muster_allocator *allocator;
    /** A journal larger than this isn't read, in bytes. Default 1 GiB. */
    uint64_t max_size;
    /** A line deeper than this is corrupt. Default 32. */
    uintptr_t max_depth;
    /** Compact when the journal is larger than this and than twice what is live, in bytes. Default 1 MiB. */
    uint64_t compact_size;
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_journal_options_init(struct muster_journal_options *options, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_JOURNAL_OPTIONS_INIT(options)                                                        \
    muster_journal_options_init((options), sizeof(struct muster_journal_options))

/**
 * The journal: JSON lines in a state directory, which is made (0700) if its parent exists. See store/journal.md for the
 * format. Nothing is opened before the bring-up. Not there in a build with -Djournal=disabled: MUSTER_ENOTSUP.
 */
MUSTER_API int muster_store_journal_new(const char *directory, const struct muster_journal_options *options,
                                        struct muster_store **ret_store);

/**
 * One table in a database file, which is made (0600) if its directory exists; `sqlite3 FILE 'SELECT * FROM resources'` reads it,
 * also while a daemon has it. For hosts that want SQL, or very many records. FILE-lock beside it names the daemon that
 * has it. Open to read only, sqlite still keeps its marks in FILE-shm, and makes it where FILE-wal lies without it; where there
 * is no FILE-wal each load and verify copies the file into memory.
 * Nothing is opened before the bring-up. What it makes of damaged and foreign files is in store/sqlite.md. `allocator` may
 * be NULL; sqlite has its own. Not there in a build
 * with -Dsqlite=disabled: MUSTER_ENOTSUP.
 */
MUSTER_API int muster_store_sqlite_new(const char *file, const struct muster_allocator *allocator,
                                       struct muster_store **ret_store);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_STORE_H */
