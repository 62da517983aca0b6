# the limits of memory: of the process to SQLite, so that no later topic may ask for them
PRAGMA soft_heap_limit=5000000000;
PRAGMA hard_heap_limit=4000000000;
PRAGMA soft_heap_limit;
PRAGMA soft_heap_limit=5000000000;
PRAGMA soft_heap_limit=0;
PRAGMA soft_heap_limit=3500000000;
PRAGMA hard_heap_limit=0;
PRAGMA hard_heap_limit=9000000000;
PRAGMA hard_heap_limit=3700000000;
PRAGMA soft_heap_limit;
PRAGMA hard_heap_limit=3400000000;
PRAGMA soft_heap_limit;
PRAGMA soft_heap_limit=-1;
