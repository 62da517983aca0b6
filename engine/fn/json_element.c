// Elements of JSONB: headers, containers, checking.
#include "json.h"

bool json_element_read_long(struct json_view v, u32 at, u32 limit, struct json_element *e)
{
    if (limit > v.size) limit = v.size;
    if (at >= limit) return false;
    const u8 *z = v.bytes + at;
    u32 code = z[0] >> 4, header = 1;
    u64 size = code;
    if (code > 11) {
        static const u8 SIZES[] = {2, 3, 5, 9};
        header = SIZES[code - 12];
        if (limit - at < header) return false;
        size = 0;
        for (u32 i = 1; i < header; i++) size = size << 8 | z[i];
    }
    if (size > limit - at - header) return false;
    e->type = z[0] & 15;
    e->at = at;
    e->payload = at + header;
    e->end = at + header + (u32)size;
    return e->type <= JSON_OBJECT;
}

const char *json_type_name(enum json_type type)
{
    static const char *const NAMES[] = {"null", "true", "false", "integer", "integer", "real", "real", "text",
                                        "text", "text", "text", "array", "object"};
    return NAMES[type];
}

static u32 header_write(u8 out[9], enum json_type type, u32 size)
{
    if (size <= 11) {
        out[0] = (u8)(size << 4 | type);
        return 1;
    }
    if (size <= 0xff) {
        out[0] = (u8)(0xc0 | type);
        out[1] = (u8)size;
        return 2;
    }
    if (size <= 0xffff) {
        out[0] = (u8)(0xd0 | type);
        be16_put(out + 1, (u16)size);
        return 3;
    }
    out[0] = (u8)(0xe0 | type);
    be32_put(out + 1, size);
    return 5;
}

void json_append_element(struct text_buffer *b, enum json_type type, const void *payload, u32 payload_size)
{
    if (!text_reserve(b, 9 + (size_t)payload_size)) return;
    b->size += header_write(b->bytes + b->size, type, payload_size);
    if (payload_size) memcpy(b->bytes + b->size, payload, payload_size);
    b->size += payload_size;
}

void json_append_instead(struct text_buffer *b, struct json_view v, u32 place_size)
{
    struct json_element e;
    bool wider = place_size > v.size && json_element_read(v, 0, v.size, &e) && e.type > JSON_FALSE && e.end == v.size;
    const u32 header = wider ? e.payload + (place_size - v.size) : 0;
    const u8 code = header == 2 ? 0xc0 : header == 3 ? 0xd0 : header == 5 ? 0xe0 : header == 9 ? 0xf0 : 0;
    if (!code) {
        text_append(b, v.bytes, v.size);
        return;
    }
    text_append_char(b, (u8)(code | e.type));
    for (u32 i = header - 1; i > 0; i--) text_append_char(b, i > 4 ? 0 : (u8)((e.end - e.payload) >> (i - 1) * 8));
    text_append(b, v.bytes + e.payload, e.end - e.payload);
}

size_t json_container_begin(struct text_buffer *b, enum json_type type)
{
    size_t place = b->size;
    text_append_char(b, (u8)type);
    return place;
}

void json_container_end(struct text_buffer *b, size_t place)
{
    if (b->failed != ERR_OK) return;
    u8 header[9];
    size_t payload = b->size - place - 1;
    u32 n = header_write(header, b->bytes[place] & 15, (u32)payload);
    if (n > 1) {
        if (!text_reserve(b, n - 1)) return;
        memmove(b->bytes + place + n, b->bytes + place + 1, payload);
        b->size += n - 1;
    }
    memcpy(b->bytes + place, header, n);
}

void json_container_end_as(struct text_buffer *b, size_t place, struct json_view v, const struct json_element *before)
{
    const u32 header = before->payload - before->at;
    const u8 type = b->failed == ERR_OK ? b->bytes[place] & 15 : 0;
    if (b->failed != ERR_OK || b->size - place - 1 != before->end - before->payload) {
        json_container_end(b, place);
        return;
    }
    if (!text_reserve(b, header - 1)) return;
    memmove(b->bytes + place + header, b->bytes + place + 1, b->size - place - 1);
    b->size += header - 1;
    memcpy(b->bytes + place, v.bytes + before->at, header);
    b->bytes[place] = (u8)((b->bytes[place] & 0xf0) | type);
}

// ---- checking ----------------------------------------------------------------------------------------

