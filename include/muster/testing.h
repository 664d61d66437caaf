/* SPDX-License-Identifier: MIT */
/**
 * The conformance kit for stores: for who implements one. It needs no test framework.
 *
 * Write a callback that makes your store over one place, the same at every call, and give it to muster_testing_store():
 *
 *     static int make(void *data, struct muster_store **ret_store)
 *     {
 *         return my_store_new(data, ret_store);
 *     }
 *
 *     static void report(void *data, const char *check, int code, const char *text)
 *     {
 *         printf("%-24s %s\n", check, code == 0 ? "ok" : text);
 *     }
 *
 *     int main(void)
 *     {
 *         struct muster_testing_store_def def;
 *         MUSTER_TESTING_STORE_DEF_INIT(&def);
 *         def.make = make;
 *         def.report = report;
 *         def.data = "/tmp/an-empty-place";
 *         return muster_testing_store(&def) != 0;
 *     }
 *
 * What is checked is what <muster/store.h> promises to a context, by these names:
 *
 *   empty                    a new place has no records
 *   one record               what was committed is loaded, every member as it was
 *   least record             a key alone; NULL stays NULL, "" stays ""
 *   many records             1,000 in one batch, and some in batches of their own
 *   overwrite                the last version of a key counts, and is there once
 *   remove                   a removed record is gone; removing what isn't there does nothing; it may come back
 *   keys                     kind, driver and name tell records apart, and nothing else does
 *   names                    every byte that a name may have, 255 of them, case and blanks, what looks alike
 *   texts                    quotes, newlines, control characters, any UTF-8 in a handle
 *   long handles             up to 1 MiB, several of them in one batch
 *   extra                    members that nobody knows are kept; without them extra is NULL
 *   numbers                  every number up to its largest, stages and reasons of the future too
 *   unknown kinds            kinds of the future are kept as they are
 *   flags                    marks are kept
 *   quarantined              that a record is quarantined is kept, and ends with its next version
 *   whole batch              new, changed and removed records in one batch
 *   refused batch            a record without a key is refused with MUSTER_EINVAL, and nothing of its batch applied
 *   unfit records            what isn't UTF-8 or is too long is refused like that, or kept as it came
 *   copies                   nothing that was passed to commit is used after it
 *   order                    commits count in the order in which they came
 *   load again               load tells the same as often as it is called
 *   load ended               load ends with what its callback returned; the next one tells all
 *   reopen                   all is there after close and open
 *   unused                   a store that is freed without open has changed nothing
 *   killed                   what commit has acknowledged is there after SIGKILL (needs fork)
 *   two opens                a second open gets MUSTER_EBUSY, the first works on, and it opens once the first is closed
 *   two processes            the same from another process (needs fork)
 *   verify                   a sound store is sound, and verify changes nothing
 *   compact                  before, between and after commits, it changes nothing that load tells
 *   failing open             fails with a text, and the next open tells what was there (these need `fault`)
 *   failing load             fails with a text, and the next load tells all
 *   failing commit           what it returned holds: all of the batch, nothing, or after MUSTER_EINDETERMINATE either; then
 *                            load and commit work
 *   failing close            gives the place back all the same
 *   failing verify           fails with a text, and has changed nothing
 *   failing compact          has changed nothing that load tells; then load and commit work
 *
 * Each starts from what the one before has left, which it loads first; each removes its records when it has passed. What can't be
 * provoked isn't checked: power that fails; and without `fault` disks that are full or break. The order in which
 * load calls back is free. `extra` is passed as compact JSON, at most 8 deep.
 */
#ifndef MUSTER_TESTING_H
#define MUSTER_TESTING_H

#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>
#include <muster/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of muster_testing_store_def.flags. */
enum muster_testing_store_flags {
    /**
     * Each store that is made has records of its own, which go with it (as in memory): what reopens or
     * shares a place is skipped.
     */
    MUSTER_TESTING_FORGETS = 1
};

/** What to check. */
struct muster_testing_store_def {
    /** sizeof(struct muster_testing_store_def). */
    size_t size;
    /**
     * Make a store. Every call must name the same place, which is empty at the first; open isn't called in here.
     * Several stores may exist at once; the kit opens, closes and frees them. Returns 0 or a negative code. Must be there.
     */
    int (*make)(void *data, struct muster_store **ret_store);
    /**
     * Called once for each check, in the order above: `code` is 0, MUSTER_ESKIPPED with the reason in `text`, or the failure with
     * what was expected and seen in `text`. `text` is never NULL, and is valid during the call. NULL: nobody is told.
     */
    void (*report)(void *data, const char *check, int code, const char *text);
    /** For both. */
    void *data;
    /** enum muster_testing_store_flags. */
    uintptr_t flags;
    /**
     * Optional. Make something fail under the store: the `count`-th call, from 1, that a store makes from now on to the system,
     * to an allocator, or to whatever it keeps its records with, fails once; with 0 none does. Returns whether the failure
     * asked for before this call has happened. Each of the checks of failures asks for 1, 2, 3 and so on, from 16 on in
     * larger steps, until one hasn't happened. A store that calls nothing that could fail has no use for it.
     */
    int (*fault)(void *data, uint64_t count);
};

/** Set the size, zero the rest. Use the macro. */
MUSTER_API void muster_testing_store_def_init(struct muster_testing_store_def *def, size_t size);
/** Every member its default, in the size that the caller was compiled with. */
#define MUSTER_TESTING_STORE_DEF_INIT(def)                                                          \
    muster_testing_store_def_init((def), sizeof(struct muster_testing_store_def))

/**
 * Run every check. It calls the store's callbacks on the calling thread, which may be any; it blocks, for some seconds where
 * commits are slow. Records are left behind where a check has failed.
 *
 * Returns 0 if no check failed; else the code of the first that did: the store's own, or MUSTER_EFAILED where what it did
 * isn't what it should. MUSTER_EINVAL: a bad definition, nothing was run. MUSTER_ENOMEM.
 */
MUSTER_API int muster_testing_store(const struct muster_testing_store_def *def);

#ifdef __cplusplus
}
#endif

#endif /* MUSTER_TESTING_H */
