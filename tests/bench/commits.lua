-- Twenty inserts a request, each a transaction of its own.
local one = '{"type":"execute","stmt":{"sql":"INSERT INTO t(b) VALUES (randomblob(100))"}},'
local body = '{"baton":null,"requests":[' .. string.rep(one, 20) .. '{"type":"close"}]}'
local text
function init()
  text = wrk.format("POST", "/v3/pipeline", {["Content-Type"] = "application/json"}, body)
end
function request()
  return text
end
