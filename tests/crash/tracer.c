/* SPDX-License-Identifier: MIT */
/*
 * Runs a program, counts its system calls that change or sync the file system at --mount, from the line on that it writes to its
 * standard output and that begins with --from, and does as it is told just before call K. It says at the end what became of
 * it, in a line.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <linux/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "pages.h"

/* As in linux/fs.h of 6.x, and in every file system that has it. */
#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

#define SECTOR 512

/* Longer than this, in seconds, and it hangs. */
#define PATIENCE 120

enum kind {
    /* Print each call. */
    KIND_LIST,
    /* The process ends, the machine doesn't. */
    KIND_KILL,
    /* What was not synced is lost. */
    KIND_LOST,
    /* So it is, but sectors of the write that comes next have reached the disk: the first half, the last, all but the middle. */
    KIND_FIRST,
    KIND_LAST,
    KIND_HOLE,
    KINDS
};

static const char *const kinds[KINDS] = {"list", "kill", "lost", "first", "last", "hole"};

struct trace {
    pid_t pid;
    const char *mount;
    const char *from;
    enum kind kind;
    /* Whoever runs this takes what the disk has from a copy of its image: the file system can't be shut down. */
    bool copied;
    unsigned at;
    /* Which sync fails, from 1; 0: none. */
    unsigned fail;
    const char *pages_file;
    unsigned calls, syncs;
    bool counting;
    /* The call that it is in. */
    struct call call;
    bool failing;
};

static void die(const char *what)
{
    fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- registers */

#if defined(__x86_64__)
#define RESULT(registers) (registers).rax
#elif defined(__aarch64__)
#define RESULT(registers) (registers).regs[0]
#else
#error "which register is the result of a system call?"
#endif

static void set_result(pid_t pid, long long result)
{
    struct user_regs_struct registers;
    struct iovec set = {&registers, sizeof(registers)};
    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &set) != 0)
        die("get registers");
    RESULT(registers) = (unsigned long long)result;
    if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &set) != 0)
        die("set registers");
}

/* No system call has the number -1. */
static void skip_call(pid_t pid)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;
    struct iovec set = {&registers, sizeof(registers)};
    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &set) != 0)
        die("get registers");
    registers.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &set) != 0)
        die("set registers");
#else
    int number = -1;
    struct iovec set = {&number, sizeof(number)};
    if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &set) != 0)
        die("set the system call");
#endif
}

/* ---- crashes */

static void shut_down(const struct trace *trace)
{
    uint32_t flag = NO_LOG_FLUSH;
    if (trace->copied)
        return;
    int fd = open(trace->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, SHUTDOWN, &flag) != 0)
        die("shut the file system down");
    close(fd);
}

static bool reaches(const struct trace *trace, uint64_t sector, uint64_t first, uint64_t last)
{
    uint64_t count = last - first + 1;
    uint64_t i = sector - first;
    switch (trace->kind) {
    case KIND_FIRST:
        return i < count / 2;
    case KIND_LAST:
        return i >= count / 2;
    case KIND_HOLE:
        return i < count / 3 || i >= count - count / 3;
    default:
        return false;
    }
}

/* Some sectors of the write reach the disk. */
static void tear(const struct trace *trace)
{
    const struct call *call = &trace->call;
    char *bytes = malloc(call->size);
    int fd = call_open_fd(trace->pid, call->fd, O_WRONLY);
    if (call->kind != CALL_WRITE || bytes == NULL || fd < 0 || !call_peek(trace->pid, call->address, bytes, call->size))
        die("tear a write");
    uint64_t end = call->offset + call->size;
    uint64_t first = call->offset / SECTOR;
    uint64_t last = (end - 1) / SECTOR;
    for (uint64_t sector = first; sector <= last; sector++) {
        uint64_t from = sector == first ? call->offset : sector * SECTOR;
        uint64_t to = sector == last ? end : (sector + 1) * SECTOR;
        if (reaches(trace, sector, first, last) &&
            pwrite(fd, bytes + (from - call->offset), to - from, (off_t)from) != (ssize_t)(to - from))
            die("write a part");
    }
    if (fsync(fd) != 0)
        die("sync a part");
    close(fd);
    free(bytes);
}