static bool plain_byte(u8 c) // needs no escape in a JSON string
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static u32 check_number(const u8 *z, u32 at, u32 from, u32 end, enum json_type type)
{
    u32 size = end - from, j = from;
    bool negative = size && z[j] == '-';
    j += negative;
    if (type == JSON_INT) {
        if (j >= end || (z[j] == '0' && j + 1 < end)) return at + 1;
        for (; j < end; j++) {
            if (!is_digit(z[j])) return j + 1;
        }
        return 0;
    }
    if (type == JSON_INT5) {
        if (end - j < 3 || z[j] != '0') return at + 1;
        if ((z[j + 1] | 0x20) != 'x') return j + 2;
        for (j += 2; j < end; j++) {
            if (hex_digit(z[j]) < 0) return j + 1;
        }
        return 0;
    }
    if (j + 2 > end) return at + 1;
    bool point = false, exponent = false;
    if (z[j] == '.') {
        if (type == JSON_FLOAT || !is_digit(z[j + 1])) return j + 1;
        j += 2;
        point = true;
    } else if (z[j] == '0' && type == JSON_FLOAT) {
        if (j + 3 > end || (z[j + 1] != '.' && (z[j + 1] | 0x20) != 'e')) return j + 1;
        j++;
    } else if (!is_digit(z[j]) || (z[j] == '0' && is_digit(z[j + 1]))) {
        return j + 1;
    }
    for (; j < end; j++) {
        if (is_digit(z[j])) continue;
        if (z[j] == '.') {
            if (point || exponent || (type == JSON_FLOAT && (j + 1 == end || !is_digit(z[j + 1])))) return j + 1;
            point = true;
        } else if ((z[j] | 0x20) == 'e') {
            if (exponent || j + 1 == end) return j + 1;
            if (z[j - 1] == '.' && type == JSON_FLOAT) return j + 1;
            if (z[j + 1] == '+' || z[j + 1] == '-') j++;
            if (j + 1 == end || !is_digit(z[j + 1])) return j + 1;
            exponent = true;
        } else {
            return j + 1;
        }
    }
    return point || exponent ? 0 : at + 1;
}

static u32 check_text(const u8 *z, u32 from, u32 end, enum json_type type)
{
    for (u32 j = from; j < end; j++) {
        if (plain_byte(z[j])) continue;
        if (type == JSON_TEXT) return j + 1;
        if (z[j] != '\\') {
            if (type == JSON_TEXTJ) return j + 1; // quotes and control characters
            continue;
        }
        if (j + 1 >= end) return j + 1;
        u8 c = z[j + 1];
        if (memchr("\"\\/bfnrt", c, 9)) { // NUL is among them, as for SQLite
            j++;
        } else if (c == 'u') {
            if (j + 5 >= end) return j + 1;
            for (u32 k = 2; k < 6; k++) {
                if (hex_digit(z[j + k]) < 0) return j + 1;
            }
            j++;
        } else if (type != JSON_TEXT5) {
            return j + 1;
        } else {
            const u8 *escape = z + j;
            if (json_unescape(&escape, z + end) == JSON_NO_CHARACTER) return j + 1;
            j = (u32)(escape - z) - 1;
        }
    }
    return 0;
}

u32 json_check(struct json_view v, u32 at, u32 end, u32 depth)
{
    struct json_element e;
    if (depth > JSON_DEPTH_MAX || !json_element_read(v, at, end, &e) || e.end != end) return at + 1;
    switch (e.type) {
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE: return e.end - e.at == 1 ? 0 : at + 1;
    case JSON_INT:
    case JSON_INT5:
    case JSON_FLOAT:
    case JSON_FLOAT5: return check_number(v.bytes, at, e.payload, e.end, e.type);
    case JSON_TEXT:
    case JSON_TEXTJ:
    case JSON_TEXT5: return check_text(v.bytes, e.payload, e.end, e.type);
    case JSON_TEXTRAW: return 0;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    u32 count = 0, j = e.payload;
    for (; j < e.end; count++) {
        struct json_element child;
        if (!json_element_read(v, j, e.end, &child)) return j + 1;
        if (e.type == JSON_OBJECT && count % 2 == 0 && (child.type < JSON_TEXT || child.type > JSON_TEXTRAW)) {
            return j + 1;
        }
        u32 wrong = json_check(v, j, child.end, depth + 1);
        if (wrong) return wrong;
        j = child.end;
    }
    return e.type == JSON_OBJECT && count % 2 ? j + 1 : 0;
}

bool json_is_blob(const struct value *v, struct json_view *out)
{
    struct json_element e;
    if (v->type != VALUE_BLOB) return false;
    struct json_view view = {v->bytes, v->size};
    if (v->flags & VALUE_ZERO_TAIL && v->zero_count) {
        // Of blobs that end in zeros to come one is JSON: the single zero, which is null.
        static const u8 null[1];
        if (v->size || v->zero_count > 1) return false;
        view = (struct json_view){null, 1};
    }
    if (!json_element_read(view, 0, view.size, &e) || e.end != view.size) return false;
    if (e.type <= JSON_FALSE && e.end != e.payload) return false;
    // What might as well be text is looked at closely: '{', '[', digits.
    u8 c = view.bytes[0];
    if (e.end - e.payload <= 7 && (c == '{' || c == '[' || is_digit(c)) && json_check(view, 0, view.size, 1)) {
        return false;
    }
    *out = view;
    return true;
}
