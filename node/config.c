#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <time.h>

#define CONFIG_FILE_MAX 65536

static const struct {
    const char *name, *fallback, *value_name, *help;
    bool secret;
    const char *also, *also_then; // other variables that others' tools use
    bool alone;                   // --NAME without a value is "on"
} SETTINGS[SETTING_COUNT] = {
    [SETTING_DATA] = {"data", "./data", "DIR",
                      "where the databases are; the default one is DIR/default.db"},
    [SETTING_LISTEN] = {"listen", "127.0.0.1:8080", "HOST:PORT", "address of the HTTP server"},
    [SETTING_STORE] = {"store", "", "URL",
                       "backup goes to a directory (/path, file:///path), s3://bucket/prefix or a "
                      "hub, hub+https://host:port/prefix; "
                       "unset: the folder 'store' in the data directory; 'none': no backup"},
    [SETTING_DATABASE] = {"database", "default", "NAME",
                          "name of the database, here and in the store"},
    [SETTING_RESTORE] = {"restore", "auto", "auto|never",
                         "auto: when the database's file is missing, restore it from the "
                         "store first; never: begin with an empty one"},
    [SETTING_VFS] = {"vfs", "io_uring", "NAME",
                     "io_uring (falls back to posix when it is refused), posix, or memory "
                     "(nothing is kept)"},
    [SETTING_SQPOLL] = {"sqpoll", "off", "on|off",
                        "io_uring: a kernel thread takes submissions (one core busy)", false, NULL, NULL, true},
    [SETTING_AUTH_TOKEN] = {"auth-token", "", "TOKEN",
                            "clients must send 'Authorization: Bearer TOKEN'; unset: open to "
                            "all who reach the port",
                            true},
    [SETTING_KEY] =
        {"key", "", "HEX",
         "64 hexadecimal digits (openssl rand -hex 32): the backup is encrypted with it "
         "before it leaves this machine",
         true},
    [SETTING_PASSPHRASE] = {"passphrase", "", "TEXT",
                            "instead of a key: words that the backup's key is derived from (Argon2id)", true},
    [SETTING_DB_KEY] = {"db-key", "", "HEX",
                        "64 hexadecimal digits (openssl rand -hex 32): the database's file and its log are encrypted with it; "
                        "unset: they are not",
                        true},
    [SETTING_DB_PASSPHRASE] = {"db-passphrase", "", "TEXT", "instead of a db-key: words that it is derived from (Argon2id)", true},
    [SETTING_DB_KEY_PREVIOUS] = {"db-key-previous", "", "HEX",
                                 "a file that is still encrypted with this one is taken to the db-key or db-passphrase while it is "
                                 "in use",
                                 true},
    [SETTING_DB_PASSPHRASE_PREVIOUS] = {"db-passphrase-previous", "", "TEXT", "the same, for a file that has a passphrase", true},
    [SETTING_DB_CHECKSUMS] = {"db-checksums", "off", "on|off",
                              "pages of new databases that are not encrypted end in a checksum, as SQLite's cksumvfs has it",
                              false, NULL, NULL, true},
    [SETTING_HYDRATE] = {"hydrate", "full", "full|lazy",
                         "a missing database from the store: full: restored before the node serves; lazy: served at once, "
                         "pages come when they are asked for, the rest in the background; not with --follow"},
    [SETTING_FOLLOW] = {"follow", "", "URL",
                        "be a read-only replica: of a backup, named as a store is, or of a node, http[s]://HOST:PORT; it becomes the "
                        "writer with skerry promote"},
    [SETTING_FOLLOW_TOKEN] = {"follow-token", "", "TOKEN", "the token (its --auth-token) of the node that is followed", true},
    [SETTING_FOLLOW_POLL_MS] = {"follow-poll-ms", "1000", "MS", "how often a store that is followed is asked for the next push"},
    [SETTING_AT] = {"at", "", "TIME",
                    "the state of this moment: 2026-03-01T12:00:00Z, '2026-03-01 12:00', or Unix seconds; UTC"},
    [SETTING_TX] = {"tx", "0", "N", "the state of this transaction (skerry backup list shows them); 0: the newest"},
    [SETTING_LINEAGE] = {"lineage", "", "HEX", "a lineage that is not the newest: the folder of 16 digits in the store"},
    [SETTING_OVERWRITE] = {"overwrite", "off", "on|off", "a file that is there is replaced, at the end",
                           false, NULL, NULL, true},
    [SETTING_DECRYPT] = {"decrypt", "off", "on|off", "the backup of an encrypted database is restored to a file that is not", false, NULL,
                         NULL, true},
    [SETTING_S3_ENDPOINT] = {"s3-endpoint", "", "URL",
                             "https://host[:port] of an S3 server; unset: AWS, by region", false,
                             "AWS_ENDPOINT_URL_S3"},
    [SETTING_S3_REGION] = {"s3-region", "", "NAME", "region for S3's signatures; unset: us-east-1",
                           false, "AWS_REGION", "AWS_DEFAULT_REGION"},
    [SETTING_S3_ACCESS_KEY] = {"s3-access-key", "", "KEY", "access key of the bucket", true,
                               "AWS_ACCESS_KEY_ID"},
    [SETTING_S3_SECRET_KEY] = {"s3-secret-key", "", "KEY", "secret key of the bucket", true,
                               "AWS_SECRET_ACCESS_KEY"},
    [SETTING_S3_SESSION_TOKEN] = {"s3-session-token", "", "TOKEN",
                                  "session token of temporary credentials", true,
                                  "AWS_SESSION_TOKEN"},
    [SETTING_S3_VIRTUAL_HOST] = {"s3-virtual-host", "off", "on|off",
                                 "bucket in the host name instead of the path", false, NULL, NULL, true},
    [SETTING_STORE_CA_FILE] = {"store-ca-file", "", "FILE",
                               "certificates (PEM) to trust for the S3 endpoint or the hub, instead "
                               "of the system's",
                               false, "AWS_CA_BUNDLE"},
    [SETTING_STORE_TOKEN] = {"store-token", "", "TOKEN",
                             "the hub's token, for a store of the form hub+https://host:port/prefix",
                             true},
    [SETTING_STORE_UPLOAD_RATE] = {"store-upload-rate", "0", "BYTES",
                                   "bytes per second to the store, all in all; 0: no limit"},
    [SETTING_STORE_DOWNLOAD_RATE] = {"store-download-rate", "0", "BYTES",
                                     "bytes per second from the store, all in all; 0: no limit"},
    [SETTING_STORE_REQUEST_RATE] = {"store-request-rate", "0", "N",
                                    "requests per second to the store; 0: no limit"},
    [SETTING_HUB_DIR] = {"hub-dir", "", "DIR",
                         "be a hub: keep other nodes' backups in this directory, under /store; "
                         "their --store is then hub+https://HOST:PORT/PREFIX"},
    [SETTING_HUB_TOKEN] = {"hub-token", "", "TOKEN",
                           "what other nodes must send to the hub (their --store-token)", true},
    [SETTING_HUB_OBJECT_SIZE_MAX] = {"hub-object-size-max", "5g", "BYTES",
                                     "largest body that the hub takes at once; more is answered 413"},
    [SETTING_PUSH_INTERVAL_MS] = {"push-interval-ms", "1000", "MS",
                                  "commits wait at most so long before they are pushed"},
    [SETTING_ZSTD_LEVEL] = {"zstd-level", "3", "N", "compression of the backup's images and hourly merges, 1 to 19"},
    [SETTING_PUSH_ZSTD_LEVEL] = {"push-zstd-level", "1", "N", "compression of pushes and earlier merges, 1 to 19; they are merged again soon"},
    [SETTING_WAL_BYTES_MAX] = {"wal-bytes-max", "1g", "BYTES",
                               "log kept for a store that cannot be reached (beyond, --wal-full says what becomes of commits) and for readers (beyond, they are let go)"},
    [SETTING_WAL_FULL] = {"wal-full", "restart", "restart|refuse",
                          "when --wal-bytes-max waits for the store: restart: the log is let go, and a whole image is pushed when the "
                          "store is back; refuse: commits fail (database or disk is full) until it is"},
    [SETTING_HEAD_INTERVAL_MS] = {"head-interval-ms", "10000", "MS",
                                  "the object that names the newest state follows pushes at most so often"},
    [SETTING_LEVEL_PERIODS] = {"level-periods", "30s,5m,1h,24h", "SPANS",
                               "pushes are merged into segments of the first three of these, and an image is made after the last"},
    [SETTING_KEEP] = {"keep", "5m,1h,6h,2d,14d", "SPANS",
                      "restores can be as fine as a push for so long, then as segments of the first, second and third level, "
                      "then as images"},
    [SETTING_HISTORY_FACTOR] = {"history-factor", "8", "N",
                                "what is kept beside images takes about so many times an image at most: then --keep gives way"},
    [SETTING_MERGE_CPU] = {"merge-cpu", "25", "PERCENT", "of one core, for merging and images"},
    [SETTING_YES] = {"yes", "off", "on|off", "delete what is shown", false, NULL, NULL, true},
    [SETTING_RESTORED] = {"restored", "off", "on|off", "verify by a restore of the newest state too, which writes nothing", false, NULL, NULL, true},
    [SETTING_NEW_KEY] = {"new-key", "", "HEX", "what opens the backup from now on: 64 hexadecimal digits", true},
    [SETTING_NEW_PASSPHRASE] = {"new-passphrase", "", "TEXT", "what opens the backup from now on: words", true},
    [SETTING_CACHE_BYTES] = {"cache-bytes", "16m", "BYTES",
                             "page cache of each database, and the most that PRAGMA cache_size may ask for"},
    [SETTING_BUSY_TIMEOUT_MS] = {"busy-timeout-ms", "5000", "MS",
                                 "a writer waits in line so long before SQLITE_BUSY"},
    [SETTING_STATEMENT_MS_MAX] = {"statement-ms-max", "0", "MS",
                                  "time that one statement may take; 0: no limit"},
    [SETTING_STREAM_IDLE_MS] = {"stream-idle-ms", "10000", "MS",
                                "an unused stream is closed and rolled back after this"},
    [SETTING_STREAMS_MAX] = {"streams-max", "1024", "N",
                             "streams (connections to the database) open at a time"},
    [SETTING_CONNECTIONS_MAX] = {"connections-max", "1024", "N",
                                 "HTTP connections at a time; more are answered 503"},
    [SETTING_HEADER_SIZE_MAX] = {"header-size-max", "64k", "BYTES", "request line and headers"},
    [SETTING_BODY_SIZE_MAX] = {"body-size-max", "64m", "BYTES",
                               "request body; more is answered 413"},
    [SETTING_ANSWER_SIZE_MAX] = {"answer-size-max", "64m", "BYTES",
                                 "answer of a pipeline; cursors have no limit"},
    [SETTING_HEADER_TIMEOUT_MS] = {"header-timeout-ms", "10000", "MS",
                                   "for a request's header to arrive"},
    [SETTING_BODY_TIMEOUT_MS] = {"body-timeout-ms", "30000", "MS",
                                 "for more of a request's body to arrive"},
    [SETTING_IDLE_TIMEOUT_MS] = {"idle-timeout-ms", "75000", "MS",
                                 "for the next request on a connection"},
    [SETTING_SEND_TIMEOUT_MS] = {"send-timeout-ms", "30000", "MS",
                                 "for a client to read its answer"},
    [SETTING_SHUTDOWN_MS] = {"shutdown-ms", "8000", "MS",
                             "for answers and the last push after SIGTERM"},
    [SETTING_LOG_LEVEL] = {"log-level", "info", "LEVEL", "debug, info, warn or error"},
};

