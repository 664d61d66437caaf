/* SPDX-License-Identifier: MIT */
/* What may stand where the journal, its lock, its directory or its temporary belong; somebody else's files; no permission. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hostile.h"

#define NOBODY 65534

static void must(int result)
{
    if (result == 0)
        return;
    hostile_expect(false, "%s", strerror(errno));
    abort();
}

/* A state directory with one record in its journal. */
static void make_state(void)
{
    hostile_clean();
    struct muster_store *store = hostile_store();
    hostile_expect(muster_store_open(store, 0) == 0 && hostile_commit(store, "good", 1) == 0 && muster_store_close(store) == 0,
                   "there is no state to begin with");
    muster_store_free(store);
}

static void opens_as_ever(bool reported)
{
    struct hostile_result result;
    hostile_open(&result);
    hostile_expect(result.code == 0 && (result.lost != 0) == reported, "%d: %s", result.code, result.text);
    const struct hostile_record *found = hostile_find(&result, "good");
    hostile_keep(found != NULL && !found->quarantined && found->generation == 1, "guest/good is gone");
    hostile_goes_on(&result);
}

/* ---- in the place of a file */

static void make_directory(const char *path)
{
    must(mkdir(path, 0700));
}

static void make_fifo(const char *path)
{
    must(mkfifo(path, 0600));
}

static void make_link(const char *path)
{
    must(rename(hostile_path("journal.kept"), hostile_path("elsewhere")));
    must(symlink("elsewhere", path));
}

static void make_loop(const char *path)
{
    must(symlink("journal", path));
}

static void make_dangling(const char *path)
{
    must(symlink("nothing", path));
}

static void make_socket_like(const char *path)
{
    must(mknod(path, S_IFSOCK | 0600, 0));
}

static void make_null_device(const char *path)
{
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0)
        make_fifo(path);
}

static const struct {
    const char *what;
    void (*make)(const char *path);
} makers[] = {
    {"a directory", make_directory},
    {"a FIFO", make_fifo},
    {"a symbolic link to a good file", make_link},
    {"a symbolic link to itself", make_loop},
    {"a symbolic link to nothing", make_dangling},
    {"a socket", make_socket_like},
    {"a device", make_null_device},
};

static void in_the_place_of_the_journal(void)
{
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        hostile_file("the journal is %s", makers[i].what);
        make_state();
        must(rename(hostile_path("journal"), hostile_path("journal.kept")));
        makers[i].make(hostile_path("journal"));
        hostile_refused(makers[i].make == make_socket_like ? MUSTER_EIO : MUSTER_EINVAL, "/journal");
        must(remove(hostile_path("journal")));
        must(rename(hostile_path(makers[i].make == make_link ? "elsewhere" : "journal.kept"), hostile_path("journal")));
        opens_as_ever(false);
    }
}

/* Which of two codes is refused with isn't promised for the lock: that nothing is touched is. */
static void in_the_place_of_the_lock(void)
{
    struct hostile_result result;
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        hostile_file("the lock is %s", makers[i].what);
        make_state();
        hostile_put("journal.kept", "x", 1);
        must(remove(hostile_path("lock")));
        makers[i].make(hostile_path("lock"));
        hostile_open(&result);
        hostile_expect(result.code == MUSTER_EINVAL || result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
        hostile_expect(strstr(result.text, "/lock") != NULL, "\"%s\" doesn't name the lock", result.text);
        must(remove(hostile_path("lock")));
        opens_as_ever(false);
    }
    static const char *const texts[] = {"", "garbage", "99999999999999999999 1", "-1 0\n", "1 \xff\xff\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        hostile_file("the lock holds '%s'", texts[i]);
        make_state();
        hostile_put("lock", texts[i], strlen(texts[i]));
        opens_as_ever(false);
    }
}

static void links_and_modes(void)
{
    make_state();
    hostile_file("a hard link of the journal");
    must(link(hostile_path("journal"), hostile_path("other")));
    hostile_refused(MUSTER_EINVAL, "more than one link");
    must(unlink(hostile_path("other")));
    static const mode_t modes[] = {0622, 0660, 0606, 0777};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        hostile_file("the journal has mode %04o", modes[i]);
        must(chmod(hostile_path("journal"), modes[i]));
        hostile_refused(MUSTER_EINVAL, "chmod 0600");
    }
    must(chmod(hostile_path("journal"), 0600));
    static const mode_t directories[] = {0777, 0770, 0702, 01777};
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        hostile_file("the state directory has mode %04o", directories[i]);
        must(chmod(hostile_directory(), directories[i]));
        hostile_refused(MUSTER_EINVAL, "chmod 0700");
    }
    must(chmod(hostile_directory(), 0700));
    opens_as_ever(false);
}

/* ---- the directory */

