#!/bin/bash
# Shows that the tests can fail: each mutant breaks one promise by one line, and the programs named beside it must
# catch it. A line that is no longer there (the code has changed) fails too: the mutant is to be written anew.
# usage: tests/mutation/run.sh [SUBSTRING of a name]
#
# A mutant is one source file changed by sed and linked before the library, which otherwise stays as it is. As many run at
# a time as there are processors; each leaves its verdict in NAME.verdict.
set -u
cd "$(dirname "$0")/../.."
export SEED=${SEED:-7} STOP_AT_FAILURE=1
only=${1:-}
out=build/mutation
rm -rf "$out"
mkdir -p "$out"
processors=$(nproc)
# The simulated worlds show what every kind of mutant breaks; the others are quicker where they do.
replicas=tests/sim/replica_sim_test crash=tests/sim/engine_crash_test lives=tests/sim/store_crash_test contract=tests/io/io_contract_test
deferred=tests/engine/deferred_test wal=tests/engine/store/wal_test
isolation=tests/sim/isolation_test concurrent=tests/engine/concurrent_test
spill=tests/engine/spill_test encryption=tests/engine/encryption_test follows=tests/sync/replica_test
programs="$encryption $crash $lives $contract $deferred $wal $isolation $concurrent $spill $follows $replicas"
make -s -j"$(nproc)" $(printf 'build/release/%s ' $programs) || exit 1
flags=$(make -s flags) libs=$(make -s libs)

verdict() { # NAME TEXT
    echo "$2" >"$out/$1.verdict"
    echo "$2"
}

# NAME FILE SED PROGRAM...: any of the programs catches it, by a failure, a crash or by never ending.
mutant() {
    [[ $1 == *"$only"* ]] || return 0
    while [ "$(jobs -pr | wc -l)" -ge "$processors" ]; do wait -n; done
    try "$@" &
}

try() {
    local name=$1 file=$2 change=$3 program object=$out/$1.o
    shift 3
    : >"$out/$name.verdict"
    sed -E "$change" "$file" >"$out/$name.c"
    if cmp -s "$file" "$out/$name.c"; then
        verdict "$name" "FAIL $name: its line in $file is gone: write the mutant anew"
        return
    fi
    # shellcheck disable=SC2086
    if ! gcc $flags -w -iquote "$(dirname "$file")" -c "$out/$name.c" -o "$object" 2>"$out/$name.log"; then
        verdict "$name" "FAIL $name: it does not compile: $(head -n 1 "$out/$name.log")"
        return
    fi
    for program in "$@"; do
        local simulated=
        [[ $program == "$replicas" || $program == "$follows" ]] && simulated=build/release/tests/sim/wire.o # HTTP
        # shellcheck disable=SC2086
        if ! gcc $flags "build/release/$program.o" $simulated "$object" build/release/libtests.a build/release/libskerry.a \
            -o "$out/$name" $libs -lsqlite3 2>"$out/$name.log"; then
            verdict "$name" "FAIL $name: it does not link"
            return
        fi
        if ! { timeout 120 "$out/$name" >"$out/$name.log" 2>&1; } 2>/dev/null; then
            verdict "$name" "ok $name, caught by $program: $(grep -E '^FAIL|ssert' "$out/$name.log" | head -n 1)"
            rm -f "$out/$name" "$object"
            return
        fi
    done
    verdict "$name" "FAIL $name: nobody noticed"
}