static void variable_name(const char *name, char *out, size_t out_size)
{
    size_t n = (size_t)snprintf(out, out_size, "SKERRY_");
    for (; *name && n + 1 < out_size; name++)
        out[n++] = *name == '-' ? '_' : (char)toupper((u8)*name);
    out[n] = 0;
}

// A file's text without the line end that editors add; NULL with *err.
static char *file_text(const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, CONFIG_FILE_MAX + 1) : NULL;
    size_t size = text ? fread(text, 1, CONFIG_FILE_MAX + 1, f) : 0;
    bool bad = !text || ferror(f) || size > CONFIG_FILE_MAX;
    if (bad)
        err_set(err, ERR_USAGE, __func__, "%s cannot be read: %s", path,
                size > CONFIG_FILE_MAX ? "it is too large" : strerror(errno));
    if (f) fclose(f);
    if (bad) {
        free(text);
        return NULL;
    }
    text[size] = 0;
    return text;
}

static void text_trim(char *text)
{
    size_t n = strlen(text);
    while (n && isspace((u8)text[n - 1])) text[--n] = 0;
}

static bool value_set(struct config *c, enum setting s, const char *value, struct err *err)
{
    free(c->values[s]);
    free(c->files[s]);
    c->files[s] = NULL;
    c->values[s] = strdup(value);
    if (!c->values[s]) err_set(err, ERR_NOMEM, __func__, "out of memory");
    return c->values[s] != NULL;
}

