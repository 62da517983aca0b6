// Short forms of the program builder for the code generator.
#pragma once

#include "../vm/program.h"
#include "compile.h"

static inline int emit_here(struct compile *c) { return program_address(c->program); }
static inline int emit_label(struct compile *c) { return program_label_new(c->program); }
static inline void emit_place(struct compile *c, int label) { program_label_place(c->program, label); }
static inline void emit_goto(struct compile *c, int label) { emit(c, OP_Goto, 0, label, 0); }
static inline void emit_jump_here(struct compile *c, int address) { program_jump_here(c->program, address); }
static inline struct instruction *emit_op(struct compile *c, int address) { return program_at(c->program, address); }
static inline void emit_set_p1(struct compile *c, int address, int v) { program_p1_set(c->program, address, v); }
static inline void emit_set_p2(struct compile *c, int address, int v) { program_p2_set(c->program, address, v); }
static inline void emit_set_p3(struct compile *c, int address, int v) { program_p3_set(c->program, address, v); }
static inline void emit_set_p5(struct compile *c, u16 v) { program_p5_set(c->program, -1, v); }
static inline void emit_nop(struct compile *c, int address) { program_noop(c->program, address); }
static inline void emit_set_key(struct compile *c, int address, const struct key_info *k)
{
    program_p4_key_info(c->program, address, k);
}
static inline int emit_int(struct compile *c, enum opcode op, int p1, int p2, int p3, s64 p4)
{
    return program_emit_int4(c->program, op, p1, p2, p3, p4);
}
static inline int emit_text_n(struct compile *c, enum opcode op, int p1, int p2, int p3, const char *text, u32 n)
{
    int address = emit(c, op, p1, p2, p3);
    program_p4_text(c->program, address, text, n);
    return address;
}
static inline int emit_key(struct compile *c, enum opcode op, int p1, int p2, int p3, const struct key_info *k)
{
    int address = emit(c, op, p1, p2, p3);
    emit_set_key(c, address, k);
    return address;
}
static inline int emit_collation(struct compile *c, enum opcode op, int p1, int p2, int p3, const struct collation *k)
{
    int address = emit(c, op, p1, p2, p3);
    if (k) program_p4_collation(c->program, address, k);
    return address;
}

static inline void emit_string(struct compile *c, const char *text, u32 size, int target)
{
    program_emit_text(c->program, target, text, size);
}
static inline void emit_blob(struct compile *c, const char *bytes, u32 size, int target)
{
    program_emit_blob(c->program, target, bytes, size);
}

// Key of that many fields (BINARY, ascending), `extra` more not compared.
struct key_info *key_info_make(struct compile *c, u32 fields, u32 extra);
// Key of the terms of a list from `start` on.
struct key_info *key_info_of_list(struct compile *c, const struct expr_list *list, u32 start, u32 extra);
struct key_info *key_info_of_index(struct compile *c, const struct index *i);
void open_table(struct compile *c, int cursor, int database, const struct table *t, enum opcode op);
void open_index(struct compile *c, int cursor, int database, const struct index *i, enum opcode op);
// Registers that temporaries hold may differ where a subroutine is entered a second time: none is reused.
void reg_forget_temps(struct compile *c);

int function_code(struct compile *c, struct expr *e, int target);
int current_time_code(struct compile *c, struct expr *e, int target);
// A constant expression's value with that affinity, for column defaults; false when it is not constant.
bool value_from_expr(struct compile *c, const struct expr *e, char affinity, struct value *out);
void between_jump(struct compile *c, struct expr *e, int label, bool jump_true, bool jump_if_null);
const char *expr_decltype(struct compile *c, struct name_context *n, const struct expr *e);
