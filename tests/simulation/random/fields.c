/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stddef.h>

#define FIELD(type, key, shape, member) {key, shape, offsetof(type, member), NULL}
#define WORDED(type, key, shape, member, words) {key, shape, offsetof(type, member), words}

const struct field scenario_context_fields[] = {
    WORDED(struct scenario, "flags", IS_BITS, flags, "complete-tiers first-come"),
    FIELD(struct scenario, "max-ops", IS_NUMBER, max_ops),
    FIELD(struct scenario, "op-timeout", IS_NUMBER, op_timeout_ms),
    FIELD(struct scenario, "store-timeout", IS_NUMBER, store_timeout_ms),
    FIELD(struct scenario, "shuffle", IS_NUMBER, shuffle_seed),
    FIELD(struct scenario, "no-store", IS_TRUE, no_store),
    FIELD(struct scenario, "boot-unknown", IS_TRUE, boot_unknown),
    FIELD(struct scenario, "unobserved", IS_TRUE, unobserved),
    {0},
};

const struct field scenario_driver_fields[] = {
    FIELD(struct driver_config, "callbacks", IS_PHASES, callbacks),
    FIELD(struct driver_config, "tier", IS_NUMBER, tier),
    FIELD(struct driver_config, "priority", IS_NUMBER, priority),
    FIELD(struct driver_config, "needs", IS_LIST, needs),
    FIELD(struct driver_config, "wants", IS_LIST, wants),
    FIELD(struct driver_config, "after", IS_LIST, after),
    FIELD(struct driver_config, "before", IS_LIST, before),
    FIELD(struct driver_config, "provides", IS_LIST, provides),
    WORDED(struct driver_config, "flags", IS_BITS, flags, "essential"),
    FIELD(struct driver_config, "op-timeout", IS_NUMBER, op_timeout_ms),
    FIELD(struct driver_config, "max-probes", IS_NUMBER, max_probes),
    FIELD(struct driver_config, "max-starts", IS_NUMBER, max_starts),
    FIELD(struct driver_config, "start-interval", IS_NUMBER, start_interval_ms),
    {0},
};

const struct field scenario_resource_fields[] = {
    FIELD(struct resource_config, "needs", IS_LIST, needs),
    FIELD(struct resource_config, "after", IS_LIST, after),
    WORDED(struct resource_config, "policy", IS_WORD, policy, "manual autostart unless-stopped last-state"),
    WORDED(struct resource_config, "flags", IS_BITS, flags, "volatile restart-on-loss adopt-unmanaged"),
    FIELD(struct resource_config, "priority", IS_NUMBER, priority),
    FIELD(struct resource_config, "transient", IS_TRUE, transient),
    FIELD(struct resource_config, "late-added", IS_TRUE, late_added),
    {0},
};

const struct field scenario_turn_fields[] = {
    FIELD(struct turn, "outcome", IS_CODE, outcome),
    FIELD(struct turn, "delay", IS_NUMBER, delay),
    FIELD(struct turn, "effect", IS_NUMBER, effect),
    FIELD(struct turn, "extend-at", IS_NUMBER, extend_at),
    FIELD(struct turn, "extend-by", IS_NUMBER, extend_ms),
    FIELD(struct turn, "twice-after", IS_NUMBER, twice_after),
    FIELD(struct turn, "limbo", IS_NUMBER, limbo),
    FIELD(struct turn, "sync", IS_TRUE, sync),
    FIELD(struct turn, "never", IS_TRUE, never),
    FIELD(struct turn, "effective", IS_TRUE, effective),
    FIELD(struct turn, "heeds-cancel", IS_TRUE, heeds_cancel),
    FIELD(struct turn, "adds", IS_TRUE, adds),
    FIELD(struct turn, "lies", IS_TRUE, lies),
    {0},
};

const struct field scenario_job_fields[] = {
    FIELD(struct store_turn, "code", IS_CODE, code),
    FIELD(struct store_turn, "delay", IS_NUMBER, delay),
    FIELD(struct store_turn, "applied", IS_TRUE, applied),
    FIELD(struct store_turn, "lands", IS_TRUE, lands),
    {0},
};

bool field_is_usual(const struct field *field, const void *place)
{
    switch (field->shape) {
    case IS_TRUE:
        return !*(const bool *)place;
    case IS_LIST:
        return *(const char *const *)place == NULL;
    case IS_PHASES:
        return *(const unsigned *)place == 0;
    case IS_CODE:
        return *(const int *)place == 0;
    default:
        return *(const uint64_t *)place == 0;
    }
}
