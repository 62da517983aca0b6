// EXPLAIN and EXPLAIN QUERY PLAN: rows about the program instead of the program's.
#include "vm.h"

#include "../sql/ast.h"

#define EXPLAIN_COLUMNS 8

static bool explain_row_make(struct skerry_stmt *s, const struct program *p, u32 at, u32 base)
{
    const struct instruction *in = &p->code[at];
    struct value *v = s->explain_row;
    if (s->program->explain == EXPLAIN_QUERY_PLAN) {
        value_set_integer(&v[0], in->p1);
        value_set_integer(&v[1], in->p2);
        value_set_integer(&v[2], in->p3);
        return value_set_text(&v[3], in->p4.text, strlen(in->p4.text)) == ERR_OK;
    }
    struct arena a;
    arena_init(&a, NULL, NULL);
    const char *name = opcode_name((enum opcode)in->opcode);
    const char *p4 = instruction_p4_text(&a, in);
    bool good = p4 && value_set_text(&v[1], name, strlen(name)) == ERR_OK &&
                (in->p4_kind == P4_NONE || value_set_text(&v[5], p4, strlen(p4)) == ERR_OK);
    if (in->p4_kind == P4_NONE) value_set_null(&v[5]);
    arena_deinit(&a);
    value_set_integer(&v[0], (s64)base + at);
    value_set_integer(&v[2], in->p1);
    value_set_integer(&v[3], in->p2);
    value_set_integer(&v[4], in->p3);
    value_set_integer(&v[6], in->p5);
    value_set_null(&v[7]);
    return good;
}

enum vm_result vm_explain(struct skerry_stmt *s)
{
    if (!s->explain_row) {
        s->explain_row = calloc(EXPLAIN_COLUMNS, sizeof *s->explain_row);
        if (!s->explain_row) {
            (void)vm_no_memory(s);
            return VM_FAIL;
        }
        for (u32 i = 0; i < EXPLAIN_COLUMNS; i++) value_init(&s->explain_row[i]);
    }
    // The statement's program, then its sub-programs; addresses go on.
    for (;;) {
        const struct program *p = s->program;
        u32 number = s->explain_frame, base = 0;
        const struct program_sub *sub = p->subs;
        if (number > 0) {
            base = p->count;
            for (u32 i = 1; sub && i < number; i++, sub = sub->next) base += sub->program->count;
            if (!sub) return VM_DONE;
            p = sub->program;
        }
        while (s->explain_at < p->count) {
            u32 at = s->explain_at++;
            if (s->program->explain == EXPLAIN_QUERY_PLAN && p->code[at].opcode != OP_Explain) continue;
            if (!explain_row_make(s, p, at, base)) {
                (void)vm_no_memory(s);
                return VM_FAIL;
            }
            s->row = s->explain_row;
            return VM_ROW;
        }
        s->explain_at = 0;
        s->explain_frame++;
    }
}
