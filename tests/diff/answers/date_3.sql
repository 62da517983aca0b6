# Dates: letters, modifiers, limits
--= T: 5|09.123|2025|25|07| 7| 7|AM|am|07:08|07:08:09|09|3|10|2025-03-05|07|064|2460739.797327812|03|08|1741158489|09|3|09|2025|%|05| because SQLite 3.50 answers so
SELECT strftime('%e|%f|%G|%g|%I|%k|%l|%p|%P|%R|%T|%U|%u|%V|%F|%H|%j|%J|%m|%M|%s|%S|%w|%W|%Y|%%|%d','2025-03-05 07:08:09.123');
--= T:2025-W01-1| T:2020-W53-7| T:2020-W53-4| T:2026-W53-5| T:0001-W01-1| T:9999-W52-5| because SQLite 3.50 answers so
SELECT strftime('%G-W%V-%u', d) FROM (SELECT '2024-12-30' d UNION ALL SELECT '2021-01-03' UNION ALL SELECT '2020-12-31' UNION ALL SELECT '2027-01-01' UNION ALL SELECT '0001-01-01' UNION ALL SELECT '9999-12-31');
--= T:52 53 366| T:01 00 001| T:00 01 001| T:01 01 007| because SQLite 3.50 answers so
SELECT strftime('%U %W %j', d) FROM (SELECT '2024-12-31' d UNION ALL SELECT '2023-01-01' UNION ALL SELECT '2024-01-01' UNION ALL SELECT '2024-01-07');
--= T:12 12 AM am| T:11 11 AM am| T:12 12 PM pm| T:01  1 PM pm| T:11 11 PM pm| because SQLite 3.50 answers so
SELECT strftime('%I %l %p %P', t) FROM (SELECT '00:00' t UNION ALL SELECT '11:59' UNION ALL SELECT '12:00' UNION ALL SELECT '13:05' UNION ALL SELECT '23:59:59');
SELECT strftime('%q','2024-01-01'), strftime('%','2024-01-01'), strftime('abc%'), strftime('%Z','2024-01-01'), strftime('%a','2024-01-01');
SELECT strftime('%D','2024-01-01'), strftime('%C','2024-01-01'), strftime('%h','2024-01-01'), strftime('%n','2024-01-01'),strftime('%y','2024-01-01'), strftime('%t','2024-01-01');
SELECT strftime(NULL,'2024-01-01'), strftime('%Y',NULL), strftime(), strftime('');
SELECT strftime('%Y');
SELECT strftime('','2024-01-01'), strftime(5,'2024-01-01'), strftime(x'2559','2024-01-01');
--= T:2024-03-02|T:2024-02-29|T:2024-03-02| because SQLite 3.50 answers so
SELECT date('2024-01-31','+1 month'), date('2024-01-31','+1 month','floor'), date('2024-01-31','+1 month','ceiling');
--= T:2025-03-01|T:2025-02-28|T:2028-02-29| because SQLite 3.50 answers so
SELECT date('2024-02-29','+1 year'), date('2024-02-29','+1 year','floor'), date('2024-02-29','+4 year','floor');
--= T:2024-01-31|T:2024-02-29|T:2024-03-01|T:2024-03-01|T:2023-02-28| because SQLite 3.50 answers so
SELECT date('2024-01-31','floor'), date('2024-02-30','floor'), date('2024-02-30','ceiling'), date('2024-02-30'), date('2023-02-31','floor');
--= T:2024-02-29|T:2024-03-02|T:2024-08-01| because SQLite 3.50 answers so
SELECT date('2024-03-31','-1 month','floor'), date('2024-03-31','-1 month','ceiling'), date('2024-05-31','+1 month','+1 month','floor');
--= T:2024-01-01 00:00:00.000|T:2024-01-01 01:02:03.456|T:12:00:00.500|R:1704067200.25|T:2024-01-01| because SQLite 3.50 answers so
SELECT datetime('2024-01-01','subsec'), datetime('2024-01-01 01:02:03.456','subsecond'), time('12:00:00.5','subsec'), unixepoch('2024-01-01 00:00:00.25','subsec'), date('2024-01-01','subsec');
--= I:1704067200|T:real|T:integer| because SQLite 3.50 answers so
SELECT unixepoch('2024-01-01 00:00:00.25'), typeof(unixepoch('2024-01-01','subsec')), typeof(unixepoch('2024-01-01'));
SELECT datetime(0,'auto'), datetime(1700000000,'auto'), datetime(2460000.5,'auto'), datetime(5373484.5,'auto'), datetime(5373485,'auto'), datetime(-1,'auto'), datetime(-210866760000,'auto'), datetime(-210866760001,'auto'), datetime(253402300799,'auto'), datetime(253402300800,'auto');
SELECT datetime('0','auto'), datetime('1700000000','auto'), datetime('2024-01-01','auto');
--= T:2023-11-14 22:13:20|T:2023-11-14 22:13:20.500|T:2023-11-14 22:13:20|N|N| because SQLite 3.50 answers so
SELECT datetime(1700000000,'unixepoch'), datetime(1700000000.5,'unixepoch','subsec'), datetime('1700000000','unixepoch'), datetime('abc','unixepoch'), datetime(1e20,'unixepoch');
SELECT datetime(2460000.5,'julianday'), datetime('2460000.5','julianday'), datetime('2024-01-01','julianday'), datetime('2024-01-01','unixepoch');
SELECT datetime(2460000.5,'+1 day','julianday'), datetime(2460000.5,'+1 day','auto'), datetime(1700000000,'+1 day','unixepoch');
--= T:+0000-01-00 00:00:00.000|T:-0000-01-00 00:00:00.000|T:+0001-00-01 00:00:00.000|T:-0001-00-01 00:00:00.000| because SQLite 3.50 answers so
SELECT timediff('2024-03-01','2024-02-01'), timediff('2024-02-01','2024-03-01'), timediff('2024-02-29','2023-02-28'), timediff('2023-02-28','2024-02-29');
--= T:+0000-00-00 00:00:00.002|T:+0000-00-00 01:00:00.000|T:-0000-00-01 00:00:00.000|N|N|T:+0000-00-00 00:00:00.000| because SQLite 3.50 answers so
SELECT timediff('2024-01-01 00:00:00.001','2023-12-31 23:59:59.999'), timediff('12:00','11:00'), timediff(0,1), timediff(NULL,1), timediff('x','2024-01-01'), timediff('2024-01-01','2024-01-01');
--= T:+9999-11-30 00:00:00.000|T:-9999-11-30 00:00:00.000|T:+0000-03-02 00:00:00.000| because SQLite 3.50 answers so
SELECT timediff('9999-12-31','0000-01-01'), timediff('0000-01-01','9999-12-31'), timediff('2024-05-31','2024-02-29');
--= error: wrong number of arguments to function timediff() because SQLite 3.50 answers so
SELECT timediff('2024-01-01');
--= error: wrong number of arguments to function timediff() because SQLite 3.50 answers so
SELECT timediff(1,2,3);
--= T:2025-03-04|T:2022-10-29|T:2025-03-04 04:05:00|T:2025-03-04 04:05:06|T:2025-03-04 04:05:06.789| because SQLite 3.50 answers so
SELECT date('2024-01-01','+0001-02-03'), date('2024-01-01','-0001-02-03'), datetime('2024-01-01','+0001-02-03 04:05'), datetime('2024-01-01','+0001-02-03 04:05:06'), datetime('2024-01-01','+0001-02-03 04:05:06.789','subsec');
SELECT date('2024-01-01','+0001-12-03'), date('2024-01-01','+0001-11-32'), date('2024-01-01','0001-02-03'), date('2024-01-01','+001-02-03'), date('2024-01-01','+0001-2-3');
--= N|T:13:30:00|T:10:29:30|T:13:30:00|N|N|T:13:30:30.500| because SQLite 3.50 answers so
SELECT time('12:00','+1:30'), time('12:00','+01:30'), time('12:00','-01:30:30'), time('12:00','01:30'), time('12:00','+25:00'), time('12:00','+01:60'), time('12:00','+01:30:30.5','subsec');
--= T:2024-01-02|T:2024-01-01 01:30:00|T:2024-02-16 00:00:00|T:2022-07-02 12:00:00|T:2024-01-01 01:30:30|T:2024-01-01 00:00:00.250| because SQLite 3.50 answers so
SELECT date('2024-01-01','+1.5 days'), datetime('2024-01-01','+1.5 hours'), datetime('2024-01-01','+1.5 months'), datetime('2024-01-01','-1.5 years'), datetime('2024-01-01','+90.5 minutes'), datetime('2024-01-01','+0.25 seconds','subsec');
SELECT date('2024-01-01','1 day'), date('2024-01-01','1day'), date('2024-01-01','+ 1 day'), date('2024-01-01','+1  day'), date('2024-01-01',' +1 day'), date('2024-01-01','+1 day '), date('2024-01-01','+1 DAYS'), date('2024-01-01','+1 dayss'), date('2024-01-01','+1'), date('2024-01-01','1');
SELECT date('2024-01-01','weekday 0'), date('2024-01-01','weekday 1'), date('2024-01-01','weekday 6'), date('2024-01-01','weekday 7'), date('2024-01-01','weekday -1'), date('2024-01-01','weekday 1.5'), date('2024-01-01','weekday'), date('2024-01-01','weekday  3'), date('2024-01-01','weekday3');
SELECT datetime('2024-05-15 12:34:56','start of month'), datetime('2024-05-15 12:34:56','start of year'), datetime('2024-05-15 12:34:56','start of day'), datetime('2024-05-15','start of week'), datetime('2024-05-15','start of'), datetime('2024-05-15','START OF MONTH');
SELECT datetime('2024-01-01 12:00:00Z'), datetime('2024-01-01 12:00:00 Z'), datetime('2024-01-01 12:00:00+02:00'), datetime('2024-01-01 12:00:00 -05:30'), datetime('2024-01-01 12:00:00+0200'), datetime('2024-01-01 12:00:00+14:00'), datetime('2024-01-01 12:00:00+15:00'), datetime('2024-01-01T12:00'), datetime('2024-01-01T12'), datetime('2024-01-01 12:00:00z');
SELECT datetime('2024-01-01t12:00'), datetime('2024-01-01  12:00'), datetime('2024-01-01 12:00 '), datetime(' 2024-01-01'), datetime('2024-01-01x'), datetime('2024-1-1'), datetime('24-01-01'), datetime('-2024-01-01'), datetime('02024-01-01'), datetime('+2024-01-01'), datetime('-0001-01-01');
--= N|N|N|N|T:2024-03-02|T:2024-05-01|T:2023-03-01| because SQLite 3.50 answers so
SELECT date('2024-13-01'), date('2024-00-01'), date('2024-01-00'), date('2024-01-32'), date('2024-02-31'), date('2024-04-31'), date('2023-02-29');
SELECT time('24:00'), time('23:60'), time('23:59:60'), time('23:59:59.9999'), time('1:00'), time('01:0'), time('00:00:00.'), time('12:34:56.');
SELECT julianday('2024-01-01'), julianday('-4713-11-24 12:00'), julianday('0000-01-01'), julianday('9999-12-31 23:59:59'), julianday(0), julianday(5373484.5), julianday(5373485), julianday(-1);
SELECT datetime(2460000), datetime('2460000'), datetime(2460000.7), date(0), date(-0.5), date('now') IS NOT NULL, date('NOW') IS NOT NULL, date('now ') , date(' now');
SELECT date(), date('now')=date(), time('now')=time() OR 1, julianday() > 2460000, unixepoch() > 1700000000, datetime() IS NOT NULL;
SELECT date('2024-01-01','localtime')=date('2024-01-01') OR 1, datetime('2024-06-01','utc') IS NOT NULL, datetime('2024-06-01','utc','utc')=datetime('2024-06-01','utc'), datetime('2024-06-01','localtime','localtime')=datetime('2024-06-01','localtime');
SELECT date('2024-01-01',NULL), date(NULL), date(x'323032342d30312d3031'), date('2024-01-01',''), date('2024-01-01','xyz'), date('');
SELECT date('9999-12-31','+1 day'), date('0000-01-01','-1 day'), date('-4713-11-24'), date('2024-01-01','+100000 years'), date('2024-01-01','-7000 years'), date('2024-01-01','+14713 years'), date('2024-01-01','+1e10 days');
SELECT datetime('2024-01-01','+1000000000000 seconds'), datetime('2024-01-01','-464269060800 seconds'), datetime('2024-01-01','464269060799 seconds'), datetime('2024-01-01','+464269060800 seconds');
SELECT datetime('2024-01-01','+5373485 days'), datetime('2024-01-01','+5373484 days'), datetime('2024-01-01','+128963628 hours'), datetime('2024-01-01','+176546 months'), datetime('2024-01-01','+14713 years');
--= T:null|T:real|R:2460311|R:2460310.5| because SQLite 3.50 answers so
SELECT typeof(julianday('x')), typeof(julianday('2024-01-01')), julianday('2024-01-01 12:00'), julianday('2024-01-01','subsec');
SELECT strftime('%s','2024-01-01'), typeof(strftime('%s','2024-01-01')), strftime('%s','1969-12-31 23:59:59'), strftime('%J','2024-01-01 12:00'), strftime('%J','2024-01-01'), strftime('%f','2024-01-01 00:00:59.9996'), strftime('%S','2024-01-01 00:00:59.9996');
--= T:1704067200.500|T:1704067200.567|T:00.123|T:2023-11-14T22:13:20.123Z| because SQLite 3.50 answers so
SELECT strftime('%s','2024-01-01 00:00:00.5','subsec'), strftime('%s','2024-01-01 00:00:00.567','subsec'), strftime('%f','12:00:00.1234567'), strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000.123, 'unixepoch');
--= T:-001|N|T:-4713-11-24|T:0099-01-01|T:-976| because SQLite 3.50 answers so
SELECT strftime('%Y','-0001-01-01'), strftime('%Y', -1000), strftime('%Y-%m-%d', 0), strftime('%F','0099-01-01'), strftime('%Y', '2024-01-01','-3000 years');
SELECT datetime('12:00'), datetime('12:00:30.5'), date('12:00');
--= T:2024-01-01 23:59:59|T:2024-01-01 23:59:59.999|T:23:59:59.999|T:2024-12-31| because SQLite 3.50 answers so
SELECT datetime('2024-01-01 23:59:59.9999'), datetime('2024-01-01 23:59:59.9999','subsec'), time('2024-12-31 23:59:59.99951','subsec'), date('2024-12-31 23:59:59.9999');
SELECT current_date = date(), current_time IS NOT NULL, current_timestamp IS NOT NULL, typeof(current_date);
SELECT date('2024-01-01','auto','+1 day'), date(2460000,'auto','+1 day'), date('2024-01-01','+1 day','auto');
SELECT date(1, 'unixepoch', 'unixepoch'), date('2024-01-01', 'unixepoch'), date(2460000, 'julianday', 'julianday');
SELECT datetime('2024-01-01 00:00','+1 month','-1 month'), datetime('2024-03-31','+1 months'), datetime('2024-01-30','+1 months','+1 days');
SELECT unixepoch('now') = unixepoch(), unixepoch('x'), unixepoch(NULL), unixepoch(2460000.5), unixepoch(0);
--= R:1704067201|I:-62167219200|I:253402300799|I:0| because SQLite 3.50 answers so
SELECT unixepoch('2024-01-01','+1 second','subsec'), unixepoch('0000-01-01'), unixepoch('9999-12-31 23:59:59'), unixepoch('1970-01-01 00:00:00.999');
SELECT date(1e308), date(9e999), date(-9e999), date(CAST('nan' AS REAL)), date(''), date('  '), date('2024'), date('2024-01');
SELECT date(20240101), date('20240101'), date(2024.5), date('1e5'), date(' 5 '), date('5 '), date(' 5'), date('0x10'), date('1_000');
SELECT date('2024-01-01','+1 day','+1 month','+1 year','weekday 1','start of month','-1 second');
SELECT datetime('2024-01-01','+23:59:59.999'), datetime('2024-01-01','+24:00'), datetime('2024-01-01','-00:00:01'), datetime('2024-01-01','+00:00:60');
SELECT datetime(CAST(1700000000 AS TEXT),'auto'), datetime(1.7e9,'auto'), datetime('1.7e9','auto'), datetime('1.7e9','unixepoch');
--= T:2024-01-01 12:34:56.789|T:2024-01-01 12:34:56.789|T:2024-01-01 12:34:56.790| because SQLite 3.50 answers so
SELECT datetime('2024-01-01 12:34:56.789', '+0 days', 'subsec'), datetime('2024-01-01 12:34:56.7894', 'subsec'), datetime('2024-01-01 12:34:56.7896', 'subsec');
SELECT date('2024-01-01','+1 week'), date('2024-01-01','+1 weeks'), date('2024-01-01','+1 quarter'), date('2024-01-01','+1 century'), date('2024-01-01','+1 sec'), date('2024-01-01','+1 min');
--= T:2024-03-01|T:2024-07-01|R:2460370.5|T:02| because SQLite 3.50 answers so
SELECT date('2024-02-30','+0 days'), date('2024-06-31'), julianday('2024-02-30'), strftime('%d','2024-02-31');
WITH RECURSIVE d(j) AS (SELECT 1721060 UNION ALL SELECT j+1237.25 FROM d WHERE j<5373484) SELECT count(*), group_concat(date(j)||time(j)||strftime('%J%j%W',j)) FROM d;
SELECT date('2024-03-05', '+3 DAYS'), date('2024-03-05', '+3 dayss'), date('2024-03-05', '-1 Months'), date('2024-03-05', '1 sec'), datetime('2024-03-05', '1 SECOND'), datetime('2024-03-05', '+1.5 hourS'), date('2024-03-05', '1 weeks'), date(0, 'UnixEpoch'), date(0, 'unixepochs'), date(0, 'unixepocH', 'Start Of Year'), date(0, 'start of yea'), time('12:00', 'Utc');
# Seconds with more digits than a double can count
SELECT time('12:30:45.678'||hex(zeroblob(150))), time('12:30:45.678'||hex(zeroblob(160))), unixepoch('2000-01-01 00:00:01.9'||hex(zeroblob(154)), 'subsec');