static void directories(void)
{
    struct hostile_result result;
    hostile_file("the state directory is a file");
    int fd = open(hostile_directory(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    must(fd < 0 ? -1 : close(fd));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    must(unlink(hostile_directory()));
    hostile_file("the state directory is a FIFO");
    must(mkfifo(hostile_directory(), 0700));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    must(unlink(hostile_directory()));
    hostile_file("the state directory is a link to nothing");
    must(symlink("nothing", hostile_directory()));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    must(unlink(hostile_directory()));
}

/* ---- left over, and taken */

static void temporaries(void)
{
    make_state();
    hostile_file("a temporary that was left over");
    hostile_put("journal.new", "half", 4);
    opens_as_ever(false);
    hostile_expect(hostile_count("journal.new") == 0, "it is still there");
    hostile_file("a temporary that is a symbolic link");
    make_state();
    hostile_put("precious", "1", 1);
    must(symlink("precious", hostile_path("journal.new")));
    opens_as_ever(false);
    hostile_expect(hostile_count("precious") == 1, "what it pointed to is gone");
    hostile_file("a temporary that is a directory");
    make_state();
    must(mkdir(hostile_path("journal.new"), 0700));
    hostile_refused(MUSTER_EIO, "journal.new");
    must(rmdir(hostile_path("journal.new")));
    opens_as_ever(false);
}

/* The header's first digit of the CRC, so that no record is lost. */
static void damage(void)
{
    size_t size;
    char *bytes = hostile_get("journal", &size);
    strstr(bytes, "\"whole\"")[1] = 'W';
    hostile_put("journal", bytes, size);
    free(bytes);
}

static void copies(void)
{
    char name[64];
    hostile_file("the first names of the copy are taken");
    make_state();
    damage();
    hostile_put("quarantine-1-0", "mine", 4);
    must(mkdir(hostile_path("quarantine-1-1"), 0700));
    must(symlink("nothing", hostile_path("quarantine-1-2")));
    opens_as_ever(true);
    size_t size;
    char *bytes = hostile_get("quarantine-1-0", &size);
    hostile_expect(size == 4 && memcmp(bytes, "mine", 4) == 0, "what was there was changed");
    hostile_expect(hostile_count("quarantine-1-3") == 1, "it isn't kept");
    hostile_expect(hostile_count("nothing") == 0, "it was written through a link");
    free(bytes);
    hostile_file("all names of the copy are taken");
    make_state();
    damage();
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "quarantine-1-%u", i);
        hostile_put(name, "", 0);
    }
    hostile_refused(MUSTER_EIO, "there are too many");
    must(unlink(hostile_path("quarantine-1-7")));
    opens_as_ever(true);
}

/* ---- users */

static void to_nobody(void)
{
    if (geteuid() != 0)
        hostile_skip("SKIPPED: only root can try the files of other users");
}

static void files_of_somebody_else(void)
{
    static const char *const files[] = {"journal", "lock", "."};
    to_nobody();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        make_state();
        hostile_file("%s belongs to somebody else", files[i]);
        must(chown(hostile_path(files[i]), NOBODY, NOBODY));
        hostile_refused(MUSTER_EINVAL, "belongs to");
        must(chown(hostile_path(files[i]), 0, 0));
        opens_as_ever(false);
    }
}

static void no_permission(void)
{
    static const char *const files[] = {"journal", "lock"};
    to_nobody();
    make_state();
    must(chmod(hostile_path(".."), 0711));
    must(chown(hostile_path("."), NOBODY, NOBODY));
    must(chown(hostile_path("journal"), NOBODY, NOBODY));
    must(chown(hostile_path("lock"), NOBODY, NOBODY));
    must(setgid(NOBODY));
    must(setuid(NOBODY));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        hostile_file("no permission for %s", files[i]);
        must(chmod(hostile_path(files[i]), 0));
        hostile_refused(MUSTER_EIO, "Permission denied");
        hostile_file("%s can't be written", files[i]);
        must(chmod(hostile_path(files[i]), 0400));
        hostile_refused(MUSTER_EIO, "Permission denied");
        must(chmod(hostile_path(files[i]), 0600));
    }
    struct hostile_result result;
    hostile_file("no permission for the directory");
    must(chmod(hostile_directory(), 0));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    must(chmod(hostile_directory(), 0700));
    opens_as_ever(false);
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"in the place of the journal", in_the_place_of_the_journal, 0},
        {"in the place of the lock", in_the_place_of_the_lock, 0},
        {"links and modes", links_and_modes, 0},
        {"directories", directories, 0},
        {"temporaries", temporaries, 0},
        {"copies", copies, 0},
        {"files of somebody else", files_of_somebody_else, 0},
        {"no permission", no_permission, 0},
        {NULL, NULL, 0},
    };
    return hostile_main(groups);
}
