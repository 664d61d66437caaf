/* SPDX-License-Identifier: MIT */
/* What may stand where the journal, its lock, its directory or its temporary belong; somebody else's files; no permission. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile.h"

#define NOBODY 65534

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

static void in_the_place_of_the_journal(void)
{
    for (size_t i = 0; i < HOSTILE_STRANGERS; i++) {
        hostile_file("the journal is %s", hostile_strangers[i].what);
        make_state();
        hostile_must(rename(hostile_path("journal"), hostile_path("kept")));
        hostile_strangers[i].make(hostile_path("journal"));
        hostile_refused(MUSTER_EINVAL, "/journal");
        hostile_must(remove(hostile_path("journal")));
        hostile_must(rename(hostile_path("kept"), hostile_path("journal")));
        opens_as_ever(false);
    }
}

static void in_the_place_of_the_lock(void)
{
    for (size_t i = 0; i < HOSTILE_STRANGERS; i++) {
        hostile_file("the lock is %s", hostile_strangers[i].what);
        make_state();
        hostile_put("kept", "x", 1);
        hostile_must(remove(hostile_path("lock")));
        hostile_strangers[i].make(hostile_path("lock"));
        hostile_refused(MUSTER_EINVAL, "/lock");
        hostile_must(remove(hostile_path("lock")));
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
    hostile_must(link(hostile_path("journal"), hostile_path("other")));
    hostile_refused(MUSTER_EINVAL, "more than one link");
    hostile_must(unlink(hostile_path("other")));
    static const mode_t modes[] = {0622, 0660, 0606, 0777};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        hostile_file("the journal has mode %04o", modes[i]);
        hostile_must(chmod(hostile_path("journal"), modes[i]));
        hostile_refused(MUSTER_EINVAL, "chmod 0600");
    }
    hostile_must(chmod(hostile_path("journal"), 0600));
    static const mode_t directories[] = {0777, 0770, 0702, 01777};
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        hostile_file("the state directory has mode %04o", directories[i]);
        hostile_must(chmod(hostile_directory(), directories[i]));
        hostile_refused(MUSTER_EINVAL, "chmod 0700");
    }
    hostile_must(chmod(hostile_directory(), 0700));
    opens_as_ever(false);
}

/* ---- the directory */

static void directories(void)
{
    struct hostile_result result;
    hostile_file("the state directory is a file");
    int fd = open(hostile_directory(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    hostile_must(fd < 0 ? -1 : close(fd));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    hostile_must(unlink(hostile_directory()));
    hostile_file("the state directory is a FIFO");
    hostile_must(mkfifo(hostile_directory(), 0700));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    hostile_must(unlink(hostile_directory()));
    hostile_file("the state directory is a link to nothing");
    hostile_must(symlink("nothing", hostile_directory()));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    hostile_must(unlink(hostile_directory()));
}

/* ---- cut off between the question how long it is, and the reading */

static off_t shrunk;

static ssize_t shrinking_pread(int fd, void *bytes, size_t count, off_t offset)
{
    struct stat found;
    if (fstat(fd, &found) == 0 && found.st_size > shrunk && ftruncate(fd, shrunk) != 0)
        hostile_must(-1);
    return pread(fd, bytes, count, offset);
}

static void shrinks_while_it_is_read(void)
{
    struct hostile_result result, cut;
    struct muster__journal_calls calls = muster__journal_system;
    size_t size, all, now, end;
    calls.pread = shrinking_pread;
    make_state();
    char *bytes = hostile_get("journal", &all);
    for (end = all; bytes[end - 1] == '\n';)
        end--;
    for (size = 0; size < all; size += size < end ? 1 : 1000) {
        hostile_file("it shrinks to %zu bytes while it is read", size);
        hostile_put("journal", bytes, size);
        hostile_open(&cut);
        hostile_clean();
        hostile_put("journal", bytes, all);
        shrunk = (off_t)size;
        hostile_calls = &calls;
        hostile_open(&result);
        hostile_calls = &muster__journal_system;
        hostile_expect(result.code == MUSTER_EIO && strstr(result.text, "/journal") != NULL, "%d: %s", result.code, result.text);
        char *after = hostile_get("journal", &now);
        hostile_expect(now == size && memcmp(after, bytes, size) == 0, "it was changed");
        hostile_expect(hostile_count("quarantine-") + hostile_count("journal.new") == 0, "a file was made");
        free(after);
        hostile_open(&result);
        hostile_expect(result.code == 0 && result.lost == cut.lost, "%d: %s", result.code, result.text);
        hostile_keep(hostile_same(&result, &cut), "it isn't as if it had been cut off");
        hostile_clean();
    }
    free(bytes);
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
    hostile_must(symlink("precious", hostile_path("journal.new")));
    opens_as_ever(false);
    hostile_expect(hostile_count("precious") == 1, "what it pointed to is gone");
    hostile_file("a temporary that is a directory");
    make_state();
    hostile_must(mkdir(hostile_path("journal.new"), 0700));
    hostile_refused(MUSTER_EIO, "journal.new");
    hostile_must(rmdir(hostile_path("journal.new")));
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
    hostile_must(mkdir(hostile_path("quarantine-1-1"), 0700));
    hostile_must(symlink("nothing", hostile_path("quarantine-1-2")));
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
    hostile_must(unlink(hostile_path("quarantine-1-7")));
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
        hostile_must(chown(hostile_path(files[i]), NOBODY, NOBODY));
        hostile_refused(MUSTER_EINVAL, "belongs to");
        hostile_must(chown(hostile_path(files[i]), 0, 0));
        opens_as_ever(false);
    }
}

static void no_permission(void)
{
    static const char *const files[] = {"journal", "lock"};
    to_nobody();
    make_state();
    hostile_must(chmod(hostile_path(".."), 0711));
    hostile_must(chown(hostile_path("."), NOBODY, NOBODY));
    hostile_must(chown(hostile_path("journal"), NOBODY, NOBODY));
    hostile_must(chown(hostile_path("lock"), NOBODY, NOBODY));
    hostile_must(setgid(NOBODY));
    hostile_must(setuid(NOBODY));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        hostile_file("no permission for %s", files[i]);
        hostile_must(chmod(hostile_path(files[i]), 0));
        hostile_refused(MUSTER_EIO, "Permission denied");
        hostile_file("%s can't be written", files[i]);
        hostile_must(chmod(hostile_path(files[i]), 0400));
        hostile_refused(MUSTER_EIO, "Permission denied");
        hostile_must(chmod(hostile_path(files[i]), 0600));
    }
    struct hostile_result result;
    hostile_file("no permission for the directory");
    hostile_must(chmod(hostile_directory(), 0));
    hostile_open(&result);
    hostile_expect(result.code == MUSTER_EIO, "%d: %s", result.code, result.text);
    hostile_must(chmod(hostile_directory(), 0700));
    opens_as_ever(false);
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"in the place of the journal", in_the_place_of_the_journal, 0},
        {"in the place of the lock", in_the_place_of_the_lock, 0},
        {"links and modes", links_and_modes, 0},
        {"directories", directories, 0},
        {"shrinks while it is read", shrinks_while_it_is_read, 0},
        {"temporaries", temporaries, 0},
        {"copies", copies, 0},
        {"files of somebody else", files_of_somebody_else, 0},
        {"no permission", no_permission, 0},
        {NULL, NULL, 0},
    };
    return hostile_main(groups);
}
