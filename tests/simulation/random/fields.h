/* SPDX-License-Identifier: MIT */
/* What a scenario says of the context, of drivers, resources, turns and jobs, as tables: printed, read and shrunk by them. */
#ifndef SIMULATION_FIELDS_H
#define SIMULATION_FIELDS_H

#include "scenario.h"

enum shape {
    IS_TRUE,   /* bool: its word alone */
    IS_NUMBER, /* uint64_t, uintptr_t, intptr_t */
    IS_LIST,   /* of names, with commas */
    IS_PHASES, /* unsigned: a bit each */
    IS_BITS,   /* uintptr_t: words of `words`, a bit each */
    IS_WORD,   /* uintptr_t: one of `words` */
    IS_CODE    /* int */
};

struct field {
    const char *key;
    enum shape shape;
    size_t offset;
    const char *words;
};

/* Each ends with a key of NULL. */
extern const struct field scenario_context_fields[];  /* of struct scenario */
extern const struct field scenario_driver_fields[];   /* of struct driver_config */
extern const struct field scenario_resource_fields[]; /* of struct resource_config */
extern const struct field scenario_turn_fields[];     /* of struct turn */
extern const struct field scenario_job_fields[];      /* of struct store_turn */

/* Is it as if nothing were said? */
bool field_is_usual(const struct field *field, const void *place);

#endif
