// The peer Turso in the area "write", through its JavaScript (the calls that do not wait for a promise): commits per
// second of one writer that updates a row of 100 bytes in each, synchronous=FULL, or point reads per second by rowid.
// usage: node turso.mjs DIR SECONDS updates|reads      prints: VERSION RATE
import { Database } from '@tursodatabase/database/compat';
import { createRequire } from 'node:module';
import { readFileSync, rmSync } from 'node:fs';

const ROWS = 100000;
const [dir, seconds] = [process.argv[2], Number(process.argv[3])];
const path = `${dir}/bench_turso.db`;
const remove = () => ['', '-wal', '-shm'].forEach((end) => rmSync(path + end, { force: true }));

function rate(what) {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < seconds * 1000; count++) what(count);
    return count / ((performance.now() - start) / 1000);
}

remove();
const db = new Database(path);
db.exec('PRAGMA journal_mode = wal');
db.exec('PRAGMA synchronous = full');
db.exec('PRAGMA cache_size = -16384');
db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v)');
db.exec('BEGIN');
const insert = db.prepare('INSERT INTO t(v) VALUES (?)');
for (let i = 0; i < ROWS; i++) insert.run(Buffer.alloc(100));
db.exec('COMMIT');
const row = (n) => ((n * 7919) % ROWS) + 1;
const update = db.prepare('UPDATE t SET v = ? WHERE id = ?');
const select = db.prepare('SELECT v FROM t WHERE id = ?');
const value = Buffer.alloc(100, 'x');
const works = {
    updates: (n) => {
        value.writeUInt32LE(n >>> 0, 0);
        update.run(value, row(n));
    },
    reads: (n) => {
        if (select.get(row(n)).v.length !== 100) throw new Error('not the row');
    },
};
const perSecond = rate(works[process.argv[4]]);
db.close();
remove();
const entry = createRequire(import.meta.url).resolve('@tursodatabase/database/compat');
const version = JSON.parse(readFileSync(entry.replace(/database\/dist\/.*/, 'database/package.json'))).version;
console.log(version, perSecond.toFixed(0));
