// Paths ($.a[3].b, $[#-1], $."a b") in JSONB: following them, editing where they lead, merging patches.
#include "json.h"

static bool label_is_raw(enum json_type type)
{
    return type == JSON_TEXT || type == JSON_TEXTRAW;
}

static u32 label_next(const u8 **z, const u8 *end, bool raw)
{
    if (*z == end) return 0;
    return !raw && **z == '\\' ? json_unescape(z, end) : utf8_read(z, end);
}

static bool label_equal(const u8 *a, u32 a_size, bool a_raw, const u8 *b, u32 b_size, bool b_raw)
{
    if (a_raw && b_raw) return a_size == b_size && memcmp(a, b, a_size) == 0;
    const u8 *a_end = a + a_size, *b_end = b + b_size;
    for (;;) {
        u32 x = label_next(&a, a_end, a_raw), y = label_next(&b, b_end, b_raw);
        if (x != y) return false;
        if (x == 0) return true;
    }
}

static bool is_label(enum json_type type)
{
    return type >= JSON_TEXT && type <= JSON_TEXTRAW;
}

// ---- steps ---------------------------------------------------------------------------------------------

struct path_step {
    bool key;
    const u8 *label; // of a key, between its quotes
    u32 label_size;
    bool raw;        // it has no escapes
    bool from_end;   // [#] or [#-n]
    u64 index;
    const u8 *rest;
};

static bool step_read(const u8 *z, const u8 *end, struct path_step *s)
{
    *s = (struct path_step){0};
    if (*z == '.') {
        s->key = true;
        z++;
        if (z < end && *z == '"') {
            const u8 *from = ++z;
            for (; z < end && *z != '"'; z++) {
                if (*z == '\\' && z + 1 < end) z++;
            }
            if (z == end) return false;
            s->label = from;
            s->label_size = (u32)(z - from);
            s->rest = z + 1;
            s->raw = memchr(from, '\\', s->label_size) == NULL;
            return true;
        }
        s->label = z;
        while (z < end && *z != '.' && *z != '[') z++;
        s->label_size = (u32)(z - s->label);
        s->raw = true;
        s->rest = z;
        return s->label_size > 0;
    }
    if (*z != '[') return false;
    z++;
    if (z < end && *z == '#') {
        s->from_end = true;
        z++;
        if (z < end && *z == ']') {
            s->rest = z + 1;
            return true;
        }
        if (z == end || *z++ != '-') return false;
    }
    if (z == end || !is_digit(*z)) return false;
    // 32 bits that wrap, as SQLite's up to 3.50.
    u32 index = 0;
    for (; z < end && is_digit(*z); z++) index = index * 10 + (u32)(*z - '0');
    s->index = index;
    if (z == end || *z != ']') return false;
    s->rest = z + 1;
    return true;
}

s32 json_path_steps(const u8 *path, u32 path_size, struct json_step steps[JSON_STEPS_MAX])
{
    const u8 *z = path, *end = path + path_size;
    s32 count = 0;
    for (; z < end; count++) {
        struct path_step s;
        if (count == (s32)JSON_STEPS_MAX || !step_read(z, end, &s) || s.from_end || (s.key && !s.raw)) return -1;
        steps[count] = (struct json_step){.key = s.key, .label = s.label, .label_size = s.label_size, .index = (u32)s.index};
        z = s.rest;
    }
    return count;
}

// The child of e that the step names. When it is missing, *gap is true where an edit may add it (at e's end).
static enum json_status step_find(struct json_view v, const struct json_element *e, const struct path_step *s,
                                  u32 *at, u32 *label, bool *gap)
{
    u32 j = e->payload;
    *gap = false;
    *label = 0;
    if (s->key) {
        while (j < e->end) {
            struct json_element name, value;
            if (!json_element_read(v, j, e->end, &name) || !is_label(name.type) ||
                !json_element_read(v, name.end, e->end, &value)) {
                return JSON_MALFORMED;
            }
            if (label_equal(s->label, s->label_size, s->raw, v.bytes + name.payload, name.end - name.payload,
                            label_is_raw(name.type))) {
                *at = value.at;
                *label = name.at;
                return JSON_FOUND;
            }
            j = value.end;
        }
        *gap = true;
        return JSON_MISSING;
    }
    u64 index = s->index;
    if (s->from_end) {
        u64 count = 0;
        for (struct json_element child; j < e->end; j = child.end, count++) {
            if (!json_element_read(v, j, e->end, &child)) return JSON_MALFORMED;
        }
        if (index > count) return JSON_MISSING;
        index = count - index;
        j = e->payload;
    }
    for (; j < e->end; index--) {
        struct json_element child;
        if (!json_element_read(v, j, e->end, &child)) return JSON_MALFORMED;
        if (index == 0) {
            *at = j;
            return JSON_FOUND;
        }
        j = child.end;
    }
    *gap = index == 0;
    return JSON_MISSING;
}

