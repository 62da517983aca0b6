# Formats: flags, widths, letters
SELECT format('%d|%5d|%-5d|%05d|%+d|% d|%,d|%+,d|%,15d|%-,15d|%015,d',42,42,42,42,42,42,1234567,1234567,1234567,1234567,1234567);
SELECT format('%i|%u|%u|%x|%X|%#x|%#X|%o|%#o',-5,5,-5,255,255,255,255,8,8);
SELECT format('%x|%o|%u',-1,-1,-1), format('%#x',0), format('%#o',0), format('%08x',255), format('%#08x',255), format('%-#8x|',255);
--= T:3.141590|3.14|     3.142|3.1       |+3.141590| 3.141590|0000003.14|1,234,567.891000|1,234,567.89|3|3.| because SQLite 3.50 answers so
SELECT format('%f|%.2f|%10.3f|%-10.1f|%+f|% f|%010.2f|%,f|%,.2f|%.0f|%#.0f',3.14159,3.14159,3.14159,3.14159,3.14159,3.14159,3.14159,1234567.891,1234567.891,2.5,2.5);
SELECT format('%e|%E|%.2e|%.0e|%#.0e|%15.3e|%-15.3e|%+e',12345.678,12345.678,12345.678,12345.678,12345.678,12345.678,12345.678,12345.678);
SELECT format('%g|%G|%.3g|%#g|%g|%g|%g|%g|%G',12345.678,1e20,12345.678,1.5,1e-5,1e-4,1e15,1e16,1e-10);
--= T:100000|1e+06|0.1|0.1|0.1|1.0e-01|T:0.1000000000000000055|T:0.10000000000000000000|T:0.10000000000000001|T:0.1|T:0.3333333333333333148| because SQLite 3.50 answers so
SELECT format('%g|%g|%g|%!g|%!f|%!e',100000,1000000,0.1,0.1,0.1,0.1), format('%!.20f',0.1), format('%.20f',0.1), format('%!.17g',0.1), format('%.17g',0.1), format('%!.30g',1.0/3);
SELECT format('%s|%10s|%-10s|%.2s|%10.2s|%-10.2s|','abc','abc','abc','abc','abc','abc');
SELECT format('%c|%5c|%-5c|%.3c|%c|%c','abc','abc','abc','abc',65,''), format('%c'), format('%.5c','é'), format('%!5c|','é');
SELECT format('%q|%Q|%w|%Q|%q|%w','it''s','it''s','a"b',NULL,NULL,NULL);
SELECT format('%10q|%-10q|%.2q|%10Q|%.2Q|%.2w','it''s','it''s','it''s','it''s','it''s','a"b');
--= T:a\u000ab|unistr('a\u000ab')|T:'a\b'|T:'plain'|T:\u0001\u0002\u001f\x7f| because SQLite 3.50 answers so
SELECT format('%#q|%#Q', 'a'||char(10)||'b','a'||char(10)||'b'), format('%#Q','a\b'), format('%#Q','plain'), format('%#q', char(1,2,31,127));
SELECT format('%z|%z','abc',5), format('%p',255), format('%n'), format('%n',5)||'x', format('%y',1), format('%'), format('%%'), format('100%'), format('%-'), format('%5');
SELECT format('%d','abc'), format('%d','12abc'), format('%d',1.9), format('%d',-1.9), format('%d',1e20), format('%d',NULL), format('%d',x'31'), format('%d'), format('%d','1e3'), format('%d',' 5'), format('%d','0x10');
--= T:0.000000|T:1.500000|T:0.000000|T:0.000000|T:5.000000|T:Inf|T:-Inf|T:+Inf|T:       Inf||T:Inf       ||T:90000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000...(1007)|T:Inf|T:-Inf|T:Inf| because SQLite 3.50 answers so
SELECT format('%f','abc'), format('%f','1.5x'), format('%f',NULL), format('%f'), format('%f',5), format('%f',9e999), format('%f',-9e999), format('%+f',9e999), format('%10f|',9e999), format('%-10f|',9e999), format('%010f',9e999), format('%e',9e999), format('%g',-9e999), format('%,f',9e999);
SELECT format('%s',NULL), format('%s'), format('%s',1.5), format('%s',5), format('%s',x'414200'), format('%s','a'||char(0)||'b'), length(format('%s','a'||char(0)||'b'));
SELECT format('%*d|%-*d|%*.*f|%.*s',5,42,5,42,10,2,3.14159,2,'abcdef'), format('%*d',-5,42)||'|', format('%.*f',-1,3.14159), format('%*s','x','y'), format('%*d',NULL,3);
SELECT format('%ld|%lld|%llld|%hd|%lf',1,2,3,4,5);
SELECT format('%1$s','a'), format('%2$s %1$s','a','b');
SELECT format('%''d',1234567), format('%_d',1234567), format('%!d',5), format('%!s','héllo'), format('%5.2s|','héllo'), format('%!5.2s|','héllo'), format('%-7s|','héé'), format('%!-7s|','héé');
SELECT format(NULL), format(NULL,1), format(), format(''), format(5), format(1.5), format(x'2573','q'), typeof(format('')), typeof(format(NULL));
SELECT printf('%d items', 3), printf('%s'), printf('%d %d',1);
SELECT format('%.0d|%.5d|%8.5d|%-8.5d|%+.5d',0,42,42,42,42), format('%.3x|%#.5x|%.0x',10,10,0), format('%.50d',5);
SELECT format('%d',9223372036854775807), format('%d',-9223372036854775808), format('%u',-9223372036854775808), format('%,d',-9223372036854775808), format('%,u',18446744073709551615);
--= T:0.1|0.1|0.1|0.1|T:1e+100|T:1000000000000000.000|T:1000000000000000000.000000|T:123456789012345700.000000|T:0.0000000001|T:0.1|T:0.3|T:0.3|T:1|T:2| because SQLite 3.50 answers so
SELECT format('%.15g|%.16g|%.17g|%.18g',0.1,0.1,0.1,0.1), format('%.15g',1e100), format('%.3f',1e15), format('%f',1e18), format('%f',123456789012345678), format('%.10f',1e-10), format('%.1f',0.05), format('%.1f',0.25), format('%.1f',0.35), format('%.0f',0.5), format('%.0f',1.5);
--= T:1.00|T:2.67|T:0.1|T:0.99|T:1.000|T:10|T:100|T:100.00|T:1000.00|T:100.0|| because SQLite 3.50 answers so
SELECT format('%.2f',1.005), format('%.2f',2.675), format('%.1f',0.15), format('%.2f',0.995), format('%.3f',1.0005), format('%.0f',9.5), format('%.0f',99.5), format('%.2f',99.995), format('%.2f',999.995), format('%5.1f|',99.95);
SELECT format('%f',0.0), format('%f',-0.0), format('%g',0.0), format('%e',0.0), format('%.0e',0.0), format('%g',-0.0), format('%+g',0.0), format('%!g',0.0), format('%#g',0.0), format('%.0g',0.0);
SELECT format('%e',1e-300), format('%g',1e300), format('%e',5e-324), format('%g',1.7976931348623157e308), format('%.3e',9.9996), format('%.3g',9996.0), format('%.3g',0.00099996), format('%g',999999.5), format('%g',99999.95);
--= T:1,234.50|-1,234,567.800|999.000000|999|1,000|-1,000|T:12d687|T:4553207|T:1234567|T:1.234567e+06|T:123,456|T:1,234,567| because SQLite 3.50 answers so
SELECT format('%,.2f|%,.3f|%,f|%,d|%,d|%,d',1234.5,-1234567.8,999.0,999,1000,-1000), format('%,x',1234567), format('%,o',1234567), format('%,s','1234567'), format('%,e',1234567.0), format('%,g',123456.0), format('%,u',1234567);
--= N|N|T:+1,234.6|T: 1,234|T:+0000005|T:00000005||T: 5|T:+5|T:00000005|| because SQLite 3.50 answers so
SELECT format('%08,d',1234), format('%012,.2f',1234.5), format('%+,.1f',1234.56), format('% ,d',1234), format('%0+8d',5), format('%-08d|',5), format('%+ d',5), format('% +d',5), format('%0-8d|',5);
SELECT format('%-+8d|% 08d|%+08d|%08.3d|%+08.3f|% 08.3f',5,5,5,5,5.0,5.0), format('%#d',5), format('%#s','x'), format('%#f',5.0), format('%#.0f',5.0), format('%#e',5.0);
SELECT format('%s %s %s','a','b'), format('%s','a','b'), format('x%sy%sz','1','2'), format('%d%%',50), format('%5%|'), format('%-5%|'), format('%05%');
SELECT format('%10c|%-10c|%010c','x','x','x'), format('%.0c','x'), format('%.10c','ab'), format('%c',NULL), format('%c',x'4142'), format('%c',5.5), format('%!.3c','é');
SELECT format('%q',5), format('%Q',5), format('%Q',5.5), format('%Q',x'4142'), format('%w',5), format('%Q',''), format('%q',''), format('%Q','''');
SELECT format('%!.3q','héé''x'), format('%!.3Q','héé''x'), format('%.3q','''''''a'), format('%5.2w|','"x');
SELECT format('%s',1e15), format('%s',1e16), format('%s',0.1+0.2), format('%s',-0.0), format('%s',9e999), format('%d',9e999), format('%d',-9e999), format('%x',1e20), format('%x',1.5), format('%x','ff');
SELECT format('%lld%%%s',5,'x'), format('%-10lld|',5), format('%l',5), format('%ll',5), format('%h',5), format('%lq','x''y'), format('%ls','x');
SELECT format('%r',1), format('%r %r %r %r %r %r',1,2,3,4,11,112), format('%S',5), format('%T',5), format('%J',1);
SELECT format('%99999d',1) IS NULL, length(format('%9999d',1)), length(format('%.9999d',1)), length(format('%2000000000d',1));
SELECT length(format('%-2000s|','x')), length(format('%.1000000s','x')), length(format('%1000000s','x')), length(format('%*d',100000,5)), length(format('%0100d',5)), length(format('%0100.2f',5.0));
SELECT format('%+s','x'), format('% s|','x'), format('%05s|','x'), format('%-05s|','x'), format('%05q|','x'), format('%05c|','x');
SELECT quote(format('%c%c',0,1)), quote(format('%s',char(0))), hex(format('%c','')), hex(format('%s',x'00'));
SELECT format('%#.3g|%#.10g|%#g',1.0,1.0,100000.0), format('%!.3g|%!.10g|%!g',1.0,1.0,100000.0), format('%!e|%!.0e|%!#.0e',1.0,1.0,1.0), format('%!f|%!.0f|%!.1f',1.0,1.0,1.0);
--= T:3.3e-01 3.33333e-01 3.3333333333e-01 3.333333333333333e-01 3.3333333333333330e-01 3.33333333333333300000e-01|T:3.333333333333333148e-01|T:0.6666666666666666|T:0.6666666666666666296| because SQLite 3.50 answers so
SELECT format('%.1e %.5e %.10e %.15e %.16e %.20e',1.0/3,1.0/3,1.0/3,1.0/3,1.0/3,1.0/3), format('%!.20e',1.0/3), format('%.20g',2.0/3), format('%!.20g',2.0/3);
--= R:1|R:3|R:-3|R:1|R:1000000000000001|R:123|R:1.3|R:1.3999999999999999|R:9e+18|R:1.5|R:1.6000000000000001|N|N|R:0|R:1.0000000000000001e+300|R:0.10000000000000001|R:5|T:real|R:2147483648|R:4503599627370496|R:0| because SQLite 3.50 answers so
SELECT round(1.005,2), round(2.5), round(-2.5), round(0.5), round(1e15+0.5), round(123.456,-1), round(1.25,1), round(1.35,1), round(9e18), round(1.5,400), round('1.55',1), round(NULL), round(1,NULL), round('abc'), round(1e300,2), round(0.1,30), round(5), typeof(round(5)), round(2147483647.5), round(4503599627370496.5), round(-0.4);
SELECT length(printf('%,.*d',1e10,10));
--= T:4.635433121385712184e+03|T:-7.480500162705525327e+02|T:9.22337203685477581e+18|T:-1.245226439460023501e+19|T:9.5093843548664378e-08|T:6.486268479950911115e+02|T:5.546214893808592538e-36| because SQLite 3.50 answers so
SELECT quote(4635.4331213857124938), quote(-748.0500162705525), quote(9223372036854775808.0), quote(-12452264394600235117.0), quote(0.0000000950938435486643794), quote(648.6268479950911), quote(5.5462148938085925e-36);
--= T:9.99999999999999955e-08|17316905148740192260.0|4.275674236661707255e+02|T:994.691441259164| because SQLite 3.50 answers so
SELECT format('%!.20g|%!.20g|%!.18e', 0.0000001, 17316905148740191756.0, 427.5674236661707), format('%.15g', 994.6914412591639);
