#!/usr/bin/python3
"""A shop's till: its schema in three versions, a day of sales and what it asks of them. No chance and no clock is in it."""
import os
import sqlite3
import sys

if os.environ.get("RECORDER") and "LD_PRELOAD" not in os.environ:
    os.environ["LD_PRELOAD"] = os.environ["RECORDER"]
    os.execv(sys.executable, [sys.executable, *sys.argv])

db = sqlite3.connect(":memory:", isolation_level=None)


def rows(sql, *values):
    found = db.execute(sql, values).fetchall()
    print(len(found), "rows:", sql)
    return found


def number(*seeds):
    """Looks as if drawn by chance."""
    value = 12345
    for seed in seeds:
        value = (value * 1103515245 + seed * 7919 + 12345) % 2147483648
    return value >> 8


MIGRATIONS = [
    """CREATE TABLE product(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, price INTEGER NOT NULL CHECK(price >= 0));
       CREATE TABLE customer(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, card TEXT UNIQUE, since DATE);
       CREATE TABLE sale(id INTEGER PRIMARY KEY, at DATETIME NOT NULL, customer_id INT REFERENCES customer ON DELETE SET NULL, note TEXT);
       CREATE TABLE sale_line(sale_id INT NOT NULL REFERENCES sale ON DELETE CASCADE, line INT, product_id INT NOT NULL REFERENCES product,
           count REAL NOT NULL DEFAULT 1, price INT NOT NULL, PRIMARY KEY(sale_id, line)) WITHOUT ROWID;
       CREATE INDEX sale_at ON sale(at); CREATE INDEX sale_line_product ON sale_line(product_id, sale_id);""",
    """ALTER TABLE product ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'; ALTER TABLE customer RENAME COLUMN since TO joined;
       CREATE TABLE stock(product_id INT PRIMARY KEY REFERENCES product, count REAL NOT NULL DEFAULT 0, changed INT DEFAULT 0) WITHOUT ROWID;
       CREATE TRIGGER line_sold AFTER INSERT ON sale_line BEGIN
           INSERT INTO stock(product_id, count, changed) VALUES(new.product_id, -new.count, 1)
           ON CONFLICT(product_id) DO UPDATE SET count = count - new.count, changed = changed + 1; END;
       CREATE TRIGGER line_gone AFTER DELETE ON sale_line BEGIN UPDATE stock SET count = count + old.count WHERE product_id = old.product_id; END;
       CREATE VIEW turnover AS SELECT date(at) AS day, sum(count * sale_line.price) AS total, count(DISTINCT sale.id) AS sales
           FROM sale JOIN sale_line ON sale_id = sale.id GROUP BY date(at);""",
    """CREATE VIRTUAL TABLE product_text USING fts5(name, tags, content='product', content_rowid='id');
       INSERT INTO product_text(product_text) VALUES('rebuild');
       CREATE TRIGGER product_added AFTER INSERT ON product BEGIN INSERT INTO product_text(rowid, name, tags) VALUES(new.id, new.name, new.tags); END;
       CREATE TRIGGER product_changed AFTER UPDATE ON product BEGIN
           INSERT INTO product_text(product_text, rowid, name, tags) VALUES('delete', old.id, old.name, old.tags);
           INSERT INTO product_text(rowid, name, tags) VALUES(new.id, new.name, new.tags); END;
       CREATE INDEX product_tag ON product(json_extract(tags, '$[0]')) WHERE tags <> '[]';
       CREATE TABLE sale_new(id INTEGER PRIMARY KEY, at TEXT NOT NULL, customer_id INT REFERENCES customer ON DELETE SET NULL,
           note TEXT, day TEXT AS (date(at)) STORED, hour INT AS (CAST(strftime('%H', at) AS INT)));
       INSERT INTO sale_new(id, at, customer_id, note) SELECT id, at, customer_id, note FROM sale;
       DROP VIEW turnover; DROP TABLE sale; ALTER TABLE sale_new RENAME TO sale;
       CREATE INDEX sale_day ON sale(day, customer_id);
       CREATE VIEW turnover AS SELECT day, sum(count * sale_line.price) AS total, count(DISTINCT sale.id) AS sales
           FROM sale JOIN sale_line ON sale_id = sale.id GROUP BY day;""",
]

