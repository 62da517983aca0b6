-- A point read by rowid, as @libsql/client sends it.
math.randomseed(tonumber(os.getenv("SEED") or "1"))
local head = '{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"SELECT id, name, v FROM bench WHERE id = ?","args":[{"type":"integer","value":"'
local tail = '"}],"want_rows":true}},{"type":"close"}]}'
function request()
  return wrk.format("POST", "/v2/pipeline", {["Content-Type"] = "application/json"}, head .. math.random(1, 10000) .. tail)
end
local bad = 0
function response(status, headers, body)
  if status ~= 200 or not body:find('"type":"text"', 1, true) then bad = bad + 1; if bad < 4 then io.stderr:write("bad answer: ", status, " ", body:sub(1, 200), "\n") end end
end
