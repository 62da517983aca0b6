// BEGIN, COMMIT, ROLLBACK and the SAVEPOINT family.
#include "ddl.h"

void begin_statement(struct compile *c, struct stmt_begin *s)
{
    if (s->begin == BEGIN_IMMEDIATE || s->begin == BEGIN_EXCLUSIVE) {
        // The write slot is taken at once; temp is nobody else's.
        for (int d = 0; d < compile_database_count(c); d++) {
            if (d == DATABASE_TEMP) continue;
            bool read_only = c->db->databases[d].store && store_read_only(c->db->databases[d].store);
            emit(c, OP_Transaction, d, read_only ? 0 : s->begin == BEGIN_EXCLUSIVE ? 2 : 1, 0);
        }
    }
    emit(c, OP_AutoCommit, 0, 0, s->begin);
}

void commit_statement(struct compile *c)
{
    emit(c, OP_AutoCommit, 1, 0, 0);
}

void rollback_statement(struct compile *c)
{
    emit(c, OP_AutoCommit, 1, 1, 0);
}

void savepoint_statement(struct compile *c, struct stmt_savepoint *s)
{
    emit(c, OP_Savepoint, s->savepoint, 0, 0);
    set_p4_text(c, s->name);
}