static bool value_set_from(struct config *c, enum setting s, const char *path, struct err *err)
{
    char *text = file_text(path, err);
    if (text) text_trim(text);
    bool good = text && value_set(c, s, text, err);
    if (good && !(c->files[s] = strdup(path))) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        good = false;
    }
    if (text) sodium_memzero(text, strlen(text));
    free(text);
    return good;
}

static bool takes(const struct config_command *command, enum setting s)
{
    for (u32 i = 0; i < command->setting_count; i++)
        if (command->settings[i] == s) return true;
    return false;
}

static int setting_find(const char *name, size_t size)
{
    for (int s = 0; s < SETTING_COUNT; s++)
        if (strlen(SETTINGS[s].name) == size && strncmp(SETTINGS[s].name, name, size) == 0)
            return s;
    return -1;
}

static bool is_switch_value(const char *text)
{
    return strcmp(text, "on") == 0 || strcmp(text, "off") == 0;
}

bool config_takes(const struct config_command *command, const char *name)
{
    size_t size = strlen(name);
    int s = setting_find(name, size);
    if (s < 0 && size > 5 && strcmp(name + size - 5, "-file") == 0) s = setting_find(name, size - 5);
    return s >= 0 && takes(command, (enum setting)s);
}

// "--name value", "--name=value", and "--name-file path" for secrets.
static bool flag_read(struct config *c, const struct config_command *command, int argc, char **argv,
                      int *i, const char **config_path, struct err *err)
{
    const char *flag = argv[*i] + 2, *equals = strchr(flag, '='), *value = NULL;
    size_t size = equals ? (size_t)(equals - flag) : strlen(flag);
    bool of_file =
        size > 5 && strncmp(flag + size - 5, "-file", 5) == 0 && setting_find(flag, size) < 0;
    int s = setting_find(flag, of_file ? size - 5 : size);
    bool is_config = size == 6 && strncmp(flag, "config", 6) == 0;
    if (!is_config &&
        (s < 0 || !takes(command, (enum setting)s) || (of_file && !SETTINGS[s].secret))) {
        err_set(err, ERR_USAGE, __func__, "flag --%.*s is not known; see --help", (int)size, flag);
        return false;
    }
    if (equals) {
        value = equals + 1;
    } else if (!is_config && !of_file && SETTINGS[s].alone && (*i + 1 == argc || !is_switch_value(argv[*i + 1]))) {
        value = "on";
    } else if (*i + 1 < argc) {
        value = argv[++*i];
    } else {
        err_set(err, ERR_USAGE, __func__, "flag --%.*s needs a value", (int)size, flag);
        return false;
    }
    if (is_config) {
        *config_path = value;
        return true;
    }
    return of_file ? value_set_from(c, (enum setting)s, value, err)
                   : value_set(c, (enum setting)s, value, err);
}

