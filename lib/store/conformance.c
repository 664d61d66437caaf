/* SPDX-License-Identifier: MIT */
#include "store/conformance.h"

#include <string.h>

#include "base/def.h"

#define DEF_LEAST sizeof(struct muster_testing_store_def)

void muster_testing_store_def_init(struct muster_testing_store_def *def, size_t size)
{
    memset(def, 0, size);
    memcpy(def, &size, sizeof(size));
}

static int run_check(struct muster__kit *kit, const struct muster__kit_check *check)
{
    kit->text[0] = '\0';
    if (check->reopens && (kit->def->flags & MUSTER_TESTING_FORGETS) != 0)
        return muster__kit_fail(kit, MUSTER_ESKIPPED, "this store keeps nothing");
    int code = muster__kit_begin(kit);
    if (code == 0)
        code = check->run(kit);
    muster__kit_end(kit, code == 0);
    return code;
}

int muster__testing_store(const struct muster_testing_store_def *def, const char *only)
{
    const struct muster__kit_check *const parts[] = {
        muster__kit_record_checks,
        muster__kit_call_checks,
        muster__kit_place_checks,
        muster__kit_fault_checks,
    };
    struct muster_testing_store_def copy;
    struct muster__kit kit = {.def = &copy};
    int first = 0;
    if (muster__def_copy(&copy, sizeof(copy), def, DEF_LEAST) != 0 || !copy.make)
        return MUSTER_EINVAL;
    int code = muster__memory_init(&kit.memory, NULL);
    if (code != 0)
        return code;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const struct muster__kit_check *check = parts[i]; check->name != NULL; check++) {
            if (only != NULL && strcmp(only, check->name) != 0)
                continue;
            code = run_check(&kit, check);
            if (copy.report)
                copy.report(copy.data, check->name, code, kit.text);
            if (first == 0 && code != MUSTER_ESKIPPED)
                first = code;
        }
    return first;
}

int muster_testing_store(const struct muster_testing_store_def *def)
{
    return muster__testing_store(def, NULL);
}
