-- Point reads by rowid, as @libsql/client sends them. CHECK=1 looks into every answer, which costs wrk more than
-- the request costs the server: the timed runs count wrong statuses only.
math.randomseed(tonumber(os.getenv("SEED") or "1"))
local head = '{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"SELECT id, name, v FROM bench WHERE id = ?","args":[{"type":"integer","value":"'
local tail = '"}],"want_rows":true}},{"type":"close"}]}'
local requests, next_request = {}, 0
function init()
  for i = 1, 5000 do
    requests[i] = wrk.format("POST", "/v2/pipeline", {["Content-Type"] = "application/json"}, head .. math.random(1, 10000) .. tail)
  end
end
function request()
  next_request = next_request % 5000 + 1
  return requests[next_request]
end
if os.getenv("CHECK") then
  local bad = 0
  function response(status, headers, body)
    if status ~= 200 or not body:find('"type":"text"', 1, true) then bad = bad + 1; if bad < 4 then io.stderr:write("bad answer: ", status, " ", body:sub(1, 200), "\n") end end
  end
end
