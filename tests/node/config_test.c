// Goal: a setting comes from the flag, else the variable, else the file, else its default; secrets
// from files; what is off is refused with a sentence. Method: tables of arguments, variables and
// files.
#include "../../node/config.h"
#include "../test.h"

static const enum setting TAKEN[] = {SETTING_DATA, SETTING_LISTEN, SETTING_AUTH_TOKEN,
                                     SETTING_CACHE_BYTES, SETTING_SQPOLL};
static const struct config_command COMMAND = {"usage\n", TAKEN, COUNT_OF(TAKEN)};

static void file_make(const char *name, const char *text, char path[300])
{
    snprintf(path, 300, "%s/%s", test_dir(), name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static void variables_clear(void)
{
    static const char *const NAMES[] = {"SKERRY_DATA",        "SKERRY_LISTEN",
                                        "SKERRY_AUTH_TOKEN",  "SKERRY_AUTH_TOKEN_FILE",
                                        "SKERRY_CACHE_BYTES", "SKERRY_CONFIG"};
    for (u32 i = 0; i < COUNT_OF(NAMES); i++) unsetenv(NAMES[i]);
}

TEST(config_flag_before_variable_before_file_before_default)
{
    char path[300];
    struct config c;
    struct err err = ERR_CLEAR;
    variables_clear();
    file_make("config", "# a comment\n\n data = /from/file\nlisten=file:1\r\ncache-bytes = 1m  \n",
              path);
    setenv("SKERRY_LISTEN", "variable:2", 1);
    setenv("SKERRY_DATA", "/from/variable", 1);
    char *argv[] = {"--config", path, "--data=/from/flag", "argument"};
    REQUIRE(config_load(&c, &COMMAND, 4, argv, &err));
    CHECK_STR(config_text(&c, SETTING_DATA), "/from/flag");
    CHECK_STR(config_text(&c, SETTING_LISTEN), "variable:2");
    u64 bytes = 0;
    CHECK(config_number(&c, SETTING_CACHE_BYTES, 0, UINT64_MAX, &bytes, &err));
    CHECK_EQ(bytes, 1 << 20);
    CHECK_STR(config_text(&c, SETTING_AUTH_TOKEN), "");
    bool on = true;
    CHECK(config_bool(&c, SETTING_SQPOLL, &on, &err));
    CHECK_EQ(on, false);
    CHECK_EQ(c.argument_count, 1);
    CHECK_STR(c.arguments[0], "argument");
    config_deinit(&c);
    variables_clear();
}

TEST(config_secrets_from_files)
{
    char path[300];
    struct config c;
    struct err err = ERR_CLEAR;
    variables_clear();
    file_make("token", "s3cret\n", path);
    setenv("SKERRY_AUTH_TOKEN_FILE", path, 1);
    REQUIRE(config_load(&c, &COMMAND, 0, NULL, &err));
    CHECK_STR(config_text(&c, SETTING_AUTH_TOKEN), "s3cret");
    config_deinit(&c);
    unsetenv("SKERRY_AUTH_TOKEN_FILE");
    char *argv[] = {"--auth-token-file", path};
    REQUIRE(config_load(&c, &COMMAND, 2, argv, &err));
    CHECK_STR(config_text(&c, SETTING_AUTH_TOKEN), "s3cret");
    config_deinit(&c);
}

TEST(config_switch_without_a_value_is_on)
{
    static const struct {
        char *argv[3];
        int argc;
        bool on;
    } CASES[] = {
        {{"--sqpoll"}, 1, true},
        {{"--sqpoll", "--data", "x"}, 3, true},
        {{"--sqpoll", "on"}, 2, true},
        {{"--sqpoll", "off"}, 2, false},
        {{"--sqpoll=off"}, 1, false},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct config c;
        struct err err = ERR_CLEAR;
        bool on = !CASES[i].on;
        variables_clear();
        REQUIRE(config_load(&c, &COMMAND, CASES[i].argc, (char **)CASES[i].argv, &err));
        CHECK(config_bool(&c, SETTING_SQPOLL, &on, &err));
        CHECK_EQ(on, CASES[i].on);
        CHECK_EQ(c.argument_count, 0);
        config_deinit(&c);
    }
}

TEST(config_that_is_refused)
{
    char config[300], token[300];
    file_make("bad", "data /no/equals\n", config);
    file_make("token", "x", token);
    static const struct {
        char *argv[3];
        int argc;
        const char *variable, *value, *word;
    } CASES[] = {
        {{"--nope", "1"}, 2, NULL, NULL, "--nope"},
        {{"--data"}, 1, NULL, NULL, "needs a value"},
        {{"--zstd-level", "3"}, 2, NULL, NULL, "--zstd-level"}, // known, but not to this command
        {{"--data-file", "x"}, 2, NULL, NULL, "--data-file"},   // not a secret
        {{NULL}, 0, "SKERRY_CONFIG", "/no/such/file", "cannot be read"},
        {{NULL}, 0, "SKERRY_AUTH_TOKEN_FILE", "/no/such/file", "cannot be read"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct config c;
        struct err err = ERR_CLEAR;
        variables_clear();
        if (CASES[i].variable) setenv(CASES[i].variable, CASES[i].value, 1);
        bool loaded = config_load(&c, &COMMAND, CASES[i].argc, (char **)CASES[i].argv, &err);
        if (loaded || err.code != ERR_USAGE || !strstr(err.text, CASES[i].word))
            test_fail(__FILE__, __LINE__, "case %u: %s", i, err.text);
        config_deinit(&c);
    }
    struct config c;
    struct err err = ERR_CLEAR;
    variables_clear();
    setenv("SKERRY_CONFIG", config, 1);
    CHECK(!config_load(&c, &COMMAND, 0, NULL, &err));
    CHECK(strstr(err.text, ":1:") != NULL);
    config_deinit(&c);
    variables_clear();
    setenv("SKERRY_AUTH_TOKEN", "a", 1);
    setenv("SKERRY_AUTH_TOKEN_FILE", token, 1);
    err = ERR_CLEAR;
    CHECK(!config_load(&c, &COMMAND, 0, NULL, &err));
    CHECK(strstr(err.text, "use one") != NULL);
    config_deinit(&c);
    variables_clear();
}

TEST(config_numbers)
{
    static const struct {
        const char *text;
        bool good;
        u64 value;
    } CASES[] = {{"0", true, 0},
                 {"10", true, 10},
                 {"2k", true, 2048},
                 {"3M", true, 3 << 20},
                 {"1g", true, 1 << 30},
                 {"", false, 0},
                 {"-1", false, 0},
                 {"1x", false, 0},
                 {"1kk", false, 0},
                 {"k", false, 0},
                 {"99999999999999999999", false, 0},
                 {"17179869185g", false, 0},
                 {"2g", false, 0}};
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct config c;
        struct err err = ERR_CLEAR;
        u64 value = 0;
        variables_clear();
        char flag[80];
        snprintf(flag, sizeof flag, "--cache-bytes=%s", CASES[i].text);
        char *argv[] = {flag};
        REQUIRE(config_load(&c, &COMMAND, 1, argv, &err));
        bool good = config_number(&c, SETTING_CACHE_BYTES, 0, 1 << 30, &value, &err);
        if (good != CASES[i].good || (good && value != CASES[i].value))
            test_fail(__FILE__, __LINE__, "'%s' gives %d, %llu", CASES[i].text, good,
                      (unsigned long long)value);
        config_deinit(&c);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