NAMES = ["apple juice", "Brown bread", "cheese, old", "dark chocolate", "egg", "flour", "green tea", "honey", "ice cream", "jam of apples"]


def migrate(to):
    (version,) = db.execute("PRAGMA user_version").fetchone()
    while version < to:
        db.execute("PRAGMA foreign_keys = off")
        db.execute("BEGIN")
        script = ""
        for part in MIGRATIONS[version].split(";"):
            script += part + ";"
            if part.strip() and sqlite3.complete_statement(script):
                db.execute(script)
                script = ""
        rows("PRAGMA foreign_key_check")
        version += 1
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
        db.execute("PRAGMA foreign_keys = on")


def sell(day, count):
    for i in range(count):
        db.execute("BEGIN IMMEDIATE")
        who = number(day, i) % 9
        sale = db.execute("INSERT INTO sale(at, customer_id, note) VALUES(datetime(?, ?), ?, ?)",
                          ("2026-03-01 08:00:00", f"+{day * 1440 + i * 7} minutes", who or None, "paid by card" if who % 2 else None)).lastrowid
        for line in range(1 + number(day, i, 1) % 4):
            product = 1 + number(day, i, line, 2) % len(NAMES)
            try:
                db.execute("INSERT INTO sale_line(sale_id, line, product_id, count, price) SELECT ?1, ?2, id, ?3, price FROM product WHERE id = ?4",
                           (sale, line % 3, (1 + number(day, i, line) % 8) / 2, product))
            except sqlite3.IntegrityError as error:
                print(error)
        db.execute("ROLLBACK" if number(day, i, 3) % 11 == 0 else "COMMIT")


def report():
    rows("SELECT * FROM turnover ORDER BY day")
    rows("SELECT c.name, count(s.id), total(l.count * l.price) AS paid FROM customer c LEFT JOIN sale s ON s.customer_id = c.id "
         "LEFT JOIN sale_line l ON l.sale_id = s.id GROUP BY c.id HAVING count(s.id) > 0 ORDER BY paid DESC, c.name LIMIT 5")
    rows("SELECT p.name, sum(l.count) AS n, rank() OVER (ORDER BY sum(l.count) DESC) FROM product p JOIN sale_line l ON l.product_id = p.id GROUP BY p.id")
    rows("SELECT date(at), sum(price), sum(sum(price)) OVER (ORDER BY date(at) ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), "
         "lag(sum(price), 1, 0) OVER (ORDER BY date(at)) FROM sale JOIN sale_line ON sale_id = id GROUP BY 1")
    rows("WITH RECURSIVE d(day) AS (SELECT '2026-03-01' UNION ALL SELECT date(day, '+1 day') FROM d WHERE day < '2026-03-06') "
         "SELECT day, coalesce(total, 0), coalesce(sales, 0) FROM d LEFT JOIN turnover USING (day)")
    rows("SELECT a.product_id, b.product_id, count(*) FROM sale_line a JOIN sale_line b ON a.sale_id = b.sale_id AND a.product_id < b.product_id "
         "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 7")
    rows("SELECT p.code, (SELECT max(at) FROM sale WHERE id IN (SELECT sale_id FROM sale_line WHERE product_id = p.id)) FROM product p WHERE NOT EXISTS "
         "(SELECT 1 FROM sale_line l WHERE l.product_id = p.id AND l.count > 3.5)")
    rows("SELECT DISTINCT c.name FROM customer c JOIN (SELECT DISTINCT customer_id, id % 9 AS k FROM sale) x ON c.id = x.customer_id OR c.id = x.k")
    rows("SELECT strftime('%w', at) AS weekday, group_concat(DISTINCT product_id) FROM sale, sale_line WHERE sale_id = id GROUP BY weekday")
    rows("SELECT name FROM product WHERE code IN ('p3', 'P5', 'p7') UNION SELECT name FROM customer WHERE name LIKE 'c%1' ORDER BY 1 COLLATE NOCASE DESC")
    rows("SELECT * FROM sale_line EXCEPT SELECT * FROM sale_line WHERE count = 1 ORDER BY sale_id, line LIMIT 9 OFFSET 3")
    rows("EXPLAIN QUERY PLAN SELECT * FROM sale JOIN sale_line ON sale_id = id WHERE at > '2026-03-02' ORDER BY at")


