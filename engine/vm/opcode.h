// The opcodes: names and meanings are those of SQLite's VDBE where it has the opcode.
//
// rN is the register whose number is in pN, r[x@n] the n registers from x on. "jumps" goes to p2. Flags:
//   J  p2 is an address: labels in it are resolved (Jump: p1 and p3 too; InitCoroutine: p3 too)
// An instruction that may wait is run again from its top, and has changed nothing before.
// Comparison and affinity letters are enum affinity; p5 flags of comparisons are enum compare_flags.
#pragma once

#define OP_F_NONE 0
#define OP_F_J 1

// clang-format off
#define OPCODE_LIST(X) \
    /* ---- flow of control ---- */ \
    X(Init, J)          /* first instruction: jumps to p2, where transactions and constants are */ \
    X(Goto, J)          /* jumps */ \
    X(Gosub, J)         /* r1 = address of this instruction; jumps */ \
    X(Return, NONE)     /* goes behind the Gosub/InitCoroutine whose address is in r1; p3=1: falls through when r1 is no integer */ \
    X(BeginSubrtn, NONE) /* r2 = NULL: a subroutine that may also be fallen into (Return with p3=1) */ \
    X(InitCoroutine, J) /* r1 = p3 - 1: the coroutine starts at p3 at its first Yield; jumps when p2 is not 0 */ \
    X(EndCoroutine, NONE) /* the caller's Yield on r1 jumps to its p2; r1 may not be yielded to again */ \
    X(Yield, J)         /* swaps the address in r1 with the current one; jumps (at EndCoroutine) to p2 */ \
    X(HaltIfNull, NONE) /* Halt (below) when r3 is NULL: p4 is "table.column" */ \
    X(Halt, NONE) /* ends: p1 = result code, p2 = conflict action; p4 = text, or p3 = register of it; p5: enum halt_kind */ \
    X(Jump, J)          /* after Compare: to p1, p2, p3 when it gave less, equal, greater */ \
    X(Once, J)          /* falls through the first time, jumps every other time (in this frame) */ \
    X(If, J)            /* jumps when r1 is true; NULL: when p3 is not 0 */ \
    X(IfNot, J)         /* jumps when r1 is false; NULL: when p3 is not 0 */ \
    X(IsType, J)        /* jumps when the type of column p3 of cursor p1 (p1 < 0: of r3) is in the mask p5 (1 INTEGER 2 REAL 4 TEXT 8 BLOB 16 NULL); p4 int: column default's type */ \
    X(IsNull, J)        /* jumps when r1 is NULL */ \
    X(NotNull, J)       /* jumps when r1 is not NULL */ \
    X(ZeroOrNull, NONE) /* r2 = NULL when r1 or r3 is NULL, else 0 */ \
    X(IfNullRow, J)     /* when cursor p1 is on its null row: r3 = NULL and jumps */ \
    X(IfPos, J)         /* when r1 > 0: r1 -= p3 and jumps */ \
    X(OffsetLimit, NONE) /* r2 = r1 + max(r3, 0), or -1 when r1 <= 0 or too large */ \
    X(IfNotZero, J)     /* when r1 != 0: jumps, r1 > 0 is decremented */ \
    X(DecrJumpZero, J)  /* r1 -= 1; jumps when it is 0 */ \
    X(MustBeInt, J)     /* r1 is made an integer; when it cannot: jumps, p2 = 0: ERR_MISMATCH "datatype mismatch" */ \
    X(MemMax, NONE)     /* r1 (of the outermost frame) = max(r1, r2) */ \
    X(Noop, NONE)       /* nothing */ \
    X(Explain, NONE)    /* a row of EXPLAIN QUERY PLAN: p1 = its id (address), p2 = parent id, p4 = text */ \
    X(Trace, NONE)      /* nothing (place for tracing) */ \
    X(Abortable, NONE)  /* nothing: may abort up to here */ \
    X(CursorHint, NONE) /* nothing */ \
    X(ReleaseReg, NONE) /* nothing */ \
    /* ---- values into registers ---- */ \
    X(Integer, NONE)    /* r2 = p1 */ \
    X(Int64, NONE)      /* r2 = p4 integer */ \
    X(Real, NONE)       /* r2 = p4 real */ \
    X(String8, NONE)    /* r2 = text p4 of p1 bytes (program_emit_text) */ \
    X(String, NONE)     /* the same as String8 */ \
    X(Null, NONE)       /* r2 = NULL, and r[p2..p3] when p3 > p2; p1 = 1: NULLs that equal nothing (cleared) */ \
    X(SoftNull, NONE)   /* r1 = NULL for MakeRecord, whatever it holds stays allocated */ \
    X(Blob, NONE)       /* r2 = blob p4 of p1 bytes */ \
    X(Variable, NONE)   /* r2 = parameter p1 */ \
    X(Move, NONE)       /* r[p2@p3] = r[p1@p3], which become NULL */ \
    X(Copy, NONE)       /* r[p2@p3+1] = r[p1@p3+1], deep; p5 & 2: subtypes are dropped */ \
    X(SCopy, NONE)      /* r2 = r1, shallow: r1 must not change while r2 is in use */ \
    X(IntCopy, NONE)    /* r2 = the integer r1 */ \
    X(Param, NONE)      /* sub-program: r2 = the caller's register p1 + p1 of its Program instruction */ \
    /* ---- operators ---- */ \
    X(Concat, NONE)     /* r3 = r2 || r1 */ \
    X(Add, NONE)        /* r3 = r1 + r2 */ \
    X(Subtract, NONE)   /* r3 = r2 - r1 */ \
    X(Multiply, NONE)   /* r3 = r1 * r2 */ \
    X(Divide, NONE)     /* r3 = r2 / r1 */ \
    X(Remainder, NONE)  /* r3 = r2 % r1 */ \
    X(BitAnd, NONE)     /* r3 = r1 & r2 */ \
    X(BitOr, NONE)      /* r3 = r1 | r2 */ \
    X(ShiftLeft, NONE)  /* r3 = r2 << r1 */ \
    X(ShiftRight, NONE) /* r3 = r2 >> r1 */ \
    X(AddImm, NONE)     /* r1 += p2, as integers */ \
    X(And, NONE)        /* r3 = r1 AND r2, three-valued */ \
    X(Or, NONE)         /* r3 = r1 OR r2 */ \
    X(Not, NONE)        /* r2 = NOT r1 */ \
    X(BitNot, NONE)     /* r2 = ~r1 */ \
    X(IsTrue, NONE)     /* r2 = r1 is true (NULL: p3), xor p4 int */ \
    X(CollSeq, NONE)    /* p4 collation is that of the Function or AggStep that follows; r1 (if p1) = 0: min()/max() tell by it which row it was */ \
    X(RealAffinity, NONE) /* r1, an integer, becomes real */ \
    X(Cast, NONE)       /* r1 = CAST(r1 AS affinity p2) */ \
    X(Eq, J)            /* jumps when r3 == r1; p4 collation; p5 affinity | enum compare_flags */ \
    X(Ne, J)            /* jumps when r3 != r1 */ \
    X(Lt, J)            /* jumps when r3 < r1 */ \
    X(Le, J)            /* jumps when r3 <= r1 */ \
    X(Gt, J)            /* jumps when r3 > r1 */ \
    X(Ge, J)            /* jumps when r3 >= r1 */ \
    X(ElseEq, J)        /* jumps when the Lt or Gt before it would have been equal */ \
    X(Permutation, NONE) /* the Compare that follows takes field p4[i] for its i-th (p4 int array: count, then fields) */ \
    X(Compare, NONE)    /* compares r[p1@p3] with r[p2@p3] by p4 key_info, for Jump; p5 & 1: Permutation holds */ \
    X(Affinity, NONE)   /* affinities p4 (letters) are applied to r[p1@p2] */ \
    X(TypeCheck, NONE)  /* r[p1@p2] against the types of the STRICT table p4; p3: 0 all columns, 1 no generated ones, >= 2 only column p3 - 2 in r1 */ \
    X(Function, NONE)   /* r3 = p4 function of r[p2@p5]; p1: bit per constant argument (caches) */ \
    X(PureFunc, NONE)   /* the same, and the function must be deterministic in schema expressions */ \
    X(ClrSubtype, NONE) /* r1 loses its subtype */ \
    X(GetSubtype, NONE) /* r2 = subtype of r1, or NULL */ \
    X(SetSubtype, NONE) /* subtype of r2 = r1 */ \
    X(AggStep, NONE)    /* p4 aggregate: step with r[p2@p5]; accumulator r3 */ \
    X(AggInverse, NONE) /* p4 window function: inverse with r[p2@p5]; accumulator r3 */ \
    X(AggValue, NONE)   /* r3 = current value of the p4 window function whose accumulator is r1 (p2 arguments) */ \
    X(AggFinal, NONE)   /* r1, accumulator of the p4 aggregate (p2 arguments), becomes its result */ \
    /* ---- rows out ---- */ \
    X(ResultRow, NONE)  /* gives r[p1@p2] as a row */ \
    X(MakeRecord, NONE) /* r3 = record of r[p1@p2]; p4 affinities (letters) are applied first */ \
    X(ChangeCount, NONE) /* r2 = changes counted in this statement so far */ \
    X(ResetCount, NONE) /* change counter to the connection's, then 0 */ \
    /* ---- transactions and schema ---- */ \
    X(Transaction, NONE) /* begins on database p1: p2 0 read, 1 write, 2 exclusive; p5 != 0: p3 = schema cookie it was compiled for */ \
    X(Savepoint, NONE) /* p1 enum savepoint_kind, p4 name */ \
    X(AutoCommit, NONE) /* p1 = 1 with p2 = 0 commits, p2 = 1 rolls back; p1 = 0 begins; p3: enum begin_kind */ \
    X(FkCheck, NONE)    /* ERR_CONSTRAINT_FOREIGNKEY when immediate foreign keys are violated */ \
    X(FkCounter, NONE)  /* counter (p1: 1 deferred, 0 of the statement) += p2 */ \
    X(FkRefer, NONE)    /* a row refers to what cursor p1 found: the row r2 of the table, or the p4 int fields r[p2@p4] of the index */ \
    X(FkIfZero, J)      /* jumps when the counter (p1 as above) is 0 */ \
    X(ReadCookie, NONE) /* r2 = header field p3 (enum txn_meta) of database p1 */ \
    X(SetCookie, NONE) /* header field p2 of database p1 = p3; META_SCHEMA_COOKIE: the schema is read again */ \
    X(ParseSchema, NONE) /* reads the schema of database p1 again (p4, a WHERE text, may be there: not needed) */ \
    X(CheckSchema, NONE) /* fails unless views and triggers of database p1 make sense; p4: when, for the text */ \
    X(LoadAnalysis, NONE) /* likewise, for sqlite_stat1 */ \
    X(DropTable, NONE) /* likewise */ \
    X(DropIndex, NONE) /* likewise */ \
    X(DropTrigger, NONE) /* likewise */ \
    X(CreateBtree, NONE) /* r2 = root of a new tree in database p1; p3: 1 table, 2 index (enum btree_kind) */ \
    X(Destroy, NONE) /* removes the tree p1 of database p3; r2 = root that moved into its place, or 0 */ \
    X(Clear, NONE) /* empties the tree p1 of database p2; p3 > 0: r3 += its entries, p3 != 0: changes too */ \
    X(SqlExec, NONE) /* runs the SQL text p4 to its end in the same transaction; p1: enum sql_exec_flags, p3: 1 the text is in r2 */ \
    X(Expire, NONE)     /* statements are prepared anew: p1 = 0 all others, 1 this one */ \
    X(TableLock, NONE)  /* nothing */ \
    X(CursorLock, NONE) /* nothing */ \
    X(CursorUnlock, NONE) /* nothing */ \
    X(IntegrityCk, NONE) /* r[p1] = text of at most r[p2] problems of the trees p4 (int array: count, roots) of database p5>>1, or NULL; r[p2] -= those told but one; r[p3..] = entries of each tree; p5&1: these are not all of its trees */ \
    X(Pagecount, NONE) /* r2 = pages of database p1 */ \
    X(MaxPgcnt, NONE)   /* r2 = largest page count of database p1, set to p3 when it is not 0 */ \
    X(Checkpoint, NONE) /* database p1 (-1: all), mode p2 (enum checkpoint_mode); r[p3@3] = busy, WAL frames, checkpointed */ \
    X(JournalMode, NONE) /* r2 = journal mode of database p1 as text */ \
    X(Vacuum, NONE) /* database p1; p2 != 0: into the file named in r2 */ \
    X(Rekey, NONE) /* database p1 to the key in r2 (p2 > 0; p5 & 1: hexadecimal); r3 = pages that are still to be rewritten (p3 > 0) */ \
    X(IncrVacuum, NONE) /* gives up to r2 pages of database p1 back, when it is in auto-vacuum mode */ \
    X(Attach, NONE) /* attaches file r1 under name r2, key r3 */ \
    X(Detach, NONE) /* detaches the database named in r1 */ \
    X(SetFlag, NONE)    /* connection flag p1 (enum connection_flag): p2 0 off, 1 on */ \
    X(Setting, NONE) /* connection setting p1 (enum connection_setting) = r2 (p5 & 1), r3 = its value now (p3 > 0) */ \
    X(DatabaseSetting, NONE) /* setting p2 (enum database_setting) of database p1 = r3 */ \
    /* ---- cursors ---- */ \
    X(OpenRead, NONE) /* cursor p1 on the tree p2 of database p3; p4 key_info (index) or int: number of columns; p5 & OPEN_ROOT_IN_REGISTER: root is in r2 */ \
    X(ReopenIdx, NONE) /* OpenRead, but nothing when p1 is open on p2 already */ \
    X(OpenWrite, NONE) /* OpenRead, for writing too */ \
    X(OpenDup, NONE) /* cursor p1 on the same ephemeral table as p2 */ \
    X(OpenEphemeral, NONE) /* cursor p1 on a new empty table of p2 columns; p4 key_info: an index; p5 & OPEN_WITH_FILTER: what is not in it is mostly told without a seek. Again: it is emptied */ \
    X(OpenAutoindex, NONE) /* the same */ \
    X(FilterOpen, NONE) /* cursor p1 is an empty Bloom filter of keys by p4 key_info, p2 of them or so (0: who knows) */ \
    X(FilterAdd, NONE)  /* the key r[p3@p4] into the filter p1 */ \
    X(Filter, J)        /* jumps when the key r[p3@p4] was surely not added to p1; p5: FILTER_ROWID */ \
    X(SorterOpen, NONE) /* cursor p1 is a sorter by p4 key_info; p3 > 0: only the first p3 columns count; p5: SORTER_REPEATS */ \
    X(QueuePut, NONE)   /* the record r2 goes to the end of the queue of ephemeral table p1 */ \
    X(QueueGet, J)      /* r3 = the record that is first in the queue of p1, taken out; jumps when there is none */ \
    X(SequenceTest, J)  /* jumps when the sequence counter of cursor p1 is 0; it is incremented */ \
    X(OpenPseudo, NONE) /* cursor p1 has one row: the record in r2, of p3 columns */ \
    X(Close, NONE)      /* closes cursor p1 */ \
    X(ColumnsUsed, NONE) /* nothing */ \
    X(SeekGE, J)        /* cursor p1 to the first entry >= key (table: integer r3; index: p4 int fields r[p3@p4]); jumps when there is none */ \
    X(SeekGT, J)        /* ... first > key */ \
    X(SeekLT, J)        /* ... last < key */ \
    X(SeekLE, J)        /* ... last <= key */ \
    X(SeekIn, J)        /* before the value of IN that set p1 stands on is sought as the field behind r[p3@p4] in index p5, which stands where the last one led: p1 moves on to the first value that may be there; jumps when there is none */ \
    X(IfNotOpen, J)     /* jumps when cursor p1 is not open or on its null row */ \
    X(NoConflict, J)    /* jumps when no entry of index p1 has the prefix r[p3@p4] or one of its fields is NULL; p4 = 0: r3 is a record */ \
    X(NotFound, J)      /* jumps when no entry of index p1 has the prefix r[p3@p4] (p4 = 0: the record r3), else stands on it */ \
    X(Found, J)         /* jumps when there is such an entry */ \
    X(SeekRowid, J)     /* jumps when table p1 has no row r3 (any value: not an integer has none), else stands on it; p2 = 0: error */ \
    X(NotExists, J)     /* the same for an r3 that is an integer */ \
    X(Sequence, NONE)   /* r2 = sequence counter of cursor p1, which is incremented */ \
    X(NewRowid, NONE) /* r2 = unused rowid of table p1; p3 > 0: larger than r3 (of the outermost frame), which becomes it */ \
    X(Insert, NONE) /* record r2 under rowid r3 into table p1; p4 table or NULL: p5 enum write_flags */ \
    X(RowCell, NONE) /* copies the row of cursor p2 for the Insert with WRITE_PREFORMATTED that follows, as rowid r3 */ \
    X(Delete, NONE) /* the row under cursor p1; p2 enum write_flags, p5 enum write_flags; p4 table or NULL */ \
    X(Rowid, NONE) /* r2 = rowid of cursor p1 */ \
    X(Offset, NONE)     /* r3 = NULL */ \
    X(Column, NONE) /* r3 = column p2 of cursor p1; missing in the record: p4 value or NULL; p5: enum column_get_flags */ \
    X(RowData, NONE) /* r2 = the whole record of cursor p1; p3: no need to copy */ \
    X(NullRow, NONE)    /* cursor p1 is on its null row: columns and rowid are NULL */ \
    X(SeekEnd, NONE) /* cursor p1 to its end, for appending */ \
    X(Last, J)          /* cursor p1 to its last entry; jumps when empty and p2 is not 0 */ \
    X(LastLE, J)        /* cursor p1, not empty, to its last entry; jumps when that is <= r[p3@p4], what follows in it left out. Else it is deleted and another inserted next */ \
    X(IfSizeBetween, J) /* jumps when the estimate (10 log2, -1: none) of the entries of p1 is within p3..p4 int */ \
    X(IfEmpty, J)       /* jumps when the table of cursor p1 is empty */ \
    X(GroupOpen, NONE)  /* cursor p1 is a table of groups by p4 key_info, with the accumulators r[p2@p3]; p5: their sizes vary */ \
    X(GroupFind, J)     /* the group of the key r[p3...] becomes p1's current one; jumps when it is new and there is no room for it */ \
    X(GroupSeen, J)     /* jumps when the key of the last GroupFind of p1 was there already */ \
    X(GroupSort, NONE)  /* all rows of p1 have come: its groups are now taken in order */ \
    X(GroupNext, J)     /* the next group of p1 becomes the current one; jumps when there is none, or (p3 > 0) none before the key r[p3...] */ \
    X(SorterSort, J)    /* sorts p1 and stands on the first; jumps when empty */ \
    X(Sort, J)          /* Rewind of an ephemeral index that sorts */ \
    X(Rewind, J)        /* cursor p1 to its first entry; jumps when empty and p2 is not 0 */ \
    X(SorterNext, J)    /* sorter p1 to the next entry; jumps when there is one */ \
    X(Prev, J)          /* cursor p1 to the previous entry; jumps when there is one */ \
    X(Next, J)          /* cursor p1 to the next entry; jumps when there is one */ \
    X(SorterCompare, J) /* jumps when the key of sorter p1 differs from the record r3 in the first p4 int fields */ \
    X(SorterData, NONE) /* r2 = the record of sorter p1; pseudo cursor p3 sees a new row */ \
    X(SorterInsert, NONE) /* record r2 into sorter p1 */ \
    X(IdxInsert, NONE) /* record r2 into index p1; p4 int > 0: its fields are in r[p3@p4]; p5 enum write_flags */ \
    X(IdxDelete, NONE) /* the entry with the fields r[p2@p3] out of index p1; p5 != 0: none there is ERR_CORRUPT_INDEX */ \
    X(DeferredSeek, NONE) /* table cursor p3 is to move to the rowid of index p1's entry when first used; p4 int array: index column + 1 per table column */ \
    X(FinishSeek, NONE) /* makes cursor p1 complete its deferred seek */ \
    X(CursorPin, NONE) /* p2 1: what cursor p1 is on is written by no other cursor, it is ERR_CONSTRAINT_PINNED; 0: it is again */ \
    X(IdxRowid, NONE) /* r2 = rowid at the end of index p1's entry */ \
    X(IdxLE, J)         /* jumps when the entry of index p1 is <= r[p3@p4], rowid left out */ \
    X(IdxGT, J)         /* ... > */ \
    X(IdxLT, J)         /* ... < */ \
    X(IdxGE, J)         /* ... >= */ \
    X(Count, NONE) /* r2 = entries of cursor p1; p3 != 0: an estimate will do */ \
    X(ResetSorter, NONE) /* empties the sorter or ephemeral table of cursor p1 */ \
    X(IFindKey, J)      /* integrity check: jumps when the index entry of the row is there */ \
    X(RowSetAdd, NONE)  /* integer r2 into the row set r1 */ \
    X(RowSetRead, J)    /* r3 = smallest of row set r1, taken out; jumps when it is empty */ \
    X(RowSetTest, J)    /* jumps when r3 is in row set r1, else adds it; p4 int: batch (0 first, -1 last) */ \
    /* ---- triggers ---- */ \
    X(Program, J)       /* runs the sub-program p4; p1: register from which Param counts; RAISE(IGNORE) jumps; p5: not when it runs already (recursive triggers off) */ \
    /* ---- table-valued functions (virtual tables) ---- */ \
    X(VOpen, NONE)      /* cursor p1 on the virtual table p4 */ \
    X(VFilter, J)       /* starts its scan with plan r3 (number), r3+1 arguments r3+2...; p4 text of the plan; jumps when empty */ \
    X(VColumn, NONE)    /* r3 = column p2 of cursor p1; p5: as it was given, for UPDATE */ \
    X(VFunction, NONE)  /* r3 = what the full-text table of cursor p1 says; p4 int: enum fts_function, p5 arguments from r2 on */ \
    X(VNext, J)         /* next row; jumps when there is one */ \
    X(VInitIn, NONE)    /* r2 = the values of ephemeral table p1 as one value */ \
    X(VBegin, NONE)     /* nothing */ \
    X(VCreate, NONE) /* creates the virtual table named in r2 in database p1 */ \
    X(VDestroy, NONE) /* drops the virtual table p4 of database p1 */ \
    X(VUpdate, NONE)    /* r[p3@p2] (old rowid, new rowid, columns) change the virtual table p4 of database p1; p5 enum conflict, and << 8 what is kept (fts_table.h); r[p3+1] = the new rowid */ \
    X(VRename, NONE) /* renames the virtual table p4 as r1 says */ \
    X(VCheck, NONE)     /* r2 = what is wrong with the virtual table p4 of database p1, or NULL */
// clang-format on

enum opcode {
#define X(name, flag) OP_##name,
    OPCODE_LIST(X)
#undef X
        OP_COUNT
};

const char *opcode_name(enum opcode op); // "Goto"
