// Goal: the interpreter does what opcode.h says, without a compiler in front of it.
// Method: programs put together by the builder, run to their ends on a database in memory; the rows are compared
// as text with what SQLite's documentation of the opcode gives.
#include "engine/vm/statement.h"
#include "tests/test.h"

static struct skerry_engine *engine;
static struct skerry *db;
static struct arena arena;
static struct program *p;
static char rows[4096];

static void setup(void)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {.backend = IO_BACKEND_MEMORY};
    if (!skerry_engine_create(&options, &engine, &err) || !skerry_open(engine, ":memory:", SKERRY_OPEN_CREATE, &db, &err))
        test_fail(__FILE__, __LINE__, "%s", err.text);
    arena_init(&arena, NULL, NULL);
    p = program_new(&arena);
}

static void teardown(void)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
    skerry_engine_destroy(engine);
}

static void row_append(struct skerry_stmt *s)
{
    size_t at = strlen(rows);
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        const char *text = skerry_column_text(s, i, NULL);
        at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%s", i ? "|" : "", text ? text : "NULL");
    }
    snprintf(rows + at, sizeof rows - at, " ");
}

// Runs the program: its rows, or "error: " and the text.
static const char *run(s32 registers, s32 cursors, u32 columns)
{
    struct err err = ERR_CLEAR;
    rows[0] = 0;
    program_columns_set(p, columns);
    program_finish(p, registers, cursors);
    struct skerry_stmt *s = statement_new(db, false);
    if (!s || statement_program_set(s, &arena, p, &err) != ERR_OK) return "no statement";
    int result;
    while ((result = skerry_step(s)) == SKERRY_ROW || result == SKERRY_WAIT) {
        if (result == SKERRY_ROW)
            row_append(s);
        else
            skerry_wait(db);
    }
    if (result != SKERRY_DONE) snprintf(rows, sizeof rows, "error: %s", skerry_error(db)->text);
    skerry_finalize(s);
    return rows;
}

enum operand_kind { INTEGER, REAL, TEXT, NOTHING };
struct operand {
    enum operand_kind kind;
    s64 integer;
    double real;
    const char *text;
};
#define I(n) {INTEGER, n, 0, NULL}
#define R(x) {REAL, 0, x, NULL}
#define T(t) {TEXT, 0, 0, t}
#define N    {NOTHING, 0, 0, NULL}

static void operand_emit(const struct operand *o, s32 target)
{
    switch (o->kind) {
    case INTEGER: program_emit_integer(p, target, o->integer); break;
    case REAL: program_emit_real(p, target, o->real); break;
    case TEXT: program_emit_text(p, target, o->text, strlen(o->text)); break;
    case NOTHING: program_emit(p, OP_Null, 0, target, 0); break;
    }
}

