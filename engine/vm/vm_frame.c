// Frames: registers and cursors of a program that runs; sub-programs (triggers) have their own.
#include "vm.h"

#include "../fts/fts_table.h"

#include "../sql/ast.h"

#define REGISTER_KEEP_MAX 65536 // bytes that a register keeps between runs

struct vm_frame *vm_frame_new(struct skerry_stmt *s, struct program *p)
{
    struct vm_frame *f = p->free_frames;
    if (f) {
        p->free_frames = f->next_free;
        f->next_free = NULL;
        for (s32 i = 0; i <= p->register_count; i++) value_set_null(&f->registers[i]);
        memset(f->once, 0, (p->count + 7) / 8);
        return f;
    }
    size_t registers = ((size_t)p->register_count + 1) * sizeof(struct value);
    size_t cursors = (size_t)p->cursor_count * sizeof(struct vm_cursor *);
    size_t aux = (size_t)p->call_count * sizeof(struct vm_aux);
    u8 *memory = arena_alloc(&s->arena, sizeof *f + registers + 2 * cursors + aux + (p->count + 7) / 8);
    if (!memory) return NULL;
    f = (struct vm_frame *)(void *)memory;
    memory += sizeof *f;
    f->registers = (struct value *)(void *)memory;
    memory += registers;
    f->cursors = (struct vm_cursor **)(void *)memory;
    memory += cursors;
    f->parked = (struct vm_cursor **)(void *)memory;
    memory += cursors;
    f->aux = (struct vm_aux *)(void *)memory;
    f->once = memory + aux;
    f->program = p;
    for (s32 i = 0; i <= p->register_count; i++) value_init(&f->registers[i]);
    return f;
}

// Kept for the program's next run: trees' cursors in this transaction, with the place where they stand (a trigger's run follows the last one
// mostly, a statement's only in a transaction that goes on), and a trigger's ephemeral tables in this run of the statement
// (each run of it for itself would leave its pages behind).
static bool cursor_park(struct skerry_stmt *s, struct vm_frame *f, s32 number)
{
    struct vm_cursor *c = f->cursors[number];
    if (c->kind != VM_CURSOR_TREE) return false;
    if (c->ephemeral) {
        if (f == s->main_frame || c->ephemeral->references > 1) return false;
        cursor_reset(&c->c);
    } else if (!c->opened_by || c->walk || (s->db->autocommit && f == s->main_frame) || !cursor_idle(&c->c)) {
        return false;
    }
    if (f->parked[number]) vm_cursor_free(s, f->parked[number]);
    f->parked[number] = c;
    return true;
}

static void frame_cursors_close(struct skerry_stmt *s, struct vm_frame *f)
{
    for (s32 i = 0; i < f->program->cursor_count; i++) {
        if (!f->cursors[i]) continue;
        if (!cursor_park(s, f, i)) vm_cursor_free(s, f->cursors[i]);
        f->cursors[i] = NULL;
    }
}

void vm_frame_free(struct skerry_stmt *s, struct vm_frame *f)
{
    for (s32 i = 0; i < f->program->cursor_count; i++)
        if (f->parked[i]) vm_cursor_free(s, f->parked[i]);
    vm_aux_free(f);
    for (s32 i = 0; i <= f->program->register_count; i++)
        if (f->registers[i].buffer) value_deinit(&f->registers[i]);
}

// Sub-programs of the same key that run already.
static u32 frames_running(const struct skerry_stmt *s, const void *key)
{
    u32 count = 0;
    for (const struct vm_frame *f = s->frame; f; f = f->parent) count += f->program->key == key;
    return count;
}

io_status vm_frame_enter(struct skerry_stmt *s, const struct instruction *in, bool *skipped)
{
    struct program *p = in->p4.program;
    *skipped = false;
    if (in->p5 && frames_running(s, p->key)) {
        *skipped = true;
        return IO_DONE;
    }
    if (s->frame->depth >= (u64)s->db->limits[SKERRY_LIMIT_TRIGGER_DEPTH])
        return IO_ERROR(&s->op.err, ERR_ERROR, "too many levels of trigger recursion");
    struct vm_frame *f = vm_frame_new(s, p);
    if (!f) return vm_no_memory(s);
    f->parent = s->frame;
    f->depth = s->frame->depth + 1;
    f->pc = s->pc;
    f->last_insert_rowid = s->db->last_insert_rowid;
    f->changes = s->changes;
    f->db_changes = s->db->changes;
    s->changes = 0;
    s->frame = f;
    s->pc = 0;
    return IO_DONE;
}

static void frame_put_back(struct vm_frame *f)
{
    f->next_free = f->program->free_frames;
    f->program->free_frames = f;
}

// What a trigger's statements count is its own affair.
static void counts_restore(struct skerry_stmt *s, const struct vm_frame *f)
{
    s->db->last_insert_rowid = f->last_insert_rowid;
    s->db->changes = f->db_changes;
    s->changes = f->changes;
}

void vm_frame_leave(struct skerry_stmt *s)
{
    struct vm_frame *f = s->frame;
    frame_cursors_close(s, f);
    s->frame = f->parent;
    s->pc = f->pc;
    counts_restore(s, f);
    frame_put_back(f);
}

static void sub_frames_release(struct skerry_stmt *s)
{
    for (const struct program_sub *sub = s->program->subs; sub; sub = sub->next) {
        for (struct vm_frame *f = sub->program->free_frames; f; f = f->next_free) {
            if (f->program->call_count) vm_aux_free(f);
            for (s32 i = 0; s->ephemeral && i < f->program->cursor_count; i++) {
                if (!f->parked[i] || !f->parked[i]->ephemeral) continue;
                vm_cursor_free(s, f->parked[i]);
                f->parked[i] = NULL;
            }
        }
    }
}

void vm_release(struct skerry_stmt *s)
{
    if (s->db->fts) fts_changes_abandon(s->db, s);
    while (s->frame) {
        struct vm_frame *f = s->frame;
        frame_cursors_close(s, f);
        s->frame = f->parent;
        if (f == s->main_frame) continue;
        counts_restore(s, f);
        frame_put_back(f);
    }
    if (s->aggregates) vm_aggregates_free(s);
    if (s->registers_used) {
        s->registers_used = false;
        if (s->main_frame->program->call_count) vm_aux_free(s->main_frame);
        struct value *registers = s->main_frame->registers;
        for (s32 i = 0, count = s->main_frame->program->register_count; i <= count; i++) {
            if (UNLIKELY(registers[i].capacity > REGISTER_KEEP_MAX)) value_deinit(&registers[i]);
            value_set_null(&registers[i]);
        }
    }
    if (s->program) sub_frames_release(s);
    if (s->row_sets.all) row_sets_free(&s->row_sets);
    if (s->walk.stack || s->walk.started) btree_walk_deinit(&s->walk);
    if (s->check) vm_check_free(s);
    if (s->vacuum) vm_vacuum_free(s);
    if (s->inner) {
        skerry_finalize(s->inner);
        s->inner = NULL;
    }
    if (s->ephemeral) {
        if (s->ephemeral_begun) txn_rollback(s->ephemeral->txn);
        s->ephemeral_begun = false;
        s->ephemeral->next = s->db->ephemeral_free;
        s->db->ephemeral_free = s->ephemeral;
        s->ephemeral = NULL;
    }
    s->row = NULL;
}
