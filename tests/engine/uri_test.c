// Goal: names of databases that are URIs mean what SQLite's documentation ("Uniform Resource Identifiers") says.
// Method: a table of names with the path and mode, or the error, that the documentation gives.
#include "engine/uri.h"
#include "tests/test.h"

TEST(uri_names)
{
    static const struct {
        const char *name, *path, *error; // error: path is not looked at
        bool may_write, read_only, no_create;
    } rows[] = {
        {"plain.db", "plain.db", NULL, true, false, false},
        {"dir/a%20b?mode=ro", "dir/a%20b?mode=ro", NULL, true, false, false},
        {"file:data.db", "data.db", NULL, true, false, false},
        {"FILE:data.db", "data.db", NULL, true, false, false},
        {"file:/home/a/data.db", "/home/a/data.db", NULL, true, false, false},
        {"file:///home/a/data.db", "/home/a/data.db", NULL, true, false, false},
        {"file://localhost/home/a.db", "/home/a.db", NULL, true, false, false},
        {"file://darkstar/home/a.db", NULL, "invalid uri authority: darkstar", true, false, false},
        {"file:data.db?mode=ro&cache=private", "data.db", NULL, true, true, false},
        {"file:data.db?mode=rw", "data.db", NULL, true, false, true},
        {"file:data.db?mode=rwc", "data.db", NULL, true, false, false},
        {"file:data.db?mode=rwc", NULL, "access mode not allowed: rwc", false, false, false},
        {"file:data.db?mode=memory", ":memory:", NULL, true, false, false},
        {"file:?mode=memory", ":memory:", NULL, true, false, false},
        {"file:data.db?mode=readonly", NULL, "no such access mode: readonly", true, false, false},
        {"file:data.db?vfs=nowhere", NULL, "no such vfs: nowhere", true, false, false},
        {"file:data.db?cache=yes", NULL, "no such cache mode: yes", true, false, false},
        {"file:a%3fb%23c%25d.db#fragment", "a?b#c%d.db", NULL, true, false, false},
        {"file:a%00b.db", "a", NULL, true, false, false},
        {"file:a%2", "a%2", NULL, true, false, false},
        {"file:data.db?m%6fde=ro&other", "data.db", NULL, true, true, false},
    };
    for (u32 i = 0; i < COUNT_OF(rows); i++) {
        struct err err = ERR_CLEAR;
        struct database_name parts;
        bool good = database_name_parse(rows[i].name, rows[i].may_write, &parts, &err);
        if (good != !rows[i].error) test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, good ? "accepted" : err.text);
        if (!good) {
            if (rows[i].error && !strstr(err.text, rows[i].error))
                test_fail(__FILE__, __LINE__, "%s: \"%s\", want \"%s\"", rows[i].name, err.text, rows[i].error);
            continue;
        }
        if (!rows[i].error && (strcmp(parts.path, rows[i].path) != 0 || parts.read_only != rows[i].read_only ||
                               parts.no_create != rows[i].no_create))
            test_fail(__FILE__, __LINE__, "%s: path %s%s%s", rows[i].name, parts.path,
                      parts.read_only ? ", read only" : "", parts.no_create ? ", not created" : "");
        free(parts.path);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
