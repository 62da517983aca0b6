#include "tpch.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

// Indexed are the primary and foreign keys, as clause 1.4.2.3 allows.
const struct tpch_table tpch_tables[8] = {
    {"region", "CREATE TABLE region(r_regionkey INTEGER PRIMARY KEY, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152))", 3},
    {"nation",
     "CREATE TABLE nation(n_nationkey INTEGER PRIMARY KEY, n_name CHAR(25) NOT NULL, "
     "n_regionkey INTEGER NOT NULL REFERENCES region, n_comment VARCHAR(152)); "
     "CREATE INDEX nation_region ON nation(n_regionkey)",
     4},
    {"part",
     "CREATE TABLE part(p_partkey INTEGER PRIMARY KEY, p_name VARCHAR(55) NOT NULL, p_mfgr CHAR(25) NOT NULL, "
     "p_brand CHAR(10) NOT NULL, p_type VARCHAR(25) NOT NULL, p_size INTEGER NOT NULL, p_container CHAR(10) NOT NULL, "
     "p_retailprice DECIMAL(15,2) NOT NULL, p_comment VARCHAR(23) NOT NULL)",
     9},
    {"supplier",
     "CREATE TABLE supplier(s_suppkey INTEGER PRIMARY KEY, s_name CHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, "
     "s_nationkey INTEGER NOT NULL REFERENCES nation, s_phone CHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, "
     "s_comment VARCHAR(101) NOT NULL); "
     "CREATE INDEX supplier_nation ON supplier(s_nationkey)",
     7},
    {"partsupp",
     "CREATE TABLE partsupp(ps_partkey INTEGER NOT NULL REFERENCES part, ps_suppkey INTEGER NOT NULL REFERENCES supplier, "
     "ps_availqty INTEGER NOT NULL, ps_supplycost DECIMAL(15,2) NOT NULL, ps_comment VARCHAR(199) NOT NULL, "
     "PRIMARY KEY(ps_partkey, ps_suppkey)); "
     "CREATE INDEX partsupp_supplier ON partsupp(ps_suppkey)",
     5},
    {"customer",
     "CREATE TABLE customer(c_custkey INTEGER PRIMARY KEY, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, "
     "c_nationkey INTEGER NOT NULL REFERENCES nation, c_phone CHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, "
     "c_mktsegment CHAR(10) NOT NULL, c_comment VARCHAR(117) NOT NULL); "
     "CREATE INDEX customer_nation ON customer(c_nationkey)",
     8},
    {"orders",
     "CREATE TABLE orders(o_orderkey INTEGER PRIMARY KEY, o_custkey INTEGER NOT NULL REFERENCES customer, "
     "o_orderstatus CHAR(1) NOT NULL, o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, "
     "o_orderpriority CHAR(15) NOT NULL, o_clerk CHAR(15) NOT NULL, o_shippriority INTEGER NOT NULL, "
     "o_comment VARCHAR(79) NOT NULL); "
     "CREATE INDEX orders_customer ON orders(o_custkey)",
     9},
    {"lineitem",
     "CREATE TABLE lineitem(l_orderkey INTEGER NOT NULL REFERENCES orders, l_partkey INTEGER NOT NULL, "
     "l_suppkey INTEGER NOT NULL, l_linenumber INTEGER NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, "
     "l_extendedprice DECIMAL(15,2) NOT NULL, l_discount DECIMAL(15,2) NOT NULL, l_tax DECIMAL(15,2) NOT NULL, "
     "l_returnflag CHAR(1) NOT NULL, l_linestatus CHAR(1) NOT NULL, l_shipdate DATE NOT NULL, "
     "l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL, l_shipinstruct CHAR(25) NOT NULL, "
     "l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL, PRIMARY KEY(l_orderkey, l_linenumber), "
     "FOREIGN KEY(l_partkey, l_suppkey) REFERENCES partsupp); "
     "CREATE INDEX lineitem_part ON lineitem(l_partkey, l_suppkey)",
     16},
};
enum { REGION, NATION, PART, SUPPLIER, PARTSUPP, CUSTOMER, ORDERS, LINEITEM };

// ---- word lists (clause 4.2.2.13) -----------------------------------------------------------------------------

