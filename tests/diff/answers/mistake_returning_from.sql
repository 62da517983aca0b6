# UPDATE ... INDEXED BY ... FROM ... RETURNING: which of several mistakes is told
CREATE TABLE u(a, b, e, PRIMARY KEY(b, a)) WITHOUT ROWID;
CREATE UNIQUE INDEX ui ON u(e) WHERE e > 2;
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
CREATE UNIQUE INDEX ti ON t(b) WHERE b > 2;
CREATE VIEW v AS SELECT 1 x;
UPDATE u INDEXED BY ui SET b = 'k' FROM v RETURNING n.*;
--= error: no query solution because SQLite 3.50 looks at RETURNING behind FROM
UPDATE u INDEXED BY ui SET b = 'k' FROM v RETURNING nox;
UPDATE u INDEXED BY ui SET b = 'k' RETURNING n.*;
UPDATE u INDEXED BY ui SET b = 'k' RETURNING nox;
UPDATE t INDEXED BY ti SET b = 'k' FROM v RETURNING n.*;
--= error: no query solution because SQLite 3.50 looks at RETURNING behind FROM
UPDATE t INDEXED BY ti SET b = 'k' FROM v RETURNING nox;
UPDATE t INDEXED BY ti SET b = nox FROM v RETURNING n.*;
UPDATE t INDEXED BY ti SET b = 'k' FROM v WHERE nox RETURNING n.*;
UPDATE t INDEXED BY ti SET b = 'k' FROM nosuch RETURNING n.*;
UPDATE t SET b = nox FROM v RETURNING n.*;
UPDATE t SET b = 1 FROM v WHERE nox RETURNING n.*;
UPDATE t SET b = 1 FROM v RETURNING n.*;
