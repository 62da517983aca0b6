#include "program.h"

#include "../fn/fn.h"
#include "../sql/schema.h"

static const char *const opcode_names[] = {
#define X(name, flag) #name,
    OPCODE_LIST(X)
#undef X
};
static const u8 opcode_flags[] = {
#define X(name, flag) OP_F_##flag,
    OPCODE_LIST(X)
#undef X
};

const char *opcode_name(enum opcode op)
{
    return opcode_names[op];
}

#define CODE_CAPACITY 32 // at first: most programs end in it

struct program *program_new(struct arena *a)
{
    struct program *p = arena_alloc(a, sizeof *p);
    p->arena = a;
    p->capacity = CODE_CAPACITY;
    p->code = arena_alloc(a, CODE_CAPACITY * sizeof *p->code);
    return p;
}

static struct program *program_top(struct program *p)
{
    return p->parent ? p->parent : p;
}

struct program *program_find_sub(struct program *p, const void *key, s32 variant)
{
    for (struct program_sub *s = program_top(p)->subs; s; s = s->next)
        if (s->key == key && s->variant == variant) return s->program;
    return NULL;
}

struct program *program_add_sub(struct program *p, const void *key, s32 variant)
{
    struct program *top = program_top(p);
    struct program_sub *s = arena_alloc(top->arena, sizeof *s);
    s->key = key;
    s->variant = variant;
    s->program = program_new(top->arena);
    s->program->parent = top;
    s->program->key = key;
    struct program_sub **end = &top->subs;
    while (*end) end = &(*end)->next;
    *end = s;
    return s->program;
}

static void label_resolve(const struct program *p, s32 *target)
{
    if (*target >= 0) return;
    ASSERT((u32)(-*target) <= p->label_count);
    s32 address = p->labels[-*target - 1];
    ASSERT(address >= 0);
    *target = address;
}

// Jumps to where the Goto that it leads to goes.
static void goto_shorten(const struct program *p, struct instruction *in)
{
    enum { HOPS_MAX = 8 }; // some go in circles
    for (u32 hops = 0; hops < HOPS_MAX && in->p2 < (s32)p->count && p->code[in->p2].opcode == OP_Goto; hops++) {
        in->p2 = p->code[in->p2].p2;
        label_resolve(p, &in->p2);
    }
}

void program_finish(struct program *p, s32 register_count, s32 cursor_count)
{
    ASSERT(!p->finished);
    for (u32 i = 0; i < p->count; i++) {
        struct instruction *in = &p->code[i];
        if (!(opcode_flags[in->opcode] & OP_F_J)) continue;
        label_resolve(p, &in->p2);
        if (in->opcode == OP_Goto) goto_shorten(p, in);
        if (in->opcode == OP_Jump) label_resolve(p, &in->p1);
        if (in->opcode == OP_Jump || in->opcode == OP_InitCoroutine) label_resolve(p, &in->p3);
    }
    p->register_count = register_count;
    p->cursor_count = cursor_count;
    p->uses_savepoint = p->multi_row_write && p->may_abort;
    p->finished = true;
}

void program_columns_set(struct program *p, u32 count)
{
    p->columns = arena_alloc(p->arena, count * sizeof *p->columns);
    p->column_count = count;
}

bool program_hold_schema(struct program *p, u32 database, struct schema *s)
{
    if (!s || database >= PROGRAM_DATABASES_MAX) return false;
    if (!p->schemas[database]) p->schemas[database] = schema_ref(s);
    p->held |= 1u << database;
    return p->schemas[database] == s;
}

void program_release(struct program *p)
{
    for (; p->held; p->held &= p->held - 1) {
        u32 i = (u32)__builtin_ctz(p->held);
        schema_unref(p->schemas[i]);
        p->schemas[i] = NULL;
    }
}

// ---- building ------------------------------------------------------------------------------------------------

s32 program_emit(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3)
{
    p->code = arena_grow(p->arena, p->code, p->count, &p->capacity, sizeof *p->code);
    p->code[p->count] = (struct instruction){.opcode = (u8)op, .p1 = p1, .p2 = p2, .p3 = p3};
    return (s32)p->count++;
}

