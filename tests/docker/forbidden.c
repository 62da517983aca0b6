// Makes system calls that seccomp.json does not list, one that it lists, and says what each gave. Built static and run
// inside the container under the same profile.
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    static const struct {
        const char *name;
        long number;
    } CALLS[] = {{"ptrace", SYS_ptrace}, {"bpf", SYS_bpf},       {"keyctl", SYS_keyctl},       {"unshare", SYS_unshare},
                 {"mount", SYS_mount},   {"setns", SYS_setns},   {"init_module", SYS_init_module}, {"chroot", SYS_chroot},
                 {"setuid", SYS_setuid}, {"userfaultfd", SYS_userfaultfd}, {"personality", SYS_personality},
                 {"add_key", SYS_add_key}};
    int refused = 0, count = (int)(sizeof CALLS / sizeof CALLS[0]);
    for (int i = 0; i < count; i++) {
        errno = 0;
        long result = syscall(CALLS[i].number, 0, 0, 0, 0, 0, 0);
        int good = result == -1 && errno == EPERM;
        if (!good) printf("%s is not refused: %ld, errno %d\n", CALLS[i].name, result, errno);
        refused += good;
    }
    int allowed = getpid() > 0;
    printf("%d of %d refused, getpid %s\n", refused, count, allowed ? "allowed" : "refused");
    return refused == count && allowed ? 0 : 1;
}
