-- One insert a request, a transaction of its own, at a steady rate: the argument, a second. Who is behind does not wait.
local ffi = require("ffi")
ffi.cdef[[typedef struct { long s, ns; } clock_time; int clock_gettime(int, clock_time *);]]
local t, begun, sent, rate, text = ffi.new("clock_time"), nil, 0, 1000, nil
local function now()
  ffi.C.clock_gettime(1, t)
  return tonumber(t.s) + tonumber(t.ns) / 1e9
end
function init(args)
  rate = tonumber(args[1])
  local body = '{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"INSERT INTO t(b) VALUES (randomblob(100))"}},{"type":"close"}]}'
  text = wrk.format("POST", "/v3/pipeline", {["Content-Type"] = "application/json"}, body)
end
function delay()
  begun = begun or now()
  sent = sent + 1
  return math.max(0, (sent / rate - (now() - begun)) * 1000)
end
function request()
  return text
end
