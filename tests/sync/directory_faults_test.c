// Goal: the directory store keeps its contract on file systems that have no rename that must find the name free (NFS), or
// no link(2) either; and what disks do to it is an error that says what to do, after which it goes on. Method: a
// child whose kernel refuses those calls (seccomp), on the backend that makes them itself; errors of a disk likewise.
#include "object_suite.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// From now on the calls fail so, in this process.
static bool refuse(const int *calls, u32 count, int e)
{
    struct sock_filter filter[64];
    u32 n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (u32 i = 0; i < count; i++) {
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)calls[i], 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (u32)e);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)n, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs f in a child, which says with its status whether its checks held.
static void in_child(void (*f)(void))
{
    test_dir();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        f();
        fflush(stdout);
        _exit(test_failed() ? 1 : 0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void suite_without(const int *calls, u32 count, int e)
{
    struct world w;
    if (!refuse(calls, count, e)) {
        test_fail(__FILE__, __LINE__, "seccomp is not to be had");
        return;
    }
    if (!world_open(&w, IO_BACKEND_POSIX, &(struct object_store_options){.url = test_dir()})) return;
    object_suite(&w, 100000);
    struct object_probe p = {0};
    completion_init(&p.done, NULL, NULL);
    object_probe_start(w.store, &p, "probe/", "", NULL, 0);
    while (p.done.state != COMPLETION_DONE) io_step(w.io, 100000000);
    CHECK_EQ(p.conditions, OBJECT_CONDITIONS_HONOURED);
    object_probe_deinit(&p);
    world_close(&w);
}

static void without_rename_new(void)
{
    suite_without((int[]){SYS_renameat2}, 1, EINVAL);
}

static void without_rename_new_and_link(void)
{
    suite_without((int[]){SYS_renameat2, SYS_link, SYS_linkat}, 3, EINVAL);
}

TEST(file_system_without_rename_new)
{
    in_child(without_rename_new);
}

TEST(file_system_without_rename_new_and_link)
{
    in_child(without_rename_new_and_link);
}

static void fails_with(int e, const int *calls, u32 count, err_code want, const char *word)
{
    struct world w;
    struct object_request r;
    if (!world_open(&w, IO_BACKEND_POSIX, &(struct object_store_options){.url = test_dir()})) return;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "a/before", "x", 1), ERR_OK);
    CHECK(refuse(calls, count, e));
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "a/after", "x", 1), want);
    if (!strstr(r.err.text, word)) test_fail(__FILE__, __LINE__, "%s", r.err.text);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "a/before", NULL, 0), ERR_OK);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "a/after", NULL, 0), ERR_STORE_MISSING);
    object_request_deinit(&r);
    world_close(&w);
}

#define WRITES ((int[]){SYS_write, SYS_pwrite64, SYS_pwritev, SYS_pwritev2})
#define SYNCS  ((int[]){SYS_fsync, SYS_fdatasync})

static void full(void)
{
    fails_with(ENOSPC, WRITES, 4, ERR_FULL, "make room");
}

static void failing(void)
{
    fails_with(EIO, WRITES, 4, ERR_IOERR, "taken out");
}

static void sync_fails(void)
{
    fails_with(EIO, SYNCS, 2, ERR_IOERR, "taken out");
}

static void read_only(void)
{
    fails_with(EROFS, (int[]){SYS_link, SYS_linkat, SYS_rename, SYS_renameat, SYS_renameat2}, 5, ERR_STORE_DENIED, "read-only");
}

// A sync takes as long as the disk likes: over the ring the loop makes none itself, of files or of folders.
static void loop_syncs_nothing(void)
{
    struct world w;
    if (!world_open(&w, IO_BACKEND_RING, &(struct object_store_options){.url = test_dir()})) return;
    CHECK(io_backend_reason(w.io) || refuse(SYNCS, 2, EIO));
    object_suite(&w, 100000);
    world_close(&w);
}

TEST(the_loop_syncs_nothing_itself)
{
    in_child(loop_syncs_nothing);
}

TEST(disk_full)
{
    in_child(full);
}
TEST(disk_failing)
{
    in_child(failing);
    in_child(sync_fails);
}
TEST(disk_read_only)
{
    in_child(read_only);
}

// The stick is pulled out, and another folder is seen where it was mounted: nothing is written there; back again, it
// goes on.
TEST(stick_pulled_out)
{
    struct world w;
    struct object_request r;
    char root[300], away[300];
    snprintf(root, sizeof root, "%s/mount/store", test_dir());
    snprintf(away, sizeof away, "%s/mount.away", test_dir());
    if (!world_open(&w, IO_BACKEND_RING, &(struct object_store_options){.url = root})) return;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "a/1", "x", 1), ERR_OK);
    root[strlen(root) - 6] = 0;
    CHECK_EQ(rename(root, away), 0);
    CHECK_EQ(mkdir(root, 0700), 0);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "a/2", "x", 1), ERR_STORE_UNAVAILABLE);
    CHECK(strstr(r.err.text, "taken out") != NULL && object_error_passes(&r.err));
    CHECK_EQ(run(&w, &r, OBJECT_PUT_IF_ABSENT, "b/c/2", "x", 1), ERR_STORE_UNAVAILABLE);
    CHECK_EQ(rmdir(root), 0); // nothing is in it
    CHECK_EQ(rename(away, root), 0);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "a/2", "x", 1), ERR_OK);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "a/1", NULL, 0), ERR_OK);
    object_request_deinit(&r);
    world_close(&w);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
