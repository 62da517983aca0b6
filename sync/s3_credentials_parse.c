#include "s3_credentials_parse.h"
#include "s3_xml.h"

#include <ctype.h>
#include <jansson.h>
#include <time.h>

// What goes into a header must be printable.
static bool text_take(const char *text, size_t size, char *out, size_t out_size)
{
    if (size >= out_size) return false;
    for (size_t i = 0; i < size; i++)
        if ((u8)text[i] <= ' ' || (u8)text[i] >= 127) return false;
    memcpy(out, text, size);
    out[size] = 0;
    return true;
}

static bool expiration_take(const char *text, s64 *out)
{
    struct tm tm = {0};
    if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) return false;
    time_t at = timegm(&tm);
    *out = (s64)at * 1000;
    return at > 0;
}

static bool json_take(const json_t *from, const char *name, char *out, size_t out_size)
{
    const json_t *v = json_object_get(from, name);
    return json_is_string(v) &&
           text_take(json_string_value(v), json_string_length(v), out, out_size);
}

bool s3_keys_of_json(const char *text, size_t size, struct s3_key_texts *out)
{
    memset(out, 0, sizeof *out);
    json_t *root = json_loadb(text, size, 0, NULL);
    const json_t *token = json_object_get(root, "Token"),
                 *expires = json_object_get(root, "Expiration");
    bool good = json_take(root, "AccessKeyId", out->access_key, sizeof out->access_key) &&
                json_take(root, "SecretAccessKey", out->secret_key, sizeof out->secret_key) &&
                out->access_key[0] && out->secret_key[0];
    if (good && token && !json_is_null(token))
        good = json_take(root, "Token", out->session_token, sizeof out->session_token);
    if (good && expires && !json_is_null(expires))
        good = json_is_string(expires) &&
               expiration_take(json_string_value(expires), &out->expires_ms);
    json_decref(root);
    return good;
}

bool s3_keys_of_xml(const char *text, size_t size, struct s3_key_texts *out)
{
    static const char *const NAMES[] = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"};
    char values[COUNT_OF(NAMES)][S3_TOKEN_TEXT_MAX];
    memset(out, 0, sizeof *out);
    for (u32 i = 0; i < COUNT_OF(NAMES); i++) {
        const char *at = text;
        if (!s3_xml_element(&at, text + size, NAMES[i], values[i], sizeof values[i])) return false;
    }
    return text_take(values[0], strlen(values[0]), out->access_key, sizeof out->access_key) &&
           text_take(values[1], strlen(values[1]), out->secret_key, sizeof out->secret_key) &&
           text_take(values[2], strlen(values[2]), out->session_token, sizeof out->session_token) &&
           out->access_key[0] && out->secret_key[0] && expiration_take(values[3], &out->expires_ms);
}

// ---- profiles
// -----------------------------------------------------------------------------------------

struct span {
    const char *at;
    size_t size;
};

static struct span trimmed(const char *at, const char *end)
{
    while (at < end && isspace((u8)*at)) at++;
    while (end > at && isspace((u8)end[-1])) end--;
    return (struct span){at, (size_t)(end - at)};
}

static bool span_is(struct span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.at, text, s.size) == 0;
}

static bool section_is(struct span line, const char *name)
{
    const char *close = memchr(line.at, ']', line.size);
    if (!close) return false;
    struct span s = trimmed(line.at + 1, close);
    if (s.size > 8 && memcmp(s.at, "profile", 7) == 0 && isspace((u8)s.at[7]))
        s = trimmed(s.at + 8, close);
    return span_is(s, name);
}

enum s3_profile_found s3_keys_of_profile(const char *text, size_t size, const char *name,
                                         struct s3_key_texts *out)
{
    bool inside = false, found = false, good = true;
    memset(out, 0, sizeof *out);
    for (const char *at = text, *end = text + size, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        struct span line = trimmed(at, stop);
        if (!line.size || *line.at == '#' || *line.at == ';') continue;
        if (*line.at == '[') {
            inside = section_is(line, name);
            found |= inside;
            continue;
        }
        const char *equals = memchr(line.at, '=', line.size), *line_end = line.at + line.size;
        if (!inside || !equals || *at == ' ' || *at == '\t') continue; // indented: of a nested table
        struct span key = trimmed(line.at, equals), value = trimmed(equals + 1, line_end);
        if (span_is(key, "aws_access_key_id"))
            good &= text_take(value.at, value.size, out->access_key, sizeof out->access_key);
        else if (span_is(key, "aws_secret_access_key"))
            good &= text_take(value.at, value.size, out->secret_key, sizeof out->secret_key);
        else if (span_is(key, "aws_session_token"))
            good &= text_take(value.at, value.size, out->session_token, sizeof out->session_token);
    }
    if (!found) return S3_PROFILE_NONE;
    return good && out->access_key[0] && out->secret_key[0] ? S3_PROFILE_KEYS : S3_PROFILE_OTHER;
}