store=engine/store
mutant sync_skipped $store/wal_flush.c 's/io_file_writev_sync\(flush_file\(f\), &f->iov/io_file_writev(flush_file(f), \&f->iov/' $lives $crash
mutant acknowledged_early $store/txn_commit.c 's/if \(s->durable\.lsn < t->commit\.lsn\) \{/if (false) {/' $lives $crash
mutant frame_published_early $store/txn.c 's/snapshot_take\(t, &t->store->durable\)/snapshot_take(t, \&t->store->appended)/' $crash
mutant header_not_synced $store/wal_flush.c 's/io_file_writev_sync\(w->file, &f->iov, 1, 0,/io_file_writev(w->file, \&f->iov, 1, 0,/' $lives
mutant header_not_kept $store/wal_flush.c '/header_written = true;/,/flush_write/s/memcpy\(f->tail, f->buffer, f->used\);//' $lives
mutant tail_forgotten $store/wal_flush.c 's/memcpy\(f->buffer, f->tail, f->used\);/memset(f->buffer, 0, f->used);/' $lives
mutant tail_not_kept $store/wal_flush.c 's/memcpy\(f->tail, f->buffer \+ f->used - tail, tail\);//' $lives
mutant zeros_over_the_log $store/wal_flush.c 's/start = block_ceil\(w->allocated\);/start = block_ceil(end);/' $lives
mutant zeros_not_waited_for $store/wal_flush.c 's/if \(end > w->allocated \&\& f->ahead_busy\) \{/if (false) {/' $lives
mutant recovered_log_not_rewritten $store/recover.c 's/commit_frame == 0 \|\| s->read_only\) return/commit_frame == 0 || true) return/' $lives $crash
mutant torn_tail_accepted $store/wal.c 's/return sum->s1 == be32_get\(in \+ 16\) && .*/return true;/' $lives $crash
mutant name_not_synced $store/wal_flush.c 's/io_path_sync_dir\(s->io, f->directory, &f->completion\)/completion_post(s->io, \&f->completion, 0)/' $lives $crash
mutant failed_sync_retried $store/wal_flush.c 's/s->flush_failed = true;//' $wal
mutant file_not_synced $store/checkpoint.c 's/io_file_sync\(s->file, IO_SYNC_FULL, &k->completion\)/completion_post(s->io, \&k->completion, 0)/' $lives $crash
mutant readers_ignored $store/checkpoint.c 's/k->goal = store_horizon\(s\);/k->goal = s->durable.lsn;/' $crash
mutant writer_on_undone_commits $store/txn_commit.c 's/if \(s->writer\) writer_undone\(s->writer, err\);//' $lives $crash
mutant writer_not_prepared $store/txn.c 's/if \(t->state == TXN_WRITE && !t->preparing\) return IO_DONE;/if (t->state == TXN_WRITE) return IO_DONE;/' $deferred
mutant mutation_before_a_wait $store/txn_page.c 's/^    IO_TRY\(txn_page\(t, op, trunk, &p\)\);/    t->freelist_head = 0; IO_TRY(txn_page(t, op, trunk, \&p));/' $deferred $crash
mutant savepoint_forgets_pages $store/txn_page.c 's/^    private_add\(t, u->image, u->no\);/    txn_private_give(t, u->image);/' $crash
mutant savepoint_forgets_frees $store/txn_page.c 's/^        t->free_count--;/        ;/' $crash
mutant key_slot_not_synced $store/key_slot.c 's/io_file_writev_sync\(file, iov/io_file_writev(file, iov/' $crash
mutant key_before_dropped_early $store/rekey.c 's/if \(s->backfilled < r->done\) \{/if (false) {/' $encryption $crash
mutant page_number_not_sealed $store/codec.c 's/be32_put\(out \+ SEALED_ID_SIZE, no\);/be32_put(out + SEALED_ID_SIZE, 0);/' $encryption
mutant conflict_not_checked $store/txn.c 's/if \(change_check\(t\)\) return ERR_OK;/return ERR_OK;/' $isolation
mutant change_not_published $store/change_index.c 's/^    k->write_lsn = lsn;$//' $isolation
mutant replay_skips_a_change $store/change_replay.c 's/case CHANGE_DELETE: return replay_delete\(t, op, change\);/case CHANGE_DELETE: return change->keyed ? replay_delete(t, op, change) : IO_DONE;/' $isolation
mutant replay_on_old_pages $store/txn.c '/^void txn_restart/,/^}/s/txn_private_drop_all\(t\);//' $isolation
mutant savepoint_keeps_changes $store/txn_page.c 's/^    change_list_truncate\(.*//' $isolation
mutant line_not_left $store/txn.c '/^void txn_line_leave/,/^}/s/txn_slot_leave\(t\);//' $concurrent
mutant spilled_page_not_written_again $store/txn_spill.c '/^void txn_private_changes/,/^}/s/f->spill_slot = 0;//' $spill $crash
mutant spilled_page_of_another $store/txn_spill.c '/^void spill_page_read/,/^}/s/frame->spill_slot\)/frame->spill_slot + 1)/' $spill
mutant spilled_page_unpinned $store/pointer_map.c '/^static io_status map_touched/,/^}/s/(IO_TRY\(txn_page\(t, op, no, &p\)\);)/\1 page_unpin(p);/; /^static io_status map_touched/,/^}/s/^    page_unpin\(p\);//' $spill $crash
mutant group_counted_late io/completion.c 's/\.outstanding = 1/.outstanding = 0/' $contract
mutant wake_forgotten $store/txn.c 's/completion_post\(s->io, &s->grant, 0\);//' $lives $crash
mutant log_content_not_compared node/feed.c 's/return found\.wal_sum\[0\] == sums\[0\].*/return true;/' $follows
mutant place_not_looked_at sync/replica_place.c 's/^        after = status == IO_DONE .*/        after = true;/' $follows
mutant part_sent_again_from_its_end node/feed.c 's/if \(again\) q->page_next = q->part_first;//' $replicas
mutant groups_not_compared node/feed.c 's/\*same = q->group_sum == .*/*same = true;/' $replicas

wait
total=$(find "$out" -name '*.verdict' | wc -l)
passed=$(cat "$out"/*.verdict | grep -c '^ok ')
echo "$passed passed, $((total - passed)) failed, 0 skipped"
[ "$passed" -eq "$total" ]