// Reads the step at z and e; JSON_MISSING when e is not of the kind that the step wants.
static enum json_status step_prepare(const struct json_element *e, const u8 *z, const u8 *end, struct path_step *s)
{
    if (*z == '[' && e->type != JSON_ARRAY) return JSON_MISSING;
    if (!step_read(z, end, s)) return JSON_PATH_ERROR;
    return s->key && e->type != JSON_OBJECT ? JSON_MISSING : JSON_FOUND;
}

enum json_status json_lookup(struct json_view v, const u8 *path, u32 path_size, u32 *at, u32 *label)
{
    const u8 *z = path, *end = path + path_size;
    *at = *label = 0;
    while (z < end) {
        struct json_element e;
        struct path_step s;
        bool gap;
        if (!json_element_read(v, *at, v.size, &e)) return JSON_MALFORMED;
        enum json_status status = step_prepare(&e, z, end, &s);
        if (status == JSON_FOUND) status = step_find(v, &e, &s, at, label, &gap);
        if (status != JSON_FOUND) return status;
        z = s.rest;
    }
    return JSON_FOUND;
}

// ---- edits ---------------------------------------------------------------------------------------------

struct editor {
    struct json_view v, value;
    const u8 *path_end;
    enum json_edit edit;
    struct text_buffer *out;
};

static void append_range(struct editor *d, u32 from, u32 to)
{
    text_append(d->out, d->v.bytes + from, to - from);
}

static void append_label(struct text_buffer *out, const struct path_step *s)
{
    json_append_element(out, s->raw ? JSON_TEXTRAW : JSON_TEXT5, s->label, s->label_size);
}

// The value, inside as many new arrays and objects as the rest of the path names.
static enum json_status append_new(struct editor *d, const u8 *z, u32 depth)
{
    if (z == d->path_end) {
        text_append(d->out, d->value.bytes, d->value.size);
        return JSON_FOUND;
    }
    struct path_step s;
    if (depth >= JSON_DEPTH_MAX) return JSON_TOO_DEEP;
    if (!step_read(z, d->path_end, &s)) return JSON_PATH_ERROR;
    // Only the first place of a new array is next to its end.
    if (!s.key && s.index != 0) return JSON_MISSING;
    size_t place = json_container_begin(d->out, s.key ? JSON_OBJECT : JSON_ARRAY);
    if (s.key) append_label(d->out, &s);
    enum json_status status = append_new(d, s.rest, depth + 1);
    json_container_end(d->out, place);
    return status;
}

// Writes the element at `at` with the edit made. Nothing of it: it is removed.
static enum json_status edit(struct editor *d, u32 at, const u8 *z, u32 depth, bool *removed)
{
    struct json_element e;
    if (!json_element_read(d->v, at, d->v.size, &e)) return JSON_MALFORMED;
    if (z == d->path_end) {
        switch (d->edit) {
        case JSON_EDIT_INSERT: return JSON_MISSING; // it is there: nothing to do
        case JSON_EDIT_REMOVE: *removed = true; return JSON_FOUND;
        case JSON_EDIT_REPLACE:
        case JSON_EDIT_SET: json_append_instead(d->out, d->value, e.end - e.at); return JSON_FOUND;
        }
    }
    struct path_step s;
    u32 child_at, label;
    bool gap = false, gone = false;
    if (depth >= JSON_DEPTH_MAX) return JSON_TOO_DEEP;
    enum json_status status = step_prepare(&e, z, d->path_end, &s);
    if (status == JSON_FOUND) status = step_find(d->v, &e, &s, &child_at, &label, &gap);
    bool add = status == JSON_MISSING && gap && (d->edit == JSON_EDIT_INSERT || d->edit == JSON_EDIT_SET);
    if (status != JSON_FOUND && !add) return status;

    size_t place = json_container_begin(d->out, e.type);
    if (add) {
        append_range(d, e.payload, e.end);
        if (s.key) append_label(d->out, &s);
        status = append_new(d, s.rest, depth + 1);
    } else {
        struct json_element child;
        if (!json_element_read(d->v, child_at, e.end, &child)) return JSON_MALFORMED;
        append_range(d, e.payload, child_at);
        status = edit(d, child_at, s.rest, depth + 1, &gone);
        if (gone && s.key) d->out->size -= child_at - label;
        append_range(d, child.end, e.end);
    }
    json_container_end_as(d->out, place, d->v, &e);
    return status;
}

