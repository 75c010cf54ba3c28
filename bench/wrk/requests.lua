-- The requests of one piece of work, and one line of JSON on what came of them.
--
--   wrk … -s requests.lua URL -- WORK USERS SEED FIRST AUTHORIZATION TAGS
--
-- USERS: how many users the store has, by the ids 1 to USERS
-- SEED:  of the random numbers; the same seed gives the same requests
-- FIRST: the id that deletes begin at, going down
-- AUTHORIZATION: the header's value, or - for none
-- TAGS:  a file with lines of an id and its entity tag, or - for none

local RING = 8192 -- requests made ahead, so that making them costs the load generator nothing

local headers = {}
local users, seed, next_id
local tags = {}

local function read_tags(file)
  for line in io.lines(file) do
    local id, tag = line:match("^(%d+) (.+)$")
    tags[#tags + 1] = { id = id, tag = tag }
  end
end

local function with(more)
  local all = {}
  for name, value in pairs(headers) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

local function any_id()
  return math.random(1, users)
end

local function get(path, more)
  return wrk.format("GET", path, more and with(more) or headers)
end

-- Works whose requests don't depend on what was answered: made ahead.
local ahead = {}

ahead["get"] = function() return get("/users/" .. any_id()) end

ahead["get-connect"] = function()
  local json = with({ ["Content-Type"] = "application/json" })
  local body = string.format('{"id":"%d"}', any_id())
  return wrk.format("POST", "/edgeusers.v1.UserService/GetUser", json, body)
end

ahead["get-missing"] = function() return get("/users/" .. (1000000000 + any_id())) end

ahead["get-not-modified"] = function()
  local known = tags[math.random(#tags)]
  return get("/users/" .. known.id, { ["If-None-Match"] = known.tag })
end

ahead["get-by-email"] = function()
  return get(string.format("/users?email=user%07d@example.com", any_id()))
end

ahead["page"] = function()
  return get("/users?limit=50&after=" .. math.random(0, users - 50))
end

ahead["short-page"] = function()
  return get("/users?limit=5&after=" .. math.random(0, users - 5))
end

-- Of the words and teams that src/seed.rs gives to users, the one with a number.
local FOUND = 5 -- how many users have the same word, or team
local GROUPS = 100
local MEMBERSHIPS = 10 -- of some users, from the start

local function any_shared()
  return math.random(0, users / FOUND - 1)
end

ahead["find-by-word"] = function()
  local word = string.format("%06d", any_shared()):gsub("%d", function(digit)
    return string.char(97 + digit)
  end)
  return get("/users?q=" .. word)
end

ahead["find-by-attribute"] = function()
  return get("/users?attributes.team=t" .. any_shared())
end

ahead["members"] = function()
  return get("/groups/" .. math.random(1, GROUPS) .. "/members?limit=50")
end

ahead["health"] = function() return get("/healthz") end

ahead["mix"] = function()
  if math.random(10) > 1 then return ahead["get"]() end
  local body = string.format('{"attributes":{"visits":%d}}', math.random(9999999))
  local merge = with({ ["Content-Type"] = "application/merge-patch+json" })
  return wrk.format("PATCH", "/users/" .. any_id(), merge, body)
end

-- Works in which every request is new.
local each = {}

local created = 0
each["create"] = function()
  created = created + 1
  local body = string.format(
    '{"name":"User %07d","email":"user%07d.%d@example.com"}', created, created, seed)
  return wrk.format("POST", "/users", with({ ["Content-Type"] = "application/json" }), body)
end

-- Never the same user into the same group. Users begin elsewhere in each round, as large stores
-- keep the members of earlier rounds.
local added = 0
each["add-member"] = function()
  local number = seed * 100 % users + added
  added = added + 1
  local user, turn = number % users, math.floor(number / users)
  local group = (user + MEMBERSHIPS + turn) % GROUPS
  return wrk.format("PUT", string.format("/groups/%d/members/%d", group + 1, user + 1), headers)
end

each["delete"] = function()
  local id = next_id
  next_id = id - 1
  return wrk.format("DELETE", "/users/" .. id, headers)
end

-- Each answer gives the tag for a later update of the same user, so that none is
-- refused: the queue is longer than there are connections. It runs dry only if answers
-- are not what they should be, and then the run is to fail.
local first, last = 1, 0
local function change(body)
  local known = tags[first]
  if not known then return ahead["get-missing"]() end
  tags[first] = nil
  first = first + 1
  local conditional = with({
    ["Content-Type"] = "application/merge-patch+json",
    ["If-Match"] = known.tag,
  })
  return wrk.format("PATCH", "/users/" .. known.id, conditional, body)
end

each["update"] = function()
  return change(string.format('{"attributes":{"visits":%d}}', first))
end

each["rename"] = function()
  return change(string.format('{"name":"%07d Renamed"}', math.random(9999999)))
end

local function remember_tag(status, answered, body)
  local tag = answered["etag"] or answered["ETag"] or answered["Etag"]
  local id = body:match('"id":(%d+)')
  if status == 200 and tag and id then
    last = last + 1
    tags[last] = { id = id, tag = tag }
  end
end

function init(arguments)
  local work = arguments[1]
  users, seed, next_id = tonumber(arguments[2]), tonumber(arguments[3]), tonumber(arguments[4])
  math.randomseed(seed)
  if arguments[5] ~= "-" then headers["Authorization"] = arguments[5] end
  if arguments[6] ~= "-" then read_tags(arguments[6]) end
  last = #tags
  if each[work] then
    request = each[work]
    if work == "update" or work == "rename" then response = remember_tag end
    return
  end
  local ring = {}
  for number = 1, RING do ring[number] = ahead[work]() end
  local position = 0
  request = function()
    position = position % RING + 1
    return ring[position]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"mean":%.1f,'
      .. '"p50":%d,"p90":%d,"p99":%d,"p999":%d,"max":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency.mean,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9), latency.max))
end