static bool variables_read(struct config *c, const struct config_command *command, struct err *err)
{
    for (int s = 0; s < SETTING_COUNT; s++) {
        char name[80], file_name[90];
        if (c->values[s] || !takes(command, (enum setting)s)) continue;
        variable_name(SETTINGS[s].name, name, sizeof name);
        snprintf(file_name, sizeof file_name, "%s_FILE", name);
        const char *value = getenv(name), *path = SETTINGS[s].secret ? getenv(file_name) : NULL;
        if (value && path && value[0] && path[0]) {
            err_set(err, ERR_USAGE, __func__, "both %s and %s are set; use one", name, file_name);
            return false;
        }
        if ((!value || !value[0]) && path && path[0]) {
            if (!value_set_from(c, (enum setting)s, path, err)) return false;
            continue;
        }
        if ((!value || !value[0]) && SETTINGS[s].also) value = getenv(SETTINGS[s].also);
        if ((!value || !value[0]) && SETTINGS[s].also_then) value = getenv(SETTINGS[s].also_then);
        if (value && value[0] && !value_set(c, (enum setting)s, value, err)) return false;
    }
    return true;
}

static bool file_read(struct config *c, const struct config_command *command, const char *path,
                      struct err *err)
{
    char *text = file_text(path, err), *rest = text;
    if (!text) return false;
    bool good = true;
    u32 number = 0;
    for (char *line; good && (line = strsep(&rest, "\n"));) {
        number++;
        while (isspace((u8)*line)) line++;
        if (!*line || *line == '#') continue;
        char *equals = strchr(line, '=');
        size_t size = equals ? (size_t)(equals - line) : 0;
        while (size && isspace((u8)line[size - 1])) size--;
        int s = equals ? setting_find(line, size) : -1;
        if (s < 0) {
            err_set(err, ERR_USAGE, __func__,
                    "%s:%u: this is not 'name = value' with a name that --help lists", path,
                    number);
            good = false;
            break;
        }
        char *value = equals + 1;
        while (isspace((u8)*value)) value++;
        text_trim(value);
        if (!c->values[s] && takes(command, (enum setting)s))
            good = value_set(c, (enum setting)s, value, err);
    }
    free(text);
    return good;
}

