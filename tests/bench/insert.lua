-- One durable insert a request, as @libsql/client sends it. CHECK: see read.lua.
local body = '{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"INSERT INTO writes(body) VALUES (?)","args":[{"type":"text","value":"' .. string.rep("x", 100) .. '"}],"want_rows":true}},{"type":"close"}]}'
local text
function init()
  text = wrk.format("POST", "/v2/pipeline", {["Content-Type"] = "application/json"}, body)
end
function request()
  return text
end
if os.getenv("CHECK") then
  local bad = 0
  function response(status, headers, answer)
    if status ~= 200 or not answer:find('"affected_row_count":1', 1, true) then bad = bad + 1; if bad < 4 then io.stderr:write("bad answer: ", status, " ", answer:sub(1, 200), "\n") end end
  end
end