s32 program_emit_text(struct program *p, s32 target, const char *text, size_t size)
{
    s32 at = program_emit(p, OP_String8, (s32)size, target, 0);
    program_p4_text(p, at, text, (s64)size);
    return at;
}

s32 program_emit_blob(struct program *p, s32 target, const void *bytes, size_t size)
{
    s32 at = program_emit(p, OP_Blob, (s32)size, target, 0);
    program_p4_text(p, at, bytes, (s64)size);
    return at;
}

s32 program_emit_integer(struct program *p, s32 target, s64 integer)
{
    s32 at = program_emit(p, OP_Integer, 0, target, 0);
    instruction_integer_set(&p->code[at], integer);
    return at;
}

void instruction_integer_set(struct instruction *in, s64 integer)
{
    bool small = integer == (s32)integer;
    *in = (struct instruction){.opcode = small ? OP_Integer : OP_Int64, .p2 = in->p2};
    if (small) {
        in->p1 = (s32)integer;
    } else {
        in->p4_kind = P4_INTEGER;
        in->p4.integer = integer;
    }
}

void instruction_real_set(struct instruction *in, double real)
{
    *in = (struct instruction){.opcode = OP_Real, .p4_kind = P4_REAL, .p2 = in->p2, .p4.real = real};
}

s32 program_emit_real(struct program *p, s32 target, double real)
{
    s32 at = program_emit(p, OP_Real, 0, target, 0);
    instruction_real_set(&p->code[at], real);
    return at;
}

s32 program_emit_int4(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3, s64 p4)
{
    s32 at = program_emit(p, op, p1, p2, p3);
    program_p4_integer(p, at, p4);
    return at;
}

s32 program_emit_function(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3, const struct fn_def *def,
                          u32 argc)
{
    s32 at = program_emit(p, op, p1, p2, p3);
    program_p4_function(p, at, def);
    p->code[at].p5 = (u16)argc;
    return at;
}

void program_function_pure(struct program *p, s32 at, const char *where)
{
    struct function_call *call = arena_copy(p->arena, p->code[at].p4.call, sizeof *call);
    call->pure_where = where;
    p->code[at].p4.call = call;
}

s32 program_label_new(struct program *p)
{
    p->labels = arena_grow(p->arena, p->labels, p->label_count, &p->label_capacity, sizeof *p->labels);
    p->labels[p->label_count++] = -1;
    return -(s32)p->label_count;
}

void program_label_place(struct program *p, s32 label)
{
    ASSERT(label < 0 && (u32)-label <= p->label_count && p->labels[-label - 1] < 0);
    p->labels[-label - 1] = (s32)p->count;
}

struct instruction *program_at(struct program *p, s32 address)
{
    ASSERT(p->count > 0 && address < (s32)p->count);
    return &p->code[address < 0 ? (s32)p->count - 1 : address];
}

struct instruction *program_last(struct program *p)
{
    return p->count ? &p->code[p->count - 1] : NULL;
}

void program_noop(struct program *p, s32 address)
{
    *program_at(p, address) = (struct instruction){.opcode = OP_Noop};
}

void program_p4_text(struct program *p, s32 address, const char *text, s64 size)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_TEXT;
    i->p4.text = arena_copy(p->arena, text, size < 0 ? strlen(text) : (size_t)size);
}

void program_p4_integer(struct program *p, s32 address, s64 v)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_INTEGER;
    i->p4.integer = v;
}

void program_p4_collation(struct program *p, s32 address, const struct collation *c)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = c ? P4_COLLATION : P4_NONE;
    i->p4.collation = c;
}

void program_p4_key_info(struct program *p, s32 address, const struct key_info *info)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = info ? P4_KEY_INFO : P4_NONE;
    i->p4.key_info = info;
}

void program_p4_table(struct program *p, s32 address, const struct table *t)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = t ? P4_TABLE : P4_NONE;
    i->p4.table = t;
}

void program_p4_program(struct program *p, s32 address, struct program *sub)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_PROGRAM;
    i->p4.program = sub;
}