static void end_process(const struct trace *trace)
{
    kill(trace->pid, SIGKILL);
    while (waitpid(trace->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void save_pages(const struct trace *trace)
{
    if (trace->pages_file != NULL && pages_save(trace->pages_file) != 0)
        die(trace->pages_file);
}

/* Just before the call: the process stands in it. */
static void crash(const struct trace *trace)
{
    if (trace->kind >= KIND_FIRST)
        tear(trace);
    if (trace->kind >= KIND_LOST)
        shut_down(trace);
    end_process(trace);
    save_pages(trace);
    printf("stopped %u %s %s\n", trace->calls, trace->call.name, trace->call.path);
    exit(0);
}

/* ---- calls */

static bool says_so(const struct trace *trace, const struct __ptrace_syscall_info *info)
{
    char text[16];
    size_t length = strlen(trace->from);
    return info->entry.nr == SYS_write && info->entry.args[0] == STDOUT_FILENO && length <= sizeof(text) &&
           info->entry.args[2] > length && call_peek(trace->pid, info->entry.args[1], text, length) &&
           memcmp(text, trace->from, length) == 0;
}

static void watch(const struct trace *trace, void (*tell)(int fd))
{
    int fd = call_open_fd(trace->pid, trace->call.fd, O_RDONLY);
    if (fd < 0)
        die("open its file");
    if (tell == NULL)
        pages_written(fd, trace->call.offset, trace->call.size);
    else
        tell(fd);
    close(fd);
}

static void enter(struct trace *trace, const struct __ptrace_syscall_info *info)
{
    struct call *call = &trace->call;
    uint64_t arguments[6];
    memcpy(arguments, info->entry.args, sizeof(arguments));
    if (!trace->counting) {
        trace->counting = says_so(trace, info);
        call->kind = CALL_OTHER;
        return;
    }
    call_get(call, trace->pid, trace->mount, info->entry.nr, arguments);
    if (call->kind == CALL_OTHER)
        return;
    trace->calls++;
    if (trace->kind == KIND_LIST)
        printf("call %u %s %s %ju %ju\n", trace->calls, call->name, call->path, (uintmax_t)call->offset,
               call->kind == CALL_WRITE ? (uintmax_t)call->size : 0);
    else if (trace->calls == trace->at)
        crash(trace);
    if (call->kind == CALL_WRITE && trace->pages_file != NULL)
        watch(trace, NULL);
    trace->failing = call->kind == CALL_SYNC && ++trace->syncs == trace->fail;
    if (trace->failing)
        skip_call(trace->pid);
}

static void leave(struct trace *trace, const struct __ptrace_syscall_info *info)
{
    if (trace->failing) {
        set_result(trace->pid, -EIO);
        printf("failed %s %s\n", trace->call.name, trace->call.path);
        watch(trace, pages_lost);
    } else if (trace->call.kind == CALL_SYNC && info->exit.rval == 0 && trace->pages_file != NULL) {
        watch(trace, pages_synced);
    }
    trace->failing = false;
    trace->call.kind = CALL_OTHER;
}

static void at_stop(struct trace *trace)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, trace->pid, (void *)sizeof(info), &info) < 0)
        die("PTRACE_GET_SYSCALL_INFO");
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        enter(trace, &info);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        leave(trace, &info);
}

/* It has ended by itself, after its last call. */
static int ended(struct trace *trace, int status)
{
    if (trace->kind >= KIND_LOST && trace->at > trace->calls)
        shut_down(trace);
    save_pages(trace);
    if (WIFSIGNALED(status))
        printf("died %d\n", WTERMSIG(status));
    else
        printf("ended %u %d\n", trace->calls, WEXITSTATUS(status));
    return 0;
}

static int follow(struct trace *trace)
{
    int status;
    int signal = 0;
    if (waitpid(trace->pid, &status, 0) < 0 || !WIFSTOPPED(status))
        die("start it");
    if (ptrace(PTRACE_SETOPTIONS, trace->pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) != 0)
        die("PTRACE_SETOPTIONS");
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, trace->pid, NULL, (void *)(intptr_t)signal) != 0)
            die("PTRACE_SYSCALL");
        while (waitpid(trace->pid, &status, 0) < 0)
            if (errno != EINTR)
                die("wait");
        if (WIFEXITED(status) || WIFSIGNALED(status))
            return ended(trace, status);
        bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (is_call)
            at_stop(trace);
    }
}

static void run_program(char **program)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        die("PTRACE_TRACEME");
    raise(SIGSTOP);
    execv(program[0], program);
    die(program[0]);
}

static int usage(void)
{
    fprintf(stderr, "usage: tracer --mount DIRECTORY [--kind list|kill|lost|first|last|hole] [--at CALL] [--fail SYNC]\n"
                    "              [--pages FILE] [--from WORD] [--copied] -- PROGRAM [ARGUMENT...]\n");
    return 2;
}

static bool set_option(struct trace *trace, int option)
{
    switch (option) {
    case 'm':
        trace->mount = optarg;
        return true;
    case 'k':
        for (int i = 0; i < KINDS; i++)
            if (strcmp(kinds[i], optarg) == 0) {
                trace->kind = (enum kind)i;
                return true;
            }
        return false;
    case 'a':
        trace->at = (unsigned)strtoul(optarg, NULL, 10);
        return trace->at > 0;
    case 'f':
        trace->fail = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 'w':
        trace->from = optarg;
        return true;
    case 'c':
        trace->copied = true;
        return true;
    case 'p':
        trace->pages_file = optarg;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"mount", required_argument, NULL, 'm'}, {"kind", required_argument, NULL, 'k'}, {"at", required_argument, NULL, 'a'},
        {"fail", required_argument, NULL, 'f'},  {"pages", required_argument, NULL, 'p'}, {"from", required_argument, NULL, 'w'},
        {"copied", no_argument, NULL, 'c'},      {0},
    };
    static struct trace trace = {.from = "go"};
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
        if (!set_option(&trace, option))
            return usage();
    if (trace.mount == NULL || optind == argc || (trace.kind == KIND_LIST) != (trace.at == 0))
        return usage();
    if (trace.pages_file != NULL && pages_load(trace.pages_file) != 0)
        die(trace.pages_file);
    setvbuf(stdout, NULL, _IOLBF, 0);
    trace.pid = fork();
    if (trace.pid < 0)
        die("fork");
    if (trace.pid == 0)
        run_program(argv + optind);
    alarm(PATIENCE);
    return follow(&trace);
}