TEST(vm_operators)
{
    // r3 = r2 OP r1
    static const struct {
        enum opcode op;
        struct operand b, a;
        const char *want;
    } cases[] = {
        {OP_Add, I(2), I(3), "5 "},
        {OP_Add, I(INT64_MAX), I(1), "9.22337203685478e+18 "},
        {OP_Subtract, I(2), I(3), "-1 "},
        {OP_Subtract, T("12abc"), I(2), "10 "},
        {OP_Multiply, R(1.5), I(2), "3.0 "},
        {OP_Multiply, I(INT64_MIN), I(-1), "9.22337203685478e+18 "},
        {OP_Divide, I(7), I(2), "3 "},
        {OP_Divide, I(7), I(0), "NULL "},
        {OP_Divide, R(7), I(2), "3.5 "},
        {OP_Divide, I(INT64_MIN), I(-1), "9.22337203685478e+18 "},
        {OP_Remainder, I(-7), I(3), "-1 "},
        {OP_Remainder, I(INT64_MIN), I(-1), "0 "},
        {OP_Remainder, R(7.5), I(4), "3.0 "},
        {OP_Remainder, I(7), R(0.5), "NULL "},
        {OP_Add, N, I(1), "NULL "},
        {OP_Concat, T("ab"), I(3), "ab3 "},
        {OP_Concat, R(1), T("x"), "1.0x "},
        {OP_Concat, T("x"), N, "NULL "},
        {OP_BitAnd, I(12), I(10), "8 "},
        {OP_BitOr, I(12), T("3"), "15 "},
        {OP_ShiftLeft, I(1), I(62), "4611686018427387904 "},
        {OP_ShiftLeft, I(1), I(64), "0 "},
        {OP_ShiftLeft, I(-8), I(-2), "-2 "},
        {OP_ShiftRight, I(-1), I(70), "-1 "},
        {OP_ShiftRight, I(8), I(-1), "16 "},
        {OP_And, N, I(0), "0 "},
        {OP_And, N, I(1), "NULL "},
        {OP_Or, N, I(1), "1 "},
        {OP_Or, N, I(0), "NULL "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setup();
        operand_emit(&cases[i].b, 2);
        operand_emit(&cases[i].a, 1);
        program_emit(p, cases[i].op, 1, 2, 3);
        program_emit(p, OP_ResultRow, 3, 1, 0);
        program_emit(p, OP_Halt, 0, 0, 0);
        CHECK_STR(run(3, 0, 1), cases[i].want);
        teardown();
    }
}

TEST(vm_comparisons)
{
    // jumps when r3 OP r1
    static const struct {
        enum opcode op;
        struct operand left, right;
        int p5;
        bool want;
    } cases[] = {
        {OP_Lt, I(1), I(2), 0, true},
        {OP_Ge, I(1), I(2), 0, false},
        {OP_Eq, I(1), R(1.0), 0, true},
        {OP_Lt, I(9007199254740993), R(9007199254740992.0), 0, false},
        {OP_Lt, I(1000), T("1"), 0, true},
        {OP_Lt, I(1000), T("1"), AFFINITY_NUMERIC, false},
        {OP_Eq, I(12), T("12"), AFFINITY_NUMERIC, true},
        {OP_Eq, I(12), T("12.0"), AFFINITY_NUMERIC, true},
        {OP_Eq, I(12), T("12x"), AFFINITY_NUMERIC, false},
        {OP_Eq, I(12), T("12"), AFFINITY_TEXT, true},
        {OP_Eq, I(12), T("12"), AFFINITY_BLOB, false},
        {OP_Eq, N, N, 0, false},
        {OP_Eq, N, N, COMPARE_JUMP_IF_NULL, true},
        {OP_Eq, N, N, COMPARE_NULL_EQUAL, true},
        {OP_Ne, N, I(1), COMPARE_NULL_EQUAL, true},
        {OP_Ne, N, I(1), 0, false},
        {OP_Gt, T("b"), T("a"), AFFINITY_NUMERIC, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setup();
        operand_emit(&cases[i].left, 3);
        operand_emit(&cases[i].right, 1);
        program_emit(p, OP_Integer, 1, 2, 0);
        s32 yes = program_label_new(p);
        program_emit(p, cases[i].op, 1, yes, 3);
        program_p5_set(p, -1, (u16)cases[i].p5);
        program_emit(p, OP_Integer, 0, 2, 0);
        program_label_place(p, yes);
        program_emit(p, OP_ResultRow, 2, 1, 0);
        program_emit(p, OP_Halt, 0, 0, 0);
        const char *got = run(3, 0, 1);
        if ((got[0] == '1') != cases[i].want) test_fail(__FILE__, __LINE__, "case %zu gives %s", i, got);
        teardown();
    }
}

TEST(vm_coroutine_gives_rows_to_its_caller)
{
    setup();
    s32 done = program_label_new(p), body = program_label_new(p), start = program_label_new(p);
    program_emit(p, OP_InitCoroutine, 1, body, start);
    program_label_place(p, start);
    for (int i = 1; i <= 3; i++) {
        program_emit(p, OP_Integer, i * 10, 2, 0);
        program_emit(p, OP_Yield, 1, 0, 0);
    }
    program_emit(p, OP_EndCoroutine, 1, 0, 0);
    program_label_place(p, body);
    program_emit(p, OP_Yield, 1, done, 0);
    program_emit(p, OP_ResultRow, 2, 1, 0);
    program_emit(p, OP_Goto, 0, body, 0);
    program_label_place(p, done);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(2, 0, 1), "10 20 30 ");
    teardown();
}

TEST(vm_subroutine_and_once)
{
    setup();
    s32 sub = program_label_new(p), end = program_label_new(p), seen = program_label_new(p);
    program_emit(p, OP_Integer, 0, 2, 0);
    program_emit(p, OP_Gosub, 1, sub, 0);
    program_emit(p, OP_Gosub, 1, sub, 0);
    program_emit(p, OP_Gosub, 1, sub, 0);
    program_emit(p, OP_ResultRow, 2, 1, 0);
    program_emit(p, OP_Goto, 0, end, 0);
    program_label_place(p, sub);
    program_emit(p, OP_Once, 0, seen, 0);
    program_emit(p, OP_AddImm, 2, 100, 0);
    program_label_place(p, seen);
    program_emit(p, OP_AddImm, 2, 1, 0);
    program_emit(p, OP_Return, 1, 0, 0);
    program_label_place(p, end);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(2, 0, 1), "103 ");
    teardown();
}

