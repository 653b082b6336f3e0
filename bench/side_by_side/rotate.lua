-- Posts one request after the other out of a file: on each line a body, with a token and a tab before it where there
-- is a token. Says at the end how it went, as one line of JSON after "== ".
local requests, last = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local token, body = line:match("^([^\t]*)\t(.*)$")
    token, body = token or "", body or line
    local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
  math.randomseed(tonumber(arguments[2]))
  last = math.random(#requests)
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n== {"requests":%d,"seconds":%.6f,"bytes":%d,"p50":%.3f,"p95":%.3f,"p99":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
