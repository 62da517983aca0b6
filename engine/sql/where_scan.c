// Finding the terms about a column, directly or through columns that are equal to it.
#include "where.h"

bool where_term_outer_ok(const struct where_term *t, const struct source *s)
{
    // In the inner table of an outer join only the ON clause may choose rows.
    if (!(t->expr->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON)) || t->expr->on_cursor != s->cursor) return false;
    if (s->join & (JOIN_LEFT | JOIN_RIGHT) && t->expr->flags & EXPR_F_INNER_ON) return false;
    return true;
}

struct where_term *where_scan_next(struct where_scan *s)
{
    for (;;) {
        int cursor = s->cursors[s->equivalent - 1], column = s->columns[s->equivalent - 1];
        for (struct where_clause *wc = s->clause; wc; wc = s->clause = wc->outer, s->at = 0) {
            for (; s->at < wc->count; s->at++) {
                struct where_term *t = wc->terms[s->at];
                struct compile *c = wc->info->c;
                if (t->left_cursor != cursor || t->left_column != column) continue;
                if (column == COLUMN_EXPR &&
                    expr_compare(c, expr_skip_collate(t->expr->left), s->index_expr, cursor) >= 2)
                    continue;
                if (s->equivalent > 1 && t->expr->flags & EXPR_F_OUTER_ON) continue;
                if (t->operators & WO_EQUIV) {
                    struct expr *x = expr_skip_collate(t->expr->right);
                    if (x->kind == EXPR_COLUMN) {
                        u32 j;
                        for (j = 0; j < s->equivalents; j++)
                            if (s->cursors[j] == x->cursor && s->columns[j] == x->column) break;
                        if (j == s->equivalents && j < COUNT_OF(s->cursors)) {
                            s->cursors[j] = x->cursor;
                            s->columns[j] = x->column;
                            s->equivalents++;
                        }
                    }
                }
                if (!(t->operators & s->operators)) continue;
                if (s->collation && !(t->operators & WO_IS_NULL)) {
                    const struct expr *x = t->expr;
                    u32 field = t->field ? (u32)t->field - 1 : 0;
                    if (!expr_index_affinity_ok(x, field, s->affinity)) continue;
                    const struct expr *left = x->left;
                    if (left->kind == EXPR_ROW) left = left->list->items[field].expr;
                    const struct collation *k;
                    if (t->field || x->kind == EXPR_IN) {
                        const struct expr *right =
                            x->flags & EXPR_F_SELECT ? x->select->columns->items[field].expr : NULL;
                        k = compare_collation(c, left, right);
                    } else {
                        k = expr_compare_collation(c, x);
                    }
                    if (!name_equal(k->name, s->collation)) continue;
                }
                if (t->operators & (WO_EQ | WO_IS) && t->expr->right) {
                    const struct expr *x = t->expr->right;
                    if (expr_stands_for_column(x) && x->cursor == s->cursors[0] && x->column == s->columns[0]) continue;
                }
                s->at++;
                return t;
            }
        }
        if (s->equivalent >= s->equivalents) return NULL;
        s->clause = s->original;
        s->at = 0;
        s->equivalent++;
    }
}

struct where_term *where_scan_first(struct where_scan *s, struct where_clause *wc, int cursor, int column, u16 operators,
                                    const struct where_index *index)
{
    *s = (struct where_scan){.original = wc, .clause = wc, .operators = operators, .equivalents = 1, .equivalent = 1};
    s->cursors[0] = cursor;
    if (index) {
        int j = column;
        column = index->columns[j];
        if (column == index->table->rowid_column && column >= 0) column = COLUMN_ROWID;
        else if (column >= 0) {
            s->affinity = table_column_affinity(index->table, column);
            s->collation = index->collations[j] ? index->collations[j] : "BINARY";
        } else if (column == COLUMN_EXPR) {
            s->index_expr = index->exprs[j];
            s->affinity = expr_affinity(index->exprs[j]);
            s->collation = index->collations[j] ? index->collations[j] : "BINARY";
        }
    } else if (column == COLUMN_EXPR) {
        return NULL;
    }
    s->columns[0] = column;
    return where_scan_next(s);
}

struct where_term *where_find_term(struct where_clause *wc, int cursor, int column, bitmask not_ready, u16 operators,
                                   const struct where_index *index)
{
    struct where_scan scan;
    struct where_term *result = NULL;
    u16 equal = operators & (WO_EQ | WO_IS);
    for (struct where_term *t = where_scan_first(&scan, wc, cursor, column, operators, index); t;
         t = where_scan_next(&scan)) {
        if (t->prereq_right & not_ready) continue;
        if (t->prereq_right == 0 && t->operators & equal) return t;
        if (!result) result = t;
    }
    return result;
}