static struct key_info *key(u32 fields, bool descending)
{
    struct key_info *info = key_info_new(&arena, fields, fields, 1);
    if (descending) info->orders[0] = KEY_DESC;
    return info;
}

TEST(vm_ephemeral_index_orders_and_rejects)
{
    setup();
    static const int numbers[] = {5, 3, 9, 3, 1};
    program_emit(p, OP_OpenEphemeral, 0, 1, 0);
    program_p4_key_info(p, -1, key(1, true));
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        program_emit(p, OP_Integer, numbers[i], 1, 0);
        s32 known = program_label_new(p);
        program_emit_int4(p, OP_Found, 0, known, 1, 1);
        program_emit(p, OP_MakeRecord, 1, 1, 2);
        program_emit_int4(p, OP_IdxInsert, 0, 2, 1, 1);
        program_label_place(p, known);
    }
    s32 end = program_label_new(p);
    program_emit(p, OP_Rewind, 0, end, 0);
    s32 top = program_address(p);
    program_emit(p, OP_Column, 0, 0, 3);
    program_emit(p, OP_ResultRow, 3, 1, 0);
    program_emit(p, OP_Next, 0, top, 0);
    program_label_place(p, end);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(3, 1, 1), "9 5 3 1 ");
    teardown();
}

TEST(vm_sorter_is_stable)
{
    setup();
    static const struct {
        const char *key;
        int order;
    } in[] = {{"b", 1}, {"a", 2}, {"b", 3}, {"abcdefghij", 4}, {"a", 5}, {"abcdefghia", 6}, {"", 7}};
    program_emit(p, OP_SorterOpen, 0, 2, 1);
    program_p4_key_info(p, -1, key(1, false));
    program_emit(p, OP_OpenPseudo, 1, 4, 2);
    for (size_t i = 0; i < COUNT_OF(in); i++) {
        program_emit_text(p, 1, in[i].key, strlen(in[i].key));
        program_emit(p, OP_Integer, in[i].order, 2, 0);
        program_emit(p, OP_MakeRecord, 1, 2, 3);
        program_emit(p, OP_SorterInsert, 0, 3, 0);
    }
    s32 end = program_label_new(p);
    program_emit(p, OP_SorterSort, 0, end, 0);
    s32 top = program_address(p);
    program_emit(p, OP_SorterData, 0, 4, 1);
    program_emit(p, OP_Column, 1, 0, 5);
    program_emit(p, OP_Column, 1, 1, 6);
    program_emit(p, OP_ResultRow, 5, 2, 0);
    program_emit(p, OP_SorterNext, 0, top, 0);
    program_label_place(p, end);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(6, 2, 2), "|7 a|2 a|5 abcdefghia|6 abcdefghij|4 b|1 b|3 ");
    teardown();
}

TEST(vm_sorter_keeps_numbers_in_order)
{
    setup();
    u64 state = test_seed();
    enum { COUNT = 2000 };
    program_emit(p, OP_SorterOpen, 0, 1, 0);
    program_p4_key_info(p, -1, key(1, false));
    program_emit(p, OP_OpenPseudo, 1, 3, 1);
    for (int i = 0; i < COUNT; i++) {
        u64 r = test_random(&state);
        if (r & 1)
            program_emit_integer(p, 1, (s64)(test_random(&state) >> (r >> 8 & 63)) * (r & 2 ? -1 : 1));
        else
            program_emit_real(p, 1, (double)(s64)test_random(&state) / 1e9);
        program_emit(p, OP_MakeRecord, 1, 1, 2);
        program_emit(p, OP_SorterInsert, 0, 2, 0);
    }
    // r5 counts the places where a row is smaller than the one before.
    s32 end = program_label_new(p), first = program_label_new(p);
    program_emit(p, OP_Integer, 0, 5, 0);
    program_emit(p, OP_Integer, 0, 6, 0);
    program_emit(p, OP_Null, 0, 7, 0);
    program_emit(p, OP_SorterSort, 0, end, 0);
    s32 top = program_address(p);
    program_emit(p, OP_SorterData, 0, 3, 1);
    program_emit(p, OP_Column, 1, 0, 4);
    program_emit(p, OP_IsNull, 7, first, 0);
    program_emit(p, OP_Le, 4, first, 7);
    program_emit(p, OP_AddImm, 5, 1, 0);
    program_label_place(p, first);
    program_emit(p, OP_AddImm, 6, 1, 0);
    program_emit(p, OP_Copy, 4, 7, 0);
    program_emit(p, OP_SorterNext, 0, top, 0);
    program_label_place(p, end);
    program_emit(p, OP_ResultRow, 5, 2, 0);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(7, 2, 2), "0|2000 ");
    teardown();
}