void program_p4_ints(struct program *p, s32 address, const s32 *ints, u32 count)
{
    s32 *copy = arena_alloc(p->arena, (count + 1) * sizeof *copy);
    copy[0] = (s32)count;
    if (count) memcpy(copy + 1, ints, count * sizeof *copy);
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_INT_ARRAY;
    i->p4.ints = copy;
}

void program_p4_value(struct program *p, s32 address, const struct value *v)
{
    struct value *copy = arena_alloc(p->arena, sizeof *copy);
    *copy = *v;
    copy->buffer = NULL;
    copy->capacity = 0;
    if (v->type == VALUE_TEXT || v->type == VALUE_BLOB) {
        copy->bytes = arena_copy(p->arena, v->bytes, v->size);
        copy->flags = (u8)(v->flags & (VALUE_ZERO_TAIL | VALUE_SUBTYPE)) | VALUE_BORROWED | VALUE_TERMINATED;
    }
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_VALUE;
    i->p4.value = copy;
}

void program_p4_pointer(struct program *p, s32 address, const void *pointer)
{
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_POINTER;
    i->p4.pointer = pointer;
}

void program_p4_function(struct program *p, s32 address, const struct fn_def *def)
{
    struct function_call *call = arena_alloc(p->arena, sizeof *call);
    call->def = def;
    call->number = p->call_count++;
    struct instruction *i = program_at(p, address);
    i->p4_kind = P4_FUNCTION;
    i->p4.call = call;
}

struct key_info *key_info_new(struct arena *a, u32 field_count, u32 all_count, u8 encoding)
{
    ASSERT(field_count <= all_count);
    struct key_info *info = arena_alloc(a, sizeof *info);
    info->field_count = (u16)field_count;
    info->all_count = (u16)all_count;
    info->encoding = encoding;
    info->collations = arena_alloc(a, all_count * sizeof *info->collations);
    info->orders = arena_alloc(a, all_count * sizeof *info->orders);
    return info;
}

// ---- EXPLAIN -------------------------------------------------------------------------------------------------

static const char *key_info_text(struct arena *a, const struct key_info *info)
{
    char *text = arena_format(a, "k(%u", info->field_count);
    for (u32 i = 0; i < info->field_count; i++) {
        const char *name = info->collations[i] ? info->collations[i]->name : "B";
        if (strcmp(name, "BINARY") == 0) name = "B";
        text = arena_format(a, "%s,%s%s%s", text, info->orders[i] & KEY_DESC ? "-" : "",
                            info->orders[i] & KEY_NULLS_LAST ? "N." : "", name);
    }
    return arena_format(a, "%s)", text);
}

const char *instruction_p4_text(struct arena *a, const struct instruction *i)
{
    switch ((enum p4_kind)i->p4_kind) {
    case P4_NONE: return "";
    case P4_INTEGER: return arena_format(a, "%lld", (long long)i->p4.integer);
    case P4_REAL: return arena_format(a, "%.16g", i->p4.real);
    case P4_TEXT: return i->p4.text;
    case P4_COLLATION: return arena_format(a, "%.18s-8", i->p4.collation->name);
    case P4_FUNCTION: return arena_format(a, "%s(%d)", i->p4.call->def->name, i->p4.call->def->argument_count);
    case P4_KEY_INFO: return key_info_text(a, i->p4.key_info);
    case P4_TABLE: return i->p4.table->name;
    case P4_PROGRAM: return "program";
    case P4_INT_ARRAY: {
        char *text = arena_format(a, "[");
        for (s32 n = 1; n <= i->p4.ints[0]; n++)
            text = arena_format(a, "%s%s%d", text, n > 1 ? "," : "", i->p4.ints[n]);
        return arena_format(a, "%s]", text);
    }
    case P4_VALUE:
        switch (i->p4.value->type) {
        case VALUE_INTEGER: return arena_format(a, "%lld", (long long)i->p4.value->integer);
        case VALUE_REAL: return arena_format(a, "%.16g", i->p4.value->real);
        case VALUE_TEXT: return (const char *)i->p4.value->bytes;
        case VALUE_NULL: return "NULL";
        default: return "(blob)";
        }
    case P4_POINTER: return "";
    }
    return "";
}
