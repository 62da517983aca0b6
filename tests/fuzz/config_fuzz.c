// Any file named by --config, and any text as a setting's value, is taken or refused with a sentence.
#include "../../node/config.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "# settings\nlisten = 127.0.0.1:80\n\n data=/var/lib\ncache-bytes = 16m\nsqpoll = yes\nkey = 00\n",
        "wal-bytes-max = 18446744073709551615g\nbusy-timeout-ms= -1\n=\nlisten\n", "push-interval-ms\t=\t10 k\r\n",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    enum setting settings[SETTING_COUNT];
    for (u32 i = 0; i < SETTING_COUNT; i++) settings[i] = (enum setting)i;
    struct config_command command = {"", settings, SETTING_COUNT};
    int fd = memfd_create("config", MFD_CLOEXEC);
    char path[64];
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *arguments[] = {(char[]){"--config"}, path, NULL};
    struct config c;
    struct err err = ERR_CLEAR;
    bool loaded = config_load(&c, &command, 2, arguments, &err);
    FUZZ_CHECK(loaded == !err.text[0]);
    for (u32 i = 0; loaded && i < SETTING_COUNT; i++) {
        u64 number;
        bool on;
        err_clear(&err);
        FUZZ_CHECK(config_text(&c, (enum setting)i));
        if (config_number(&c, (enum setting)i, 1, 1000, &number, &err)) FUZZ_CHECK(number >= 1 && number <= 1000);
        err_clear(&err);
        if (!config_bool(&c, (enum setting)i, &on, &err)) FUZZ_CHECK(err.text[0]);
    }
    config_deinit(&c);
    close(fd);
    return 0;
}