bool config_load(struct config *c, const struct config_command *command, int argc, char **argv,
                 struct err *err)
{
    *c = (struct config){0};
    c->arguments = calloc((size_t)argc + 1, sizeof *c->arguments);
    const char *config_path = getenv("SKERRY_CONFIG");
    if (!c->arguments) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            c->help = true;
        else if (strncmp(argv[i], "--", 2) != 0)
            c->arguments[c->argument_count++] = argv[i];
        else if (!flag_read(c, command, argc, argv, &i, &config_path, err))
            return false;
    }
    if (!variables_read(c, command, err)) return false;
    if (config_path && config_path[0] && !file_read(c, command, config_path, err)) return false;
    for (int s = 0; s < SETTING_COUNT; s++)
        if (!c->values[s] && !value_set(c, (enum setting)s, SETTINGS[s].fallback, err))
            return false;
    return true;
}

void config_deinit(struct config *c)
{
    for (int s = 0; s < SETTING_COUNT; s++) {
        if (c->values[s]) sodium_memzero(c->values[s], strlen(c->values[s]));
        free(c->values[s]);
        free(c->files[s]);
    }
    free(c->arguments);
    *c = (struct config){0};
}

void config_help(const struct config_command *command)
{
    printf("%s\n", command->usage);
    printf("Settings, each by flag, by variable, or as 'name = value' in the file that --config "
           "FILE or SKERRY_CONFIG "
           "names:\n");
    for (u32 i = 0; i < command->setting_count; i++) {
        enum setting s = command->settings[i];
        char variable[80];
        variable_name(SETTINGS[s].name, variable, sizeof variable);
        printf("\n  --%s %s   (%s%s)\n", SETTINGS[s].name, SETTINGS[s].value_name, variable,
               SETTINGS[s].secret ? ", or a file named by --...-file or ..._FILE" : "");
        printf("      %s\n", SETTINGS[s].help);
        printf("      default: %s\n", SETTINGS[s].fallback[0] ? SETTINGS[s].fallback : "unset");
    }
}