enum json_status json_edit(struct json_view v, const u8 *path, u32 path_size, enum json_edit kind,
                           struct json_view value, struct text_buffer *out)
{
    struct editor d = {v, value, path + path_size, kind, out};
    bool removed = false;
    return edit(&d, 0, path, 0, &removed);
}

// ---- merge patch ---------------------------------------------------------------------------------------

struct member {
    struct json_element label, value;
};

static bool member_read(struct json_view v, u32 at, u32 limit, struct member *m)
{
    return json_element_read(v, at, limit, &m->label) && is_label(m->label.type) &&
           json_element_read(v, m->label.end, limit, &m->value);
}

static bool members_equal(struct json_view a, const struct json_element *x, struct json_view b,
                          const struct json_element *y)
{
    return label_equal(a.bytes + x->payload, x->end - x->payload, label_is_raw(x->type), b.bytes + y->payload,
                       y->end - y->payload, label_is_raw(y->type));
}

static enum json_status merge(struct json_view target, const struct json_element *t, struct json_view patch,
                              const struct json_element *p, u32 depth, struct text_buffer *out);

// The members so far get one of the patch: it changes, or takes away, the first of its name.
static enum json_status member_merge(struct text_buffer *members, struct json_view patch, const struct member *change, u32 depth)
{
    struct json_view before = {members->bytes, (u32)members->size};
    struct member m;
    u32 at = 0;
    bool found = false;
    for (; at < before.size && !found; at = m.value.end) {
        if (!member_read(before, at, before.size, &m)) return JSON_MALFORMED;
        found = members_equal(patch, &change->label, before, &m.label);
    }
    bool removes = change->value.type == JSON_NULL;
    if (!found && removes) return JSON_FOUND;
    if (!found) text_append(members, patch.bytes + change->label.at, change->label.end - change->label.at);
    if (!found && change->value.type != JSON_OBJECT) {
        text_append(members, patch.bytes + change->value.at, change->value.end - change->value.at);
        return JSON_FOUND;
    }
    struct text_buffer after = {0};
    enum json_status status = JSON_FOUND;
    u32 from = found ? m.label.at : before.size, to = found ? m.value.end : before.size;
    if (!removes) {
        if (found) text_append(&after, before.bytes + from, m.label.end - from);
        status = merge(before, found ? &m.value : NULL, patch, &change->value, depth + 1, &after);
    }
    if (found) text_append(&after, before.bytes + to, before.size - to);
    if (found) members->size = from;
    text_append(members, after.bytes, after.size);
    if (after.failed) members->failed = after.failed;
    text_buffer_deinit(&after);
    return status;
}

// NULL as target: there is none. Members of the patch come one after the other, also those of the same name.
static enum json_status merge(struct json_view target, const struct json_element *t, struct json_view patch,
                              const struct json_element *p, u32 depth, struct text_buffer *out)
{
    if (p->type != JSON_OBJECT) {
        json_append_instead(out, (struct json_view){patch.bytes + p->at, p->end - p->at}, t ? t->end - t->at : 0);
        return JSON_FOUND;
    }
    if (depth > JSON_DEPTH_MAX) return JSON_TOO_DEEP;
    struct text_buffer members = {0};
    if (t && t->type == JSON_OBJECT) text_append(&members, target.bytes + t->payload, t->end - t->payload);
    enum json_status status = JSON_FOUND;
    struct member change;
    for (u32 k = p->payload; k < p->end && status == JSON_FOUND; k = change.value.end)
        status = member_read(patch, k, p->end, &change) ? member_merge(&members, patch, &change, depth) : JSON_MALFORMED;
    size_t place = json_container_begin(out, JSON_OBJECT);
    text_append(out, members.bytes, members.size);
    if (t) json_container_end_as(out, place, target, t);
    else json_container_end(out, place);
    if (members.failed) out->failed = members.failed;
    text_buffer_deinit(&members);
    return status;
}

enum json_status json_merge_patch(struct json_view target, struct json_view patch, struct text_buffer *out)
{
    struct json_element t, p;
    if (!json_element_read(target, 0, target.size, &t) || !json_element_read(patch, 0, patch.size, &p)) {
        return JSON_MALFORMED;
    }
    return merge(target, &t, patch, &p, 0, out);
}
