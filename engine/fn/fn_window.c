// Window functions. Each runs over the frame that SQLite gives it (the compiler sets it):
//   row_number            rows, unbounded preceding to current row
//   rank, dense_rank      range, unbounded preceding to current row
//   percent_rank          groups, current row to unbounded following
//   cume_dist             groups, 1 following to unbounded following
//   ntile                 rows, current row to unbounded following
//   lag, lead             rows, unbounded preceding to current row (both read another row of the partition)
// and first_value, last_value, nth_value over the frame of the query.
#include "fn_internal.h"

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

struct rank {
    s64 value, step, total;
};

static void row_number_step(ARGUMENTS)
{
    struct rank *r = function_aggregate(ctx, sizeof *r);
    if (r) r->value++;
}

static void row_number_value(struct function_context *ctx)
{
    struct rank *r = function_aggregate(ctx, 0);
    result_integer(ctx, r ? r->value : 0);
}

static void rank_step(ARGUMENTS)
{
    struct rank *r = function_aggregate(ctx, sizeof *r);
    if (!r) return;
    r->step++;
    if (r->value == 0) r->value = r->step;
}

static void rank_value(struct function_context *ctx)
{
    struct rank *r = function_aggregate(ctx, 0);
    if (!r) return;
    result_integer(ctx, r->value);
    r->value = 0;
}

static void dense_rank_step(ARGUMENTS)
{
    struct rank *r = function_aggregate(ctx, sizeof *r);
    if (r) r->step = 1;
}

static void dense_rank_value(struct function_context *ctx)
{
    struct rank *r = function_aggregate(ctx, 0);
    if (!r) return;
    r->value += r->step;
    r->step = 0;
    result_integer(ctx, r->value);
}

static void total_step(ARGUMENTS)
{
    struct rank *r = function_aggregate(ctx, sizeof *r);
    if (r) r->total++;
}

static void total_inverse(ARGUMENTS)
{
    struct rank *r = function_aggregate(ctx, 0);
    if (r) r->step++;
}

static void percent_rank_value(struct function_context *ctx)
{
    struct rank *r = function_aggregate(ctx, 0);
    if (!r) return;
    result_real(ctx, r->total > 1 ? (double)r->step / (double)(r->total - 1) : 0.0);
}

static void cume_dist_value(struct function_context *ctx)
{
    struct rank *r = function_aggregate(ctx, 0);
    if (r) result_real(ctx, (double)r->step / (double)r->total);
}

struct ntile {
    s64 total, buckets, row;
};

static void ntile_step(ARGUMENTS)
{
    struct ntile *n = function_aggregate(ctx, sizeof *n);
    if (!n) return;
    if (n->total == 0) {
        n->buckets = function_integer(ctx, argv[0]);
        if (n->buckets <= 0) result_error(ctx, "argument of ntile must be a positive integer");
    }
    n->total++;
}

static void ntile_inverse(ARGUMENTS)
{
    struct ntile *n = function_aggregate(ctx, 0);
    if (n) n->row++;
}

// The first buckets are greater by one where the rows do not divide evenly.
static void ntile_value(struct function_context *ctx)
{
    struct ntile *n = function_aggregate(ctx, 0);
    if (!n || n->buckets <= 0) return;
    s64 size = n->total / n->buckets;
    if (size == 0) {
        result_integer(ctx, n->row + 1);
        return;
    }
    s64 large = n->total - n->buckets * size, large_rows = large * (size + 1);
    result_integer(ctx, n->row < large_rows ? 1 + n->row / (size + 1) : 1 + large + (n->row - large_rows) / size);
}

struct kept {
    s64 count, wanted;
    bool any;
    struct value value;
};

static void keep(struct function_context *ctx, struct kept *k, const struct value *v)
{
    if (!k->any) value_init(&k->value);
    k->any = true;
    if (value_copy(&k->value, v) != ERR_OK) result_nomem(ctx);
}

static void kept_value(struct function_context *ctx)
{
    struct kept *k = function_aggregate(ctx, 0);
    if (k && k->any) result_value(ctx, &k->value);
}

static void kept_final(struct function_context *ctx)
{
    struct kept *k = function_aggregate(ctx, 0);
    if (!k || !k->any) return;
    value_move(&ctx->result, &k->value);
    value_deinit(&k->value);
    k->any = false;
}

static void first_value_step(ARGUMENTS)
{
    struct kept *k = function_aggregate(ctx, sizeof *k);
    if (k && !k->any) keep(ctx, k, argv[0]);
}

static void last_value_step(ARGUMENTS)
{
    struct kept *k = function_aggregate(ctx, sizeof *k);
    if (!k) return;
    keep(ctx, k, argv[0]);
    k->count++;
}

static void last_value_inverse(ARGUMENTS)
{
    struct kept *k = function_aggregate(ctx, 0);
    if (!k || --k->count > 0 || !k->any) return;
    value_deinit(&k->value);
    k->any = false;
}

static void nth_value_step(ARGUMENTS)
{
    struct kept *k = function_aggregate(ctx, sizeof *k);
    if (!k) return;
    struct number_text n;
    enum value_type type = function_numeric(ctx, argv[1], &n);
    s64 wanted = type == VALUE_INTEGER ? n.integer : type == VALUE_REAL ? value_to_integer(argv[1]) : 0;
    if (wanted <= 0 || (type == VALUE_REAL && (double)wanted != n.real)) {
        result_error(ctx, "second argument to nth_value must be a positive integer");
        return;
    }
    if (++k->count == wanted) keep(ctx, k, argv[0]);
}

