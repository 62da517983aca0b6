# Dates: modifiers, formats, limits, mistakes
SELECT date('2024-02-29','+1 year'), date('2024-02-29','-1 year'), date('2024-01-31','+1 month'), date('2024-03-31','-1 month');
--= T:2024-02-29|T:2024-03-02|T:2025-02-28| because SQLite 3.50 answers so
SELECT date('2024-01-31','+1 month','floor'), date('2024-01-31','+1 month','ceiling'), date('2024-02-29','+1 year','floor');
--= T:2023-03-03|T:2023-02-28|T:2023-05-01|N| because SQLite 3.50 answers so
SELECT date('2023-02-31'), date('2023-02-31','floor'), date('2023-04-31'), date('2023-02-32');
--= T:2024-03-02|T:2024-03-02| because SQLite 3.50 answers so
SELECT date('2024-01-31','floor','+1 month'), date('2024-01-31','ceiling','+1 month');
SELECT datetime('2024-01-01 24:00:00'), datetime('2024-01-01 23:60'), datetime('2024-01-01 23:59:60'), datetime('2024-01-01 23:59:59.9999');
SELECT datetime('2024-01-01T12:34'), datetime('2024-01-01 12:34:56.789'), datetime('2024-01-01  12:34'), datetime('2024-01-01t12:34'), datetime('12:34'), datetime('12:34:56.123');
SELECT datetime('2024-01-01 12:34Z'), datetime('2024-01-01 12:34 z'), datetime('2024-01-01 12:34+02:00'), datetime('2024-01-01 12:34 -02:30'), datetime('2024-01-01 12:34+2:00'), datetime('2024-01-01 12:34+15:00'), datetime('2024-01-01 12:34+14:00');
SELECT datetime('2024-01-01 12:34 Zx'), datetime('2024-01-01Z'), datetime('2024-01-01 +02:00');
SELECT date(2460000.5), date('2460000.5'), datetime(0), datetime(-1), datetime(1721059.5), datetime(5373484.499999), datetime(5373484.5), datetime(1e10);
SELECT julianday('0000-01-01'), julianday('9999-12-31 23:59:59.999'), julianday('-4713-11-24 12:00'), julianday('-0001-01-01'), julianday('10000-01-01');
--= T:2023-11-14 22:13:20|T:2023-11-14 22:13:20|T:2023-02-24 12:00:00|T:2023-11-14 22:13:20.500|T:2023-11-14 22:13:20|T:2023-11-14 22:13:20| because SQLite 3.50 answers so
SELECT datetime(1700000000,'unixepoch'), datetime(1700000000,'auto'), datetime(2460000,'auto'), datetime(1700000000.5,'unixepoch','subsec'), datetime('1700000000','unixepoch'), datetime('1700000000','auto');
SELECT datetime(-210866760000,'unixepoch'), datetime(-210866760001,'unixepoch'), datetime(253402300799,'unixepoch'), datetime(253402300800,'unixepoch'), datetime(-1,'auto'), datetime(5373485,'auto');
SELECT datetime('2024-01-01','unixepoch'), datetime('2024-01-01','auto'), datetime('2024-01-01','julianday'), datetime(2460000,'julianday'), datetime(1.5,'+1 day','julianday');
SELECT datetime(1,'+1 day','unixepoch'), datetime(1,'unixepoch','unixepoch'), datetime(1,'auto','auto'), date(1,'unixepoch','auto');
SELECT datetime('2024-05-15 13:14:15','start of month'), datetime('2024-05-15 13:14:15','start of year'), datetime('2024-05-15 13:14:15','start of day'), datetime('2024-05-15','start of week'), datetime('2024-05-15','START OF MONTH');
SELECT date('2024-05-15','weekday 0'), date('2024-05-15','weekday 3'), date('2024-05-15','weekday 6'), date('2024-05-15','weekday 7'), date('2024-05-15','weekday -1'), date('2024-05-15','weekday 1.5'), date('2024-05-15','weekday x'), date('2024-05-15','weekday'), date('2024-05-15', 'weekday  4');
SELECT datetime('2024-05-15','+1 second'), datetime('2024-05-15','+1.5 seconds'), datetime('2024-05-15','-1 minute'), datetime('2024-05-15','1 hour'), datetime('2024-05-15','+1.5 days'), datetime('2024-05-15','+1.5 months'), datetime('2024-05-15','+1.5 years'), datetime('2024-05-15','+ 1 day'), datetime('2024-05-15','+1 fortnight'), datetime('2024-05-15','+1day'), datetime('2024-05-15','+1   day');
SELECT datetime('2024-05-15','+1 days '), datetime('2024-05-15',' +1 day'), datetime('2024-05-15','+1 dayss'), datetime('2024-05-15','+1e2 days'), datetime('2024-05-15','+0x10 days');
SELECT datetime('2024-05-15','+464269060800 seconds'), datetime('2024-05-15','+464269060799 seconds'), datetime('2024-05-15','+7737817680 minutes'), datetime('2024-05-15','+128963628 hours'), datetime('2024-05-15','+5373485 days'), datetime('2024-05-15','+176546 months'), datetime('2024-05-15','+14713 years'), datetime('2024-05-15', '-14713 years'), datetime('2024-05-15', '+7975 years'), datetime('2024-05-15', '+7976 years');
--= T:2024-05-15 12:30:00|T:2024-05-14 11:29:14|T:2024-05-15 12:30:00|T:2024-05-15 00:00:00|N|N|T:2024-05-15 23:59:59.999| because SQLite 3.50 answers so
SELECT datetime('2024-05-15','+12:30'), datetime('2024-05-15','-12:30:45.5'), datetime('2024-05-15','12:30'), datetime('2024-05-15','+24:00'), datetime('2024-05-15','+1:30'), datetime('2024-05-15','+12:60'), datetime('2024-05-15','+23:59:59.999', 'subsec');
--= T:2025-06-16 00:00:00|T:2023-03-11 19:54:54|N|N|T:2026-05-15 00:00:00|N|T:2025-06-16 01:01:01.500|T:2025-06-16 00:00:00|N| because SQLite 3.50 answers so
SELECT datetime('2024-05-15','+0001-01-01'), datetime('2024-05-15','-0001-02-03 04:05:06'), datetime('2024-05-15','+0001-12-01'), datetime('2024-05-15','+0001-11-31'), datetime('2024-05-15','+0001-11-30 24:00'), datetime('2024-05-15','0001-01-01'), datetime('2024-05-15','+0001-01-01 01:01:01.5','subsec'), datetime('2024-05-15','+00001-01-01'),datetime('2024-05-15','+0001-01-01T01:01');
SELECT datetime('2024-05-15','utc'), datetime('2024-05-15','localtime'), datetime('2024-05-15','utc','utc'), datetime('2024-05-15','localtime','localtime'), datetime('2024-05-15','UTC ');
--= T:2024-05-15 12:00:00.123|T:2024-05-15 12:00:00.123|T:12:00:00.124|T:2024-05-15|R:1715774400.1229999|R:2460445.5|N| because SQLite 3.50 answers so
SELECT datetime('2024-05-15 12:00:00.123','subsec'), datetime('2024-05-15 12:00:00.123','subsecond'), time('12:00:00.1236','subsec'), date('2024-05-15','subsec'), unixepoch('2024-05-15 12:00:00.123','subsec'), julianday('2024-05-15','subsec'), datetime('2024-05-15 12:00:00.123','subseconds');
--= I:1715774400|I:-1|I:-210866760000|N|N|R:0|T:real| because SQLite 3.50 answers so
SELECT unixepoch('2024-05-15 12:00:00.999'), unixepoch('1969-12-31 23:59:59.5'), unixepoch(0), unixepoch('x'), unixepoch(NULL), unixepoch('1970-01-01','subsec'), typeof(unixepoch('1970-01-01','subsec'));
SELECT date(NULL), date('now',NULL), date(''), date('x'), date(x'32303234'), date('2024'), date('2024-1-1'), date('2024-01'), date('2024-13-01'), date('2024-00-01'), date('2024-01-00'), date('2024-01-32'), date('+2024-01-01'), date(' 2024-01-01'), date('2024-01-01 '), date('2024-01-01x');
SELECT time('25:00'), time('23:59:59.99999'), time('1:00'), time('01:0'), time('01:00:0'), time('01:00:00.'), time('01:00:00.1.2'), time('-01:00'), time('01:00 '), time('01:00x');
--= T:05| 5|06.789|2024-05-05|2024|24|04|04|126|2460435.670217465| 4| 4|05|05|AM|am|04:05|1714881906|06|04:05:06|7|18|18|0|18|2024|%| because SQLite 3.50 answers so
SELECT strftime('%d|%e|%f|%F|%G|%g|%H|%I|%j|%J|%k|%l|%m|%M|%p|%P|%R|%s|%S|%T|%u|%U|%V|%w|%W|%Y|%%','2024-05-05 04:05:06.789');
--= T:01| 1|00.000|2021-01-01|2020|20|00|12|001|2459215.5| 0|12|01|00|AM|am|00:00|1609459200|00|00:00:00|5|00|53|5|00|2021|%| because SQLite 3.50 answers so
SELECT strftime('%d|%e|%f|%F|%G|%g|%H|%I|%j|%J|%k|%l|%m|%M|%p|%P|%R|%s|%S|%T|%u|%U|%V|%w|%W|%Y|%%','2021-01-01 00:00:00');
--= T:31|31|59.999|2020-12-31|2020|20|12|12|366|2459215.041666655|12|12|12|59|PM|pm|12:59|1609419599|59|12:59:59|4|52|53|4|52|2020|%| because SQLite 3.50 answers so
SELECT strftime('%d|%e|%f|%F|%G|%g|%H|%I|%j|%J|%k|%l|%m|%M|%p|%P|%R|%s|%S|%T|%u|%U|%V|%w|%W|%Y|%%','2020-12-31 12:59:59.9996');
--= T:15|15|00.000|-044-03-15|-044|-44|23|11|075|1705063.458333333|23|11|03|00|PM|pm|23:00|-63549277200|00|23:00:00|4|11|11|4|11|-044|%| because SQLite 3.50 answers so
SELECT strftime('%d|%e|%f|%F|%G|%g|%H|%I|%j|%J|%k|%l|%m|%M|%p|%P|%R|%s|%S|%T|%u|%U|%V|%w|%W|%Y|%%','-0044-03-15 23:00:00');
SELECT strftime('%x','now'), strftime('%','now'), strftime('%a','2024-01-01'), strftime('%b','2024-01-01'), strftime('abc','2024-01-01'), strftime('','2024-01-01'), strftime(NULL,'2024-01-01'), strftime('%Y%','2024-01-01'), strftime('%Y',NULL), strftime(1,'2024-01-01');
SELECT strftime();
SELECT strftime('%Y') = strftime('%Y','now'), length(date()), length(time()), length(datetime()), typeof(julianday()), typeof(unixepoch());
--= T:2004-53|T:2004-53|T:2005-52|T:2007-01|T:2009-01|T:2009-53|T:01 00|T:53 52|T:366| because SQLite 3.50 answers so
SELECT strftime('%G-%V','2005-01-01'), strftime('%G-%V','2005-01-02'), strftime('%G-%V','2005-12-31'), strftime('%G-%V','2007-01-01'), strftime('%G-%V','2008-12-29'), strftime('%G-%V','2010-01-03'), strftime('%U %W','2023-01-01'), strftime('%U %W','2023-12-31'), strftime('%j','2024-12-31');
--= T:+0000-01-00 00:00:00.000|T:-0000-01-00 00:00:00.000|T:+0001-00-01 00:00:00.000|T:-0001-00-01 00:00:00.000|T:+0000-00-00 00:00:00.002|T:+0000-00-00 00:00:00.000| because SQLite 3.50 answers so
SELECT timediff('2024-03-01','2024-02-01'), timediff('2024-02-01','2024-03-01'), timediff('2024-02-29','2023-02-28'), timediff('2023-02-28','2024-02-29'), timediff('2024-01-01 00:00:00.001','2023-12-31 23:59:59.999'), timediff('2024-01-01','2024-01-01');
--= N|N|T:-0000-00-01 00:00:00.000|T:+9999-11-30 00:00:00.000|T:-9999-11-30 00:00:00.000|T:-0000-00-29 00:00:00.000|T:+0000-01-02 00:00:00.000| because SQLite 3.50 answers so
SELECT timediff('x','2024-01-01'), timediff('2024-01-01',NULL), timediff(0,1), timediff('9999-12-31','0000-01-01'), timediff('0000-01-01','9999-12-31'), timediff('2024-01-31','2024-02-29'), timediff('2024-03-31','2024-02-29');
--= error: wrong number of arguments to function timediff() because SQLite 3.50 answers so
SELECT timediff('2024-01-01');
--= error: wrong number of arguments to function timediff() because SQLite 3.50 answers so
SELECT timediff('2024-01-01','2024-01-01','x');
SELECT julianday('2024-05-15 12:34:56.789'), julianday('2024-05-15','+0.1 days'), julianday(2460000.123456789), julianday('12:00'), julianday('2000-01-01 12:00:00.0005');
SELECT datetime(2460446.123456789), datetime(2460446.9999999), time(0.5), time(0.25), date(0.9), time(2460446.999999999);
SELECT datetime('2024-05-15','1 month','1 year','-1 day','+1 hour','start of month','weekday 1');
SELECT datetime('2024-05-15','1','2'), datetime('2024-05-15','+1'), datetime('2024-05-15','1.'), datetime('2024-05-15','.5 day'), datetime('2024-05-15', 5);
SELECT date('2024-01-01', '+1 month', 'start of'), date('2024-01-01', 'start of '), date('2024-01-01', 'nosuch'), date('2024-01-01', '');
SELECT typeof(date('2024-01-01')), typeof(julianday('2024-01-01')), typeof(unixepoch('2024-01-01')), typeof(strftime('%s','2024-01-01')), typeof(strftime('%J','2024-01-01'));
CREATE TABLE t(a DEFAULT CURRENT_TIMESTAMP, b DEFAULT CURRENT_DATE, c DEFAULT CURRENT_TIME, d);
INSERT INTO t(d) VALUES(1);
SELECT length(a), length(b), length(c), a >= '2024', typeof(a) FROM t;
SELECT typeof(current_timestamp), length(current_date), length(current_time), current_timestamp = datetime('now');
CREATE INDEX i ON t(date(a));
CREATE INDEX i2 ON t(date('now'));
CREATE INDEX i3 ON t(date(d,'localtime'));
INSERT INTO t(a,d) VALUES('now',1);
INSERT INTO t(a,d) VALUES('2024-01-01',2);
CREATE TABLE u(a, b AS (date('now')));
CREATE TABLE u(a, b AS (date(a)));
INSERT INTO u(a) VALUES('2024-01-01'),(NULL);
INSERT INTO u(a) VALUES('now');
SELECT * FROM u;
CREATE TABLE w(a CHECK(a > date('now')));
CREATE TABLE w(a CHECK(a > date(a,'utc')));
INSERT INTO w VALUES('9');
CREATE TABLE w2(a CHECK(a <> current_timestamp));
SELECT date('now','localtime')=date('now','localtime');
SELECT datetime('2024-05-15 12:00','+01:00'), datetime('2024-05-15 12:00:00+01:00','utc'), datetime('2024-05-15 12:00:00+01:00','localtime');
--= T:2024-05-15|T:2024-12-31 23:59:59|T:59.999|T:59|T:1735689599| because SQLite 3.50 answers so
SELECT date('2024-05-15 23:59:59.9999'), datetime('2024-12-31 23:59:59.9995'), strftime('%f','2024-12-31 23:59:59.9995'), strftime('%S','2024-12-31 23:59:59.9995'), strftime('%s','2024-12-31 23:59:59.9995');
SELECT strftime('%J', '2024-05-15'), strftime('%J',0), strftime('%J', 2460000.25), strftime('%f', 2460000.123456);
SELECT strftime('%Y-%m-%d %H:%M:%S', 2460000.5, '+1 day', 'start of year', '+5 months');
SELECT date(1e400), date(-1e400), date(9e999,'unixepoch'), date(9223372036854775807,'unixepoch'), date(-9223372036854775808);