static const char *const regions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
static const struct {
    const char *name;
    u8 region;
} nations[] = {
    {"ALGERIA", 0}, {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1}, {"EGYPT", 4}, {"ETHIOPIA", 0}, {"FRANCE", 3},
    {"GERMANY", 3}, {"INDIA", 2}, {"INDONESIA", 2}, {"IRAN", 4}, {"IRAQ", 4}, {"JAPAN", 2}, {"JORDAN", 4},
    {"KENYA", 0}, {"MOROCCO", 0}, {"MOZAMBIQUE", 0}, {"PERU", 1}, {"CHINA", 2}, {"ROMANIA", 3}, {"SAUDI ARABIA", 4},
    {"VIETNAM", 2}, {"RUSSIA", 3}, {"UNITED KINGDOM", 3}, {"UNITED STATES", 1},
};
static const char *const colors[] = {
    "almond", "antique", "aquamarine", "azure", "beige", "bisque", "black", "blanched", "blue", "blush", "brown",
    "burlywood", "burnished", "chartreuse", "chiffon", "chocolate", "coral", "cornflower", "cornsilk", "cream", "cyan",
    "dark", "deep", "dim", "dodger", "drab", "firebrick", "floral", "forest", "frosted", "gainsboro", "ghost",
    "goldenrod", "green", "grey", "honeydew", "hot", "indian", "ivory", "khaki", "lace", "lavender", "lawn", "lemon",
    "light", "lime", "linen", "magenta", "maroon", "medium", "metallic", "midnight", "mint", "misty", "moccasin",
    "navajo", "navy", "olive", "orange", "orchid", "pale", "papaya", "peach", "peru", "pink", "plum", "powder", "puff",
    "purple", "red", "rose", "rosy", "royal", "saddle", "salmon", "sandy", "seashell", "sienna", "sky", "slate",
    "smoke", "snow", "spring", "steel", "tan", "thistle", "tomato", "turquoise", "violet", "wheat", "white", "yellow",
};
static const char *const types[3][6] = {
    {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"},
    {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"},
    {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"},
};
static const char *const containers[2][8] = {
    {"SM", "LG", "MED", "JUMBO", "WRAP"},
    {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"},
};
static const char *const segments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"};
static const char *const priorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
static const char *const instructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"};
static const char *const modes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
static const char *const words[] = {
    "foxes", "ideas", "theodolites", "pinto beans", "instructions", "dependencies", "excuses", "platelets", "asymptotes",
    "courts", "dolphins", "multipliers", "sauternes", "warthogs", "frets", "dinos", "attainments", "somas", "Tiresias",
    "patterns", "forges", "braids", "hockey players", "frays", "warhorses", "dugouts", "notornis", "epitaphs", "pearls",
    "tithes", "waters", "orbits", "gifts", "sheaves", "depths", "sentiments", "decoys", "realms", "pains", "grouches",
    "escapades", "packages", "requests", "accounts", "deposits", "sleep", "wake", "are", "cajole", "haggle", "nag", "use",
    "boost", "affix", "detect", "integrate", "maintain", "nod", "was", "lose", "sublate", "solve", "thrash", "promise",
    "engage", "hinder", "print", "x-ray", "breach", "eat", "grow", "impress", "mold", "poach", "serve", "run", "dazzle",
    "snooze", "doze", "unwind", "kindle", "play", "hang", "believe", "doubt", "furious", "sly", "careful", "blithe",
    "quick", "fluffy", "slow", "quiet", "ruthless", "thin", "close", "dogged", "daring", "brave", "stealthy", "permanent",
    "enticing", "idle", "busy", "regular", "final", "ironic", "even", "bold", "silent", "special", "express", "pending",
    "unusual", "sometimes", "always", "never", "furiously", "slyly", "carefully", "blithely", "quickly", "fluffily",
    "slowly", "quietly", "ruthlessly", "about", "above", "according to", "across", "after", "against", "along", "among",
};

// ---- random values ----------------------------------------------------------------------------------------------

struct generator {
    u64 state;
    struct tpch_value values[16];
    u32 at;
};

static u64 random_next(struct generator *g)
{
    u64 z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static s64 random_between(struct generator *g, s64 low, s64 high)
{
    return low + (s64)(random_next(g) % (u64)(high - low + 1));
}
#define PICK(g, list) ((list)[random_next(g) % COUNT_OF(list)])

static struct tpch_value *value_next(struct generator *g, enum tpch_type type)
{
    struct tpch_value *v = &g->values[g->at++];
    v->type = type;
    return v;
}
static void put_integer(struct generator *g, s64 i) { value_next(g, TPCH_INTEGER)->integer = i; }
static void put_cents(struct generator *g, s64 cents) { value_next(g, TPCH_REAL)->real = (double)cents / 100; }
static void put_text(struct generator *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_text(struct generator *g, const char *format, ...)
{
    struct tpch_value *v = value_next(g, TPCH_TEXT);
    va_list args;
    va_start(args, format);
    vsnprintf(v->text, sizeof v->text, format, args);
    va_end(args);
}
static void put_address(struct generator *g)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
    struct tpch_value *v = value_next(g, TPCH_TEXT);
    s64 size = random_between(g, 10, 40);
    for (s64 i = 0; i < size; i++) v->text[i] = letters[random_next(g) & 63];
    v->text[size] = 0;
}
static void put_comment(struct generator *g, s64 least, s64 most)
{
    struct tpch_value *v = value_next(g, TPCH_TEXT);
    s64 size = random_between(g, least, most), at = 0;
    while (at < size) {
        const char *word = PICK(g, words);
        int n = snprintf(v->text + at, sizeof v->text - (size_t)at, "%s%s", at ? " " : "", word);
        at = MIN(at + n, (s64)sizeof v->text - 1);
    }
    v->text[size] = 0;
}
static void put_phone(struct generator *g, s64 nation)
{
    put_text(g, "%lld-%lld-%lld-%lld", (long long)nation + 10, (long long)random_between(g, 100, 999),
             (long long)random_between(g, 100, 999), (long long)random_between(g, 1000, 9999));
}
// Days since 1992-01-01.
static void put_date(struct generator *g, s64 day)
{
    static const u8 months[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1992, month = 0;
    for (;; year++) {
        int size = year % 4 ? 365 : 366;
        if (day < size) break;
        day -= size;
    }
    for (;; month++) {
        int size = months[month] + (month == 1 && year % 4 == 0);
        if (day < size) break;
        day -= size;
    }
    put_text(g, "%d-%02d-%02d", year, month + 1, (int)day + 1);
}

// ---- tables (clause 4.2.3) -----------------------------------------------------------------------------------------

#define DAYS 2557       // 1992-01-01 to 1998-12-31
#define CURRENT_DAY 1263 // 1995-06-17

static s64 retail_cents(s64 part) { return 90000 + part / 10 % 20001 + 100 * (part % 1000); }
static s64 part_supplier(s64 part, s64 i, s64 suppliers)
{
    return (part + i * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1;
}

struct sink {
    tpch_row *row;
    void *context;
};
static void deliver(struct generator *g, const struct sink *k, u32 table)
{
    k->row(k->context, table, g->values, g->at);
    g->at = 0;
}

static void small_tables(struct generator *g, const struct sink *k)
{
    for (u32 i = 0; i < COUNT_OF(regions); i++) {
        put_integer(g, i);
        put_text(g, "%s", regions[i]);
        put_comment(g, 31, 115);
        deliver(g, k, REGION);
    }
    for (u32 i = 0; i < COUNT_OF(nations); i++) {
        put_integer(g, i);
        put_text(g, "%s", nations[i].name);
        put_integer(g, nations[i].region);
        put_comment(g, 31, 114);
        deliver(g, k, NATION);
    }
}

static void part_rows(struct generator *g, const struct sink *k, s64 parts, s64 suppliers)
{
    for (s64 key = 1; key <= parts; key++) {
        put_integer(g, key);
        u32 picked[5];
        for (u32 i = 0; i < 5; i++) {
            bool again;
            do {
                again = false;
                picked[i] = (u32)(random_next(g) % COUNT_OF(colors));
                for (u32 j = 0; j < i; j++) again |= picked[j] == picked[i];
            } while (again);
        }
        put_text(g, "%s %s %s %s %s", colors[picked[0]], colors[picked[1]], colors[picked[2]], colors[picked[3]],
                 colors[picked[4]]);
        int maker = (int)random_between(g, 1, 5);
        put_text(g, "Manufacturer#%d", maker);
        put_text(g, "Brand#%d%d", maker, (int)random_between(g, 1, 5));
        const char *first = types[0][random_next(g) % 6], *second = types[1][random_next(g) % 5];
        put_text(g, "%s %s %s", first, second, types[2][random_next(g) % 5]);
        put_integer(g, random_between(g, 1, 50));
        const char *size = containers[0][random_next(g) % 5];
        put_text(g, "%s %s", size, containers[1][random_next(g) % 8]);
        put_cents(g, retail_cents(key));
        put_comment(g, 5, 22);
        deliver(g, k, PART);
    }
    for (s64 key = 1; key <= parts; key++)
        for (s64 i = 0; i < 4; i++) {
            put_integer(g, key);
            put_integer(g, part_supplier(key, i, suppliers));
            put_integer(g, random_between(g, 1, 9999));
            put_cents(g, random_between(g, 100, 100000));
            put_comment(g, 49, 198);
            deliver(g, k, PARTSUPP);
        }
}

static void supplier_rows(struct generator *g, const struct sink *k, s64 suppliers)
{
    s64 marked = MAX(suppliers / 2000, 1); // of each kind, spread evenly
    for (s64 key = 1; key <= suppliers; key++) {
        put_integer(g, key);
        put_text(g, "Supplier#%09lld", (long long)key);
        put_address(g);
        s64 nation = random_between(g, 0, 24);
        put_integer(g, nation);
        put_phone(g, nation);
        put_cents(g, random_between(g, -99999, 999999));
        put_comment(g, 45, 100);
        s64 place = key % (suppliers / marked);
        const char *mark = place == 7 ? "Customer Complaints" : place == 9 ? "Customer Recommends" : NULL;
        if (mark) memcpy(g->values[6].text + random_between(g, 0, 20), mark, strlen(mark));
        deliver(g, k, SUPPLIER);
    }
}

static void customer_rows(struct generator *g, const struct sink *k, s64 customers)
{
    for (s64 key = 1; key <= customers; key++) {
        put_integer(g, key);
        put_text(g, "Customer#%09lld", (long long)key);
        put_address(g);
        s64 nation = random_between(g, 0, 24);
        put_integer(g, nation);
        put_phone(g, nation);
        put_cents(g, random_between(g, -99999, 999999));
        put_text(g, "%s", PICK(g, segments));
        put_comment(g, 29, 116);
        deliver(g, k, CUSTOMER);
    }
}

static void order_rows(struct generator *g, const struct sink *k, double scale, s64 customers, s64 parts, s64 suppliers)
{
    s64 orders = (s64)(scale * 1500000), clerks = MAX((s64)(scale * 1000), 1);
    for (s64 i = 0; i < orders; i++) {
        s64 key = i / 8 * 32 + i % 8 + 1; // the first 8 of each 32
        s64 customer;
        do customer = random_between(g, 1, customers);
        while (customer % 3 == 0);
        s64 day = random_between(g, 0, DAYS - 1 - 151);
        u32 lines = (u32)random_between(g, 1, 7), finished = 0;
        double total = 0;
        for (u32 line = 1; line <= lines; line++) {
            s64 part = random_between(g, 1, parts), quantity = random_between(g, 1, 50);
            s64 discount = random_between(g, 0, 10), tax = random_between(g, 0, 8);
            s64 ship = day + random_between(g, 1, 121), commit = day + random_between(g, 30, 90);
            s64 receipt = ship + random_between(g, 1, 30);
            s64 cents = quantity * retail_cents(part);
            total += (double)cents * (1 + (double)tax / 100) * (1 - (double)discount / 100);
            put_integer(g, key);
            put_integer(g, part);
            put_integer(g, part_supplier(part, random_between(g, 0, 3), suppliers));
            put_integer(g, line);
            put_cents(g, quantity * 100);
            put_cents(g, cents);
            put_cents(g, discount);
            put_cents(g, tax);
            put_text(g, "%s", receipt > CURRENT_DAY ? "N" : random_next(g) & 1 ? "R" : "A");
            put_text(g, "%s", ship > CURRENT_DAY ? "O" : "F");
            finished += ship <= CURRENT_DAY;
            put_date(g, ship);
            put_date(g, commit);
            put_date(g, receipt);
            put_text(g, "%s", PICK(g, instructions));
            put_text(g, "%s", PICK(g, modes));
            put_comment(g, 10, 43);
            deliver(g, k, LINEITEM);
        }
        put_integer(g, key);
        put_integer(g, customer);
        put_text(g, "%s", finished == lines ? "F" : finished ? "P" : "O");
        put_cents(g, (s64)round(total));
        put_date(g, day);
        put_text(g, "%s", PICK(g, priorities));
        put_text(g, "Clerk#%09lld", (long long)random_between(g, 1, clerks));
        put_integer(g, 0);
        put_comment(g, 19, 78);
        deliver(g, k, ORDERS);
    }
}

void tpch_generate(double scale, tpch_row *row, void *context)
{
    struct generator g = {.state = 19920101};
    struct sink k = {row, context};
    // With fewer suppliers part_supplier() would give a part the same one twice.
    s64 parts = MAX((s64)(scale * 200000), 8), suppliers = MAX((s64)(scale * 10000), 240);
    s64 customers = MAX((s64)(scale * 150000), 3);
    small_tables(&g, &k);
    part_rows(&g, &k, parts, suppliers);
    supplier_rows(&g, &k, suppliers);
    customer_rows(&g, &k, customers);
    order_rows(&g, &k, scale, customers, parts, suppliers);
}

// ---- queries (clause 2.4) --------------------------------------------------------------------------------------------

const struct tpch_query tpch_queries[22] = {
    {"q01",
     "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,"
     " sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,"
     " sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty,"
     " avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order"
     " FROM lineitem WHERE l_shipdate <= date('1998-12-01', '-90 days')"
     " GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus"},
    {"q02",
     "SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment"
     " FROM part, supplier, partsupp, nation, region"
     " WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS'"
     " AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE' AND ps_supplycost ="
     " (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region WHERE p_partkey = ps_partkey"
     " AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE')"
     " ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100"},
    {"q03",
     "SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority"
     " FROM customer, orders, lineitem WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey"
     " AND l_orderkey = o_orderkey AND o_orderdate < '1995-03-15' AND l_shipdate > '1995-03-15'"
     " GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10"},
    {"q04",
     "SELECT o_orderpriority, count(*) AS order_count FROM orders WHERE o_orderdate >= '1993-07-01'"
     " AND o_orderdate < date('1993-07-01', '+3 months') AND EXISTS"
     " (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)"
     " GROUP BY o_orderpriority ORDER BY o_orderpriority"},
    {"q05",
     "SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue"
     " FROM customer, orders, lineitem, supplier, nation, region WHERE c_custkey = o_custkey"
     " AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey"
     " AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'"
     " AND o_orderdate >= '1994-01-01' AND o_orderdate < date('1994-01-01', '+1 year')"
     " GROUP BY n_name ORDER BY revenue DESC"},
    {"q06",
     "SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= '1994-01-01'"
     " AND l_shipdate < date('1994-01-01', '+1 year') AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"},
    {"q07",
     "SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue FROM"
     " (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, strftime('%Y', l_shipdate) AS l_year,"
     " l_extendedprice * (1 - l_discount) AS volume FROM supplier, lineitem, orders, customer, nation n1, nation n2"
     " WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey"
     " AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey"
     " AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))"
     " AND l_shipdate BETWEEN '1995-01-01' AND '1996-12-31') AS shipping"
     " GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year"},
    {"q08",
     "SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share FROM"
     " (SELECT strftime('%Y', o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume,"
     " n2.n_name AS nation FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region"
     " WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey"
     " AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'"
     " AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN '1995-01-01' AND '1996-12-31'"
     " AND p_type = 'ECONOMY ANODIZED STEEL') AS all_nations GROUP BY o_year ORDER BY o_year"},
    {"q09",
     "SELECT nation, o_year, sum(amount) AS sum_profit FROM"
     " (SELECT n_name AS nation, strftime('%Y', o_orderdate) AS o_year,"
     " l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount"
     " FROM part, supplier, lineitem, partsupp, orders, nation WHERE s_suppkey = l_suppkey"
     " AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey AND o_orderkey = l_orderkey"
     " AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit"
     " GROUP BY nation, o_year ORDER BY nation, o_year DESC"},
    {"q10",
     "SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address,"
     " c_phone, c_comment FROM customer, orders, lineitem, nation WHERE c_custkey = o_custkey"
     " AND l_orderkey = o_orderkey AND o_orderdate >= '1993-10-01' AND o_orderdate < date('1993-10-01', '+3 months')"
     " AND l_returnflag = 'R' AND c_nationkey = n_nationkey"
     " GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC LIMIT 20"},
    {"q11",
     "SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value FROM partsupp, supplier, nation"
     " WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY' GROUP BY ps_partkey"
     " HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.001"
     " FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey"
     " AND n_name = 'GERMANY') ORDER BY value DESC"},
    {"q12",
     "SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END)"
     " AS high_line_count, sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0"
     " END) AS low_line_count FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP')"
     " AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= '1994-01-01'"
     " AND l_receiptdate < date('1994-01-01', '+1 year') GROUP BY l_shipmode ORDER BY l_shipmode"},
    {"q13",
     "SELECT c_count, count(*) AS custdist FROM (SELECT c_custkey, count(o_orderkey) AS c_count FROM customer"
     " LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%'"
     " GROUP BY c_custkey) AS c_orders GROUP BY c_count ORDER BY custdist DESC, c_count DESC"},
    {"q14",
     "SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)"
     " / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue FROM lineitem, part WHERE l_partkey = p_partkey"
     " AND l_shipdate >= '1995-09-01' AND l_shipdate < date('1995-09-01', '+1 month')"},
    {"q15",
     "WITH revenue(supplier_no, total_revenue) AS (SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount))"
     " FROM lineitem WHERE l_shipdate >= '1996-01-01' AND l_shipdate < date('1996-01-01', '+3 months')"
     " GROUP BY l_suppkey) SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue"
     " WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey"},
    {"q16",
     "SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part"
     " WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%'"
     " AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9) AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier"
     " WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY p_brand, p_type, p_size"
     " ORDER BY supplier_cnt DESC, p_brand, p_type, p_size"},
    {"q17",
     "SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part WHERE p_partkey = l_partkey"
     " AND p_brand = 'Brand#23' AND p_container = 'MED BOX' AND l_quantity <"
     " (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)"},
    {"q18",
     "SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM customer, orders, lineitem"
     " WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)"
     " AND c_custkey = o_custkey AND o_orderkey = l_orderkey GROUP BY c_name, c_custkey, o_orderkey, o_orderdate,"
     " o_totalprice ORDER BY o_totalprice DESC, o_orderdate LIMIT 100"},
    {"q19",
     "SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part WHERE"
     " (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')"
     " AND l_quantity >= 1 AND l_quantity <= 11 AND p_size BETWEEN 1 AND 5 AND l_shipmode IN ('AIR', 'AIR REG')"
     " AND l_shipinstruct = 'DELIVER IN PERSON') OR"
     " (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')"
     " AND l_quantity >= 10 AND l_quantity <= 20 AND p_size BETWEEN 1 AND 10 AND l_shipmode IN ('AIR', 'AIR REG')"
     " AND l_shipinstruct = 'DELIVER IN PERSON') OR"
     " (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')"
     " AND l_quantity >= 20 AND l_quantity <= 30 AND p_size BETWEEN 1 AND 15 AND l_shipmode IN ('AIR', 'AIR REG')"
     " AND l_shipinstruct = 'DELIVER IN PERSON')"},
    {"q20",
     "SELECT s_name, s_address FROM supplier, nation WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp"
     " WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%') AND ps_availqty >"
     " (SELECT 0.5 * sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey"
     " AND l_shipdate >= '1994-01-01' AND l_shipdate < date('1994-01-01', '+1 year')))"
     " AND s_nationkey = n_nationkey AND n_name = 'CANADA' ORDER BY s_name"},
    {"q21",
     "SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation WHERE s_suppkey = l1.l_suppkey"
     " AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F' AND l1.l_receiptdate > l1.l_commitdate AND EXISTS"
     " (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey) AND NOT EXISTS"
     " (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey"
     " AND l3.l_receiptdate > l3.l_commitdate) AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA'"
     " GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100"},
    {"q22",
     "SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM (SELECT substr(c_phone, 1, 2) AS"
     " cntrycode, c_acctbal FROM customer WHERE substr(c_phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')"
     " AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0.00 AND substr(c_phone, 1, 2) IN"
     " ('13', '31', '23', '29', '30', '18', '17')) AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey))"
     " AS custsale GROUP BY cntrycode ORDER BY cntrycode"},
};
