#include "command.h"

#include "../engine/skerry.h"

static const struct {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"serve", "serve the database over HTTP and back it up", serve_command},
    {"sql", "a SQL shell on a database file", sql_command},
    {"restore", "write a state of a backup to a file", restore_command},
    {"backup", "list, verify, prune, rekey, or show the status of a backup", backup_command},
    {"promote", "make a replica the writer", promote_command},
    {"health", "ask a node whether it is well", health_command},
};

static void usage(FILE *out)
{
    fprintf(out, "usage: skerry COMMAND [ARGUMENT]...\n\n");
    for (u32 i = 0; i < COUNT_OF(COMMANDS); i++)
        fprintf(out, "  %-8s  %s\n", COMMANDS[i].name, COMMANDS[i].help);
    fprintf(out, "\nskerry COMMAND --help tells more; skerry --version tells the version.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    for (u32 i = 0; i < COUNT_OF(COMMANDS); i++)
        if (strcmp(argv[1], COMMANDS[i].name) == 0) return COMMANDS[i].run(argc - 2, argv + 2);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0) {
        printf("skerry %s (SQLite %s)\n", skerry_version(), skerry_sqlite_version());
        return 0;
    }
    fprintf(stderr, "skerry: there is no command '%s'\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE;
}