TEST(vm_row_set_reads_sorted_and_once)
{
    setup();
    static const int numbers[] = {5, -3, 9, 5, 1, 9};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        program_emit(p, OP_Integer, numbers[i], 2, 0);
        program_emit(p, OP_RowSetAdd, 1, 2, 0);
    }
    s32 end = program_label_new(p), top = program_address(p);
    program_emit(p, OP_RowSetRead, 1, end, 3);
    program_emit(p, OP_ResultRow, 3, 1, 0);
    program_emit(p, OP_Goto, 0, top, 0);
    program_label_place(p, end);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(3, 0, 1), "-3 1 5 9 ");
    teardown();
}

TEST(vm_halt_says_what_failed)
{
    static const struct {
        int code, kind;
        const char *text, *want;
    } cases[] = {
        {ERR_CONSTRAINT_UNIQUE, HALT_UNIQUE, "t.a", "error: UNIQUE constraint failed: t.a"},
        {ERR_CONSTRAINT_NOTNULL, HALT_NOT_NULL, "t.b", "error: NOT NULL constraint failed: t.b"},
        {ERR_CONSTRAINT_CHECK, HALT_CHECK, "c", "error: CHECK constraint failed: c"},
        {ERR_CONSTRAINT_FOREIGNKEY, HALT_FOREIGN_KEY, NULL, "error: FOREIGN KEY constraint failed"},
        {ERR_CONSTRAINT_TRIGGER, HALT_TEXT, "no", "error: no"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setup();
        program_emit(p, OP_Halt, cases[i].code, 2, 0);
        program_p5_set(p, -1, (u16)cases[i].kind);
        if (cases[i].text) program_p4_text(p, -1, cases[i].text, -1);
        CHECK_STR(run(1, 0, 1), cases[i].want);
        CHECK_EQ(skerry_errcode(db), cases[i].code);
        teardown();
    }
}

TEST(vm_limits_and_offsets)
{
    setup();
    program_emit(p, OP_Integer, 3, 1, 0);
    program_emit(p, OP_Integer, 4, 2, 0);
    program_emit(p, OP_OffsetLimit, 1, 3, 2);
    program_emit(p, OP_Integer, -1, 4, 0);
    program_emit(p, OP_OffsetLimit, 4, 5, 2);
    program_emit(p, OP_Copy, 3, 6, 0);
    program_emit(p, OP_Copy, 5, 7, 0);
    program_emit(p, OP_ResultRow, 6, 2, 0);
    s32 top = program_address(p);
    program_emit(p, OP_ResultRow, 1, 2, 0);
    s32 end = program_label_new(p);
    program_emit(p, OP_DecrJumpZero, 1, end, 0);
    program_emit(p, OP_Goto, 0, top, 0);
    program_label_place(p, end);
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(7, 0, 2), "7|-1 3|4 2|4 1|4 ");
    teardown();
}

TEST(vm_sub_program_reads_its_callers_registers)
{
    setup();
    static const char of = 'x';
    struct program *sub = program_add_sub(p, &of, 0);
    program_emit(sub, OP_Init, 0, 1, 0);
    program_emit(sub, OP_Param, 0, 1, 0);
    program_emit(sub, OP_Param, 1, 2, 0);
    program_emit(sub, OP_Add, 1, 2, 3);
    program_emit(sub, OP_ResultRow, 3, 1, 0);
    program_emit(sub, OP_Halt, 0, 0, 0);
    program_finish(sub, 3, 0);
    program_emit(p, OP_Integer, 4, 5, 0);
    program_emit(p, OP_Integer, 6, 6, 0);
    for (int i = 0; i < 3; i++) {
        program_emit(p, OP_Program, 5, 0, 1);
        program_p4_program(p, -1, sub);
    }
    program_emit(p, OP_Halt, 0, 0, 0);
    CHECK_STR(run(6, 0, 1), "10 10 10 ");
    teardown();
}

int main(int argc, char **argv) { return test_main(argc, argv); }
