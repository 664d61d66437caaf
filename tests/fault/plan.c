/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* As the man pages have them, but for those that tell something about the files that isn't a failure (ENOENT, EEXIST, ELOOP). */
static const int numbers[CALLS][PLAN_ALL] = {
    [CALL_OPENAT] = {EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EOVERFLOW, EINTR, ENODEV, EBUSY},
    [CALL_MKDIR] = {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EPERM, ENOMEM, EMLINK},
    [CALL_FSTAT] = {EIO, ENOMEM, EOVERFLOW},
    [CALL_PREAD] = {EIO, ENOMEM, EAGAIN, EISDIR, EOVERFLOW, EINTR},
    [CALL_PWRITE] = {EIO, ENOSPC, EDQUOT, EFBIG, EPERM, EAGAIN, EINTR},
    [CALL_FTRUNCATE] = {EIO, EPERM, EROFS, EFBIG, EINTR},
    [CALL_FDATASYNC] = {EIO, ENOSPC, EDQUOT, EROFS, EINTR},
    [CALL_FSYNC] = {EIO, ENOSPC, EDQUOT, EROFS, EINTR},
    [CALL_RENAMEAT] = {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EPERM, ENOMEM, EBUSY, EMLINK},
    [CALL_UNLINKAT] = {EIO, EROFS, EACCES, EPERM, ENOMEM, EBUSY},
    [CALL_CLOSE] = {EIO, ENOSPC, EDQUOT, EINTR},
    [CALL_LOCK] = {ENOLCK, EAGAIN, EACCES, EINTR, ENOMEM},
    [CALL_GETRANDOM] = {EIO, ENOSYS, EAGAIN, EINTR},
    [CALL_FSTATAT] = {EIO, EACCES, ENOMEM, EOVERFLOW},
    [CALL_SYNC_FILE_RANGE] = {EIO, ENOSPC, ENOMEM, EPERM, ENOSYS},
    [CALL_MMAP] = {ENOMEM, EACCES, ENFILE},
};

/* Those that are called again when they were interrupted would be for ever. */
static bool goes_on(enum call call, int sys_errno)
{
    return sys_errno == EINTR && (call == CALL_PREAD || call == CALL_PWRITE || call == CALL_GETRANDOM);
}

static const struct plan cuts[] = {
    {CALL_IS_CUT, PART_HALF, 0, false},   {CALL_IS_CUT, PART_NONE, 0, false},  {CALL_IS_CUT, PART_NONE, 0, true},
    {CALL_IS_CUT, PART_BYTE, 0, false},   {CALL_IS_CUT, PART_ALMOST, 0, false}, {CALL_IS_CUT, PART_HALF, 0, true},
    {CALL_IS_CUT, PART_ALMOST, 0, true},
};

static unsigned add_parts(enum call_effect effect, int sys_errno, bool forever, struct plan *plans)
{
    unsigned count = 0;
    for (enum call_part part = PART_BYTE; part <= PART_ALMOST; part++)
        plans[count++] = (struct plan){effect, part, sys_errno, forever};
    return count;
}

unsigned plan_all(enum call call, unsigned errnos, struct plan plans[PLANS])
{
    bool quick = errnos < PLAN_ALL;
    unsigned count = 0;
    for (unsigned i = 0; i < errnos && numbers[call][i] != 0; i++)
        for (int forever = 0; forever < 2; forever++)
            if (!forever || !goes_on(call, numbers[call][i]))
                plans[count++] = (struct plan){CALL_FAILS, PART_NONE, numbers[call][i], forever};
    if (numbers[call][0] != 0)
        plans[count++] = (struct plan){CALL_FAILS_WITH_ALL, PART_NONE, numbers[call][0], true};
    bool cut = call == CALL_PREAD || call == CALL_PWRITE || call == CALL_GETRANDOM;
    for (unsigned i = 0; cut && i < (quick ? 2 : sizeof(cuts) / sizeof(cuts[0])); i++)
        plans[count++] = cuts[i];
    if (call == CALL_PWRITE && quick)
        plans[count++] = (struct plan){CALL_IS_TORN, PART_HALF, ENOSPC, true};
    if (call != CALL_PWRITE || quick)
        return count;
    count += add_parts(CALL_IS_TORN, ENOSPC, false, plans + count);
    count += add_parts(CALL_IS_TORN, EIO, true, plans + count);
    count += add_parts(CALL_IS_CUT_AND_FAILS, ENOSPC, false, plans + count);
    return count + add_parts(CALL_IS_CUT_AND_FAILS, EIO, false, plans + count);
}

unsigned plan_deaths(enum call call, struct plan plans[PLANS])
{
    plans[0] = (struct plan){.effect = CALL_DIES_BEFORE};
    plans[1] = (struct plan){.effect = CALL_DIES_AFTER};
    plans[2] = (struct plan){.effect = CALL_DIES_HALFWAY};
    return call == CALL_PWRITE ? 3 : 2;
}

void plan_text(const struct plan *plan, char *ret_text, size_t size)
{
    static const char *const parts[] = {"0 bytes", "1 byte", "half", "all but a byte"};
    static const char *const deaths[] = {"before it", "after it", "with half of it done"};
    const char *forever = plan->forever ? ", and all after it" : "";
    const char *name = plan->sys_errno == 0 ? "" : strerrorname_np(plan->sys_errno);
    switch (plan->effect) {
    case CALL_FAILS:
        snprintf(ret_text, size, "fails with %s%s", name, forever);
        break;
    case CALL_FAILS_WITH_ALL:
        snprintf(ret_text, size, "fails with %s, and every call after it", name);
        break;
    case CALL_IS_CUT:
        snprintf(ret_text, size, "does %s%s", parts[plan->part], forever);
        break;
    case CALL_IS_CUT_AND_FAILS:
        snprintf(ret_text, size, "does %s, and the next fails with %s", parts[plan->part], name);
        break;
    case CALL_IS_TORN:
        snprintf(ret_text, size, "does %s and fails with %s%s", parts[plan->part], name, forever);
        break;
    case CALL_DIES_BEFORE:
    case CALL_DIES_AFTER:
    case CALL_DIES_HALFWAY:
        snprintf(ret_text, size, "ends the process %s", deaths[plan->effect - CALL_DIES_BEFORE]);
        break;
    }
}

static bool lists(const char *words, const char *word)
{
    size_t length = strlen(word);
    if (length == 0)
        return words[0] == '\0';
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
            return true;
    return false;
}

struct tolerated *plan_find(struct tolerated *list, const struct plan *plan, enum call call, const char *file, char step)
{
    char how = plan->forever ? 'e' : '1';
    if (plan->effect == CALL_IS_CUT && plan->part == PART_NONE)
        how = plan->forever ? 'Z' : 'z';
    else if (plan->effect == CALL_IS_CUT)
        how = plan->forever ? 'C' : 'c';
    for (; list->reason != NULL; list++)
        if (list->call == call && strchr(list->how, how) != NULL && (list->files == NULL || lists(list->files, file)) &&
            (list->steps == NULL || strchr(list->steps, step) != NULL) &&
            (list->sys_errno == 0 || list->sys_errno == plan->sys_errno))
            return list;
    return NULL;
}