migrate(1)
db.executemany("INSERT INTO product(id, code, name, price) VALUES(?, ?, ?, ?)", [(i + 1, f"P{i + 1}", name, 50 + 37 * i) for i, name in enumerate(NAMES)])
db.executemany("INSERT INTO customer(name, card, since) VALUES(:name, :card, :since)",
               [{"name": f"customer {i}", "card": None if i % 4 == 0 else f"{i:04d}", "since": f"2025-0{1 + i % 9}-1{i % 8}"} for i in range(12)])
sell(0, 40)
migrate(2)
report()
db.execute("UPDATE product SET tags = json_array('drink', name) WHERE name LIKE '%juice' OR name LIKE '%tea'")
db.execute("UPDATE product SET tags = json_insert(tags, '$[#]', 'sweet') WHERE code IN ('p4', 'p8', 'P9', 'p10')")
sell(1, 60)
rows("SELECT * FROM stock ORDER BY count, product_id")
migrate(3)
sell(2, 80)
report()
rows("SELECT rowid, highlight(product_text, 0, '[', ']'), snippet(product_text, -1, '<', '>', '...', 3), rank FROM product_text WHERE product_text MATCH ? ORDER BY rank", "apple* OR sweet")
rows("SELECT p.id, j.key, j.value, j.fullkey FROM product p, json_each(p.tags) AS j WHERE json_array_length(p.tags) > 0 ORDER BY p.id, j.key")
rows("SELECT name FROM product WHERE json_extract(tags, '$[0]') = 'drink' AND tags <> '[]'")
rows("INSERT INTO product(code, name, price) VALUES('p3', 'cheese', 5) ON CONFLICT(code) DO UPDATE SET price = excluded.price + price, name = excluded.name RETURNING id, code, name, price")
rows("UPDATE customer SET card = 'C' || card, joined = date(joined, 'start of month') WHERE id % 3 = 1 RETURNING id, card, joined")
rows("DELETE FROM customer WHERE name LIKE '%7' RETURNING *")
rows("SELECT count(*), count(customer_id) FROM sale")
db.execute("DELETE FROM sale WHERE day = '2026-03-02' AND hour BETWEEN 9 AND 11")
rows("SELECT product_id, round(count, 1), changed FROM stock WHERE changed > 5")
for wrong in ("DELETE FROM product WHERE id = 2", "INSERT INTO product(code, name, price) VALUES('p11', 'less', -1)", "INSERT INTO product(code, name, price) VALUES('P1', 'twice', 1)",
              "INSERT INTO sale_line(sale_id, line, product_id, price) VALUES(1, 99, 999, 1)", "INSERT INTO product(code, price) VALUES('p12', 1)"):
    try:
        db.execute(wrong)
    except sqlite3.IntegrityError as error:
        print(error)
db.execute("SAVEPOINT correction")
db.execute("UPDATE sale_line SET count = count * 2 WHERE sale_id % 2 = 0")
db.execute("ROLLBACK TO correction")
db.execute("UPDATE sale SET note = NULL FROM customer WHERE customer.id = customer_id AND customer.card IS NULL")
db.execute("RELEASE correction")
db.execute("ANALYZE")
report()
db.execute("REINDEX")
rows("PRAGMA integrity_check")
rows("SELECT type, name, tbl_name, sql FROM sqlite_schema")
rows("PRAGMA table_xinfo(sale)")
