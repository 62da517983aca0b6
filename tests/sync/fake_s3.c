#include "fake_s3.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

char fake_s3_endpoint[64];
static pid_t fake_pid;

// It takes a free port and says which, when it listens, however slow the machine is.
bool fake_s3_start(const char *certificate)
{
    int out[2], port = 0;
    if (system("python3 -c 0 2>/dev/null && curl --version >/dev/null 2>&1") != 0) return false;
    fflush(stdout);
    if (pipe(out) != 0 || (fake_pid = fork()) < 0) {
        test_fail(__FILE__, __LINE__, "no process for tests/s3/fakes3.py");
        return false;
    }
    if (fake_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (certificate) setenv("FAKES3_TLS", certificate, 1);
        dup2(out[1], STDOUT_FILENO);
        execlp("python3", "python3", "tests/s3/fakes3.py", "0", NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    bool good = f && fscanf(f, "fakes3 http://127.0.0.1:%d", &port) == 1;
    if (f) fclose(f);
    if (!good) {
        test_fail(__FILE__, __LINE__, "tests/s3/fakes3.py does not start");
        fake_s3_stop();
    }
    snprintf(fake_s3_endpoint, sizeof fake_s3_endpoint, "%s://127.0.0.1:%d", certificate ? "https" : "http", port);
    return good;
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
