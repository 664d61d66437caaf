/* SPDX-License-Identifier: MIT */
/* Which store does a path name? */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"

#define TITLE "muster store"

enum type { UNKNOWN, JOURNAL, SQLITE };

static const char *after_prefix(const char *path, enum type *ret_type)
{
    *ret_type = UNKNOWN;
    if (strncmp(path, "journal:", 8) == 0) {
        *ret_type = JOURNAL;
        return path + 8;
    }
    if (strncmp(path, "sqlite:", 7) == 0) {
        *ret_type = SQLITE;
        return path + 7;
    }
    return path;
}

static bool is_database(const char *path)
{
    char start[16] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fread(start, 1, sizeof(start), file) == sizeof(start) && memcmp(start, "SQLite format 3", 16) == 0;
    fclose(file);
    return found;
}

/* Of a bare path: what is there tells. */
static int tell_type(const char *path, enum tool_store_access access, enum type *ret_type)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return errno == ENOENT && access == TOOL_STORE_MAKE
                   ? tool_problem(path, "there is nothing yet: name it journal:%s or sqlite:%s to make it", path, path)
                   : tool_problem(path, "%s", strerror(errno));
    if (S_ISDIR(found.st_mode))
        *ret_type = JOURNAL;
    else if (S_ISREG(found.st_mode) && is_database(path))
        *ret_type = SQLITE;
    else
        return tool_problem(path, "neither the directory of a journal nor a sqlite database");
    return TOOL_FINE;
}

/* Before it is opened: to open is to make what isn't there, wherever that may be. */
static int check_there(enum type type, const char *path)
{
    struct stat found;
    size_t bytes = strlen(path) + sizeof("/journal");
    char *file = malloc(bytes);
    if (file == NULL)
        return tool_problem(path, "out of memory");
    snprintf(file, bytes, "%s%s", path, type == JOURNAL ? "/journal" : "");
    int code = TOOL_FINE;
    if (lstat(file, &found) != 0 && errno == ENOENT)
        code = tool_problem(path, "there is no %s here", type == JOURNAL ? "journal" : "database");
    else if (type == SQLITE && S_ISREG(found.st_mode) && !is_database(path))
        code = tool_problem(path, "not a sqlite database");
    free(file);
    return code;
}

static int make(enum type type, const char *path, struct muster_store **ret_store)
{
    int code = type == JOURNAL ? muster_store_journal_new(path, NULL, ret_store)
                               : muster_store_sqlite_new(path, NULL, ret_store);
    if (code == MUSTER_ENOTSUP)
        return tool_problem(TITLE, "this muster was built without the %s store", type == JOURNAL ? "journal" : "sqlite");
    return code == 0 ? TOOL_FINE : tool_problem(TITLE, "%s", muster_code_text(code));
}

int tool_store_open(const char *path, enum tool_store_access access, struct muster_store **ret_store)
{
    enum type type;
    struct muster_store *store = NULL;
    int code = TOOL_FINE;
    path = after_prefix(path, &type);
    if (path[0] == '\0')
        return tool_problem(TITLE, "the path is empty");
    if (type == UNKNOWN)
        code = tell_type(path, access, &type);
    if (code == TOOL_FINE && access != TOOL_STORE_MAKE)
        code = check_there(type, path);
    if (code == TOOL_FINE)
        code = make(type, path, &store);
    if (code != TOOL_FINE)
        return code;
    if (muster_store_open(store, access == TOOL_STORE_READ ? MUSTER_STORE_READ_ONLY : 0) != 0) {
        code = tool_store_failed(store);
        muster_store_free(store);
        return code;
    }
    *ret_store = store;
    return TOOL_FINE;
}

int tool_store_close(struct muster_store *store, int code)
{
    if (muster_store_close(store) != 0)
        code = tool_store_failed(store);
    muster_store_free(store);
    return code;
}

int tool_store_failed(const struct muster_store *store)
{
    const struct muster_error *error = muster_store_get_error(store);
    return tool_problem(TITLE, "%s%s", muster_error_text(error),
                        muster_error_code(error) == MUSTER_EBUSY ? "; stop it first" : "");
}

int tool_store_load(struct muster_store *store, muster_load_cb cb, void *data, bool *ret_lost)
{
    int code = muster_store_load(store, cb, data);
    if (code > 0)
        return code;
    bool lost = code == 0 && muster_error_code(muster_store_get_error(store)) != 0;
    if (code != 0 || lost)
        tool_store_failed(store);
    if (ret_lost != NULL)
        *ret_lost = lost;
    return code == 0 ? TOOL_FINE : TOOL_PROBLEM;
}