const char *config_file(const struct config *c, enum setting s)
{
    return c->files[s];
}

const char *config_name(enum setting s)
{
    return SETTINGS[s].name;
}

const char *config_text(const struct config *c, enum setting s)
{
    return c->values[s];
}

bool config_number(const struct config *c, enum setting s, u64 min, u64 max, u64 *out,
                   struct err *err)
{
    const char *text = c->values[s];
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    u32 shift = 0;
    if (end != text && *end) {
        shift = tolower((u8)*end) == 'k'   ? 10
                : tolower((u8)*end) == 'm' ? 20
                : tolower((u8)*end) == 'g' ? 30
                                           : 0;
        end += shift != 0;
    }
    if (end == text || *end || text[0] == '-' || errno || n > UINT64_MAX >> shift ||
        (n << shift) < min || (n << shift) > max) {
        err_set(err, ERR_USAGE, __func__, "--%s is '%s'; it must be a number from %llu to %llu",
                SETTINGS[s].name, text, (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *out = n << shift;
    return true;
}

bool config_spans(const struct config *c, enum setting s, u64 *out_ms, u32 count, struct err *err)
{
    static const struct { const char *unit; u64 ms; } UNITS[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *at = c->values[s];
    for (u32 i = 0; i < count; i++) {
        char *end;
        errno = 0;
        unsigned long long n = strtoull(at, &end, 10);
        size_t unit = strcspn(end, ",");
        u64 ms = 0;
        for (u32 k = 0; k < COUNT_OF(UNITS); k++)
            if (strlen(UNITS[k].unit) == unit && strncmp(end, UNITS[k].unit, unit) == 0) ms = UNITS[k].ms;
        out_ms[i] = n * ms;
        bool last = i + 1 == count;
        if (end == at || at[0] == '-' || errno || !ms || !n || n > 1000000000000ull || (i && out_ms[i] <= out_ms[i - 1]) || (end[unit] == 0) != last) {
            err_set(err, ERR_USAGE, __func__, "--%s is '%s'; it must be %u ascending spans of time like %s", SETTINGS[s].name, c->values[s], count,
                    SETTINGS[s].fallback);
            return false;
        }
        at = end + unit + 1;
    }
    return true;
}

bool time_parse(const char *text, s64 *out_ms)
{
    struct tm tm = {0};
    double second = 0;
    int used = 0;
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && !*end && seconds > 0 && seconds < 1e11) {
        *out_ms = (s64)(seconds * 1000);
        return true;
    }
    int fields = sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d%n:%lf%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
                        &used, &second, &used);
    const char *rest = text + used;
    if (fields < 5 || (rest[0] && strcmp(rest, "Z") != 0) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || second < 0 || second >= 61)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out_ms = (s64)timegm(&tm) * 1000 + (s64)(second * 1000);
    return true;
}

bool config_time(const struct config *c, enum setting s, s64 *out_ms, struct err *err)
{
    const char *text = c->values[s];
    *out_ms = 0;
    if (!text[0] || time_parse(text, out_ms)) return true;
    err_set(err, ERR_USAGE, __func__, "--%s is '%s'; it must be a time like 2026-03-01T12:00:00Z, or Unix seconds", SETTINGS[s].name, text);
    return false;
}

bool config_bool(const struct config *c, enum setting s, bool *out, struct err *err)
{
    static const char *const ON[] = {"on", "true", "yes", "1"}, *const OFF[] = {"off", "false",
                                                                                "no", "0"};
    for (u32 i = 0; i < COUNT_OF(ON); i++) {
        if (strcasecmp(c->values[s], ON[i]) == 0) return *out = true, true;
        if (strcasecmp(c->values[s], OFF[i]) == 0) return *out = false, true;
    }
    err_set(err, ERR_USAGE, __func__, "--%s is '%s'; it must be on or off", SETTINGS[s].name,
            c->values[s]);
    return false;
}
