#include "fake_s3.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

char fake_s3_endpoint[64];
static pid_t fake_pid;

bool fake_s3_start(const char *certificate)
{
    static int started;
    int port = 20000 + (getpid() + 997 * started++) % 20000;
    char port_text[16], command[200];
    snprintf(port_text, sizeof port_text, "%d", port);
    snprintf(fake_s3_endpoint, sizeof fake_s3_endpoint, "%s://127.0.0.1:%d", certificate ? "https" : "http", port);
    fflush(stdout);
    fake_pid = fork();
    if (fake_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (certificate) setenv("FAKES3_TLS", certificate, 1);
        execlp("python3", "python3", "tests/s3/fakes3.py", port_text, NULL);
        _exit(127);
    }
    snprintf(command, sizeof command, "curl -fsk -o /dev/null %s/_stats 2>/dev/null", fake_s3_endpoint);
    for (u32 i = 0; i < 200; i++) {
        if (system(command) == 0) return true;
        usleep(50000);
    }
    return false;
}

void fake_s3_stop(void)
{
    kill(fake_pid, SIGKILL);
    waitpid(fake_pid, NULL, 0);
}

void fake_s3_admin(const char *path)
{
    char command[300];
    snprintf(command, sizeof command, "curl -fsk -o /dev/null -X POST '%s%s'", fake_s3_endpoint, path);
    CHECK_EQ(system(command), 0);
}

u64 fake_s3_count(const char *name)
{
    char command[300], text[4096] = "", key[64];
    snprintf(command, sizeof command, "curl -fsk '%s/_stats'", fake_s3_endpoint);
    FILE *f = popen(command, "r");
    size_t size = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[size] = 0;
    if (f) pclose(f);
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}
