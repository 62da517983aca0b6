// JSONB to JSON text.
#include "json.h"

static void append_control(struct text_buffer *out, u8 c)
{
    static const char LETTERS[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[8];
    if (LETTERS[c]) {
        text_append_char(out, '\\');
        text_append_char(out, (u8)LETTERS[c]);
    } else {
        text_append(out, text, (size_t)snprintf(text, sizeof text, "\\u%04x", c));
    }
}

static inline bool needs_escape(u8 c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

void json_append_string(struct text_buffer *out, const u8 *z, u32 size)
{
    if (!text_reserve(out, (size_t)size + 2)) return;
    text_append_char(out, '"');
    u32 from = 0;
    for (u32 i = 0; i < size; i++) {
        if (!needs_escape(z[i])) continue;
        text_append(out, z + from, i - from);
        from = i + 1;
        if (z[i] < 0x20) {
            append_control(out, z[i]);
        } else {
            text_append_char(out, '\\');
            text_append_char(out, z[i]);
        }
    }
    text_append(out, z + from, size - from);
    text_append_char(out, '"');
}

// JSON5's escapes, quotes and control characters as JSON has them.
static bool render_text5(struct text_buffer *out, const u8 *z, u32 size)
{
    const u8 *end = z + size;
    text_append_char(out, '"');
    while (z < end) {
        const u8 *from = z;
        while (z < end && !needs_escape(*z)) z++;
        text_append(out, from, (size_t)(z - from));
        if (z == end) break;
        if (*z == '"') {
            text_append_string(out, "\\\"");
            z++;
            continue;
        }
        if (*z < 0x20) {
            append_control(out, *z++);
            continue;
        }
        if (end - z < 2) return false;
        switch (z[1]) {
        case '\'': text_append_char(out, '\''); break;
        case 'v': text_append_string(out, "\\u000b"); break;
        case '0': text_append_string(out, "\\u0000"); break;
        case '\n': break;
        case '\r':
            if (end - z > 2 && z[2] == '\n') z++;
            break;
        case 'x':
            if (end - z < 4) return false;
            text_append_string(out, "\\u00");
            text_append(out, z + 2, 2);
            z += 2;
            break;
        case 0xe2:
            if (end - z < 4 || z[2] != 0x80 || (z[3] | 1) != 0xa9) return false;
            z += 2;
            break;
        default: text_append(out, z, 2); break;
        }
        z += 2;
    }
    text_append_char(out, '"');
    return true;
}

static bool render_int5(struct text_buffer *out, const u8 *z, u32 size)
{
    char text[32];
    u32 i = 2;
    bool overflow = false;
    u64 v = 0;
    if (size && (z[0] == '-' || z[0] == '+')) {
        if (z[0] == '-') text_append_char(out, '-');
        i++;
    }
    for (; i < size; i++) {
        s32 h = hex_digit(z[i]);
        if (h < 0) return false;
        overflow |= v >> 60 != 0;
        v = v << 4 | (u32)h;
    }
    if (overflow) {
        text_append_string(out, "9.0e999");
    } else {
        text_append(out, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v));
    }
    return true;
}

static void render_float5(struct text_buffer *out, const u8 *z, u32 size)
{
    u32 i = 0;
    if (size && z[0] == '-') {
        text_append_char(out, '-');
        i++;
    }
    if (i < size && z[i] == '.') text_append_char(out, '0');
    for (; i < size; i++) {
        text_append_char(out, z[i]);
        if (z[i] == '.' && (i + 1 == size || !is_digit(z[i + 1]))) text_append_char(out, '0');
    }
}

struct renderer {
    struct json_view v;
    struct text_buffer *out;
    const u8 *indent; // NULL: minified
    u32 indent_size;
};

static void new_line(const struct renderer *r, u32 depth)
{
    text_append_char(r->out, '\n');
    for (u32 i = 0; i < depth; i++) text_append(r->out, r->indent, r->indent_size);
}

// What is neither plain text, a plain number nor a container.
static enum json_status render_rare(struct text_buffer *out, enum json_type type, const u8 *payload, u32 size)
{
    switch (type) {
    case JSON_NULL: text_append(out, "null", 4); return JSON_FOUND;
    case JSON_TRUE: text_append(out, "true", 4); return JSON_FOUND;
    case JSON_FALSE: text_append(out, "false", 5); return JSON_FOUND;
    case JSON_INT5: return size && render_int5(out, payload, size) ? JSON_FOUND : JSON_MALFORMED;
    case JSON_FLOAT5:
        render_float5(out, payload, size);
        return size ? JSON_FOUND : JSON_MALFORMED;
    case JSON_TEXT5: return render_text5(out, payload, size) ? JSON_FOUND : JSON_MALFORMED;
    case JSON_TEXTRAW: json_append_string(out, payload, size); return JSON_FOUND;
    case JSON_INT:
    case JSON_FLOAT:
    case JSON_TEXT:
    case JSON_TEXTJ:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return JSON_MALFORMED;
}

static enum json_status render_container(const struct renderer *r, const struct json_element *e, u32 depth);

ALWAYS_INLINE enum json_status render(const struct renderer *r, u32 at, u32 limit, u32 depth, u32 *end)
{
    struct json_element e;
    struct text_buffer *out = r->out;
    if (!json_element_read(r->v, at, limit, &e)) return JSON_MALFORMED;
    *end = e.end;
    const u8 *payload = r->v.bytes + e.payload;
    u32 size = e.end - e.payload;
    if (e.type == JSON_TEXT || e.type == JSON_TEXTJ) {
        if (text_reserve(out, (size_t)size + 2)) {
            u8 *to = out->bytes + out->size;
            to[0] = to[size + 1] = '"';
            if (size) memcpy(to + 1, payload, size);
            out->size += (size_t)size + 2;
        }
        return JSON_FOUND;
    }
    if (e.type == JSON_INT || e.type == JSON_FLOAT) {
        text_append(out, payload, size);
        return size ? JSON_FOUND : JSON_MALFORMED;
    }
    return e.type >= JSON_ARRAY ? render_container(r, &e, depth) : render_rare(out, e.type, payload, size);
}

static enum json_status render_container(const struct renderer *r, const struct json_element *e, u32 depth)
{
    struct text_buffer *out = r->out;
    bool object = e->type == JSON_OBJECT;
    if (depth >= JSON_DEPTH_MAX) return JSON_TOO_DEEP;
    text_append_char(out, object ? '{' : '[');
    u32 j = e->payload, count = 0;
    for (; j < e->end; count++) {
        bool value = object && count % 2;
        if (value) {
            text_append(out, ": ", r->indent ? 2 : 1);
        } else {
            if (count) text_append_char(out, ',');
            if (r->indent) new_line(r, depth + 1);
        }
        enum json_status s = render(r, j, e->end, depth + 1, &j);
        if (s != JSON_FOUND) return s;
        if (out->failed != ERR_OK) return JSON_FOUND;
    }
    if (object && count % 2) return JSON_MALFORMED;
    if (r->indent && count) new_line(r, depth);
    text_append_char(out, object ? '}' : ']');
    return JSON_FOUND;
}

enum json_status json_render(struct json_view v, u32 at, struct text_buffer *out)
{
    struct renderer r = {v, out, NULL, 0};
    u32 end;
    return render(&r, at, v.size, 0, &end);
}

enum json_status json_render_pretty(struct json_view v, struct text_buffer *out, const u8 *indent, u32 indent_size)
{
    struct renderer r = {v, out, indent, indent_size};
    u32 end;
    return render(&r, 0, v.size, 0, &end);
}