// lag and lead read another row, which the compiler does; these only hold the place in the table.
static void offset_step(ARGUMENTS)
{
}

static void offset_value(struct function_context *ctx)
{
}

// Frames that only grow: nothing leaves them.
static void grow_inverse(ARGUMENTS)
{
}

#define WINDOW (FN_AGGREGATE | FN_WINDOW | FN_WINDOW_ONLY | FN_DETERMINISTIC)

// ---- min() and max() of a frame that leaves rows behind --------------------------------------------------------------

// Of the frame's values those that can still become the extreme: each is better than all that came after it, so the
// first is the extreme. Of equal ones the last to come is kept, as SQLite does here (and nowhere else).
struct sliding_entry {
    struct value value;
    u64 number; // of its value among all that have entered, from 1
};

struct sliding {
    struct sliding_entry *entries; // a ring of `capacity`, a power of two
    u64 first, count, capacity;
    u64 entered, left;
};

static struct sliding_entry *sliding_at(const struct sliding *s, u64 i)
{
    return &s->entries[(s->first + i) & (s->capacity - 1)];
}

static bool sliding_grow(struct sliding *s)
{
    u64 capacity = s->capacity ? s->capacity * 2 : 8;
    struct sliding_entry *grown = calloc(capacity, sizeof *grown);
    if (!grown) return false;
    for (u64 i = 0; i < s->count; i++) grown[i] = *sliding_at(s, i);
    free(s->entries);
    s->entries = grown;
    s->first = 0;
    s->capacity = capacity;
    return true;
}

static void sliding_step(ARGUMENTS)
{
    struct sliding *s = function_aggregate(ctx, sizeof *s);
    if (!s || argv[0]->type == VALUE_NULL) return;
    s->entered++;
    while (s->count) {
        int c = function_compare(ctx, &sliding_at(s, s->count - 1)->value, argv[0]);
        if (ctx->def->user ? c > 0 : c < 0) break;
        s->count--;
    }
    if (s->count == s->capacity && !sliding_grow(s)) {
        result_nomem(ctx);
        return;
    }
    struct sliding_entry *entry = sliding_at(s, s->count);
    err_code code = value_copy(&entry->value, argv[0]);
    if (code != ERR_OK) {
        result_nomem(ctx);
        return;
    }
    entry->number = s->entered;
    s->count++;
}

static void sliding_inverse(ARGUMENTS)
{
    struct sliding *s = function_aggregate(ctx, 0);
    if (!s || argv[0]->type == VALUE_NULL) return;
    s->left++;
    if (!s->count || sliding_at(s, 0)->number != s->left) return;
    s->first++;
    s->count--;
}

static void sliding_value(struct function_context *ctx)
{
    struct sliding *s = function_aggregate(ctx, 0);
    if (s && s->count) result_value(ctx, &sliding_at(s, 0)->value);
}

static void sliding_final(struct function_context *ctx)
{
    struct sliding *s = function_aggregate(ctx, 0);
    if (!s) return;
    for (u64 i = 0; i < s->capacity; i++) value_deinit(&s->entries[i].value);
    free(s->entries);
    *s = (struct sliding){0};
}

const struct fn_def *fn_sliding_extreme(const struct fn_def *extreme)
{
    static const struct fn_def sliding[] = {
        {"min", 1, WINDOW | FN_NEEDS_COLLATION, 0, NULL, sliding_step, sliding_inverse, sliding_final, sliding_value},
        {"max", 1, WINDOW | FN_NEEDS_COLLATION, 1, NULL, sliding_step, sliding_inverse, sliding_final, sliding_value},
    };
    return &sliding[extreme->user];
}

const struct fn_def FN_WINDOWS[] = {
    {"row_number", 0, WINDOW, 0, NULL, row_number_step, grow_inverse, row_number_value, row_number_value},
    {"rank", 0, WINDOW, 0, NULL, rank_step, grow_inverse, rank_value, rank_value},
    {"dense_rank", 0, WINDOW, 0, NULL, dense_rank_step, grow_inverse, dense_rank_value, dense_rank_value},
    {"percent_rank", 0, WINDOW, 0, NULL, total_step, total_inverse, percent_rank_value, percent_rank_value},
    {"cume_dist", 0, WINDOW, 0, NULL, total_step, total_inverse, cume_dist_value, cume_dist_value},
    {"ntile", 1, WINDOW, 0, NULL, ntile_step, ntile_inverse, ntile_value, ntile_value},
    {"first_value", 1, WINDOW, 0, NULL, first_value_step, grow_inverse, kept_final, kept_value},
    {"last_value", 1, WINDOW, 0, NULL, last_value_step, last_value_inverse, kept_final, kept_value},
    {"nth_value", 2, WINDOW, 0, NULL, nth_value_step, grow_inverse, kept_final, kept_value},
    {"lag", 1, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {"lag", 2, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {"lag", 3, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {"lead", 1, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {"lead", 2, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {"lead", 3, WINDOW, 0, NULL, offset_step, grow_inverse, offset_value, offset_value},
    {0},
};
