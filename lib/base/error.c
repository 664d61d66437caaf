/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"

/* Immortal stand-ins, one a code. */
static const struct muster_error stand_ins[] = {
#define STAND_IN(name, value, string) {.code = MUSTER_##name, .text = string " (and out of memory for the details)"},
    MUSTER_ERROR_MAP(STAND_IN)
#undef STAND_IN
};

const char *muster_code_name(int code)
{
    switch (code) {
    case 0:
        return "MUSTER_OK";
#define CODE_NAME(name, value, text)                                                               \
    case MUSTER_##name:                                                                            \
        return "MUSTER_" #name;
        MUSTER_ERROR_MAP(CODE_NAME)
#undef CODE_NAME
    default:
        break;
    }
    const char *name = code < 0 && code > -4096 ? strerrorname_np(-code) : NULL;
    return name == NULL ? "unknown" : name;
}

const char *muster_code_text(int code)
{
    switch (code) {
    case 0:
        return "success";
#define CODE_TEXT(name, value, text)                                                               \
    case MUSTER_##name:                                                                            \
        return text;
        MUSTER_ERROR_MAP(CODE_TEXT)
#undef CODE_TEXT
    default:
        break;
    }
    const char *text = code < 0 && code > -4096 ? strerrordesc_np(-code) : NULL;
    return text == NULL ? "unknown error" : text;
}

int muster_error_code(const struct muster_error *error)
{
    return error == NULL ? 0 : error->code;
}

const char *muster_error_text(const struct muster_error *error)
{
    return error == NULL ? "" : error->text;
}

int muster_error_errno(const struct muster_error *error)
{
    return error == NULL ? 0 : error->sys_errno;
}

const struct muster_error *muster_error_cause(const struct muster_error *error)
{
    return error == NULL ? NULL : error->cause;
}

const struct muster_error *muster_error_next(const struct muster_error *error)
{
    return error == NULL ? NULL : error->next;
}

/* Messages are one line of text: what comes from outside may hold others, and bytes that are none; and characters are cut. */
static void make_line(char *text)
{
    muster__utf8_mend(text);
    for (; *text != '\0'; text++)
        for (size_t left = muster__control_bytes(text); left > 0; left--)
            text[left - 1] = ' ';
}

static void format_text(struct muster_error *error, const char *format, va_list args)
{
    if (vsnprintf(error->text, sizeof(error->text), format, args) < 0)
        error->text[0] = '\0';
    make_line(error->text);
}

static void append_text(struct muster_error *error, const char *text)
{
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof(error->text) - used, "%s%s", used == 0 ? "" : ": ", text);
    make_line(error->text + used);
}

int muster_error_set(struct muster_error *error, int code, int sys_errno, const char *format, ...)
{
    if (error == NULL)
        return code;
    va_list args;
    va_start(args, format);
    format_text(error, format, args);
    va_end(args);
    error->code = code;
    error->sys_errno = sys_errno;
    if (sys_errno != 0)
        append_text(error, muster_code_text(-sys_errno));
    return code;
}

void muster__error_init(struct muster_error *error)
{
    *error = (struct muster_error){0};
}

static struct muster_error *stand_in(int code)
{
    const struct muster_error *found = &stand_ins[1]; /* ENOMEM */
    for (size_t i = 0; i < sizeof(stand_ins) / sizeof(stand_ins[0]); i++)
        if (stand_ins[i].code == code)
            found = &stand_ins[i];
    return (struct muster_error *)(uintptr_t)found;
}

static struct muster_error *new_error(const struct muster__memory *memory, int code)
{
    struct muster_error *error = muster__new(memory, struct muster_error);
    if (error == NULL)
        return stand_in(code);
    error->code = code;
    error->references = 1;
    error->memory = memory;
    return error;
}

struct muster_error *muster__error_new(const struct muster__memory *memory, int code, const struct muster_error *cause,
                                       const char *format, ...)
{
    struct muster_error *error = new_error(memory, code);
    if (error->references == 0)
        return error;
    va_list args;
    va_start(args, format);
    format_text(error, format, args);
    va_end(args);
    if (cause != NULL) {
        append_text(error, cause->text);
        error->sys_errno = cause->sys_errno;
        error->cause = muster__error_ref(cause);
    }
    return error;
}

struct muster_error *muster__error_wrap(const struct muster__memory *memory, const struct muster_error *inner,
                                        const char *format, ...)
{
    struct muster_error *error = new_error(memory, inner->code);
    if (error->references == 0)
        return error;
    va_list args;
    va_start(args, format);
    format_text(error, format, args);
    va_end(args);
    append_text(error, inner->text[0] == '\0' ? muster_code_text(inner->code) : inner->text);
    error->sys_errno = inner->sys_errno;
    return error;
}

struct muster_error *muster__error_ref(const struct muster_error *error)
{
    struct muster_error *shared = (struct muster_error *)(uintptr_t)error;
    if (shared != NULL && shared->references != 0)
        shared->references++;
    return shared;
}

/* One holder less. What nobody holds any more, it and the siblings behind it, comes before `dead`, by `next`. */
static struct muster_error *let_go(struct muster_error *error, struct muster_error *dead)
{
    struct muster_error **end = &error;
    while (*end != NULL && (*end)->references != 0 && --(*end)->references == 0)
        end = &(*end)->next;
    *end = dead;
    return error;
}

/* (Chains of causes are as long as chains of drivers: no call may nest for each.) */
void muster__error_unref(const struct muster_error *error)
{
    struct muster_error *dead = let_go((struct muster_error *)(uintptr_t)error, NULL);
    while (dead != NULL) {
        struct muster_error *first = dead;
        dead = let_go(first->cause, first->next);
        muster__free(first->memory, first);
    }
}

void muster__error_append(struct muster_error **list, struct muster_error *last)
{
    while (*list != NULL && (*list)->references != 0)
        list = &(*list)->next;
    if (*list == NULL)
        *list = last;
    else
        muster__error_unref(last);
}

void muster__error_replace(struct muster_error **slot, struct muster_error *error)
{
    struct muster_error *old = *slot;
    *slot = error;
    muster__error_unref(old);
}
