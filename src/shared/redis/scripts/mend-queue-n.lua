-- Removes what makes no sense in a queue of BullMQ: a key of another type, a counter that is no number, a mark that would stay
-- for good, a stream ahead of the time, an active job that cannot be read.
-- KEYS: the queue's own keys, the first one `wait`; then jobs
-- ARGV: how far ahead of the time a stream may be (ms); then for each of the queue's own keys its type
-- Returns what was removed, each key with the reason behind it.
-- include now.lua
local removed = {}
local function drop(key, why)
  redis.call('DEL', key)
  removed[#removed + 1] = key
  removed[#removed + 1] = why
end
local function isNumber(text) return #text < 16 and string.match(text, '^%d+$') ~= nil end
local function typeOf(key) return redis.call('TYPE', key).ok end
local function isJson(text) return not text or (pcall(cjson.decode, text)) end

local function senseless(key)
  local name = string.match(key, '[^:]+$')
  if name == 'id' or name == 'pc' then
    return not isNumber(redis.call('GET', key)) and 'no number'
  elseif name == 'stalled-check' or name == 'limiter' then
    return redis.call('PTTL', key) == -1 and 'there for good'
  elseif name == 'events' then
    local info = redis.call('XINFO', 'STREAM', key)
    for i = 1, #info - 1 do
      if info[i] == 'last-generated-id' then
        local ms = tonumber(string.match(info[i + 1], '^%d+'))
        return ms > now + tonumber(ARGV[1]) and 'ahead of the time'
      end
    end
  elseif name == 'meta' then
    for _, field in ipairs({ 'opts.maxLenEvents', 'concurrency', 'max', 'duration' }) do
      local value = redis.call('HGET', key, field)
      if value and not isNumber(value) then return 'no number in ' .. field end
    end
  end
  return false
end

local own = #ARGV - 1
for i = 1, own do
  local key, type = KEYS[i], typeOf(KEYS[i])
  if type ~= 'none' then
    local why = type ~= ARGV[i + 1] and 'a ' .. type or senseless(key)
    if why then drop(key, why) end
  end
end

local function look(job)
  local type = typeOf(job)
  if type == 'none' then return end
  if type ~= 'hash' then return drop(job, 'a ' .. type) end
  for _, field in ipairs({ 'data', 'opts', 'returnvalue', 'stacktrace' }) do
    if not isJson(redis.call('HGET', job, field)) then return drop(job, 'no job: its ' .. field .. ' cannot be read') end
  end
end
local prefix = string.sub(KEYS[1], 1, -#'wait' - 1)
for _, id in ipairs(redis.call('LRANGE', prefix .. 'active', 0, 99)) do look(prefix .. id) end
for i = own + 1, #KEYS do look(KEYS[i]) end
return removed
